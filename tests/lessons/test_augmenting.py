"""What the lesson says that training draws, against what training draws: the pictures, and how often each."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from cnncore.catalog.augmentations import AUGMENTATIONS
from cnncore.config import AugmentConfig
from cnncore.data import augment
from cnncore.errors import ConfigError
from cnncore.lessons import augmenting
from cnncore.lessons.augmenting import KINDS

STRENGTHS = {
    "crop_padding": 5,
    "rotation": 180,
    "translation": 0.4,
    "zoom": 0.5,
    "hue": 0.5,
    "mixup": 0.8,
    "cutmix": 0.8,
}
"""Where not 0.7, so that all of the distribution is seen."""
MANY = 4_000
MOST_APART = 0.0436
"""The largest distance of two samples of 4,000 in one of a thousand (Kolmogorov and Smirnov)."""

Drawn = dict[str, list[float]]


Find = Callable[[list[Any]], list[float]]


def nth(place: int) -> Find:
    """What `augment` drew at this turn."""
    return lambda notes: notes[place]


NOTED: dict[str, dict[str, tuple[Find, float]]] = {
    "crop_padding": {"crop_down": (lambda notes: notes[0][0], 1), "crop_right": (lambda notes: notes[0][1], 1)},
    "flip_horizontal": {"mirror": (nth(0), 1)},
    "flip_vertical": {"flip": (nth(0), 1)},
    "rotation": {"degrees": (nth(0), 1)},
    "zoom": {"zoom": (nth(1), 100)},
    "translation": {"right": (nth(2), 100), "down": (nth(3), 100)},
    "brightness": {"brightness": (nth(0), 100)},
    "contrast": {"contrast": (nth(1), 100)},
    "saturation": {"saturation": (nth(2), 100)},
    "hue": {"hue": (nth(3), 360)},
    "erasing": {"erased": (nth(0), 100), "aspect": (lambda notes: [math.exp(log) for log in notes[1]], 1)},
    "mixup": {"share": (nth(0), 100)},
    "cutmix": {"pasted": (lambda notes: [1 - share for share in notes[0]], 100)},
}
"""Where each of the lesson's settings stands in what `augment` drew, and the factor from its unit to the lesson's."""


def strength_of(key: str) -> float:
    return STRENGTHS.get(key, 0.7)


def noted(monkeypatch: pytest.MonkeyPatch, key: str) -> Callable[[], Drawn]:
    """Makes `augment` note what it draws; gives the lesson's settings, a list each of one value an image."""
    notes: list[Any] = []

    def note(name: str, keep: Callable[..., Any]) -> None:
        original = getattr(augment, name)

        def noting(*args: Any, **kwargs: Any) -> Any:
            found = original(*args, **kwargs)
            notes.append(keep(found, *args))
            return found

        monkeypatch.setattr(augment, name, noting)

    for name in ("_uniform", "_shares"):
        note(name, lambda found, *args: found.tolist())
    note("_shift", lambda found, images, padding, offsets: (padding - offsets).tolist())
    note("_flip", lambda found, images, mirrored, axis: mirrored.float().tolist())
    return lambda: {name: [factor * each for each in find(notes)] for name, (find, factor) in NOTED[key].items()}


def trained_on(key: str, images: Tensor, strength: float, seed: int) -> tuple[Tensor, Tensor]:
    config = AugmentConfig.model_validate({key: strength})
    labels = torch.arange(len(images))
    return augment.augment_batch(images, labels, config, len(images), Generator().manual_seed(seed))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("key", [key for key in KINDS if key not in ("erasing", "mixup", "cutmix")])
