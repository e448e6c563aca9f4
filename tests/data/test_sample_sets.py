"""Sample sets: made at the first click, balanced, without near duplicates across splits, the same everywhere."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncore.catalog import DATASETS
from cnncore.catalog.sample_sets import SAMPLE_SETS, sample_sets_at_hand
from cnncore.data.sample_sets import make_sample_set
from cnncore.errors import LabError
from cnncore.images.findings import findings
from cnncore.images.store import ImageSets, open_sets
from tests.conftest import REAL_DATA


def test_the_table_names_classes_that_there_are() -> None:
    for spec in SAMPLE_SETS.values():
        assert set(spec.classes) <= set(DATASETS[spec.dataset].classes)
        assert len(spec.classes) >= 2
        assert spec.per_class * len(spec.classes) <= 300


def test_digits_are_always_at_hand(tmp_path: Path) -> None:
    assert next(iter(sample_sets_at_hand(tmp_path))) == "digits"
    assert "cats_dogs" not in sample_sets_at_hand(tmp_path)


def test_digits_can_be_trained_on_at_once(tmp_path: Path, data_root: Path) -> None:
    sets = ImageSets(tmp_path / "sets")
    make_sample_set("digits", data_root, sets)
    begin = time.monotonic()
    made = make_sample_set("digits", data_root, sets, owner="me")
    assert time.monotonic() - begin < 10
    assert made.name == "Three digits"
    assert made.owner == "me"
    assert made.classes == ("three", "five", "eight")
    assert Counter(record.label for record in made.included()) == dict.fromkeys(made.classes, 100)
    assert Counter(record.split for record in made.included()) == {"train": 240, "validation": 60}
    assert [finding for finding in findings(made) if finding.severity != "note"] == []
    record = made.images[0]
    image = Image.open(sets.path(made.id, record))
    assert image.size == (28, 28)
    assert np.ptp(np.asarray(image)) > 200


def test_it_is_the_same_everywhere(tmp_path: Path, data_root: Path) -> None:
    first, second = (make_sample_set("digits", data_root, ImageSets(tmp_path / name)) for name in "ab")
    assert first.images == second.images


def test_what_is_not_at_hand_is_refused(tmp_path: Path, data_root: Path) -> None:
    sets = ImageSets(tmp_path / "sets")
    with pytest.raises(LabError, match="digitz"):
        make_sample_set("digitz", data_root, sets)
    with pytest.raises(LabError, match=r"cifar10.*one of: digits"):
        make_sample_set("vehicles", tmp_path, sets)
    assert sets.all() == ()


@pytest.mark.skipif(REAL_DATA is None or "vehicles" not in sample_sets_at_hand(REAL_DATA), reason="no CIFAR-10 here")
def test_vehicles_of_cifar_10(tmp_path: Path) -> None:
    assert REAL_DATA is not None
    made = make_sample_set("vehicles", REAL_DATA, open_sets(tmp_path))
    assert made.classes == ("car", "truck", "ship", "airplane")
    assert len(made.included()) == 300
    assert np.asarray(Image.open(open_sets(tmp_path).path(made.id, made.images[0]))).shape == (32, 32, 3)
