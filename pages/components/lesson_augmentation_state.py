"""What the lesson on augmentation shows, as its link says it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cnncore.errors import lookup
from cnncore.lessons.augmenting import DIALS, KINDS
from pages.components.lesson_picture import PictureState


def _kind(key: str) -> str:
    lookup(KINDS, key, "transform")
    return key


def _dial(name: str) -> Any:
    dial = DIALS[name]
    return Field(ge=dial.low, le=dial.high, title=dial.title)


class AugmentationState(PictureState):
    """What the link says: the transform, where each dial stands, and what training draws."""

    view: Literal["transform", "label"] = "transform"
    kind: Annotated[str, AfterValidator(_kind), Field(title="transform")] = "rotation"
    crop_right: Annotated[int, _dial("crop_right")] = DIALS["crop_right"].start
    crop_down: Annotated[int, _dial("crop_down")] = DIALS["crop_down"].start
    mirror: Annotated[int, _dial("mirror")] = DIALS["mirror"].start
    flip: Annotated[int, _dial("flip")] = DIALS["flip"].start
    degrees: Annotated[int, _dial("degrees")] = DIALS["degrees"].start
    right: Annotated[int, _dial("right")] = DIALS["right"].start
    down: Annotated[int, _dial("down")] = DIALS["down"].start
    zoom: Annotated[int, _dial("zoom")] = DIALS["zoom"].start
    brightness: Annotated[int, _dial("brightness")] = DIALS["brightness"].start
    contrast: Annotated[int, _dial("contrast")] = DIALS["contrast"].start
    saturation: Annotated[int, _dial("saturation")] = DIALS["saturation"].start
    hue: Annotated[int, _dial("hue")] = DIALS["hue"].start
    erased: Annotated[int, _dial("erased")] = DIALS["erased"].start
    share: Annotated[int, _dial("share")] = DIALS["share"].start
    pasted: Annotated[int, _dial("pasted")] = DIALS["pasted"].start
    change: Literal["rotation", "flip_horizontal", "flip_vertical", "translation", "zoom"] = "rotation"
    digit: Annotated[int, Field(ge=0, le=9)] = 6
    strength: Annotated[float | None, Field(ge=0, le=180)] = None
    seed: Annotated[int, Field(ge=0, le=9_999)] = 0
