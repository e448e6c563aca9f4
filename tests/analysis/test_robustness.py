"""Disturbed images: what each disturbance does to pixels whose result is known, and accuracies that must not change."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from cnncore.analysis.robustness import Robustness, disturbed, scan_robustness
from cnncore.analysis.scans import Work
from cnncore.analysis.split_outcomes import Judged, judged, scan_outcomes
from cnncore.analysis.subjects import Subjects
from cnncore.catalog.disturbances import DISTURBANCES
from cnncore.data import Images
from cnncore.errors import LabError
from cnncore.images.preprocessing import Preprocessing
from cnncore.training.trained import Look, TrainedNetwork
from tests.analysis.conftest import Lab
from tests.analysis.test_split_outcomes import asked, subjects

PLACES = np.arange(6)


def whole(work: Work[Any]) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def pictures() -> Tensor:
    """Six noisy pictures, (6, 2, 12, 12)."""
    return torch.randint(0, 256, (6, 2, 12, 12), generator=torch.Generator().manual_seed(0)).float()


@pytest.mark.parametrize("name", DISTURBANCES)
def test_the_neutral_strength_changes_nothing(name: str) -> None:
    spec, images = DISTURBANCES[name], pictures()
    assert torch.equal(disturbed(images, name, spec.neutral, PLACES), images)
    for size in (8, 28, 32, 224):
        strengths = spec.at(size)
        assert spec.neutral in strengths
        assert list(strengths) == sorted(set(strengths))
        assert all(value == round(value) for value in strengths) or not spec.whole


@pytest.mark.parametrize("name", DISTURBANCES)
def test_every_strength_gives_pixels_and_depends_on_the_place_only(name: str) -> None:
    images = pictures()
    before = images.clone()
    for strength in DISTURBANCES[name].at(12):
        found = disturbed(images, name, strength, PLACES)
        assert found.shape == images.shape
        assert found.min() >= 0
        assert found.max() <= 255
        one = disturbed(images[3:4], name, strength, PLACES[3:4])
        assert torch.allclose(found[3:4], one, atol=1e-3), "an image's neighbors are no matter"
    assert torch.equal(images, before)


def test_a_shift_moves_whole_pixels_and_repeats_the_edge() -> None:
    images, moved = pictures(), disturbed(pictures(), "shift", 2, PLACES)
    ways = set()
    for before, after in zip(images, moved, strict=True):
        fitting = {
            "right": torch.equal(after[:, :, 2:], before[:, :, :-2]) and torch.equal(after[:, :, 0], before[:, :, 0]),
            "left": torch.equal(after[:, :, :-2], before[:, :, 2:]) and torch.equal(after[:, :, -1], before[:, :, -1]),
            "down": torch.equal(after[:, 2:], before[:, :-2]) and torch.equal(after[:, 0], before[:, 0]),
            "up": torch.equal(after[:, :-2], before[:, 2:]) and torch.equal(after[:, -1], before[:, -1]),
        }
        assert sum(fitting.values()) == 1
        ways |= {way for way, fits in fitting.items() if fits}
    assert len(ways) > 1, "directions are drawn for each image"


def test_a_quarter_turn_is_exact() -> None:
    images, turned = pictures(), disturbed(pictures(), "rotation", 90, PLACES)
    ways = {
        next(way for way in (1, -1) if torch.allclose(after, torch.rot90(before, way, (1, 2)), atol=0.1))
        for before, after in zip(images, turned, strict=True)
    }
    assert ways == {1, -1}


def test_a_blur_keeps_plain_areas_and_spreads_a_point_as_a_gaussian() -> None:
    plain = torch.full((1, 1, 9, 9), 77.0)
    assert torch.allclose(disturbed(plain, "blur", 1.5, PLACES[:1]), plain, atol=1e-3)
    point = torch.zeros(1, 1, 21, 21)
    point[0, 0, 10, 10] = 100
    found = disturbed(point, "blur", 2.0, PLACES[:1])[0, 0]
    assert float(found.sum()) == pytest.approx(100, rel=1e-4)
    assert float(found[10, 12] / found[10, 10]) == pytest.approx(math.exp(-0.5), rel=1e-4)
    assert torch.allclose(found, found.T)


def test_noise_is_seeded_of_the_right_strength_and_the_same_pattern() -> None:
    gray = torch.full((6, 3, 40, 40), 128.0)
    weak, strong = (disturbed(gray, "noise", strength, PLACES) - gray for strength in (0.05, 0.1))
    assert float(weak.std()) == pytest.approx(0.05 * 255, rel=0.02)
    assert torch.allclose(strong, 2 * weak, atol=1e-3)
    assert torch.equal(weak, disturbed(gray, "noise", 0.05, PLACES) - gray)
    assert not torch.allclose(weak[0], weak[1])


def test_brightness_multiplies_and_is_cut_off() -> None:
    images = torch.tensor([0.0, 100.0, 200.0]).view(1, 1, 1, 3)
    assert disturbed(images, "brightness", 1.5, PLACES[:1]).flatten().tolist() == [0, 150, 255]


def test_an_unknown_disturbance_is_refused() -> None:
    with pytest.raises(LabError, match="no disturbance named 'blurr'"):
        disturbed(pictures(), "blurr", 1, PLACES)


class CountsLight:
    """Tells how many pixels of a picture are bright, wherever they are: shifts inside the picture change nothing."""

    preprocessing = Preprocessing(size=28, channels=1, mean=(0.0,), std=(1.0,))
    classes = tuple("0123")
    device = torch.device("cpu")

    def look(self, images: Tensor) -> Look:
        bright = (images > 0.5).sum(dim=(1, 2, 3))
        return Look(features=images.flatten(1), probabilities=torch.eye(4)[bright.clamp(0, 3)])


def test_a_network_that_does_not_care_where_keeps_its_accuracy_when_shifted() -> None:
    pixels = torch.zeros(20, 28, 28, 1, dtype=torch.uint8)
    labels = torch.arange(20) % 4
    for image, label in zip(pixels, labels.tolist(), strict=True):
        image[12, 12 : 12 + label] = 255
    split = Images(pixels, labels)
    found = Judged(images=cast(Any, SimpleNamespace()), name="test", split=split, labels=labels.numpy(), own=True)
    network = cast(TrainedNetwork, CountsLight())
    result: Robustness = whole(scan_robustness(network, found, "shift", 500))
    assert result.right.tolist() == [20] * len(result.strengths)
    dark: Robustness = whole(scan_robustness(network, found, "brightness", 500))
    assert dark.right.tolist()[0] == 5, "in the dark only those without light are right"


@pytest.mark.parametrize("name", DISTURBANCES)
def test_undisturbed_it_is_the_plain_accuracy(lab: Lab, data_root: Path, name: str) -> None:
    known: Subjects = subjects(lab, data_root)
    subject = f"run:{lab.digits.id}"
    network = known.network(subject)
    found = judged(known, network, subject, subject, "test")
    plain = whole(scan_outcomes(network, found, 100)).outcomes
    result: Robustness = whole(scan_robustness(network, found, name, 100))
    neutral = result.strengths.index(DISTURBANCES[name].neutral)
    assert result.right[neutral] == (plain.predicted == plain.labels).sum()
    assert (result.count, result.total) == (100, 1_000)
    strips = result.pixels[:, neutral]
    np.testing.assert_array_equal(strips, split_pixels(found, result.places))
    assert len(set(result.right.tolist())) > 1, "the strongest disturbance makes a difference"


def split_pixels(found: Judged, places: np.ndarray) -> np.ndarray:
    assert isinstance(found.split, Images)
    return found.split.take(torch.from_numpy(places)).numpy()


def test_the_question_tells_counts_and_examples(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ARTIFACTS", str(lab.artifacts))
    request = {"network": f"run:{lab.colors.id}", "change": "noise", "most_images": 12}
    answer = asked("robustness", request)
    facts = answer.data
    assert (facts["count"], facts["total"], facts["size"]) == (12, 24, 24)
    assert len(facts["counts"]) == len(facts["severities"]) == answer.arrays["pixels"].shape[1]
    assert answer.arrays["pixels"].shape[2:] == (24, 24, 3)
    assert answer.arrays["said"].shape == answer.arrays["confidence"].shape == (3, len(facts["severities"]))
    assert asked("robustness", request).data == facts
    assert not answer.lasting, "a folder may change"
    with pytest.raises(LabError, match="most_images"):
        asked("robustness", {**request, "most_images": 0})