def test_with_what_training_drew_the_picture_is_that_of_training(
    key: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = np.random.default_rng(seed).random((3, 14, 14))
    settings = noted(monkeypatch, key)
    found, _ = trained_on(key, torch.from_numpy(image)[None], strength_of(key), seed)
    drawn = {name: values[0] for name, values in settings().items()}
    ours, share = augmenting.changed_at(key, image, image, drawn)
    assert share == 1
    # Training draws in single precision.
    np.testing.assert_allclose(ours, found[0].numpy(), atol=3e-5)


@pytest.mark.parametrize("seed", range(12))
def test_mixtures_and_their_labels_are_those_of_training(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(seed).random((2, 3, 14, 14))
    shares: list[float] = []
    original = augment._shares

    def noting(*args: Any) -> Tensor:
        found = original(*args)
        shares.extend(found.tolist())
        return found

    monkeypatch.setattr(augment, "_shares", noting)
    # With the order turned round, each of the two has the other as its partner.
    monkeypatch.setattr(torch, "randperm", lambda num, generator: torch.arange(num).flip(0))
    found, targets = trained_on("mixup", torch.from_numpy(images), 0.8, seed)
    ours, share = augmenting.changed_at("mixup", images[0], images[1], {"share": 100 * shares[0]})
    np.testing.assert_allclose(ours, found[0].numpy(), atol=1e-6)
    assert targets[0].tolist() == pytest.approx([share, 1 - share])


@pytest.mark.parametrize("seed", range(40))
def test_rectangles_are_pasted_as_in_training(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The three numbers that training draws for an image, handed to both."""
    rng = np.random.default_rng(seed)
    share, middle_y, middle_x = rng.random(3)
    images = rng.random((2, 3, 13, 16))
    drawn = iter([torch.full((2,), middle_y), torch.full((2,), middle_x)])
    monkeypatch.setattr(augment, "_shares", lambda *args: torch.full((2,), share))
    monkeypatch.setattr(torch, "randperm", lambda num, generator: torch.arange(num).flip(0))
    monkeypatch.setattr(torch, "rand", lambda num, generator: next(drawn))
    found, targets = augment.cutmix(torch.from_numpy(images), torch.eye(2), Generator(), cutmix=1.0)
    settings = {"pasted": 100 * (1 - share), "middle_y": middle_y, "middle_x": middle_x}
    ours, kept = augmenting.changed_at("cutmix", images[0], images[1], settings)
    np.testing.assert_array_equal(ours, found[0].numpy())
    assert float(targets[0, 0]) == pytest.approx(kept)


@pytest.mark.parametrize("seed", range(40))
def test_rectangles_are_erased_where_training_erases_them(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    area, log_aspect, top, left = rng.uniform(0.02, 0.33), rng.uniform(math.log(0.3), math.log(1 / 0.3)), *rng.random(2)
    image = np.full((3, 13, 16), -1.0)
    # In the order of `random_erasing`: chosen, area, aspect, top, left, and the noise itself.
    rand = torch.rand
    drawn = iter([0.0, (area - 0.02) / 0.31, (log_aspect - math.log(0.3)) / (2 * math.log(1 / 0.3)), top, left])
    monkeypatch.setattr(
        torch,
        "rand",
        lambda size, generator, **kinds: (
            rand(size, generator=generator, **kinds) if kinds else torch.full((1,), next(drawn), dtype=torch.float64)
        ),
    )
    found = augment.random_erasing(torch.from_numpy(image)[None], Generator(), erasing=1.0)
    settings = {"erased": 100 * area, "aspect": math.exp(log_aspect), "top": top, "left": left, "noise": 1}
    ours, _ = augmenting.changed_at("erasing", image, image, settings)
    np.testing.assert_array_equal(ours == -1, found[0].numpy() == -1)
    assert ours.max() <= 1
    assert 0 < (ours != -1).sum() < ours.size


@pytest.mark.parametrize("key", KINDS)
def test_draws_are_distributed_like_those_of_training(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = noted(monkeypatch, key)
    trained_on(key, torch.zeros((MANY, 3, 12, 12)), strength_of(key), seed=1)
    rng = np.random.default_rng(2)
    ours = [KINDS[key].draw(rng, strength_of(key)) for _ in range(MANY)]
    for name, theirs in settings().items():
        mine = [each[name] for each in ours]
        if name == "erased":
            changed = [area for area in mine if area]
            assert abs(len(changed) / MANY - strength_of(key)) < 0.03
            assert apart(changed, theirs) < MOST_APART * math.sqrt(0.5 + 0.5 * MANY / len(changed))
        else:
            assert apart(mine, theirs) < MOST_APART, name


def apart(first: list[float], second: list[float]) -> float:
    """The largest difference of two samples' shares below a value."""
    # Rounded, since single precision must not tear equal values apart.
    one, other = np.sort(np.round(first, 4)), np.sort(np.round(second, 4))
    at = np.union1d(one, other)
    shares = [np.searchsorted(each, at, side="right") / len(each) for each in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def test_there_is_a_kind_for_every_augmentation_in_their_order() -> None:
    assert list(KINDS) == list(AUGMENTATIONS)


@pytest.mark.parametrize("key", [key for key, kind in KINDS.items() if not kind.moves])
def test_every_place_of_a_dial(key: str) -> None:
    image, other = np.random.default_rng(0).random((2, 3, 40, 40))
    frames, shares = augmenting.every_place(key, image, other)
    (dial,) = KINDS[key].dials
    assert frames.shape == (len(dial.places), 40, 40, 3)
    assert len(shares) == len(frames)
    assert dial.start in dial.places
    assert len({frame.tobytes() for frame in frames}) > len(frames) / 2
    mixes = AUGMENTATIONS[key].mixes
    assert (min(shares) < 1) == mixes


@pytest.mark.parametrize("key", [key for key, kind in KINDS.items() if kind.moves])
@pytest.mark.parametrize(("right", "down"), [(0, 0), (16, -16), (-7, 3)])
def test_a_window_over_the_margin_is_the_moved_picture(key: str, right: int, down: int) -> None:
    """What the browser cuts out of the picture with black around it; pixels of 100 are percent of it."""
    image = np.random.default_rng(0).random((3, 100, 100))
    across, along = KINDS[key].dials
    wide = augmenting.with_margin(image, across.high)
    top, left = along.high - down, across.high - right
    ours, _ = augmenting.changed_at(key, image, image, {across.name: right, along.name: down})
    np.testing.assert_array_equal(wide[top : top + 100, left : left + 100], augmenting.as_pixels(ours))


def test_draws_are_the_same_for_a_seed() -> None:
    image, other = np.random.default_rng(0).random((2, 1, 12, 12))
    for key in KINDS:
        first, again, others = (
            augmenting.random_draws(key, image, other, strength_of(key), seed=seed, num=8)[0] for seed in (3, 3, 4)
        )
        np.testing.assert_array_equal(first, again)
        # Gray pictures have no colors to change.
        assert (first != others).any() == (key not in ("saturation", "hue")), key
        off, shares = augmenting.random_draws(key, image, other, 0.0, seed=3, num=2)
        np.testing.assert_array_equal(off, np.stack([augmenting.as_pixels(image)] * 2))
        assert shares == [1, 1]


def test_strengths_are_those_of_the_form() -> None:
    assert augmenting.checked_strength("rotation", None) == AUGMENTATIONS["rotation"].typical
    assert augmenting.checked_strength("rotation", 180) == 180
    with pytest.raises(ConfigError, match=r"“Hue” is 0\.6, at most 0\.5"):
        augmenting.checked_strength("hue", 0.6)
