"""What a report says of a run, read from the store and the run's folder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnncore.config import TrainConfig
from cnncore.errors import LabError
from cnncore.figures.intervals import wilson
from cnncore.runs.artifacts import TEST, epoch_file, load_evaluation, run_dir
from cnncore.runs.events import Evaluation
from cnncore.runs.history import History
from cnncore.runs.store import Run, RunStore
from cnncore.runs.stored_config import stored_config


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A run with all that is reported of it.

    Attributes:
        run: Its row in the store.
        config: Its configuration; None if it was made by a version of the lab that had other settings.
        log: Everything it has logged.
        evaluation: The most telling one there is: of the test images, else of the best epoch, else of the last one.
        source: What `evaluation` was measured on, in words.
    """

    run: Run
    config: TrainConfig | None
    log: History
    evaluation: Evaluation | None
    source: str

    @property
    def summary(self) -> Mapping[str, Any]:
        return self.run.summary

    @property
    def title(self) -> str:
        """The network's name."""
        return self.config.model_spec.title if self.config else "an unknown network"

    @property
    def images(self) -> str:
        """The data set's name."""
        return self.config.dataset_spec.title if self.config else "unknown images"

    @property
    def test_interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the test accuracy, 0 to 1; None where the test images were not scored."""
        if not known(self.summary.get("test_accuracy")):
            return None
        return wilson(self.summary.get("test_correct", 0), self.summary.get("test_count", 0))

    def classes(self, count: int) -> list[str]:
        """Names of `count` classes; their numbers where the names are not known."""
        names = [str(name) for name in self.summary.get("classes", ())]
        return names if len(names) == count else [str(index) for index in range(count)]


def read_subject(store: RunStore, artifacts: Path, run_id: str) -> Subject:
    """Read a run.

    Raises:
        RunError: if there is no such run.
    """
    folder = run_dir(artifacts, run_id)
    run = store.get(run_id)
    log = History(run.id)
    log.refresh(store, max_age_s=0)
    try:
        config = stored_config(run)
        _ = config.model_spec, config.dataset_spec
    except LabError:
        config = None
    evaluation, source = _evaluation(folder, run, log)
    return Subject(run=run, config=config, log=log, evaluation=evaluation, source=source)


def _evaluation(folder: Path, run: Run, log: History) -> tuple[Evaluation | None, str]:
    candidates: list[tuple[Path, str]] = []
    if "test_accuracy" in run.summary:
        candidates.append((folder / TEST, "the test images"))
    best = run.summary.get("best_epoch")
    if best:
        candidates.append((folder / epoch_file(best), f"the validation images after epoch {best}, the best"))
    if log.epochs:
        last = int(log.epochs[-1]["epoch"])
        candidates.append((folder / epoch_file(last), f"the validation images after epoch {last}, the last so far"))
    for path, words in candidates:
        evaluation = load_evaluation(path)
        if evaluation is not None:
            return evaluation, words
    return None, ""


def known(value: Any) -> bool:
    """Whether a number of the summary is there and is one; a diverged run has NaN to show."""
    return isinstance(value, int | float) and math.isfinite(value)


def percent(share: Any, digits: int = 1) -> str:
    """A share from 0 to 1 as percent, a dash where it is unknown."""
    return f"{100 * share:.{digits}f} %" if known(share) else "–"


def duration(seconds: Any) -> str:
    """Seconds in words: 4.2 s, 42 s, 3 min 20 s, 1 h 05 min; a dash where they are unknown."""
    if not known(seconds):
        return "–"
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    if minutes < 1:
        return f"{rest} s"
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
