"""Which runs a person wants to see: filters in SQL, the order afterwards."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select

from cnncore.runs.run import COLUMNS, OPEN, Run, escape, read_runs
from cnncore.runs.store import RunStore
from cnncore.runs.tables import changes, runs

MAX_LISTED = 1_000
"""Runs that one list shows; the newest of those that match."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for; an empty text matches everything.

    Attributes:
        model: Key of MODELS.
        dataset: Key of DATASETS.
        status: One of STATUSES.
        tag: A tag; capitals do not matter.
        text: Part of the name or of a tag, or the beginning of the id.
        searches: Whether searches for a learning rate and measurements are listed too; they have no result to compare.
        sort: Key of ORDERS.
        limit: Most runs.
    """

    model: str = ""
    dataset: str = ""
    status: str = ""
    tag: str = ""
    text: str = ""
    searches: bool = False
    sort: str = "newest"
    limit: int = MAX_LISTED

    @property
    def is_narrow(self) -> bool:
        """Whether anything is filtered out."""
        return any((self.model, self.dataset, self.status, self.tag, self.text))


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the runs of a store can be filtered by."""

    models: tuple[str, ...]
    datasets: tuple[str, ...]
    statuses: tuple[str, ...]
    tags: tuple[str, ...]


def _number(name: str) -> Callable[[Run], float]:
    """Greatest first, unknown last."""

    def key(run: Run) -> float:
        value = run.summary.get(name)
        return -value if isinstance(value, int | float) and math.isfinite(value) else math.inf

    return key


ORDERS: dict[str, tuple[str, Callable[[Run], Any]]] = {
    "newest": ("Newest first", lambda run: -run.created),
    "test": ("Test accuracy", _number("test_accuracy")),
    "validation": ("Validation accuracy", _number("best_val_accuracy")),
    "time": ("Training time", _number("elapsed_s")),
    "parameters": ("Parameters", _number("num_params")),
    "name": ("Name", lambda run: run.name.casefold()),
}
"""How a list can be sorted: what it is called, and the key."""


def find_runs(store: RunStore, wanted: Search) -> tuple[Run, ...]:
    """The newest runs that match, in the order that is wanted."""
    query = select(*COLUMNS).where(*_conditions(wanted)).order_by(runs.c.created.desc()).limit(wanted.limit)
    with store.engine.connect() as db:
        found = read_runs(db.execute(query))
    return tuple(sorted(found, key=ORDERS[wanted.sort][1]))


def runs_by_id(store: RunStore, run_ids: Sequence[str]) -> dict[str, Run]:
    """The runs with these ids that exist, deleted ones included."""
    with store.engine.connect() as db:
        found = read_runs(db.execute(select(*COLUMNS).where(runs.c.id.in_(tuple(run_ids)))))
    return {run.id: run for run in found}


def count_runs(store: RunStore, wanted: Search) -> int:
    """How many runs match, the limit left aside."""
    with store.engine.connect() as db:
        return db.execute(select(func.count()).select_from(runs).where(*_conditions(wanted))).scalar_one()


def any_open(store: RunStore) -> bool:
    """Whether any run waits or is on."""
    query = select(runs.c.id).where(runs.c.status.in_(OPEN), runs.c.deleted.is_(None)).limit(1)
    with store.engine.connect() as db:
        return db.execute(query).first() is not None


def changed_runs(store: RunStore) -> frozenset[str]:
    """Ids of the runs of which a setting was changed while they were on."""
    with store.engine.connect() as db:
        return frozenset(db.execute(select(changes.c.run_id).where(changes.c.step.is_not(None)).distinct()).scalars())


def choices(store: RunStore) -> Choices:
    """Every network, data set, status and tag that a run has, searches and measurements left aside."""
    query = select(runs.c.model, runs.c.dataset, runs.c.status, runs.c.tags).where(*_conditions(Search()))
    with store.engine.connect() as db:
        found = db.execute(query.distinct()).all()
    models, datasets, statuses, texts = (
        tuple(sorted({row[place] for row in found if row[place]})) for place in range(4)
    )
    tags = sorted({tag for text in texts for tag in json.loads(text)}, key=str.casefold)
    return Choices(models=models, datasets=datasets, statuses=statuses, tags=tuple(tags))


def _conditions(wanted: Search) -> list[ColumnElement[bool]]:
    exact = {"model": wanted.model, "dataset": wanted.dataset, "status": wanted.status}
    conditions = [runs.c.deleted.is_(None), *(runs.c[name] == value for name, value in exact.items() if value)]
    if not wanted.searches:
        conditions.append(runs.c.kind.not_in(("find_lr", "latency")))
    if wanted.tag:
        # Tags are a JSON list of texts: one between its quotation marks is a whole one.
        conditions.append(_contains(runs.c.tags, json.dumps(wanted.tag)))
    if wanted.text:
        inside = json.dumps(wanted.text)[1:-1]
        begins = runs.c.id.like(f"{escape(wanted.text)}%", escape="\\")
        conditions.append(_contains(runs.c.name, wanted.text) | _contains(runs.c.tags, inside) | begins)
    return conditions


def _contains(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return column.ilike(f"%{escape(text)}%", escape="\\")
