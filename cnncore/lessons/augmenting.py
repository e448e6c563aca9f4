"""Every augmentation that the lab trains with: what it does at each place of a dial, and what training would draw.

The keys are those of `cnncore.catalog.AUGMENTATIONS`. `Kind.draw` draws from the distributions of
`cnncore.data.augment` (named at each function), with numpy's generator in place of torch's; tests compare both the
results for settings that torch drew and the distributions of thousands of draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cnncore.catalog.augmentations import AUGMENTATIONS, AugmentationSpec
from cnncore.errors import ConfigError
from cnncore.lessons.transforms import affine, blend, colors, erase, mirror, paste, shift

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
Settings = Mapping[str, float]
Changed = tuple[Array, float]
"""An image, and the share of its label that stays; the rest is that of the other image."""

_AREA = (0.02, 0.33)
_ASPECT = (0.3, 1 / 0.3)


@dataclass(frozen=True, kw_only=True)
class Dial:
    """A slider over what an augmentation draws.

    Attributes:
        name: Of the setting.
        title: What it is called.
        low: Smallest place; the others up to `high` are `step` apart.
        high: Largest one.
        step: From one to the next.
        start: Where it stands first.
        words: What is put around the number; `{}` stands for it.
    """

    name: str
    title: str
    low: int
    high: int
    step: int
    start: int
    words: str

    @property
    def places(self) -> range:
        """Every place it can stand at."""
        return range(self.low, self.high + 1, self.step)

    def say(self, place: float) -> str:
        """A place with its unit."""
        if self.high == 1:
            return "Yes" if place else "No"
        return self.words.format(f"{place:g}".replace("-", "−"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """One augmentation.

    Attributes:
        dials: What can be set by hand.
        apply: Changes an image (C, H, W) from 0 to 1; takes the image, the other image of the batch and the settings:
            those of the dials and of `rest`.
        draw: Draws all settings as training does; takes a generator and the strength as the catalog counts it.
        strength: What the strength means, in words.
        rest: Settings that training draws too and that stand still while one turns a dial.
        moves: Whether it is a window on the image with black around it, which the dials move by whole pixels.
    """

    dials: tuple[Dial, ...]
    apply: Callable[[Array, Array, Settings], Changed]
    draw: Callable[[np.random.Generator, float], dict[str, float]]
    strength: Callable[[float], str]
    rest: Settings = field(default_factory=dict[str, float])
    moves: bool = False


def _either_way(name: str, factor: float = 1.0) -> Callable[[np.random.Generator, float], dict[str, float]]:
    """From minus the strength to the strength, as in `random_affine` and the hue of `color_jitter`."""
    return lambda rng, strength: {name: factor * rng.uniform(-strength, strength)}


def _about_one(name: str) -> Callable[[np.random.Generator, float], dict[str, float]]:
    """A factor from 1 − strength to 1 + strength in percent, as in `color_jitter` and the zoom of `random_affine`."""
    return lambda rng, strength: {name: 100 * rng.uniform(1 - strength, 1 + strength)}


def _some(name: str) -> Callable[[np.random.Generator, float], dict[str, float]]:
    """1 with this probability, else 0, as in `crop_and_flip`."""
    return lambda rng, strength: {name: float(rng.random() < strength)}


def _draw_crop(rng: np.random.Generator, strength: float) -> dict[str, float]:
    """Where the window's corner lies in the padded image, as in `crop_and_flip`."""
    down, right = rng.integers(0, 2 * round(strength) + 1, 2)
    return {"crop_right": round(strength) - float(right), "crop_down": round(strength) - float(down)}


def _draw_shift(rng: np.random.Generator, strength: float) -> dict[str, float]:
    """Shares of the width and of the height in percent, as in `random_affine`."""
    right, down = 100 * rng.uniform(-strength, strength, 2)
    return {"right": right, "down": down}


def _draw_erasing(rng: np.random.Generator, strength: float) -> dict[str, float]:
    """As in `random_erasing`; `erased` is 0 where an image is left as it is."""
    chosen = rng.random() < strength
    return {
        "erased": 100 * rng.uniform(*_AREA) if chosen else 0.0,
        "aspect": math.exp(rng.uniform(math.log(_ASPECT[0]), math.log(_ASPECT[1]))),
        "top": rng.random(),
        "left": rng.random(),
        "noise": float(rng.integers(2**31 - 1)),
    }


