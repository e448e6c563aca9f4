from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from cnncore.config import AugmentConfig, DataConfig
from cnncore.data import Batch, Batches, Files, Images, preview, samples
from cnncore.data.augment import augment_batch, generator_for
from cnncore.data.images import to_device
from cnncore.images.preprocessing import Preprocessing

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


def split(num: int = 50, channels: int = 3) -> Images:
    """Images whose first pixel is their number, so that each can be recognized."""
    pixels = torch.from_numpy(np.random.RandomState(0).randint(0, 256, (num, 8, 6, channels), np.uint8))
    pixels[:, 0, 0, :] = torch.arange(num, dtype=torch.uint8).view(-1, 1)
    return Images(pixels, torch.arange(num) % 5)


def batches(images: Images, size: int = 8, **settings: Any) -> Batches:
    channels = images.stored.shape[-1]
    defaults = {
        "device": "cpu",
        "dtype": torch.float32,
        "mean": MEAN[:channels],
        "std": STD[:channels],
        "num_classes": 5,
    }
    return Batches(images, batch_size=size, **(defaults | settings))


def numbers(found: list[Batch]) -> list[int]:
    """Which images these are."""
    first = torch.cat([batch.images[:, 0, 0, 0] for batch in found])
    return ((first * STD[0] + MEAN[0]) * 255).round().int().tolist()


def equal(one: list[Batch], other: list[Batch]) -> bool:
    return len(one) == len(other) and all(
        torch.equal(a, b) for left, right in zip(one, other, strict=True) for a, b in zip(left, right, strict=True)
    )


def test_evaluation_is_in_stored_order_and_never_augmented() -> None:
    found = list(batches(split(), augment=AugmentConfig(flip_horizontal=1)).epoch(3))
    assert numbers(found) == list(range(50))
    assert torch.cat([batch.labels for batch in found]).tolist() == (torch.arange(50) % 5).tolist()


def test_every_image_once_an_epoch_in_another_order_each_time() -> None:
    source = batches(split(), seed=1)
    first, again, second = (numbers(list(source.epoch(epoch))) for epoch in (0, 0, 1))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first == again
    assert first != second
    assert first != numbers(list(batches(split(), seed=2).epoch(0)))
    assert first != list(range(50))


@pytest.mark.parametrize(("num", "size", "sizes"), [
    (16, 8, [8, 8]), (17, 8, [8, 9]), (18, 8, [8, 8, 2]), (1, 8, [1]), (9, 8, [9]), (7, 8, [7]), (3, 1, [1, 1, 1]),
])  # fmt: skip
@pytest.mark.parametrize("seed", [None, 0])
def test_a_last_batch_of_one_joins_the_one_before(num: int, size: int, sizes: list[int], seed: int | None) -> None:
    source = batches(split(num), size, seed=seed)
    assert [len(batch.labels) for batch in source.epoch(0)] == sizes
    assert len(source) == len(sizes)


@pytest.mark.parametrize(
    "augment",
    [
        AugmentConfig(),
        AugmentConfig(crop_padding=2, flip_horizontal=0.5),
        AugmentConfig(crop_padding=2, rotation=20, hue=0.1, erasing=0.5, mixup=0.4),
        AugmentConfig(cutmix=1.0),
    ],
)
@pytest.mark.parametrize("start", [0, 1, 5, 7])
def test_a_resumed_epoch_equals_one_that_was_never_interrupted(augment: AugmentConfig, start: int) -> None:
    whole = list(batches(split(), seed=4, augment=augment).epoch(2))
    assert equal(whole[start:], list(batches(split(), seed=4, augment=augment).epoch(2, start)))


def test_augmentation_differs_between_epochs_steps_and_seeds() -> None:
    images = Images(torch.full((8, 8, 6, 3), 200, dtype=torch.uint8), torch.zeros(8, dtype=torch.long))
    augment = AugmentConfig(crop_padding=4, erasing=1)
    found = [
        next(batches(images, seed=seed, augment=augment).epoch(epoch)).images
        for seed, epoch in ((0, 0), (0, 1), (1, 0))
    ]
    assert not torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_normalized_and_channels_last(dtype: torch.dtype, channels: int) -> None:
    images = split(channels=channels)
    pixels = images.pixels.double() / 255
    mean, std = pixels.mean(dim=(0, 1, 2)), pixels.std(dim=(0, 1, 2), correction=0)
    (batch,) = batches(images, 50, dtype=dtype, mean=mean.tolist(), std=std.tolist()).epoch(0)
    assert batch.images.dtype == dtype
    assert batch.images.shape == (50, channels, 8, 6)
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    expected = ((pixels - mean) / std).permute(0, 3, 1, 2).to(dtype)
    assert torch.allclose(batch.images.float(), expected.float(), atol=1e-5 if dtype == torch.float32 else 0.02)
    assert batch.images.float().mean().item() == pytest.approx(0, abs=2e-3)
    assert batch.images.float().std().item() == pytest.approx(1, abs=2e-3)


