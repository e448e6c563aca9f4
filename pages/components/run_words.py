"""Words for what runs do: statuses with color and icon, durations, progress. The same everywhere in the app."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cnncore.catalog import OPTIMIZERS, SCHEDULES
from cnncore.config import TrainConfig
from cnncore.errors import RunError
from cnncore.runs.store import Run
from cnncore.runs.stored_config import stored_config
from pages.components.lab import images_title
from pages.components.wording import threads_text

Color = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]
Number = float | int | None


@dataclass(frozen=True)
class Look:
    """How a status is shown; `label` is the word of the store."""

    label: str
    icon: str
    color: Color


STATUS_LOOKS: dict[str, Look] = {
    "queued": Look("Queued", ":material/schedule:", "gray"),
    "starting": Look("Starting", ":material/rocket_launch:", "blue"),
    "running": Look("Running", ":material/play_circle:", "blue"),
    "stopping": Look("Stopping", ":material/hourglass_bottom:", "orange"),
    "stopped": Look("Stopped", ":material/stop_circle:", "gray"),
    "paused": Look("Paused", ":material/pause_circle:", "yellow"),
    "finished": Look("Finished", ":material/check_circle:", "green"),
    "failed": Look("Failed", ":material/error:", "red"),
    "interrupted": Look("Interrupted", ":material/warning:", "orange"),
}

_STAGES = {
    "evaluating": "Evaluating on the validation images",
    "scoring": "Scoring the test images",
    "looking": "Looking at the training images once more",
}


def known(value: Any) -> bool:
    """Whether a number of the summary is there and is one; a diverged run has NaN to show."""
    return isinstance(value, int | float) and math.isfinite(value)


def duration(seconds: float) -> str:
    """Seconds in words: `0.4 s`, `42 s`, `3 min 20 s`, `1 h 05 min`."""
    if 0.05 <= seconds < 0.95:
        return f"{seconds:.1f} s"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def percent(share: Number, digits: int = 1) -> str:
    """A share from 0 to 1 as percent, a dash where it is unknown."""
    return f"{100 * share:.{digits}f} %" if share is not None and known(share) else "–"


def compact(value: Number, form: str = ".4f") -> str:
    """A number, a dash where it is unknown."""
    return format(value, form) if value is not None and known(value) else "–"


def curve_of(summary: Mapping[str, Any], name: str) -> list[float]:
    """A small curve of the summary, NaN where a value is missing."""
    return [math.nan if value is None else value for value in summary.get(name, ())]


def fraction_done(run: Run) -> float:
    """How much of what the run does now is done, 0 to 1."""
    summary = run.summary
    preparing = run.is_open and (summary.get("stage") == "preparing" or run.kind == "import")
    # Compiling cannot tell how much of it is done.
    counted = preparing and summary.get("stage_total")
    if run.status == "finished":
        return 1.0
    done, whole = (summary["stage_done"], summary["stage_total"]) if counted else (summary.get("step", 0), _steps(run))
    return min(1.0, max(0.0, done / whole)) if whole else 0.0


def _steps(run: Run) -> int:
    """All steps of a run; one that waits to go on may have been given more epochs than its summary tells."""
    told = run.summary.get("total_steps") or 0
    if not told or run.kind != "train" or run.status not in ("queued", "starting"):
        return told
    training = run.config["training"]
    return training["epochs"] * math.ceil(run.summary.get("num_train", 0) / training["batch_size"]) or told


def progress_words(run: Run) -> str:
    """What the run is doing, or did: epoch, step, images a second and the time left."""
    summary = run.summary
    before = run.status in ("queued", "starting") or summary.get("stage") == "preparing" or not summary.get("step")
    if run.is_open and before:
        return _before_training(run)
    parts = [_epoch_words(summary) if run.kind == "train" else "", _step_words(summary)]
    if run.status == "running":
        stage = _STAGES.get(summary.get("stage", ""))
        parts = [stage, *parts] if stage else parts
        parts += [_rate_words(summary), f"{duration(summary['eta_s'])} left" if known(summary.get("eta_s")) else ""]
    elif not run.is_open and known(summary.get("elapsed_s")):
        parts.append(f"{duration(summary['elapsed_s'])} of training")
    return " · ".join(part for part in parts if part) or STATUS_LOOKS[run.status].label


def _before_training(run: Run) -> str:
    words = {"queued": "Waiting for its turn", "starting": "Starting the training process", "stopping": "Stopping"}
    if run.status in words:
        return f"{words[run.status]}…"
    text = _STAGES.get(run.summary.get("stage", "")) or run.summary.get("stage_text") or "Preparing"
    done, total = run.summary.get("stage_done", 0), run.summary.get("stage_total", 0)
    return f"{text} · {100 * done / total:.0f} %" if total else f"{text}…"


def _epoch_words(summary: Mapping[str, Any]) -> str:
    return f"Epoch {summary['epoch']:,} of {summary.get('epochs', 0):,}" if summary.get("epoch") else ""


def _step_words(summary: Mapping[str, Any]) -> str:
    return f"step {summary['step']:,} of {summary.get('total_steps', 0):,}" if summary.get("step") else ""


def _rate_words(summary: Mapping[str, Any]) -> str:
    return f"{summary['rate']:,.0f} images/s" if known(summary.get("rate")) else ""


def read_config(run: Run) -> TrainConfig | None:
    """The configuration of a run; None if it was made by a version of the lab that had other settings."""
    try:
        return stored_config(run)
    except RunError:
        return None


def facts_words(run: Run) -> str:
    """What is trained on what: network, data, optimizer, images of each split, hardware."""
    config, summary = read_config(run), run.summary
    images = [
        f"{summary[f'num_{split}']:,} {split}" for split in ("train", "validation", "test") if f"num_{split}" in summary
    ]
    hardware = [summary.get("device_name") or summary.get("device"), summary.get("precision")]
    if summary.get("device") == "cpu" and summary.get("threads"):
        hardware.append(threads_text(summary["threads"]))
    hardware.append(f"compiled in {duration(summary['compile_s'])}" if known(summary.get("compile_s")) else "")
    parts = [
        *(_config_words(config, run.kind) if config else ()),
        _start_words(config.training.start_from, summary) if config else "",
        f"{summary['num_params']:,} parameters" if "num_params" in summary else "",
        f"images: {', '.join(images)}" if images else "",
        ", ".join(str(word) for word in hardware if word),
    ]
    return " · ".join(part for part in parts if part)


def _start_words(source: str | None, summary: Mapping[str, Any]) -> str:
    notes = f" ({' '.join(summary['start_notes'])})" if summary.get("start_notes") else ""
    return f"from the weights of run {source}{notes}" if source else ""


def _config_words(config: TrainConfig, kind: str) -> tuple[str, ...]:
    if kind == "import":
        images = config.dataset_spec.title if config.data.dataset != "folder" or config.data.path else ""
        return (config.model_spec.title, images)
    optimizer = OPTIMIZERS[config.optimizer.name].title
    schedule = "" if config.schedule.name == "constant" else f", {SCHEDULES[config.schedule.name].title.lower()}"
    rate = f", learning rate {config.optimizer.lr:g}{schedule}" if kind == "train" else ""
    return (
        config.model_spec.title,
        images_title(config),
        f"{optimizer}{rate}, batches of {config.training.batch_size:,}",
    )
