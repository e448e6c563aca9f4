"""Runs as TensorBoard's event files: every number of the log at its step and time, the settings as hyperparameters.

The files are TFRecords of `tensorboard.compat.proto.event_pb2.Event`; the tags of scalars stand in `TAGS`. Of the
`tensorboard` package only the messages and the record writer are loaded, 4 MB of memory without TensorFlow or torch.
"""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.plugins.hparams import summary_v2
from tensorboard.summary.writer.record_writer import RecordWriter

from cnncore.config import flatten, format_value
from cnncore.errors import RunError
from cnncore.runs.artifacts import file_stem
from cnncore.runs.events import Row
from cnncore.runs.store import ALL, Run, RunStore
from cnncore.runs.stored_config import stored_config

EVENTS = "tensorboard"
"""Folder of a run's event files below its folder, where they are written while it trains."""

TAGS: dict[str, dict[str, str]] = {
    "step": {
        "loss": "loss/step",
        "lr": "optimizer/learning_rate",
        "grad_norm": "gradient_norm/all",
        "epoch": "progress/epoch",
    },
    "epoch": {
        "train_loss": "loss/train",
        "val_loss": "loss/validation",
        "train_accuracy": "accuracy/train",
        "val_accuracy": "accuracy/validation",
        "train_top5": "accuracy/train_top5",
        "val_top5": "accuracy/validation_top5",
        "seconds": "speed/seconds_per_epoch",
    },
    "hardware": {"rate": "speed/images_per_s"},
}
"""Tags by phase and name of the log's values; what has none here gets the one of `_PREFIXES`, if its phase has one."""
_PREFIXES = {"hardware": "hardware", "layers": "gradient_norm", "freeze": "frozen"}

RESULTS = {
    "test_loss": "loss/test",
    "test_accuracy": "accuracy/test",
    "test_top5": "accuracy/test_top5",
    "best_val_accuracy": "accuracy/best_validation",
}
"""Tags of the results in a run's summary, written at its last step."""

_VERSION = "brain.Event:2"


def scalars(row: Row) -> Iterator[tuple[str, float]]:
    """The tags and values of a log row; NaN is a value, null and what is no number are left out."""
    if row.phase == "change":
        yield f"change/{row.values['setting']}", float(row.values["value"])
        return
    tags, prefix = TAGS.get(row.phase, {}), _PREFIXES.get(row.phase)
    for name, value in row.values.items():
        tag = tags.get(name) or (f"{prefix}/{name}" if prefix else None)
        if tag and isinstance(value, int | float) and not isinstance(value, bool):
            yield tag, float(value)


def hyperparameters(run: Run) -> dict[str, bool | float | str]:
    """The settings of a run as TensorBoard's table of hyperparameters takes them; empty for a run of another time."""
    try:
        settings = flatten(stored_config(run))
    except RunError:
        return {}
    return {
        name: value if isinstance(value, bool | int | float | str) else format_value(value, name)
        for name, value in settings.items()
    }


def opening(run: Run) -> Iterator[Event]:
    """What an event file begins with: its version, the start of a session, the settings."""
    begin = run.started or run.created
    yield Event(wall_time=begin, file_version=_VERSION)
    # A TensorBoard that watches the folder forgets what it has read of an earlier file of this run.
    yield Event(wall_time=begin, step=0, session_log=SessionLog(status=SessionLog.SessionStatus.START))
    yield Event(
        wall_time=begin,
        step=0,
        summary=summary_v2.hparams_pb(hyperparameters(run), trial_id=run.id, start_time_secs=begin),
    )


def row_events(rows: Iterable[Row]) -> Iterator[Event]:
    """An event for each log row that holds numbers; a row without a time is of now."""
    for row in rows:
        yield from _event(row.step, row.time or time.time(), scalars(row))


def result_events(summary: Mapping[str, Any], at: float) -> Iterator[Event]:
    """What a finished run has reached, `at` seconds since 1970."""
    known = ((tag, summary.get(name)) for name, tag in RESULTS.items())
    yield from _event(summary.get("step", 0), at, ((tag, float(value)) for tag, value in known if value is not None))


def _event(step: int, at: float, values: Iterable[tuple[str, float]]) -> Iterator[Event]:
    found = [Summary.Value(tag=tag, simple_value=value) for tag, value in values]
    if found:
        yield Event(wall_time=at, step=step, summary=Summary(value=found))


def _write(file: IO[bytes], events: Iterable[Event]) -> None:
    records = RecordWriter(file)
    for event in events:
        records.write(event.SerializeToString())


class EventMirror:
    """The event file of a run that is being trained, which follows its log.

    A new attempt writes the file anew from the rows that count, so that none is there twice after a resume and those
    that a killed process could not write are there too.

    Args:
        store: The run store.
        run: The run.
        folder: Folder of its event files; older ones are emptied.
    """

    def __init__(self, store: RunStore, run: Run, folder: Path) -> None:
        self._path = _fresh(folder, time.time(), store.get(run.id).attempt)
        self._append(chain(opening(run), row_events(store.since(run.id, limit=ALL).rows)))

    def add(self, rows: Sequence[Row]) -> None:
        """Write rows that were just logged."""
        self._append(row_events(rows))

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the results."""
        self._append(result_events(summary, time.time()))

    def _append(self, events: Iterable[Event]) -> None:
        with self._path.open("ab") as file:
            _write(file, events)


def _fresh(folder: Path, at: float, attempt: int) -> Path:
    """Where the event file of an attempt goes, in a folder whose older files are emptied.

    They stay, since a TensorBoard that is reading a file does not go on to the next one when it vanishes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*tfevents*"):
        old.write_bytes(b"")
    return folder / _file_name(at, attempt)


def _file_name(at: float, attempt: int) -> str:
    """A name that TensorBoard recognizes; a newer attempt's is greater, since it reads files in that order."""
    return f"events.out.tfevents.{int(at):010d}.cnnlab.{attempt:04d}"


def event_file(store: RunStore, run: Run) -> bytes:
    """The event file of a run as far as it is logged."""
    buffer = io.BytesIO()
    results = () if run.is_open else result_events(run.summary, run.ended or time.time())
    _write(buffer, chain(opening(run), row_events(store.since(run.id, limit=ALL).rows), results))
    return buffer.getvalue()


def write_tensorboard(store: RunStore, run_ids: Sequence[str], folder: Path) -> None:
    """Write the event files of runs below `folder`, a folder each, for `tensorboard --logdir`.

    Raises:
        RunError: if there is no such run.
    """
    for run in [store.get(run_id) for run_id in run_ids]:
        place = folder / file_stem(run.name, run.id)
        _fresh(place, run.started or run.created, run.attempt).write_bytes(event_file(store, run))


def tensorboard_zip(store: RunStore, run_ids: Sequence[str]) -> bytes:
    """The event files of runs in a ZIP, a folder each.

    Raises:
        RunError: if there is no such run.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for run in [store.get(run_id) for run_id in run_ids]:
            name = f"{file_stem(run.name, run.id)}/{_file_name(run.started or run.created, run.attempt)}"
            archive.writestr(name, event_file(store, run))
    return buffer.getvalue()
