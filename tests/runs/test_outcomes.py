"""Outcomes: the images behind each cell of the confusion matrix, and the file they are kept in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnncore.runs.outcomes import (
    OUTCOMES,
    Outcomes,
    confident_mistakes,
    confusion_matrix,
    images_behind,
    least_certain,
    load_outcomes,
    save_outcomes,
)

PROBABILITIES = [
    [0.9, 0.1, 0.0],  # right
    [0.6, 0.3, 0.1],  # taken for a
    [0.2, 0.5, 0.3],  # right
    [0.8, 0.1, 0.1],  # taken for a, more confidently
    [0.1, 0.2, 0.7],  # right
]


def outcomes(split: str = "validation") -> Outcomes:
    return Outcomes(
        split=split,
        classes=("a", "b", "ü/c"),
        names=np.array(["7", "9", "11", "12", "30"]),
        labels=np.array([0, 1, 1, 1, 2]),
        probabilities=np.array(PROBABILITIES, np.float32),
    )


def test_cells_count_the_images_behind_them_the_most_confident_first() -> None:
    found = outcomes()
    matrix = confusion_matrix(found)
    assert matrix.tolist() == [[1, 0, 0], [2, 1, 0], [0, 0, 1]]
    assert images_behind(found, 1, 0).tolist() == [3, 1]
    for label, predicted in np.ndindex(3, 3):
        assert len(images_behind(found, label, predicted)) == matrix[label, predicted]


def test_mistakes_come_by_confidence_and_doubts_by_margin() -> None:
    found = outcomes()
    assert confident_mistakes(found).tolist() == [3, 1]
    assert least_certain(found).tolist() == [2, 1, 4, 3, 0]


def test_a_file_gives_them_back(tmp_path: Path) -> None:
    assert load_outcomes(tmp_path / OUTCOMES) == {}
    written = [outcomes("validation"), outcomes("test")]
    assert save_outcomes(tmp_path / OUTCOMES, written) == (tmp_path / OUTCOMES).stat().st_size
    read = load_outcomes(tmp_path / OUTCOMES)
    assert list(read) == ["validation", "test"]
    for before, after in zip(written, read.values(), strict=True):
        assert (after.split, after.classes) == (before.split, before.classes)
        for name in ("names", "labels", "probabilities"):
            assert np.array_equal(getattr(after, name), getattr(before, name))
