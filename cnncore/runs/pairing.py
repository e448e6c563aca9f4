"""Which images two runs have in common, so that their networks can be compared on the very same ones."""

from __future__ import annotations

from typing import Any

from cnncore.catalog import DATASETS
from cnncore.errors import DataError
from cnncore.runs.run import Run

_IMAGES = ("dataset", "path", "image_set")
"""Settings that say where the images come from."""
_DIVISION = ("train_images", "validation", "seed")
"""Settings that decide which images train and which validate."""


def check_comparable(a: Run, b: Run, split: str) -> None:
    """Refuse two runs that have no images of this split in common.

    Raises:
        DataError: naming what differs.
    """
    first, second = _data(a), _data(b)
    _check_versions(a, b)
    if [first.get(name) for name in _IMAGES] != [second.get(name) for name in _IMAGES]:
        raise DataError(
            f"{a.name} is about {_title(first)}, {b.name} about {_title(second)}: they have no images in common to "
            "disagree on.",
            "Choose two runs on the same data set.",
        )
    if first.get("dataset") == "folder" and not first.get("path"):
        raise DataError(f"{a.name} and {b.name} were imported without images.", "Import them with a data set.")
    if split == "validation" and [first.get(name) for name in _DIVISION] != [second.get(name) for name in _DIVISION]:
        raise DataError(
            "The two runs divided the images differently: some that one validates on have trained the other.",
            "Compare them on the test images.",
        )


def _check_versions(a: Run, b: Run) -> None:
    (one, _, old), (other, _, new) = (str(_data(run).get("image_set") or "").partition("@") for run in (a, b))
    if one and one == other and old != new:
        raise DataError(
            f"{a.name} was trained on version {old} of its image set, {b.name} on version {new}: labels and division "
            "may differ.",
            "Choose two runs on one version; what a change of the images was worth is shown in Transfer, Mistakes.",
        )


def common_splits(a: Run, b: Run) -> tuple[str, ...]:
    """Of `test` and `validation`, what the two can be compared on.

    Test images only where both runs have been scored on them: to look at them again with the same weights tells nothing
    new about either accuracy, so it does not count as another score.

    Raises:
        DataError: with the reason, where there is none.
    """
    check_comparable(a, b, "test")
    found = ["test"] if all(run.summary.get("test_scored") for run in (a, b)) else []
    try:
        check_comparable(a, b, "validation")
    except DataError as problem:
        if found:
            return tuple(found)
        unscored = " and ".join(run.name for run in (a, b) if not run.summary.get("test_scored"))
        raise DataError(
            f"{problem.message} On the test images, {unscored} {'has' if ' and ' not in unscored else 'have'} not been "
            "scored yet.",
            "Score them first: let the training end, or use `python -m cnncore evaluate`.",
        ) from None
    if all(run.summary.get("num_validation") for run in (a, b)):
        found.append("validation")
    if not found:
        raise DataError(
            "Neither have both been scored on the test images, nor have they validation images.",
            "Score them on the test images first.",
        )
    return tuple(found)


def _data(run: Run) -> dict[str, Any]:
    return dict(run.config.get("data") or {})


def _title(data: dict[str, Any]) -> str:
    name = str(data.get("dataset"))
    return DATASETS[name].title if name in DATASETS else name
