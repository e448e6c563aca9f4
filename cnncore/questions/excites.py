"""Questions about what excites a network's units: places of real images, and images made for it."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from cnncore.analysis.exciting_patches import Cut, KeptScans, Scan, cut_of, scan, thumbnail
from cnncore.analysis.scans import Work
from cnncore.analysis.subjects import Pixels, pixels_at, shown
from cnncore.analysis.synthesis import MOST_STEPS, Synthesis, default_steps
from cnncore.analysis.units import check_unit, units_of
from cnncore.answers import Answer
from cnncore.config.requests import parse_request
from cnncore.data import ImageData
from cnncore.images.picture_reference import parse_images
from cnncore.questions.looking import ImagesRequest, SubjectRequest, in_pieces
from cnncore.training.trained import TrainedNetwork

MOST_PATCHES = 36
MOST_UNITS = 128
THUMBNAIL = 56
"""Pixels along a side of a patch in the overview of a layer's units."""

PIECE_S = 0.9
"""Seconds of an ascent that one question does: then the picture is shown as far as it is."""
MOST_ASCENTS = 4

KEPT = KeptScans()
ASCENTS: OrderedDict[str, Synthesis] = OrderedDict()
"""Pictures in the making; of those that were not asked for longest, the oldest goes when there are too many."""


class ScanRequest(ImagesRequest):
    """A layer, and how many of the images are looked at, evenly spread over the split."""

    layer: str = Field(default="", max_length=200, description="name of a layer with maps; the classes if not given")
    most_images: int = Field(default=1_000, ge=1, le=5_000)


class PatchesRequest(ScanRequest):
    """A unit of the layer."""

    unit: int = Field(ge=0, description="number of the channel or class")
    count: int = Field(default=9, ge=1, le=MOST_PATCHES)
    whole: bool = Field(default=True, description="whether the whole images are wanted too")


class UnitsRequest(ScanRequest):
    """Some units of the layer, one after the other."""

    first: int = Field(default=0, ge=0)
    count: int = Field(default=64, ge=1, le=MOST_UNITS)


def exciting_patches(asked: dict[str, Any]) -> Answer:
    """The places of images that excite a unit most, the strongest first, see `cnncore.analysis.exciting_patches`.

    Returns:
        `patches`: of each `picture` (by `cnncore.images.picture_reference`), `label`, `value`, `row` and `column` of
        the map and `box` (top, left, bottom, right in pixels of the image as the network gets it) and `middle` (row,
        column in pixels); `scanned` and
        `total` images; `num_units`; `dead`, the units of the layer that never change; of this unit `active` (share of
        the images on which it is above 0) and `median` (of its strongest values of all images); `classes`: `name`,
        `count` of the patches and `share` of the scanned images, the most frequent first. The arrays `patches`, uint8
        (n, S, S, C), and where they are wanted `images`, uint8 (n, H, W, C). With `pending`, only how far it is.
    """
    request = parse_request(PatchesRequest, asked)

    def told(made: Scan) -> Answer:
        check_unit(made.layer, request.unit)
        source = _Source.of(request)
        rows = made.top(request.unit, request.count)
        found = [source.place(made, int(row), request.unit) for row in rows]
        facts = {
            "patches": [each.facts for each in found],
            "scanned": len(made.places),
            "total": made.total,
            "num_units": made.layer.shape[0],
            "dead": np.flatnonzero(made.dead).tolist(),
            "active": float(made.active[request.unit]),
            "median": float(np.median(made.highest[:, request.unit])),
            "classes": _classes(made, rows, source.images.classes),
        }
        arrays = {"patches": _stack([each.patch for each in found])}
        if request.whole:
            arrays["images"] = _stack([each.pixels for each in found])
        return Answer(facts, arrays)

    return _of_scan(request, told)


def exciting_units(asked: dict[str, Any]) -> Answer:
    """The strongest place of each of some units of a layer.

    Returns:
        `units`: of each `unit`, `value` (of its strongest place), `active`, `dead` and `label`; `num_units`,
        `num_dead`, `scanned` and `total`. The array `patches`, uint8 (n, s, s, C), small; gray for dead units. With
        `pending`, only how far it is.
    """
    request = parse_request(UnitsRequest, asked)

    def told(made: Scan) -> Answer:
        source = _Source.of(request)
        dead, active = made.dead, made.active
        facts, patches = [], []
        for unit in range(request.first, min(request.first + request.count, made.layer.shape[0])):
            best = int(made.highest[:, unit].argmax())
            found = source.place(made, best, unit)
            small = thumbnail(found.patch, THUMBNAIL)
            patches.append(np.full_like(small, 128) if dead[unit] else small)
            facts.append(
                {
                    "unit": unit,
                    "value": found.facts["value"],
                    "active": float(active[unit]),
                    "dead": bool(dead[unit]),
                    "label": found.facts["label"],
                }
            )
        counts = {"num_units": len(dead), "num_dead": int(dead.sum())}
        return Answer(
            {"units": facts, **counts, "scanned": len(made.places), "total": made.total}, {"patches": _stack(patches)}
        )

    return _of_scan(request, told)


