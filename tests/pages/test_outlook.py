"""What the page says about the images that judge, and how it words numbers."""

from __future__ import annotations

import pytest

from cnncore.config import TrainConfig, replace
from pages.components.outlook import measured
from pages.components.previews import DataFacts
from pages.components.wording import bytes_text, compact, duration_text


def _facts(**values: object) -> DataFacts:
    return DataFacts(classes=(), num_images={"test": 1_000}, **values)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("settings", "start", "weights"),
    [
        ({}, "Validation: the data set's own 500 validation images.", "best validation result"),
        ({"data.dataset": "mnist", "data.train_images": 3_000}, "Validation: images that were not", "best validation"),
        ({"data.dataset": "mnist", "data.validation": 0.2}, "Validation: 20 % of each class", "best validation"),
        ({"data.dataset": "mnist", "data.validation": 0.0}, "No validation images", "of the last epoch."),
    ],
)
def test_says_who_judges_before_the_images_are_opened(settings: dict[str, object], start: str, weights: str):
    text = measured(replace(TrainConfig(), settings), _facts())
    assert text.startswith(start)
    assert weights in text
    assert "the 1,000 test images are scored once" in text


def test_what_was_found_in_the_files_comes_first():
    assert measured(TrainConfig(), _facts(split_note="Validation: 7 images.")).startswith("Validation: 7 images. At")


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (431_080, "431,080"), (2_293_000, "2.29 M"), (14_200_000_000, "14.2 G")]
)
def test_counts(number: int, text: str):
    assert compact(number) == text


@pytest.mark.parametrize(
    ("size", "text"), [(12, "12 B"), (480_000, "480 kB"), (11_600_000, "11.6 MB"), (3.2e9, "3.2 GB"), (2e12, "2 TB")]
)
def test_sizes(size: float, text: str):
    assert bytes_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (42, "42 s"), (200, "3 min"), (7_800, "2 h 10 min"), (7_200, "2 h"), (4e6, "1,111 h")],
)
def test_durations(seconds: float, text: str):
    assert duration_text(seconds) == text
