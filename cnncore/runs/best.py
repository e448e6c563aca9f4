"""The best test accuracy that each network has reached here on each data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cnncore.catalog import DATASETS, MODELS
from cnncore.runs.store import Run

_CHANGE_COSTS = ("pool", "stem", "shortcut", "stride_in", "module", "width", "input_size")
"""The options of a network that change its MACs at inference."""


@dataclass(frozen=True, kw_only=True)
class Best:
    """A finished run's result on the test images.

    Attributes:
        correct: Test images it got right, of `count`.
        num_params: Trainable parameters of the network as it was trained, 0 where the run does not say.
        same_macs: Whether the options and the size of the images leave the MACs as `cnncore.catalog.zoo` has them.
    """

    run_id: str
    run_name: str
    model: str
    dataset: str
    correct: int
    count: int
    num_params: int
    same_macs: bool

    @property
    def accuracy(self) -> float:
        """Share of right test images, 0 to 1."""
        return self.correct / self.count


def best_runs(runs: Iterable[Run]) -> dict[tuple[str, str], Best]:
    """The best of the runs by (network, data set), the earlier one among equals.

    Runs without a test result are left out, and those on a person's own images, which are others for everybody; so are
    networks that began with pretrained weights, since they tell more of those than of the architecture.
    """
    found: dict[tuple[str, str], Best] = {}
    for run in sorted(runs, key=lambda run: run.created):
        result = _result(run)
        if result is None:
            continue
        before = found.get((result.model, result.dataset))
        if before is None or result.accuracy > before.accuracy:
            found[result.model, result.dataset] = result
    return found


def _result(run: Run) -> Best | None:
    model: Mapping[str, Any] = run.config.get("model", {})
    data: Mapping[str, Any] = run.config.get("data", {})
    count = run.summary.get("test_count")
    dataset = DATASETS.get(data.get("dataset", ""))
    pretrained = bool((run.config.get("transfer") or {}).get("backbone"))
    if not count or "name" not in model or dataset is None or not dataset.num_train or pretrained:
        return None
    return Best(
        run_id=run.id,
        run_name=run.name,
        model=model["name"],
        dataset=data["dataset"],
        correct=run.summary.get("test_correct", 0),
        count=count,
        num_params=run.summary.get("num_params", 0),
        same_macs=_same_macs(model, data),
    )


def _same_macs(model: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    published = {"width": 1.0, **(MODELS[model["name"]].defaults if model["name"] in MODELS else {})}
    chosen = {name: model.get(name) for name in _CHANGE_COSTS}
    return data.get("image_size") is None and all(
        value is None or value == published.get(name) for name, value in chosen.items()
    )