def _draw_mixup(rng: np.random.Generator, strength: float) -> dict[str, float]:
    """As in `mixup`: its share follows Beta(strength, strength); with 0 it is off."""
    return {"share": 100 * rng.beta(strength, strength) if strength else 100.0}


def _draw_cutmix(rng: np.random.Generator, strength: float) -> dict[str, float]:
    """As in `cutmix`; with 0 it is off."""
    pasted = 100 * (1 - rng.beta(strength, strength)) if strength else 0.0
    return {"pasted": pasted, "middle_y": rng.random(), "middle_x": rng.random()}


def _crop(image: Array, _: Array, to: Settings) -> Changed:
    return shift(image, round(to["crop_right"]), round(to["crop_down"])), 1.0


def _turn(image: Array, _: Array, to: Settings) -> Changed:
    return affine(image, degrees=to["degrees"]), 1.0


def _move(image: Array, _: Array, to: Settings) -> Changed:
    return affine(image, right=to["right"] / 100, down=to["down"] / 100), 1.0


def _zoom(image: Array, _: Array, to: Settings) -> Changed:
    return affine(image, zoom=to["zoom"] / 100), 1.0


def _erase(image: Array, _: Array, to: Settings) -> Changed:
    _, height, width = image.shape
    if not to["erased"]:
        return image, 1.0
    area = to["erased"] / 100 * height * width
    tall = math.floor(min(max(math.sqrt(area * to["aspect"]), 1), height))
    wide = math.floor(min(max(math.sqrt(area / to["aspect"]), 1), width))
    top, left = math.floor(to["top"] * (height - tall + 1)), math.floor(to["left"] * (width - wide + 1))
    return erase(image, top, left, tall, wide, seed=int(to["noise"])), 1.0


def _mix(image: Array, other: Array, to: Settings) -> Changed:
    return blend(image, other, to["share"] / 100), to["share"] / 100


def _paste(image: Array, other: Array, to: Settings) -> Changed:
    _, height, width = image.shape
    side = math.sqrt(to["pasted"] / 100)
    tall, wide = math.floor(side * height), math.floor(side * width)
    top, left = math.floor(to["middle_y"] * height) - tall // 2, math.floor(to["middle_x"] * width) - wide // 2
    return paste(image, other, top, left, tall, wide)


def _some_of_them(strength: float) -> str:
    return f"{100 * strength:g} % of the images"


def _factors(strength: float) -> str:
    return f"{100 * (1 - strength):g} % to {100 * (1 + strength):g} %"


def _color(name: str, title: str, start: int) -> Kind:
    dial = Dial(name=name, title=title, low=0, high=200, step=5, start=start, words="{} %")
    return Kind(
        dials=(dial,),
        apply=lambda image, _, to: (colors(image, **{name: to[name] / 100}), 1.0),
        draw=_about_one(name),
        strength=_factors,
    )


