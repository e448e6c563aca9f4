"""A run as the store tells it: its row, its statuses, its log and its live changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from cnncore.runs.events import Row

STATUSES = ("queued", "starting", "running", "stopping", "stopped", "paused", "finished", "failed", "interrupted")
ALIVE = ("starting", "running", "stopping")
"""Statuses of runs that have, or are about to have, a process."""
OPEN = ("queued", *ALIVE)
ENDED_STATUS = {"stop": "stopped", "pause": "paused"}
"""What a run becomes when it has ended as wanted."""
RESUMABLE = ("stopped", "paused", "failed", "interrupted", "finished")


@dataclass(frozen=True, kw_only=True)
class Run:
    """A row of the store; times are seconds since 1970."""

    id: str
    kind: str
    name: str
    owner: str
    tags: tuple[str, ...]
    status: str
    wanted: str | None
    wanted_at: float | None
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    error: str | None
    hint: str | None
    created: float
    started: float | None
    ended: float | None
    beat: float | None
    host: str | None
    pid: int | None
    pid_created: float | None
    attempt: int
    deleted: float | None

    @property
    def is_open(self) -> bool:
        """Whether it waits in the queue or is on."""
        return self.status in OPEN


@dataclass(frozen=True, kw_only=True)
class Change:
    """A setting changed while the run was on; `step` is the last step before it took effect, None until then."""

    id: int
    step: int | None
    setting: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Page:
    """New log rows of a run: ask again from `cursor`; another `attempt` means: forget what you have."""

    rows: tuple[Row, ...]
    cursor: int
    attempt: int


_PLAIN = tuple(name for name in Run.__dataclass_fields__ if name not in ("config", "summary", "tags"))


def read_runs(rows: Iterable[RowMapping]) -> tuple[Run, ...]:
    """Rows of the table `runs` as runs."""
    rows = list(rows)
    # One text with all values is parsed in two thirds of the time that many small ones take.
    texts = (f"[{row['config']},{row['summary']},{row['tags']}]" for row in rows)
    parts = json.loads(f"[{','.join(texts)}]")
    return tuple(
        Run(**{name: row[name] for name in _PLAIN}, config=config, summary=summary, tags=tuple(tags))
        for row, (config, summary, tags) in zip(rows, parts, strict=True)
    )


def describe(config: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that say what is trained: the configuration as text, and what lists are filtered by."""
    model, data = config.get("model") or {}, config.get("data") or {}
    return {"config": json.dumps(config), "model": model.get("name"), "dataset": data.get("dataset")}


def escape(text: str) -> str:
    """A text as `LIKE` takes it literally, with a backslash as its escape."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
