"""The log of a run in memory: numpy columns that grow with every look at the store, shared by everybody who watches it.

One query a second serves all viewers of a run, whatever their number; what they draw from it is built once for each
state of the log and kept until the log has grown.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from cnncore.runs.events import Row
from cnncore.runs.store import RunStore

T = TypeVar("T")
Floats = npt.NDArray[np.float64]

PAUSE_S = 60.0
"""A run logs every second or so; a longer silence is a pause and does not count as training time."""

READ_ROWS = 20_000
"""Rows that are read at once; as objects they take ten times the memory they have as columns."""
_KEPT_DRAWINGS = 64


class Columns:
    """Columns of equal length that grow at the end; a value that was not logged is NaN."""

    def __init__(self) -> None:
        self._size = 0
        self._data: dict[str, Floats] = {}

    def __len__(self) -> int:
        return self._size

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._data)

    def __getitem__(self, name: str) -> Floats:
        """The column `(N,)`, all NaN where nothing of that name was logged; a view that later growth leaves alone."""
        data = self._data.get(name)
        return np.full(self._size, np.nan) if data is None else data[: self._size]

    def append(self, columns: Mapping[str, Floats], count: int) -> None:
        """Add `count` rows."""
        size = self._size + count
        for name in {**self._data, **columns}:
            data = self._data.get(name)
            if data is None or len(data) < size:
                grown = np.full(max(size, 2 * self._size, 64), np.nan)
                if data is not None:
                    grown[: self._size] = data[: self._size]
                self._data[name] = data = grown
            data[self._size : size] = columns.get(name, np.nan)
        self._size = size


class History:
    """What a run has logged so far.

    Columns of every phase: `step`, `elapsed` (training seconds since the run began, pauses left out), and the numbers
    the phase logs. Rows of the phases "epoch", "change" and "freeze" are also kept as they are.
    """

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._lock = threading.Lock()
        self._asked = float("-inf")
        self._drawings: dict[Hashable, tuple[Hashable, Any]] = {}
        self._forget(attempt=0)

    def _forget(self, attempt: int) -> None:
        self.attempt = attempt
        self._cursor = 0
        self._first_time: float | None = None
        self._last_time = 0.0
        self._paused_s = 0.0
        self._columns: defaultdict[str, Columns] = defaultdict(Columns)
        self.epochs: tuple[Mapping[str, Any], ...] = ()
        self.changes: tuple[Row, ...] = ()
        self.freezes: tuple[Row, ...] = ()

    def __getitem__(self, phase: str) -> Columns:
        """The columns of a phase, empty if it has logged nothing."""
        return self._columns.get(phase) or Columns()

    def stamp(self, *phases: str) -> Hashable:
        """Changes exactly when one of the phases has something new."""
        return (self.attempt, *(len(self[phase]) for phase in phases))

    def refresh(self, store: RunStore, max_age_s: float = 0.5) -> None:
        """Ask the store for what is new, unless somebody did so in the last `max_age_s` seconds."""
        with self._lock:
            if time.monotonic() - self._asked < max_age_s:
                return
            while self._read(store) == READ_ROWS:
                pass
            self._asked = time.monotonic()

    def _read(self, store: RunStore) -> int:
        """Take the next rows, at most `READ_ROWS`; returns how many there were."""
        page = store.since(self.run_id, self._cursor, limit=READ_ROWS)
        if page.attempt != self.attempt:
            # Resuming drops the rows after the checkpoint, so everything is read again.
            self._forget(page.attempt)
            page = store.since(self.run_id, limit=READ_ROWS)
        if page.rows:
            self._append(page.rows)
        self._cursor = page.cursor
        return len(page.rows)

    def drawn(self, key: Hashable, stamp: Hashable, draw: Callable[[], T]) -> T:
        """What `draw` makes of this state of the log, made once for all viewers; `stamp` says which state that is."""
        with self._lock:
            kept = self._drawings.get(key)
            if kept is None or kept[0] != stamp:
                if len(self._drawings) >= _KEPT_DRAWINGS:
                    self._drawings.clear()
                kept = self._drawings[key] = (stamp, draw())
            return kept[1]

    def _append(self, rows: Sequence[Row]) -> None:
        elapsed = self._elapsed(np.array([row.time for row in rows]))
        by_phase: defaultdict[str, list[int]] = defaultdict(list)
        for index, row in enumerate(rows):
            by_phase[row.phase].append(index)
        for phase, indices in by_phase.items():
            values = [rows[index].values for index in indices]
            columns = _number_columns(values)
            columns["step"] = np.array([rows[index].step for index in indices], dtype=np.float64)
            columns["elapsed"] = elapsed[indices]
            self._columns[phase].append(columns, len(indices))
        self.epochs += tuple(dict(rows[index].values, step=rows[index].step) for index in by_phase["epoch"])
        self.changes += tuple(rows[index] for index in by_phase["change"])
        self.freezes += tuple(rows[index] for index in by_phase["freeze"])

    def _elapsed(self, times: Floats) -> Floats:
        if self._first_time is None:
            self._first_time = self._last_time = float(times[0])
        latest = np.maximum.accumulate(np.concatenate(([self._last_time], times)))
        gaps = np.diff(latest)
        paused = self._paused_s + np.cumsum(np.where(gaps > PAUSE_S, gaps, 0.0))
        self._last_time, self._paused_s = float(latest[-1]), float(paused[-1])
        return times - self._first_time - paused


def _number_columns(values: Sequence[Mapping[str, Any]]) -> dict[str, Floats]:
    """The columns of everything that is a number (or null) in all rows; lists and texts are left out."""
    columns: dict[str, Floats] = {}
    for name in dict.fromkeys(chain.from_iterable(values)):
        with contextlib.suppress(TypeError, ValueError):
            column = np.array([row.get(name) for row in values], dtype=np.float64)
            if column.ndim == 1:
                columns[name] = column
    return columns