_PIXELS = {"low": -16, "high": 16, "step": 1, "words": "{} px"}
_SHARE = {"low": -50, "high": 50, "step": 1, "words": "{} %"}
KINDS: dict[str, Kind] = {
    "crop_padding": Kind(
        dials=(
            Dial(name="crop_right", title="To the right", start=10, **_PIXELS),
            Dial(name="crop_down", title="Down", start=-6, **_PIXELS),
        ),
        apply=_crop,
        draw=_draw_crop,
        strength=lambda strength: f"up to {strength:g} px each way",
        moves=True,
    ),
    "flip_horizontal": Kind(
        dials=(Dial(name="mirror", title="Mirrored", low=0, high=1, step=1, start=1, words="{}"),),
        apply=lambda image, _, to: (mirror(image, across=bool(to["mirror"])), 1.0),
        draw=_some("mirror"),
        strength=_some_of_them,
    ),
    "flip_vertical": Kind(
        dials=(Dial(name="flip", title="Upside down", low=0, high=1, step=1, start=1, words="{}"),),
        apply=lambda image, _, to: (mirror(image, over=bool(to["flip"])), 1.0),
        draw=_some("flip"),
        strength=_some_of_them,
    ),
    "rotation": Kind(
        dials=(Dial(name="degrees", title="Rotated clockwise", low=-180, high=180, step=5, start=30, words="{}°"),),
        apply=_turn,
        draw=_either_way("degrees"),
        strength=lambda strength: f"up to {strength:g}° either way",
    ),
    "translation": Kind(
        dials=(
            Dial(name="right", title="To the right, as a share of the width", start=15, **_SHARE),
            Dial(name="down", title="Down, as a share of the height", start=-10, **_SHARE),
        ),
        apply=_move,
        draw=_draw_shift,
        strength=lambda strength: f"up to {100 * strength:g} % each way",
        moves=True,
    ),
    "zoom": Kind(
        dials=(Dial(name="zoom", title="Size", low=50, high=150, step=2, start=130, words="{} %"),),
        apply=_zoom,
        draw=_about_one("zoom"),
        strength=_factors,
    ),
    "brightness": _color("brightness", "Brightness", 150),
    "contrast": _color("contrast", "Contrast", 40),
    "saturation": _color("saturation", "Saturation", 20),
    "hue": Kind(
        dials=(Dial(name="hue", title="Around the color wheel", low=-180, high=180, step=10, start=60, words="{}°"),),
        apply=lambda image, _, to: (colors(image, hue=to["hue"] / 360), 1.0),
        draw=_either_way("hue", 360),
        strength=lambda strength: f"up to {360 * strength:g}° either way",
    ),
    "erasing": Kind(
        dials=(Dial(name="erased", title="Area that is covered", low=2, high=33, step=1, start=15, words="{} %"),),
        apply=_erase,
        draw=_draw_erasing,
        strength=_some_of_them,
        rest={"aspect": 0.8, "top": 0.4, "left": 0.6, "noise": 0},
    ),
    "mixup": Kind(
        dials=(Dial(name="share", title="Of this picture", low=0, high=100, step=2, start=70, words="{} %"),),
        apply=_mix,
        draw=_draw_mixup,
        strength=lambda strength: f"α = {strength:g}",
    ),
    "cutmix": Kind(
        dials=(
            Dial(
                name="pasted", title="Rectangle of the other picture", low=0, high=100, step=2, start=30, words="{} %"
            ),
        ),
        apply=_paste,
        draw=_draw_cutmix,
        strength=lambda strength: f"α = {strength:g}",
        rest={"middle_y": 0.6, "middle_x": 0.66},
    ),
}
"""By the augmentations' keys, in the order in which training applies them."""

DIALS: dict[str, Dial] = {dial.name: dial for kind in KINDS.values() for dial in kind.dials}


def checked_strength(key: str, strength: float | None) -> float:
    """A strength of an augmentation, its typical one where none is given.

    Raises:
        ConfigError: if it is beyond what the catalog allows.
    """
    spec: AugmentationSpec = AUGMENTATIONS[key]
    if strength is None:
        return spec.typical
    if strength > spec.maximum:
        raise ConfigError(
            "strength",
            f"The strength of “{spec.title}” is {strength:g}, at most {spec.maximum:g} ({spec.unit}) is possible.",
            "Choose the transform anew, or correct the link.",
        )
    return strength


def changed_at(key: str, image: Array, other: Array, dials: Settings) -> Changed:
    """An image (C, H, W) from 0 to 1 changed as the dials say, with what they leave open at rest."""
    kind = KINDS[key]
    return kind.apply(image, other, {**kind.rest, **dials})


def every_place(key: str, image: Array, other: Array) -> tuple[Pixels, list[float]]:
    """An image (C, H, W) at every place of the one dial: uint8 (places, H, W, C), and the shares of its label."""
    (dial,) = KINDS[key].dials
    found = [changed_at(key, image, other, {dial.name: place}) for place in dial.places]
    return np.stack([as_pixels(each) for each, _ in found]), [share for _, share in found]


def random_draws(
    key: str, image: Array, other: Array, strength: float, *, seed: int, num: int
) -> tuple[Pixels, list[float]]:
    """An image (C, H, W) as training might get it: uint8 (num, H, W, C), and the shares of its label."""
    kind, rng = KINDS[key], np.random.default_rng(seed)
    found = [kind.apply(image, other, kind.draw(rng, strength)) for _ in range(num)]
    return np.stack([as_pixels(each) for each, _ in found]), [share for _, share in found]


def with_margin(image: Array, margin: int) -> Pixels:
    """An image (C, H, W) with black around it, uint8 (H + 2 margin, W + 2 margin, C): what a window moves over."""
    return as_pixels(np.pad(image, [(0, 0), (margin, margin), (margin, margin)]))


def as_pixels(image: Array) -> Pixels:
    """An image (C, H, W) from 0 to 1 as uint8 (H, W, C)."""
    return np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8).transpose(1, 2, 0)


def as_image(pixels: Pixels) -> Array:
    """Pixels, uint8 (H, W, C), as an image (C, H, W) from 0 to 1."""
    return pixels.transpose(2, 0, 1) / 255