def _of_scan(request: ScanRequest, told: Callable[[Scan], Answer]) -> Answer:
    """What a scan tells; questions that need the same one share its work."""
    same = ScanRequest.model_validate(request.model_dump(include=set(ScanRequest.model_fields)))
    return in_pieces("exciting_scan", same, lambda: _scanned(same), told)


def _scanned(request: ScanRequest) -> Work[Scan]:
    """The scan that a request asks for, made now or kept from before."""
    network = request.trained()
    images = request.opened(network)
    key = f"{request.model_dump_json()} {images.fingerprint}"
    made = KEPT.get(network, key)
    if made is None:
        units = units_of(network, request.layer)
        made = yield from scan(units, images, request.split, request.most_images)
        KEPT.keep(network, key, made)
    return made


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A strong place: what stands in the answer, the patch and the whole image."""

    facts: dict[str, Any]
    patch: Pixels
    pixels: Pixels


@dataclass(frozen=True, kw_only=True)
class _Source:
    """Where the images of a scan come from."""

    network: TrainedNetwork
    images: ImageData
    request: ScanRequest

    @staticmethod
    def of(request: ScanRequest) -> _Source:
        network = request.trained()
        return _Source(network=network, images=request.opened(network), request=request)

    def place(self, made: Scan, row: int, unit: int) -> _Place:
        """The strongest place of a unit in an image of a scan."""
        place, split = int(made.places[row]), self.request.split
        stored, label = pixels_at(self.images, split, place)
        pixels = shown(self.network, stored).pixels
        line, column = made.place(row, unit)
        cut: Cut = cut_of(made.layer, line, column, len(pixels))
        name = str(self.images.names[split][place]) if self.images.names else ""
        facts = {
            "picture": str(parse_images(self.request.named()).picture(split, place, name)),
            "label": label,
            "value": float(made.highest[row, unit]),
            "row": line,
            "column": column,
            "box": made.layer.seen_by(line, column, len(pixels)),
            "middle": made.layer.middle(line, column, len(pixels)),
        }
        return _Place(facts=facts, patch=cut.of(pixels), pixels=pixels)


class SynthesisRequest(SubjectRequest):
    """A unit, and how the picture is made for it."""

    layer: str = Field(default="", max_length=200, description="name of a layer with maps; the classes if not given")
    unit: int = Field(ge=0, description="number of the channel or class")
    aim: Literal["mean", "middle"] = Field(default="mean", description="of the map: all of it or its middle position")
    steps: int = Field(default=0, ge=0, le=MOST_STEPS, description="0 for as many as the network's size allows")
    seed: int = Field(default=0, ge=0, le=2**31 - 1)


def synthesis(asked: dict[str, Any]) -> Answer:
    """A picture made to excite a unit, see `cnncore.analysis.synthesis`, as far as it is: ask again while `pending`.

    Returns:
        What was asked for; `pending`, `done` and `total` steps; `before` and `value`: the unit's largest value of the
        first picture and of this one; when it is whole `said`, the class that the network sees in it, and its `share`.
        The array `image`, uint8 (H, W, C).
    """
    request = parse_request(SynthesisRequest, asked)
    key = request.model_dump_json()
    network = request.trained()
    made = ASCENTS.pop(key, None)
    if made is None or made.units.network is not network:
        units = units_of(network, request.layer)
        check_unit(units.layer, request.unit)
        steps = request.steps or default_steps(units.macs)
        made = Synthesis(units, request.unit, steps=steps, seed=request.seed, middle=request.aim == "middle")
    made.advance(PIECE_S)
    picture = made.picture
    pending = made.done < made.total
    asked_for = request.model_dump(include={"network", "layer", "unit", "aim", "seed"})
    facts = {
        **asked_for,
        "pending": pending,
        "done": made.done,
        "total": made.total,
        "before": made.before,
        "value": made.value,
    }
    if pending:
        ASCENTS[key] = made
        while len(ASCENTS) > MOST_ASCENTS:
            ASCENTS.popitem(last=False)
    else:
        shares = network.look(shown(network, picture).tensor).probabilities[0]
        said = int(shares.argmax())
        facts |= {"said": network.classes[said], "share": float(shares[said])}
    return Answer(facts, {"image": picture}, lasting=not pending and request.lasts)


def _classes(made: Scan, rows: np.ndarray, names: tuple[str, ...]) -> list[dict[str, Any]]:
    counts = Counter(int(made.labels[row]) for row in rows)
    return [
        {"name": names[label], "count": count, "share": float((made.labels == label).mean())}
        for label, count in counts.most_common()
    ]


def _stack(pixels: list[Pixels]) -> Pixels:
    return np.stack(pixels) if pixels else np.zeros((0, 1, 1, 1), np.uint8)
