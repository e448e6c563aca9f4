"""What the command line shows: a progress bar for people, JSON lines for programs, tables."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from cnncore.config import TrainConfig
from cnncore.runs.events import EpochEnd, Event, Started, StepEnd
from cnncore.runs.store import Run

if TYPE_CHECKING:
    from cnncore.models.profile import Profile

Listener = Callable[[Event], None]


@contextmanager
def progress_bar(run: Run, config: TrainConfig) -> Iterator[Listener]:
    """A bar over all steps and a line an epoch."""
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"Epoch 1/{config.training.epochs}", total=None)

        def listen(event: Event) -> None:
            if isinstance(event, Started):
                bar.update(task, total=event.total_steps, completed=event.step)
            elif isinstance(event, StepEnd):
                epoch = math.ceil(event.epoch - 1e-9)
                bar.update(task, completed=event.step, description=f"Epoch {epoch}/{config.training.epochs}")
            elif isinstance(event, EpochEnd):
                console.print(_epoch_line(event), highlight=False)

        console.print(f"{run.name} ({run.id})", highlight=False)
        yield listen


def _epoch_line(event: EpochEnd) -> str:
    line = f"epoch {event.epoch:>3}  train loss {event.train_loss:.4f}  accuracy {event.train_accuracy:.2%}"
    if event.validation is not None:
        line += f"  validation loss {event.validation.loss:.4f}  accuracy {event.validation.accuracy:.2%}"
    return line + f"  {event.seconds:.1f} s" + ("  best" if event.best else "")


@contextmanager
def json_lines(run: Run, config: TrainConfig) -> Iterator[Listener]:
    """One line at the start and one an epoch; the caller prints the last one."""

    def put(kind: str, **values: Any) -> None:
        print(json.dumps({"event": kind, "run": run.id, **values}), flush=True)

    def listen(event: Event) -> None:
        if isinstance(event, Started):
            names = ("total_steps", "num_params", "num_train", "num_validation", "num_test", "device", "precision")
            put("start", name=run.name, epochs=config.training.epochs, **{name: getattr(event, name) for name in names})
        elif isinstance(event, EpochEnd):
            validation = event.validation
            put(
                "epoch",
                epoch=event.epoch,
                step=event.step,
                train_loss=event.train_loss,
                train_accuracy=event.train_accuracy,
                val_loss=validation.loss if validation else None,
                val_accuracy=validation.accuracy if validation else None,
                best=event.best,
                seconds=round(event.seconds, 3),
            )

    yield listen


def print_profile(profile: Profile) -> None:
    """A table of the layers with their totals."""
    table = Table("layer", "kind", "output", *_right("parameters", "MACs", "sees"), box=None, pad_edge=False)
    for layer in profile.layers:
        shape = "×".join(map(str, layer.out_shape))
        sees = f"{layer.receptive_field} px" if layer.receptive_field else "all"
        table.add_row(layer.name, layer.kind, shape, f"{layer.num_params:,}", f"{layer.macs:,}", sees)
    table.add_section()
    table.add_row("in all", "", "", f"{profile.num_params:,}", f"{profile.macs:,}", "")
    Console().print(table, highlight=False)


def _right(*titles: str) -> list[Column]:
    return [Column(title, justify="right") for title in titles]
