"""Questions about why a network says what it says of a picture."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from pydantic import Field

from cnncore.analysis.attribution import METHODS, Attribution, AttributionSettings, attribute
from cnncore.analysis.sanity import NOTICES_BELOW, SanityCheck, random_parts, sanity_check, with_random_weights
from cnncore.analysis.scans import Work
from cnncore.analysis.subjects import Shown, check_class
from cnncore.answers import Answer
from cnncore.config.requests import parse_request
from cnncore.errors import lookup
from cnncore.questions.looking import PictureRequest, in_pieces
from cnncore.training.trained import TrainedNetwork

LONGEST_LAYER = 200

Target = Annotated[int, Field(ge=-1, description="the class; -1 for the most probable one")]
Layer = Annotated[str, Field(max_length=LONGEST_LAYER, description="for Grad-CAM; the last one with some extent")]


class AttributionRequest(PictureRequest, AttributionSettings):
    """What counts for a class in a picture, and how that is found."""

    method: str = Field(max_length=40, description="key of METHODS")
    target: Target = -1
    layer: Layer = ""
    shuffled: int = Field(default=0, ge=0, le=20, description="parts, from the output on, of random weights")

    def settings(self) -> AttributionSettings:
        """What the methods are told."""
        return AttributionSettings(**{name: getattr(self, name) for name in AttributionSettings.model_fields})


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class _Explained:
    target: int
    shown: Shown
    found: Attribution


def attribution(asked: dict[str, Any]) -> Answer:
    """What counts for a class in a picture, by one method; comes in pieces.

    Returns:
        `method`, `target` and its name `class`, `layer` (whose maps Grad-CAM weighted), `signed` (whether places can
        speak against the class), `completeness` (of integrated gradients: `image` and `baseline`, the two logits,
        `attributed`, the sum of the map, and `gap_percent`; else null), `depths` (what can get random weights, the
        output first). The arrays `map`, float32 (H, W), and `pixels`, uint8 (H, W, C).
    """
    request = parse_request(AttributionRequest, asked)
    method = lookup(METHODS, request.method, "method", "method")
    network = request.trained()
    name = network.card["model"]["name"]

    def work() -> Work[_Explained]:
        shown = request.shown(network)
        target = _target(network, shown, request.target)
        model = with_random_weights(network.model, name, request.shuffled) if request.shuffled else network.model
        found = yield from attribute(
            model, shown.tensor, target, request.method, layer=request.layer, settings=request.settings()
        )
        return _Explained(target=target, shown=shown, found=found)

    def told(explained: _Explained) -> Answer:
        found = explained.found
        complete = found.completeness
        facts = {
            "method": request.method,
            "target": explained.target,
            "class": network.classes[explained.target],
            "layer": found.layer,
            "signed": method.signed,
            "completeness": complete and {**dataclasses.asdict(complete), "gap_percent": complete.gap_percent},
            "depths": random_parts(name),
        }
        return Answer(facts, {"map": found.map, "pixels": explained.shown.pixels})

    return in_pieces("attribution", request, work, told)


class SanityRequest(PictureRequest):
    """Whether methods notice that a network's weights become random."""

    target: Target = -1
    methods: Annotated[tuple[str, ...], Field(min_length=1, max_length=len(METHODS))] = tuple(METHODS)
    layer: Layer = ""


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class _Checked:
    target: int
    shown: Shown
    found: SanityCheck


def sanity(asked: dict[str, Any]) -> Answer:
    """How similar the maps of methods stay while a network's weights become random; comes in pieces.

    Returns:
        `target` and its name `class`; `methods` (M), `depths` (D; what got random weights last, the first one empty for
        the network as it is), `similarity` (by method, a rank correlation for each depth), `draws` (by method, one for
        each time that all weights were drawn), `verdicts` (by method: "notices" or "hardly notices", by the mean of its
        draws and `limit`). The arrays `maps`, uint8 (M, D, h, w), absolute
        values, and `pixels`, uint8 (H, W, C).
    """
    request = parse_request(SanityRequest, asked)
    for method in request.methods:
        lookup(METHODS, method, "method", "methods")
    network = request.trained()
    name = network.card["model"]["name"]
    methods = tuple(dict.fromkeys(request.methods))

    def work() -> Work[_Checked]:
        shown = request.shown(network)
        target = _target(network, shown, request.target)
        found = yield from sanity_check(network.model, name, shown.tensor, target, methods, layer=request.layer)
        return _Checked(target=target, shown=shown, found=found)

    def told(checked: _Checked) -> Answer:
        found = checked.found
        facts = {
            "target": checked.target,
            "class": network.classes[checked.target],
            "methods": methods,
            "depths": found.depths,
            "similarity": found.similarity,
            "draws": found.draws,
            "verdicts": found.verdicts,
            "limit": NOTICES_BELOW,
        }
        return Answer(facts, {"maps": found.maps, "pixels": checked.shown.pixels})

    return in_pieces("sanity", request, work, told)


def _target(network: TrainedNetwork, shown: Shown, target: int) -> int:
    """The class to explain: the most probable one where none is chosen."""
    if target >= 0:
        return check_class(network, target)
    return int(network.look(shown.tensor).probabilities[0].argmax())
