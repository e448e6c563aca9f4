from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from cnncore.catalog import AUGMENTATIONS
from cnncore.config import AugmentConfig
from cnncore.data import augment_batch
from cnncore.data.augment import (
    _shares,
    augment_bytes,
    color_jitter,
    crop_and_flip,
    cutmix,
    generator_for,
    mixup,
    random_affine,
    random_erasing,
)


def images(num: int = 32, channels: int = 3, height: int = 12, width: int = 10) -> Tensor:
    return torch.rand(num, channels, height, width, generator=generator_for(99)).contiguous(
        memory_format=torch.channels_last
    )


def test_generators_repeat_and_differ() -> None:
    draws = [
        torch.rand(4, generator=generator_for(*key)).tolist() for key in ((0, 1, 2), (0, 1, 2), (0, 1, 3), (1, 0, 2))
    ]
    assert draws[0] == draws[1]
    assert len({tuple(draw) for draw in draws}) == 3


@pytest.mark.parametrize("batch", [images(), (images() * 255).byte()], ids=["floats", "bytes"])
def test_a_certain_flip_mirrors_exactly(batch: Tensor) -> None:
    assert torch.equal(crop_and_flip(batch, generator_for(0), flip_horizontal=1), batch.flip(3))
    assert torch.equal(crop_and_flip(batch, generator_for(0), flip_vertical=1), batch.flip(2))


def test_flips_happen_with_their_probability() -> None:
    batch = images(4_000, 1, 4, 4)
    flipped = crop_and_flip(batch, generator_for(0), flip_horizontal=0.3)
    mirrored = (flipped == batch.flip(3)).flatten(1).all(dim=1)
    same = (flipped == batch).flatten(1).all(dim=1)
    assert torch.all(mirrored ^ same)
    assert mirrored.float().mean().item() == pytest.approx(0.3, abs=0.03)


def test_every_crop_is_a_window_of_the_padded_image_and_all_are_equally_likely() -> None:
    batch = images(5_000, 1, 5, 4) + 0.1
    padded = torch.nn.functional.pad(batch, (1, 1, 1, 1))
    windows = torch.stack([padded[:, :, y : y + 5, x : x + 4] for y in range(3) for x in range(3)], dim=1)
    cropped = crop_and_flip(batch, generator_for(0), crop_padding=1)
    matches = (windows == cropped.unsqueeze(1)).flatten(2).all(dim=2)
    assert torch.all(matches.sum(dim=1) == 1)
    assert matches.float().mean(dim=0).tolist() == pytest.approx([1 / 9] * 9, abs=0.02)


def test_bytes_and_floats_are_moved_alike_and_stay_channels_last() -> None:
    pixels = (images() * 255).byte()
    settings = {"crop_padding": 3, "flip_horizontal": 0.5, "flip_vertical": 0.5}
    as_bytes = crop_and_flip(pixels, generator_for(1), **settings)
    as_floats = crop_and_flip(pixels.float(), generator_for(1), **settings)
    assert torch.equal(as_bytes.float(), as_floats)
    assert as_bytes.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(augment_bytes(pixels, AugmentConfig(**settings, hue=0.1), generator_for(1)), as_bytes)


@pytest.mark.parametrize("shape", [(12, 10), (9, 16), (8, 8)])
def test_no_turn_no_shift_no_zoom_is_the_same_image(shape: tuple[int, int]) -> None:
    batch = images(8, 3, *shape)
    assert torch.allclose(random_affine(batch, generator_for(0)), batch, atol=1e-5)


def test_shifts_stay_within_their_bounds_and_reach_them() -> None:
    batch = torch.zeros(2_000, 1, 21, 41)
    batch[:, :, 10, 20] = 1
    moved = random_affine(batch, generator_for(0), translation=0.2)[:, 0]
    mass = moved.sum(dim=(1, 2))
    down = (moved.sum(dim=2) @ torch.arange(21.0)) / mass - 10
    right = (moved.sum(dim=1) @ torch.arange(41.0)) / mass - 20
    for shift, bound in ((down, 0.2 * 21), (right, 0.2 * 41)):
        assert -bound - 1e-3 <= shift.min() < -0.95 * bound
        assert 0.95 * bound < shift.max() <= bound + 1e-3


