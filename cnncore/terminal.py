"""What the command line shows: a progress bar for people, JSON lines for programs, tables."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from cnncore.config import TrainConfig
from cnncore.runs.events import EpochEnd, Event, Preparing, Started, StepEnd
from cnncore.runs.store import Run

if TYPE_CHECKING:
    from cnncore.models.profile import LayerProfile, Profile
    from cnncore.runs.latencies import Latency

Listener = Callable[[Event], None]


@contextmanager
def progress_bar(run: Run, config: TrainConfig) -> Iterator[Listener]:
    """A bar over all steps and a line an epoch."""
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"Epoch 1/{config.training.epochs}", total=None)

        def listen(event: Event) -> None:
            if isinstance(event, Preparing):
                bar.update(task, description=event.text)
            elif isinstance(event, Started):
                bar.update(task, total=event.total_steps, completed=event.step)
            elif isinstance(event, StepEnd):
                epoch = math.ceil(event.epoch - 1e-9)
                bar.update(task, completed=event.step, description=f"Epoch {epoch}/{config.training.epochs}")
            elif isinstance(event, EpochEnd):
                console.print(_epoch_line(event), highlight=False)

        console.print(f"{run.name} ({run.id})", highlight=False)
        yield listen


@contextmanager
def byte_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error for downloads, told what is done and how many bytes of how many."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=None, visible=False)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None, visible=True)

        yield tell


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
        if isinstance(event, Preparing):
            put("preparing", text=event.text)
        elif isinstance(event, Started):
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


def print_profile(profile: Profile, batch_size: int = 1, bytes_per_value: int = 4) -> None:
    """A table of the layers with their totals, and sums by stage and by kind.

    Args:
        profile: The network's profile.
        batch_size: Images a batch, for the memory.
        bytes_per_value: 2 for bf16 and fp16, 4 for fp32.
    """
    numbers = _right("parameters", "MACs", "sees", "step", "memory")
    table = Table("layer", "kind", "window", "output", *numbers, box=None, pad_edge=False)
    for layer in profile.layers:
        table.add_row(
            _shortened(layer.name, 34),
            layer.kind,
            _window(layer),
            "×".join(map(str, layer.out_shape)) or "never runs",
            f"{layer.num_params:,}",
            f"{layer.macs:,}",
            f"{layer.receptive_field} px" if layer.receptive_field else "all",
            f"{layer.jump} px" if layer.jump else "",
            _bytes(layer.kept_bytes(batch_size, bytes_per_value)),
        )
    kept = _bytes(sum(layer.kept_bytes(batch_size, bytes_per_value) for layer in profile.layers))
    table.add_section()
    table.add_row("in all", "", "", "", f"{profile.num_params:,}", f"{profile.macs:,}", "", "", kept)
    console = Console(width=max(120, Console().width))
    console.print(table, highlight=False)
    for by in ("stage", "kind"):
        console.print()
        console.print(_sums(profile, by), highlight=False)
    statistics = sum(layer.norm_statistics for layer in profile.layers)
    console.print(
        f"\nFLOPs: 2 × {profile.macs:,} = {2 * profile.macs:,}. Memory: what a batch of {batch_size} keeps for the "
        f"backward pass, {bytes_per_value} bytes a value."
        + (f" Batch normalization also keeps {statistics:,} statistics, which are not trained." if statistics else ""),
        highlight=False,
    )


def _sums(profile: Profile, by: str) -> Table:
    table = Table(f"by {by}", *_right("parameters", "share", "MACs", "share"), box=None, pad_edge=False)
    for name, sums in profile.totals(by).items():
        shares = [f"{sums[key] / total:.1%}" if total else "" for key, total in
                  (("num_params", profile.num_params), ("macs", profile.macs))]  # fmt: skip
        table.add_row(name, f"{sums['num_params']:,}", shares[0], f"{sums['macs']:,}", shares[1])
    return table


def _window(layer: LayerProfile) -> str:
    """`3×3 /2` and the groups, if there are any."""
    if layer.kernel is None or layer.stride is None:
        return ""
    stride = "" if max(layer.stride) == 1 else f" /{max(layer.stride)}"
    return "×".join(map(str, layer.kernel)) + stride + (f" g{layer.groups}" if layer.groups > 1 else "")


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"…{text[1 - length :]}"


def _bytes(count: int) -> str:
    for size, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def print_latency(found: Latency) -> None:
    """A table of the batch sizes with their times."""
    hardware = f"{found.device_name}, {found.precision}"
    if found.device == "cpu":
        hardware += f", {found.threads} threads"
    table = Table(
        *_right("batch", "ms a batch", "10 % below", "90 % below", "images/s", "passes"), box=None, pad_edge=False
    )
    for timing in found.timings.values():
        times = (
            f"{value:.3g}" if value < 1_000 else f"{value:,.0f}" for value in (timing.ms, timing.ms_p10, timing.ms_p90)
        )
        table.add_row(f"{timing.batch_size:,}", *times, f"{timing.images_per_s:,.0f}", f"{timing.repeats}")
    console = Console()
    shape = "×".join(map(str, found.config.in_shape))
    console.print(f"{found.config.model.name}, {shape}, forward only: {hardware}", highlight=False)
    console.print(table, highlight=False)


def _right(*titles: str) -> list[Column]:
    return [Column(title, justify="right") for title in titles]
