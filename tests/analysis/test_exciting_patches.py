"""The strongest places of units: against a search by hand, patches against gradients, kept scans, dead units."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnncore.analysis.exciting_patches import GRAY, Cut, KeptScans, Scan, cut_of, scan, spread, thumbnail
from cnncore.analysis.layers import map_layers
from cnncore.analysis.scans import Work
from cnncore.analysis.units import CLASSES, units_of
from cnncore.data import ImageData, Images
from cnncore.errors import ConfigError, DataError
from cnncore.training.trained import TrainedNetwork
from tests.analysis.made import made_network

SIDE, COUNT = 20, 30


def images(count: int = COUNT) -> ImageData:
    """Noise of three classes, as a split for validation and no other."""
    random = torch.Generator().manual_seed(3)
    pixels = torch.randint(0, 256, (count, SIDE, SIDE, 3), dtype=torch.uint8, generator=random)
    split = Images(pixels, torch.arange(count) % 3)
    facts: dict[str, Any] = {"split_note": "", "fingerprint": "noise", "in_shape": (3, SIDE, SIDE)}
    statistics: dict[str, Any] = {"mean": (0.5,) * 3, "std": (0.25,) * 3}
    return ImageData(train=split, validation=split, test=None, classes=("a", "b", "c"), **facts, **statistics)


def network(**options: Any) -> TrainedNetwork:
    return made_network("cnn3", SIDE, channels=3, width=0.25, **options)


def finished(work: Work[Scan]) -> tuple[Scan, list[tuple[int, int]]]:
    steps: list[tuple[int, int]] = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as end:
            return end.value, steps


def scanned(net: TrainedNetwork, layer: str, most: int = 1_000) -> Scan:
    return finished(scan(units_of(net, layer), images(), "validation", most))[0]


def maps_by_hand(net: TrainedNetwork, layer: str) -> np.ndarray:
    """(N, U, h, w), by a hook on the whole network."""
    made = net.preprocessing
    pixels = np.stack([made.normalized(each) for each in images().train.stored.numpy()])  # type: ignore[union-attr]
    kept: list[torch.Tensor] = []
    module = net.model.get_submodule(layer) if layer else net.model
    handle = module.register_forward_hook(lambda _module, _inputs, output: kept.append(output.clone()))
    with torch.inference_mode():
        net.model(torch.from_numpy(pixels))
    handle.remove()
    return kept[0].numpy() if layer else kept[0].numpy()[:, :, None, None]


@pytest.mark.parametrize("layer", ["", "taps"])
def test_a_scan_finds_what_a_search_by_hand_finds(layer: str) -> None:
    net = network()
    layer = [name for name, each in map_layers(net).items() if each.is_tap][1] if layer else CLASSES
    found, maps = scanned(net, layer), maps_by_hand(net, layer)
    flat = maps.reshape(*maps.shape[:2], -1)
    assert np.allclose(found.highest, flat.max(axis=2), atol=1e-5)
    assert np.allclose(found.lowest, flat.min(axis=(0, 2)), atol=1e-5)
    for unit in range(maps.shape[1]):
        rows = found.top(unit, 5)
        best = flat[:, unit].max(axis=1)
        alive = int((best > flat[:, unit].min()).sum())
        assert len(set(rows)) == len(rows) == min(5, alive), "at most one place an image"
        assert np.allclose(best[rows], np.sort(best)[::-1][: len(rows)], atol=1e-5)
        for row in rows:
            line, column = found.place(int(row), unit)
            assert maps[row, unit, line, column] == pytest.approx(best[row], abs=1e-5)
    assert found.labels.tolist() == [place % 3 for place in range(COUNT)]


def test_a_scan_is_exact_whatever_the_network_was_trained_in() -> None:
    """bf16 tells values apart to a hundredth only, so that others would come first."""
    net = network()
    layer = [name for name, each in map_layers(net).items() if each.is_tap][1]
    half = scanned(replace(net, precision="bf16"), layer)
    highest = maps_by_hand(net, layer).reshape(COUNT, half.highest.shape[1], -1).max(axis=2)
    np.testing.assert_allclose(half.highest, highest, rtol=1e-5, atol=1e-5)


def test_work_in_pieces_tells_how_far_it_is() -> None:
    units = replace(units_of(network(), CLASSES), macs=10**9)
    found, steps = finished(scan(units, images(), "validation", 7))
    assert steps == [(done, 7) for done in range(1, 8)], "a heavy network gets one image at a time"
    assert found.places.tolist() == [0, 4, 8, 12, 17, 21, 25]
    assert found.total == COUNT
    light = finished(scan(units_of(network(), CLASSES), images(), "validation", 1_000))[1]
    assert light == [(COUNT, COUNT)]
    with pytest.raises(DataError, match="There are no test images"):
        next(scan(units, images(), "test", 7))


@pytest.mark.parametrize(("total", "most"), [(1, 9), (10, 3), (9, 9), (1_000, 999)])
def test_places_are_spread_evenly(total: int, most: int) -> None:
    places = spread(total, most)
    assert len(places) == min(total, most)
    assert places.min() >= 0
    assert places.max() < total
    assert np.all(np.diff(places) >= total // len(places))


def test_units_that_never_change_are_dead_and_excited_by_nothing() -> None:
    net = network(norm="none")
    layer, convolution = next(
        (name, module) for name, module in net.model.named_modules() if isinstance(module, nn.Conv2d)
    )
    assert convolution.bias is not None
    with torch.no_grad():
        convolution.weight[2], convolution.bias[2] = 0, 1.5
    found = scanned(net, layer)
    assert np.flatnonzero(found.dead).tolist() == [2]
    assert found.top(2, 9).tolist() == []
    assert found.active[2] == 1.0


def test_images_that_leave_a_unit_low_do_not_excite_it() -> None:
    found = scanned(network(), CLASSES)
    highest = np.zeros_like(found.highest)
    highest[[4, 9], 0] = 2.0, 3.0
    one = replace(found, highest=highest, lowest=np.zeros_like(found.lowest))
    assert one.top(0, 9).tolist() == [9, 4]
    assert one.active[0] == pytest.approx(2 / COUNT)
    assert one.dead.tolist() == [False, True, True, True]


# Patches


def test_a_patch_holds_what_gradients_say_a_place_sees() -> None:
    # No activation that hides gradients.
    net, random = network(activation="leaky_relu"), torch.Generator().manual_seed(0)
    for name in [name for name, each in map_layers(net).items() if each.is_tap]:
        units = units_of(net, name)
        _, height, width = units.layer.shape
        for row, column in {(0, 0), (height // 2, width // 2), (height - 1, 0)}:
            image = torch.randn(1, 3, SIDE, SIDE, generator=random).requires_grad_()
            units.maps(image)[0, :, row, column].sum().backward()
            assert image.grad is not None
            rows, columns = np.nonzero(image.grad[0].abs().sum(dim=0).numpy())
            cut = cut_of(units.layer, row, column, SIDE)
            assert cut.top <= rows.min()
            assert rows.max() < cut.top + cut.side
            assert cut.left <= columns.min()
            assert columns.max() < cut.left + cut.side


def test_patches_of_a_layer_are_equal_and_gray_over_the_edge() -> None:
    layer = next(iter(map_layers(made_network("resnet20", SIDE, channels=3)).values()))
    assert layer.padding == (1, 1)
    pixels = np.random.default_rng(0).integers(0, 100, (SIDE, SIDE, 3), np.uint8)
    side = layer.receptive_field
    assert side is not None
    over, last = side // 2, layer.shape[1] - 1
    corner, middle, end = (cut_of(layer, place, place, SIDE).of(pixels) for place in (0, 5, last))
    assert corner.shape == middle.shape == end.shape == (side, side, 3)
    assert (corner[:over] == GRAY).all()
    assert (corner[:, :over] == GRAY).all()
    assert np.array_equal(corner[over:, over:], pixels[: side - over, : side - over])
    assert np.array_equal(middle, pixels[5 - over : 5 - over + side, 5 - over : 5 - over + side])
    assert np.array_equal(end[: side - over, : side - over], pixels[over - side :, over - side :])
    assert (end[side - over :] == GRAY).all()


def test_what_sees_everything_is_the_whole_image() -> None:
    units = units_of(network(), CLASSES)
    assert cut_of(units.layer, 0, 0, SIDE) == Cut(top=0, left=0, side=SIDE)


def test_thumbnails_are_small_and_small_ones_as_they_are() -> None:
    large = np.full((64, 64, 1), 200, np.uint8)
    assert thumbnail(large, 16).shape == (16, 16, 1)
    assert (thumbnail(large, 16) == 200).all()
    assert thumbnail(large[:8, :8], 16).shape == (8, 8, 1)


# What is kept


def test_a_scan_is_kept_for_its_network_only() -> None:
    kept, net, other = KeptScans(), network(), network(seed=1)
    made = scanned(net, CLASSES)
    kept.keep(net, "key", made)
    assert kept.get(net, "key") is made
    assert kept.get(net, "other") is None
    assert kept.get(other, "key") is None
    del net
    gc.collect()
    assert kept.get(other, "key") is None


def test_the_oldest_scan_goes_and_the_newest_stays() -> None:
    net = network()
    made = scanned(net, CLASSES)
    kept = KeptScans(most_bytes=2 * made.num_bytes)
    for key in "abc":
        kept.keep(net, key, made)
    assert [kept.get(net, key) is not None for key in "abc"] == [False, True, True]
    tight = KeptScans(most_bytes=1)
    tight.keep(net, "a", made)
    assert tight.get(net, "a") is made


def test_layers_without_maps_are_refused() -> None:
    with pytest.raises(ConfigError, match="no layer named 'nowhere'"):
        units_of(network(), "nowhere")
