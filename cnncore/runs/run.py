"""A run as the store tells it: its row, its statuses, its log and its live changes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from unicodedata import category

from sqlalchemy import Row

from cnncore.errors import RunError
from cnncore.runs import events
from cnncore.runs.tables import runs

STATUSES = ("queued", "starting", "running", "stopping", "stopped", "paused", "finished", "failed", "interrupted")
ALIVE = ("starting", "running", "stopping")
"""Statuses of runs that have, or are about to have, a process."""
OPEN = ("queued", *ALIVE)
ENDED_STATUS = {"stop": "stopped", "pause": "paused"}
"""What a run becomes when it has ended as wanted."""
MAX_NAME = 200
_NUMBERED = 190
"""Characters of a name that stay where it gets a number."""
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

    rows: tuple[events.Row, ...]
    cursor: int
    attempt: int


_NAMES = tuple(Run.__dataclass_fields__)
COLUMNS = tuple(runs.c[name] for name in _NAMES)
"""What `read_runs` needs of the table `runs`, in its order."""
_JSON = tuple(name in ("config", "summary") for name in _NAMES)
_TAGS = _NAMES.index("tags")

# Lists are asked for every few seconds, and of a thousand runs hardly one has changed.
_parsed = lru_cache(maxsize=3_000)(json.loads)


def read_runs(rows: Iterable[Row[Any]]) -> tuple[Run, ...]:
    """Rows of COLUMNS as runs; equal configurations and summaries share one object, which nobody may change."""
    found: list[Run] = []
    for row in rows:
        values = [_parsed(value) if is_json else value for value, is_json in zip(row, _JSON, strict=True)]
        values[_TAGS] = tuple(_parsed(values[_TAGS]))
        found.append(Run(**dict(zip(_NAMES, values, strict=True))))
    return tuple(found)


def describe(config: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that say what is trained: the configuration as text, and what lists are filtered by."""
    model, data = config.get("model") or {}, config.get("data") or {}
    return {"config": json.dumps(config), "model": model.get("name"), "dataset": data.get("dataset")}


def tidy(text: str) -> str:
    """A text from outside on one line, without control characters: terminals obey them, and PostgreSQL refuses some."""
    return " ".join("".join(" " if category(each) in ("Cc", "Cs") else each for each in text).split())


def checked_name(name: str) -> str:
    """A run's name as it is kept.

    Raises:
        RunError: if it is empty or longer than 200 characters.
    """
    name = tidy(name)
    if not 0 < len(name) <= MAX_NAME:
        raise RunError(f"A run's name has 1 to {MAX_NAME} characters, not {len(name):,}.", "Choose another name.")
    return name


def numbered(name: str) -> str:
    """What of a name stays in front of its number."""
    return name[:_NUMBERED]


def free_name(name: str, taken: Container[str]) -> str:
    """The name itself, else with the first number that no other run has."""
    others = (f"{numbered(name)} #{number}" for number in itertools.count(2))
    return next(each for each in itertools.chain((name,), others) if each not in taken)


def escape(text: str) -> str:
    """A text as `LIKE` takes it literally, with a backslash as its escape."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
