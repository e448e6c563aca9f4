"""The augmentations: one row each, in the order in which they are applied."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AugmentationSpec:
    """One augmentation; its key is the field of `augment` that turns it on (0 is off).

    Attributes:
        function: `module:function` that does it to a whole batch; rows of one function are done in one go.
        step: Step of the form's slider.
        unit: What the number counts.
        mixes: Whether it blends labels as well as images.
    """

    title: str
    summary: str
    function: str
    maximum: float
    step: float
    unit: str
    typical: float
    source: str = ""
    mixes: bool = False


def _row(function: str, **values: object) -> AugmentationSpec:
    return AugmentationSpec(function=f"cnncore.data.augment:{function}", **values)  # pyright: ignore[reportArgumentType]


AUGMENTATIONS: dict[str, AugmentationSpec] = {
    "crop_padding": _row(
        "crop_and_flip",
        title="Crop with padding",
        summary="Pads the image with black and cuts out a window of the old size at a random place.",
        maximum=16,
        step=1,
        unit="pixels",
        typical=4,
        source="He et al., 2015, section 4.2",
    ),
    "flip_horizontal": _row(
        "crop_and_flip",
        title="Mirror left-right",
        summary="Mirrors some of the images; wrong for digits and letters.",
        maximum=1,
        step=0.05,
        unit="probability",
        typical=0.5,
    ),
    "flip_vertical": _row(
        "crop_and_flip",
        title="Mirror up-down",
        summary="Turns some of the images upside down; for pictures taken from above or through a microscope.",
        maximum=1,
        step=0.05,
        unit="probability",
        typical=0.5,
    ),
    "rotation": _row(
        "random_affine",
        title="Rotate",
        summary="Turns every image by a random angle up to this many degrees to either side.",
        maximum=180,
        step=1,
        unit="degrees",
        typical=10,
    ),
    "translation": _row(
        "random_affine",
        title="Shift",
        summary="Moves every image by a random share of its size in both directions.",
        maximum=0.5,
        step=0.01,
        unit="share of the size",
        typical=0.1,
    ),
    "zoom": _row(
        "random_affine",
        title="Zoom",
        summary="Enlarges or shrinks every image by a random factor up to this share.",
        maximum=0.5,
        step=0.01,
        unit="share of the size",
        typical=0.1,
    ),
    "brightness": _row(
        "color_jitter",
        title="Brightness",
        summary="Makes every image brighter or darker by a random factor.",
        maximum=1,
        step=0.05,
        unit="strength",
        typical=0.2,
    ),
    "contrast": _row(
        "color_jitter",
        title="Contrast",
        summary="Raises or lowers every image's contrast by a random factor.",
        maximum=1,
        step=0.05,
        unit="strength",
        typical=0.2,
    ),
    "saturation": _row(
        "color_jitter",
        title="Saturation",
        summary="Makes colors stronger or paler by a random factor; does nothing to gray images.",
        maximum=1,
        step=0.05,
        unit="strength",
        typical=0.2,
    ),
    "hue": _row(
        "color_jitter",
        title="Hue",
        summary="Shifts all colors around the color wheel; does nothing to gray images.",
        maximum=0.5,
        step=0.01,
        unit="turns of the color wheel",
        typical=0.05,
    ),
    "erasing": _row(
        "random_erasing",
        title="Random erasing",
        summary="Covers a random rectangle of some images with noise.",
        maximum=1,
        step=0.05,
        unit="probability",
        typical=0.25,
        source="Zhong et al., 2017",
    ),
    "mixup": _row(
        "mixup",
        title="Mixup",
        summary="Blends pairs of images, and their labels, in a random proportion.",
        maximum=2,
        step=0.05,
        unit="α of the Beta distribution",
        typical=0.2,
        source="Zhang et al., 2017",
        mixes=True,
    ),
    "cutmix": _row(
        "cutmix",
        title="CutMix",
        summary="Pastes a rectangle of one image into another and mixes the labels by area.",
        maximum=2,
        step=0.05,
        unit="α of the Beta distribution",
        typical=1.0,
        source="Yun et al., 2019",
        mixes=True,
    ),
}
