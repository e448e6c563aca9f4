"""What the network of a run said of each validation and test image, kept so that mistakes can be looked at one by one.

`outcomes.npz` in the run's folder has for each split the names of the images, their labels and the probabilities of all
classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cnncore.array_files import open_npz
from cnncore.runs.artifacts import write_atomically

OUTCOMES = "outcomes.npz"
_ARRAYS = ("names", "labels", "probabilities")

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcomes:
    """What a network says of the images of a split.

    Attributes:
        classes: Names of the K classes.
        names: Which images they are, strings (N,): keys of an image set, file names below a folder, or positions.
        labels: True classes, int64 (N,).
        probabilities: Float32 (N, K).
    """

    split: str
    classes: tuple[str, ...]
    names: npt.NDArray[np.str_]
    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """The most probable class of each image, (N,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> npt.NDArray[np.float32]:
        """Its probability, (N,)."""
        return self.probabilities.max(axis=1)


def confusion_matrix(outcomes: Outcomes) -> npt.NDArray[np.int64]:
    """(K, K): rows are true classes, columns predicted ones; `figures.per_class.per_class_table` takes it."""
    count = len(outcomes.classes)
    cells = outcomes.labels * count + outcomes.predicted
    return np.bincount(cells, minlength=count * count).reshape(count, count)


def images_behind(outcomes: Outcomes, label: int, predicted: int) -> Rows:
    """Rows of the images in a cell of the confusion matrix, the most confident first."""
    behind = (outcomes.labels == label) & (outcomes.predicted == predicted)
    return _sorted(behind, -outcomes.confidence)


def confident_mistakes(outcomes: Outcomes) -> Rows:
    """Rows of the images that were told wrong, the most confident first."""
    return _sorted(outcomes.labels != outcomes.predicted, -outcomes.confidence)


def least_certain(outcomes: Outcomes) -> Rows:
    """All rows, those first whose two most probable classes are closest."""
    best = np.sort(outcomes.probabilities, axis=1)[:, -2:]
    return _sorted(np.ones(len(outcomes.labels), bool), best[:, -1] - best[:, 0])


def _sorted(chosen: npt.NDArray[np.bool_], order: npt.NDArray[np.float32]) -> Rows:
    rows = chosen.nonzero()[0]
    return rows[order[rows].argsort(kind="stable")]


def save_outcomes(path: Path, outcomes: Sequence[Outcomes]) -> int:
    """Write the outcomes of at least one split as npz; returns its size in bytes."""
    arrays = {f"{each.split}_{name}": getattr(each, name) for each in outcomes for name in _ARRAYS}
    splits, classes = (np.array(names, np.str_) for names in ([each.split for each in outcomes], outcomes[0].classes))

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, splits=splits, classes=classes, **arrays)

    return write_atomically(path, write)


def load_outcomes(path: Path) -> dict[str, Outcomes]:
    """What `save_outcomes` wrote, by split; empty where there is no such file."""
    if not path.is_file():
        return {}
    with open_npz(path) as file:
        classes = tuple(file["classes"].tolist())
        return {
            split: Outcomes(split=split, classes=classes, **{name: file[f"{split}_{name}"] for name in _ARRAYS})
            for split in file["splits"].tolist()
        }