def test_rotations_keep_distances_also_in_images_that_are_not_square() -> None:
    batch = torch.zeros(500, 1, 41, 61)
    batch[:, :, 20, 30 + 15] = 1
    turned = random_affine(batch, generator_for(0), rotation=90)[:, 0]
    mass = turned.sum(dim=(1, 2))
    y = (turned.sum(dim=2) @ torch.arange(41.0)) / mass - 20
    x = (turned.sum(dim=1) @ torch.arange(61.0)) / mass - 30
    assert torch.allclose(torch.hypot(x, y), torch.tensor(15.0), atol=0.3)
    angle = torch.atan2(y, x).rad2deg()
    assert angle.abs().max() <= 92
    assert angle.max() > 80
    assert angle.min() < -80


def test_zoom_enlarges_and_shrinks_within_its_bounds() -> None:
    batch = torch.zeros(500, 1, 40, 40)
    batch[:, :, 10:30, 10:30] = 1
    side = random_affine(batch, generator_for(0), zoom=0.4).sum(dim=(1, 2, 3)).sqrt() / 20
    assert 0.58 < side.min() < 0.65
    assert 1.35 < side.max() < 1.42


def test_color_of_gray_images_is_left_alone() -> None:
    gray = images(channels=1)
    assert torch.equal(color_jitter(gray, generator_for(0), saturation=1, hue=0.5), gray)
    colored = gray.expand(-1, 3, -1, -1)
    assert torch.allclose(color_jitter(colored, generator_for(0), saturation=1, hue=0.5), colored, atol=1e-3)


def test_brightness_is_a_factor_and_contrast_is_about_the_mean() -> None:
    batch = images(200) * 0.4 + 0.1
    bright = color_jitter(batch, generator_for(0), brightness=0.5)
    factors = (bright / batch).flatten(1)
    assert torch.allclose(factors, factors[:, :1].expand_as(factors), atol=1e-4)
    assert 0.5 <= factors.min() < 0.55
    assert 1.45 < factors.max() <= 1.5
    weights = torch.tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)
    before, after = (
        (version * weights).sum(dim=1).mean(dim=(1, 2))
        for version in (batch, color_jitter(batch, generator_for(0), contrast=0.5))
    )
    assert torch.allclose(before, after, atol=1e-3)


def test_hue_and_saturation_keep_the_brightness() -> None:
    batch = images(200) * 0.2 + 0.4
    changed = color_jitter(batch, generator_for(0), saturation=0.5, hue=0.5)
    weights = torch.tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)
    assert torch.allclose((changed * weights).sum(dim=1), (batch * weights).sum(dim=1), atol=2e-3)
    assert not torch.allclose(changed, batch, atol=0.05)


def test_colors_stay_in_range() -> None:
    changed = color_jitter(images(), generator_for(0), brightness=1, contrast=1, saturation=1, hue=0.5)
    assert changed.min() >= 0
    assert changed.max() <= 1


def test_erasing_covers_one_rectangle_of_some_images() -> None:
    batch = torch.full((2_000, 3, 20, 30), -1.0)
    erased = random_erasing(batch, generator_for(0), erasing=0.25)
    inside = (erased != -1).all(dim=1)
    changed = inside.flatten(1).any(dim=1)
    assert changed.float().mean().item() == pytest.approx(0.25, abs=0.03)
    rows, columns = inside[changed].any(dim=2), inside[changed].any(dim=1)
    area = rows.sum(dim=1) * columns.sum(dim=1)
    assert torch.equal(inside[changed].sum(dim=(1, 2)), area), "what changed is a rectangle"
    assert area.min() >= 1
    assert area.max() <= 0.34 * 600
    assert rows.any(dim=0).all()
    assert columns.any(dim=0).all()
    noise = erased[erased != -1]
    assert 0 <= noise.min() < 0.01
    assert 0.99 < noise.max() < 1
    assert torch.equal(random_erasing(batch, generator_for(0), erasing=0.0), batch)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 2.0])
