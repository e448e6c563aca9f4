"""Turns the events of a run into log rows and a summary, a few times a second, and hears what is wanted of the run."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from cnncore.config import TrainConfig
from cnncore.errors import TrainingError
from cnncore.runs.artifacts import TEST, epoch_file, save_evaluation
from cnncore.runs.events import Changed, EpochEnd, Evaluating, Event, Finished, Froze, Row, Started, StepEnd, Suggested
from cnncore.runs.store import Run, RunStore
from cnncore.training.hardware import HardwareMeter

if TYPE_CHECKING:
    from cnncore.runs.tensorboard import EventMirror

FLUSH_S = 0.3
HARDWARE_S = 1.0
_SPARK_POINTS = 40
_RATE_WINDOW_S = 5.0
_RESULT = ("reason", "scored_epoch", "test_accuracy", "test_top5", "test_loss", "test_correct", "test_count", "eta_s")


def read_scalars(values: Sequence[Any]) -> list[float]:
    """Plain numbers of many scalars, waiting for the device once."""
    tensors = [value for value in values if isinstance(value, Tensor)]
    read = iter(torch.stack([value.float() for value in tensors]).tolist() if tensors else [])
    return [next(read) if isinstance(value, Tensor) else float(value) for value in values]


class Recorder:
    """Keeps the log of one run.

    Args:
        store: The run store.
        run: The run.
        config: Its configuration.
        folder: Its folder for files.
        meter: What the hardware does; None records nothing of it.

    Attributes:
        wanted: `stop` or `pause` once somebody asked for it.
        attempt: The attempt at the run that is recorded; None until it has begun.
        mirror: Event files that get every row too; None without them.
        summary: What lists and headers show, see the store's `summary`.
    """

    def __init__(
        self, store: RunStore, run: Run, config: TrainConfig, folder: Path, meter: HardwareMeter | None = None
    ) -> None:
        self.store = store
        self.run_id = run.id
        self.folder = folder
        self.meter = meter
        self.wanted: str | None = None
        self.attempt: int | None = None
        self.mirror: EventMirror | None = None
        # A learning-rate test goes on until the loss explodes: that is its result.
        self.tolerates_nan = run.kind == "find_lr"
        self.summary: dict[str, Any] = {**run.summary, "epochs": config.training.epochs}
        self._rows: list[Row] = []
        self._steps: list[tuple[StepEnd, float]] = []
        self._pace: deque[tuple[float, int, int]] = deque()
        self._images = 0
        self._loss: float | None = None
        self._losses: list[float] = list(run.summary.get("spark_loss", ()))
        self._accuracies: list[float] = list(run.summary.get("spark_accuracy", ()))
        self._steps_per_epoch = 1
        self._last_flush = 0.0
        self._last_hardware = 0.0

    def prepare(self, text: str, done: int, total: int) -> None:
        """Show progress before training: what, done and total (0 if unknown)."""
        self.summary |= {"stage": "preparing", "stage_text": text, "stage_done": done, "stage_total": total}
        self._maybe_flush()

    def describe(self, **facts: Any) -> None:
        """Add facts to the summary."""
        self.summary |= facts

    def forget_result(self) -> None:
        """Drop how the run ended: it goes on."""
        self.summary = {name: value for name, value in self.summary.items() if name not in _RESULT}

    def row(self, phase: str, step: int, values: Mapping[str, Any]) -> None:
        """Add a log row."""
        self._rows.append(Row(phase=phase, step=step, values=values, time=time.time()))

    def record(self, event: Event) -> None:
        """Take an event; writes to the store when it is time."""
        match event:
            case StepEnd():
                self._steps.append((event, time.time()))
                self._images += event.images
            case Evaluating():
                stage = {"test": "scoring", "train": "looking"}.get(event.split, "evaluating")
                self.summary |= {"stage": stage, "stage_done": event.done, "stage_total": event.total}
            case Started():
                self._start(event)
            case EpochEnd():
                self._end_epoch(event)
            case Finished():
                self._finish(event)
            case Suggested():
                self.summary |= {"stage": "done", "suggested_lr": event.lr, "eta_s": 0.0}
            case Changed() | Froze():
                self._change(event)
        self._maybe_flush()

    def flush(self) -> None:
        """Write everything to the store now.

        Raises:
            TrainingError: if a loss is not a number; the rows until then are written.
            RunLostError: if the run no longer belongs to this process.
        """
        bad = self._read_steps()
        if self.tolerates_nan:
            bad = None
        now = time.time()
        self._measure(now)
        self._estimate()
        self._last_flush = now
        rows, self._rows = self._rows, []
        self.wanted = self.store.log(self.run_id, rows, self.summary, attempt=self.attempt) or self.wanted
        if self.mirror is not None:
            self.mirror.add(rows)
        if bad is not None:
            raise TrainingError(
                f"The loss stopped being a number at step {bad:,}.",
                "Try a smaller learning rate, a warm-up, gradient clipping or precision fp32.",
            )

    def _maybe_flush(self) -> None:
        if time.time() - self._last_flush >= FLUSH_S:
            self.flush()

    def _change(self, event: Changed | Froze) -> None:
        if isinstance(event, Changed):
            self.row("change", event.step, {"setting": event.setting, "value": event.value})
            return
        self.row("freeze", event.step, {name: float(frozen) for name, frozen in event.stages.items()})
        self.summary |= {"learning": list(event.learning), "num_trainable": event.num_trainable}

    def _start(self, event: Started) -> None:
        self._steps_per_epoch = event.steps_per_epoch
        self.summary |= {
            "stage": "training",
            "stage_text": "",
            "epoch": event.epoch,
            "step": event.step,
            "total_steps": event.total_steps,
        } | {
            name: getattr(event, name)
            for name in (
                "num_params",
                "num_trainable",
                "num_train",
                "num_validation",
                "num_test",
                "device",
                "precision",
                "threads",
            )
        }

    def _read_steps(self) -> int | None:
        """Turn buffered steps into rows; returns the first step whose loss is not a number."""
        steps, self._steps = self._steps, []
        if not steps:
            return None
        events = [event for event, _ in steps]
        losses = read_scalars([event.loss for event in events])
        norms = read_scalars([event.grad_norm if event.grad_norm is not None else math.nan for event in events])
        for (event, at), loss, norm in zip(steps, losses, norms, strict=True):
            values = {"loss": loss, "lr": event.lr, "epoch": round(event.epoch, 5)}
            if event.grad_norm is not None:
                values["grad_norm"] = norm
            self._rows.append(Row(phase="step", step=event.step, values=values, time=at))
            if event.layer_grad_norms:
                layers = dict(
                    zip(event.layer_grad_norms, read_scalars(list(event.layer_grad_norms.values())), strict=True)
                )
                self._rows.append(Row(phase="layers", step=event.step, values=layers, time=at))
            self._loss = loss if self._loss is None else 0.9 * self._loss + 0.1 * loss
        last, at = steps[-1]
        self._pace.append((at, self._images, last.step))
        while len(self._pace) > 2 and at - self._pace[0][0] > _RATE_WINDOW_S:
            self._pace.popleft()
        self._losses = _thin([*self._losses, self._loss or math.nan])
        self.summary |= {
            "stage": "training",
            "step": last.step,
            "epoch": math.ceil(last.epoch - 1e-9),
            "train_loss": self._loss,
            "spark_loss": self._losses,
        }
        return next((event.step for event, loss in zip(events, losses, strict=True) if not math.isfinite(loss)), None)

    def _estimate(self) -> None:
        """Images a second and the time left, from the last few seconds."""
        if len(self._pace) < 2:
            return
        (start, images_before, step_before), (end, images, step) = self._pace[0], self._pace[-1]
        seconds = end - start
        if seconds <= 0 or step == step_before:
            return
        left = self.summary.get("total_steps", step) - step
        # Evaluation takes its time too: the epochs so far tell how much an epoch needs beyond its steps.
        extra = self.summary.get("evaluation_s", 0.0) * left / self._steps_per_epoch
        self.summary |= {
            "rate": (images - images_before) / seconds,
            "eta_s": left * seconds / (step - step_before) + extra,
        }

    def _measure(self, now: float) -> None:
        step = self.summary.get("step")
        if self.meter is None or not step or now - self._last_hardware < HARDWARE_S:
            return
        self._last_hardware = now
        self.row("hardware", step, {**self.meter.read(), "rate": self.summary.get("rate")})

    def _end_epoch(self, event: EpochEnd) -> None:
        validation = event.validation
        per_class = None
        if validation is not None and validation.count:
            counts = validation.confusion.sum(axis=1)
            hit = validation.confusion.diagonal()
            per_class = [round(int(h) / int(c), 5) if c else None for h, c in zip(hit, counts, strict=True)]
            size = save_evaluation(self.folder / epoch_file(event.epoch), validation)
            self.store.add_artifact(self.run_id, epoch_file(event.epoch), size)
        values = {
            "epoch": event.epoch,
            "train_loss": event.train_loss,
            "train_accuracy": event.train_accuracy,
            "train_top5": event.train_top5,
            "val_loss": validation.loss if validation else None,
            "val_accuracy": validation.accuracy if validation else None,
            "val_top5": validation.top5 if validation else None,
            "per_class": per_class,
            "lr": event.lr,
            "best": event.best,
            "seconds": event.seconds,
            "elapsed_s": event.elapsed_s,
        }
        self.row("epoch", event.step, values)
        # The time of the evaluation must not count as time of the steps before and after it.
        self._pace.clear()
        shown = validation.accuracy if validation else event.train_accuracy
        self._accuracies = _thin([*self._accuracies, shown])
        self.summary |= {name: values[name] for name in ("train_accuracy", "val_loss", "val_accuracy")}
        self.summary |= {
            "epoch": event.epoch,
            "spark_accuracy": self._accuracies,
            "evaluation_s": event.evaluation_s,
        }
        if event.best and validation:
            self.summary |= {
                "best_epoch": event.epoch,
                "best_val_accuracy": validation.accuracy,
                "best_val_loss": validation.loss,
            }
        self._last_flush = 0.0

    def _finish(self, event: Finished) -> None:
        self.summary |= {
            "stage": "done",
            "stage_text": "",
            "epoch": event.epoch,
            "reason": event.reason,
            "scored_epoch": event.scored_epoch,
            "eta_s": 0.0,
        }
        if event.test is not None:
            size = save_evaluation(self.folder / TEST, event.test)
            self.store.add_artifact(self.run_id, TEST, size)
            self.summary |= {
                "test_accuracy": event.test.accuracy,
                "test_top5": event.test.top5,
                "test_loss": event.test.loss,
                "test_correct": event.test.correct,
                "test_count": event.test.count,
                "test_scored": self.summary.get("test_scored", 0) + 1,
            }
        self._last_flush = 0.0


def _thin(values: list[float]) -> list[float]:
    """Every other value once there are too many for a sparkline."""
    return values if len(values) <= _SPARK_POINTS else values[::2]
