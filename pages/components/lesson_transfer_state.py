"""What the lesson on transfer shows, as its link says it, and the pretrained networks it can be about."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from cnncore.catalog.backbone_files import backbones_at_hand
from cnncore.catalog.backbones import BACKBONES, DEFAULT_BACKBONE
from cnncore.catalog.stages import Stage, stage_ends, stages_of
from cnncore.errors import ConfigError
from cnncore.images.picture_reference import parse_images
from pages.components.lab import data_root
from pages.components.lesson_picture import PictureName, PictureState

MOST_STAGES = 6
_FEWEST_STAGES = 3


def networks() -> dict[str, str]:
    """Titles of the pretrained networks on this machine that have an early, a middle and a late stage with maps."""
    found = backbones_at_hand(data_root())
    return {key: BACKBONES[key].title for key in found if len(stage_ends(BACKBONES[key].network)) >= _FEWEST_STAGES}


def _network(key: str) -> str:
    here = networks()
    if key not in here:
        raise ConfigError("network", "It is not on this machine.", f"Allowed: {', '.join(here)}.")
    return key


def _images(name: str) -> str:
    if name and parse_images(name).kind == "run":
        raise ConfigError("images", "Runs have no images of their own here.", "Name a data set or an image set.")
    return name


class TransferState(PictureState):
    """What the link says.

    Attributes:
        part: Of the figure.
        network: Key of a pretrained network.
        depth: Place of the stage whose maps are shown.
        unit: The map that is chosen; −1 for the first one.
        learning: How many stages learn, counted from the head.
        images: By `parse_images`; empty for the first ones at hand.
        probed: Whether the stages are measured.
    """

    picture: PictureName = "flower"
    part: Literal["layers", "training"] = "layers"
    network: Annotated[str, AfterValidator(_network)] = DEFAULT_BACKBONE
    depth: Annotated[int, Field(ge=0, lt=MOST_STAGES, title="stage")] = 0
    unit: Annotated[int, Field(ge=-1, le=4_095, title="map")] = -1
    learning: Annotated[int, Field(ge=0, le=MOST_STAGES, title="number of stages that learn")] = 0
    images: Annotated[str, AfterValidator(_images)] = ""
    probed: bool = False

    @property
    def stages(self) -> dict[str, Stage]:
        """The network's stages that leave maps, by the layer they end with, input side first."""
        network = BACKBONES[self.network].network
        ends = stage_ends(network)
        return {ends[stage.key]: stage for stage in stages_of(network) if stage.key in ends}
