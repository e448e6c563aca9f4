"""What a run or a network is, costs and has reached, as rows that stand beside those of another one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from cnncore.catalog import FAMILIES, MODELS, OPTIMIZERS, SCHEDULES
from cnncore.catalog.zoo import zoo
from cnncore.config import TrainConfig
from cnncore.figures import theme
from cnncore.figures.intervals import wilson
from cnncore.runs.run import Run
from pages.components.lab import images_title
from pages.components.run_words import STATUS_LOOKS, duration, known, percent, read_config
from pages.components.size_card import stored_shape
from pages.components.waiting import inquire
from pages.components.wording import bytes_text, compact

COLORS = theme.SERIES[:2]
"""Of A and of B, everywhere in the view."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two: a network in its published form, or a run."""

    model: str
    run: Run | None = None

    @property
    def key(self) -> str:
        """As the link names it."""
        return self.run.id if self.run else self.model

    @property
    def name(self) -> str:
        return self.run.name if self.run else MODELS[self.model].title


def facts(side: Side, place: str) -> dict[str, str]:
    """The rows of one side by their names; `place` tells apart the questions of the two sides."""
    if side.run is None:
        return _network(side.model)
    config = read_config(side.run)
    if config is None:
        return {"Status": "made by a version of the lab with other settings"}
    return {**_described(config.model.name), **_costs(side.run, config, place), **_reached(side.run, config)}


def _described(model: str) -> dict[str, str]:
    spec = MODELS[model]
    return {
        "Network": spec.title,
        "Family, year": f"{FAMILIES[spec.family]}, {spec.year}",
        "Layers with weights": str(spec.depth),
    }


def _network(model: str) -> dict[str, str]:
    spec, summary = MODELS[model], zoo().get(model)
    rows = {
        **_described(model),
        "Images": f"{spec.native_size}×{spec.native_size}, {spec.in_channels} channels (published form)",
        "Parameters": f"{spec.num_params:,}",
    }
    if summary is not None:
        rows |= {
            "MACs an image": compact(summary.macs),
            "Activations an image": f"{bytes_text(summary.activation_bytes())} in training",
            "Receptive field": f"{summary.receptive_field:,} pixels" if summary.receptive_field else "–",
        }
    for result in spec.results:
        pair = [f"top-{k} {value:g} %" for k, value in ((1, result.top1), (5, result.top5)) if value is not None]
        rows.setdefault(f"{result.dataset}, {result.protocol}", f"{', '.join(pair)} ({result.source})")
    return rows


def _costs(run: Run, config: TrainConfig, place: str) -> dict[str, str]:
    request = {
        "model": config.model.model_dump(mode="json"),
        "in_shape": stored_shape(config),
        "num_classes": len(run.summary.get("classes", ())) or len(config.dataset_spec.classes) or 10,
        "batch_size": config.training.batch_size,
        "optimizer": config.optimizer.name,
        "precision": config.training.precision,
    }
    reply = inquire(f"heads_size_{place}", "profile", request)
    found = reply.answer.data if reply.answer and not reply.pending else {}
    count = run.summary.get("num_params") or found.get("num_params")
    channels, height, width = stored_shape(config)
    memory = found.get("memory_bytes")
    return {
        "Images": f"{images_title(config)}, {height}×{width}, {'gray' if channels == 1 else 'color'}",
        "Parameters": f"{count:,}" if count else "…",
        "MACs an image": compact(found["macs"]) if "macs" in found else "…",
        "Memory in training": f"{bytes_text(memory)}, batches of {config.training.batch_size:,}" if memory else "…",
    }


def _reached(run: Run, config: TrainConfig) -> dict[str, str]:
    summary = run.summary
    rows = {"Status": STATUS_LOOKS[run.status].label}
    if run.kind == "import":
        rows["Origin"] = f"imported from {summary.get('imported_from', 'a file')}"
    else:
        schedule = SCHEDULES[config.schedule.name].title.lower()
        rows["Optimizer"] = f"{OPTIMIZERS[config.optimizer.name].title}, {config.optimizer.lr:g}, {schedule}"
    rows |= {name: text for name, words in _RESULTS.items() if (text := words(run))}
    return rows


def _epochs(run: Run) -> str:
    return f"{run.summary['epoch']:,} of {run.summary.get('epochs', 0):,}" if run.summary.get("epoch") else ""


def _time(run: Run) -> str:
    seconds = run.summary.get("elapsed_s", math.nan)
    where = run.summary.get("device_name") or run.summary.get("device") or ""
    return f"{duration(seconds)}{f' ({where})' if where else ''}" if known(seconds) else ""


def _validation(run: Run) -> str:
    return percent(run.summary["best_val_accuracy"], 2) if known(run.summary.get("best_val_accuracy")) else ""


def _test(run: Run) -> str:
    summary = run.summary
    if not known(summary.get("test_accuracy")):
        return "not scored"
    correct, count = summary.get("test_correct", 0), summary.get("test_count", 0)
    low, high = wilson(correct, count)
    return (
        f"{percent(summary['test_accuracy'], 2)} ({100 * low:.2f}–{100 * high:.2f}, Wilson's 95 % interval), "
        f"{correct:,} of {count:,} right"
    )


_RESULTS: dict[str, Callable[[Run], str]] = {
    "Epochs": _epochs,
    "Training time": _time,
    "Best validation accuracy": _validation,
    "Test accuracy": _test,
}