def test_the_unit_scale_runs_from_0_to_1() -> None:
    (batch,) = batches(split(), 50, mean=(0.0,) * 3, std=(1.0,) * 3).epoch(0)
    assert torch.allclose(batch.images, split().pixels.permute(0, 3, 1, 2) / 255)


@pytest.mark.parametrize(
    "settings", [{"crop_padding": 2, "flip_horizontal": 0.5}, {"flip_vertical": 0.5, "brightness": 0.3, "mixup": 0.3}]
)
def test_batches_are_augmented_as_augment_batch_does_it(settings: dict[str, float]) -> None:
    augment = AugmentConfig.model_validate(settings)
    source = batches(split(), seed=3, augment=augment)
    plain = list(batches(split(), seed=3).epoch(1))
    for step, (batch, before) in enumerate(zip(source.epoch(1), plain, strict=True)):
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
        images = (before.images * std + mean).clamp(0, 1)
        expected, targets = augment_batch(images, before.labels, augment, 5, generator_for(3, 1, step))
        assert torch.allclose(batch.images, (expected - mean) / std, atol=1e-4)
        assert torch.allclose(batch.targets.float(), targets.float())
        assert torch.equal(batch.labels, before.labels)


def test_mixed_targets_are_probabilities() -> None:
    batch = next(batches(split(), seed=0, augment=AugmentConfig(mixup=1.0)).epoch(0))
    assert batch.targets.shape == (8, 5)
    assert torch.allclose(batch.targets.sum(dim=1), torch.ones(8))
    assert batch.labels.dtype == torch.int64


def test_stored_pixels_are_found_by_position_also_those_of_files(tmp_path: Path) -> None:
    resident = split(6)
    positions = torch.tensor([4, 1])
    assert batches(resident, dtype=torch.bfloat16).pixels_at(positions)[:, 0, 0, 0].tolist() == [4, 1]
    names = [f"{number}.png" for number in range(6)]
    for number, name in enumerate(names):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(tmp_path / name)
    preprocessing = Preprocessing(size=8)
    files = Files(tmp_path, np.array(names), resident.labels, preprocessing)
    found = Batches(
        files, batch_size=2, device="cpu", dtype=torch.float32, mean=MEAN, std=STD, num_classes=5
    ).pixels_at(positions)
    assert found.shape == (2, 8, 8, 3)
    assert found[:, 0, 0, 0].tolist() == [4, 1]


@pytest.mark.parametrize(("device", "background"), [("cuda:1", True), ("mps", False), ("cpu", False)])
def test_only_cuda_copies_in_the_background(device: str, background: bool) -> None:
    """On Apple's GPUs such a copy may read memory that is freed and overwritten by then."""
    values = SimpleNamespace(to=lambda device, non_blocking: (device.type, non_blocking))
    assert to_device(cast(Tensor, values), torch.device(device)) == (torch.device(device).type, background)


def test_selections_share_their_pixels() -> None:
    whole = split()
    some = whole.select(torch.tensor([7, 3, 9, 3]))
    assert some.stored.data_ptr() == whole.stored.data_ptr()
    assert torch.equal(some.pixels, whole.pixels[[7, 3, 9, 3]])
    assert some.labels.tolist() == [2, 3, 4, 3]
    again = some.select(torch.tensor([2, 0]))
    assert torch.equal(again.pixels, whole.pixels[[9, 7]])
    assert torch.equal(again.take(torch.tensor([1])), whole.pixels[[7]])
    assert sorted(set(numbers(list(batches(some, 2, seed=1).epoch(0))))) == [3, 7, 9]
    moved = some.to(torch.device("cpu"))
    assert torch.equal(moved.pixels, some.pixels)


def test_the_preview_shows_the_same_images_before_and_after(tmp_path: Path) -> None:
    config = DataConfig(dataset="mnist5k")
    shown = preview(config, AugmentConfig(rotation=20), tmp_path, num_images=12, num_draws=3)
    assert shown.shape == (12, 4, 28, 28, 1)
    assert shown.dtype == np.uint8
    assert all(not np.array_equal(shown[:, 0], shown[:, draw]) for draw in (1, 2, 3))
    assert not np.array_equal(shown[:, 1], shown[:, 2])
    unchanged = preview(config, AugmentConfig(), tmp_path, num_images=12, num_draws=1)
    assert np.array_equal(unchanged[:, 1], shown[:, 0])
    again = preview(config, AugmentConfig(rotation=20), tmp_path, num_images=12, num_draws=3)
    assert np.array_equal(shown, again)
    another = preview(config, AugmentConfig(rotation=20), tmp_path, num_images=12, num_draws=3, seed=1)
    assert np.array_equal(shown[:, 0], another[:, 0])
    assert not np.array_equal(shown[:, 1], another[:, 1])


def test_samples_show_each_class_and_the_numbers(tmp_path: Path) -> None:
    shown = samples(DataConfig(dataset="mnist5k", train_images=350), tmp_path, per_class=2)
    assert shown.images.shape == (20, 28, 28, 1)
    assert shown.labels.tolist() == [*range(10)] * 2
    assert shown.num_images == {"train": 350, "validation": 500, "test": 1_000}
    assert shown.train_counts.tolist() == [35] * 10
    assert len(shown.classes) == 10