def test_shares_follow_the_beta_distribution(alpha: float) -> None:
    shares = _shares(20_000, alpha, generator_for(0))
    assert not shares.isnan().any()
    assert shares.mean().item() == pytest.approx(0.5, abs=0.01)
    assert shares.var().item() == pytest.approx(1 / (4 * (2 * alpha + 1)), abs=0.005)


def test_mixup_blends_targets_as_it_blends_images() -> None:
    labels = torch.arange(64) % 4
    targets = torch.nn.functional.one_hot(labels, 4).float()
    pictures = labels.float().view(-1, 1, 1, 1).expand(-1, 1, 3, 3)
    mixed, blended = mixup(pictures, targets, generator_for(0), mixup=1.0)
    assert torch.allclose(blended.sum(dim=1), torch.ones(64))
    assert torch.allclose(mixed[:, 0, 0, 0], blended @ torch.arange(4.0), atol=1e-5)
    assert (blended.max(dim=1).values < 0.999).any()


def test_the_area_that_cutmix_pastes_is_the_share_of_the_label() -> None:
    labels = torch.arange(256) % 8
    targets = torch.nn.functional.one_hot(labels, 8).float()
    pictures = labels.float().view(-1, 1, 1, 1).expand(-1, 3, 16, 12)
    mixed, blended = cutmix(pictures, targets, generator_for(0), cutmix=1.0)
    found = torch.stack([(mixed[:, 0] == label).float().mean(dim=(1, 2)) for label in range(8)], dim=1)
    assert torch.allclose(found, blended, atol=1e-6)
    assert torch.equal(mixed[:, 0], mixed[:, 2])
    assert math.isclose(blended[torch.arange(256), labels].mean().item(), 0.7, abs_tol=0.2)


STRENGTHS = {name: min(row.typical or 1, row.maximum) for name, row in AUGMENTATIONS.items()}


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_augmentation_repeats_by_seed_and_keeps_shape_and_range(name: str, channels: int) -> None:
    batch, labels = images(channels=channels), torch.arange(32) % 5
    config = AugmentConfig.model_validate({name: STRENGTHS[name]})
    first, again, other = (augment_batch(batch, labels, config, 5, generator_for(seed)) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert first[0].shape == batch.shape
    assert first[0].min() >= -1e-5
    assert first[0].max() <= 1 + 1e-5
    assert first[1].shape == ((32, 5) if AUGMENTATIONS[name].mixes else (32,))
    if channels == 3 or name not in ("saturation", "hue"):
        assert not torch.equal(first[0], other[0])
        assert not torch.equal(first[0], batch)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_a_single_image_may_be_the_one_that_is_left_alone(name: str) -> None:
    config = AugmentConfig.model_validate({name: 4 if name == "crop_padding" else 0.2})
    for seed in range(12):
        changed, _ = augment_batch(images(1), torch.tensor([0]), config, 3, generator_for(seed))
        assert changed.shape == images(1).shape


def test_nothing_on_changes_nothing() -> None:
    batch, labels = images(), torch.arange(32)
    changed, targets = augment_batch(batch, labels, AugmentConfig(), 32, generator_for(0))
    assert changed is batch
    assert targets is labels


def test_everything_at_once() -> None:
    config = AugmentConfig.model_validate({name: value for name, value in STRENGTHS.items() if name != "cutmix"})
    changed, targets = augment_batch(images(), torch.arange(32) % 5, config, 5, generator_for(0))
    assert changed.shape == (32, 3, 12, 10)
    assert changed.isfinite().all()
    assert torch.allclose(targets.sum(dim=1), torch.ones(32))
