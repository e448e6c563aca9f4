"""Tags, and deleting with a way back: a deleted run is hidden at once, and gone with its files a day later."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import delete as delete_rows
from sqlalchemy import select, update

from cnncore.errors import RunError
from cnncore.runs.artifacts import remove
from cnncore.runs.run import ALIVE, COLUMNS, Run, read_runs, tidy
from cnncore.runs.store import RunStore
from cnncore.runs.tables import runs

KEPT_S = 86_400.0
"""Seconds for which a deleted run can be restored."""
MAX_TAGS, MAX_TAG = 20, 40


def read_tags(text: str) -> tuple[str, ...]:
    """The tags in a text with commas between them, each once.

    Raises:
        RunError: if there are too many, or one is too long.
    """
    tags = tuple(dict.fromkeys(tidy(part) for part in text.split(",") if tidy(part)))
    long = next((tag for tag in tags if len(tag) > MAX_TAG), None)
    if long is not None:
        raise RunError(f"A tag has at most {MAX_TAG} characters, not {len(long):,}.", "Choose a shorter one.")
    if len(tags) > MAX_TAGS:
        raise RunError(f"A run has at most {MAX_TAGS} tags, not {len(tags):,}.", "Leave some out.")
    return tags


def set_tags(store: RunStore, run_ids: Iterable[str], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
    """Give runs tags and take others away.

    Raises:
        RunError: if a run then had too many, or a tag is too long.
    """
    query = select(runs.c.id, runs.c.tags).where(runs.c.id.in_(tuple(run_ids)))
    with store.writing() as db:
        for row in db.execute(query).all():
            kept = [tag for tag in json.loads(row.tags) if tag not in remove]
            tags = read_tags(",".join([*kept, *add]))
            db.execute(update(runs).where(runs.c.id == row.id).values(tags=json.dumps(tags)))


def delete(store: RunStore, run_ids: Sequence[str]) -> int:
    """Hide runs from every list; returns how many there were.

    Raises:
        RunError: if one of them is on; then none is deleted.
    """
    with store.writing() as db:
        chosen = runs.c.id.in_(tuple(run_ids))
        gone = db.execute(
            update(runs)
            .where(chosen, runs.c.deleted.is_(None), runs.c.status.not_in(ALIVE))
            .values(deleted=time.time())
        ).rowcount
        on = db.execute(select(runs.c.name).where(chosen, runs.c.status.in_(ALIVE))).scalars().all()
        if on:
            raise RunError(f"A run that is on cannot be deleted: {on[0][:60]}.", "Stop it first.")
    return gone


def restore(store: RunStore, run_ids: Sequence[str]) -> int:
    """Bring deleted runs back, waiting ones into the queue; returns how many there were."""
    with store.writing() as db:
        query = update(runs).where(runs.c.id.in_(tuple(run_ids)), runs.c.deleted.is_not(None))
        return db.execute(query.values(deleted=None)).rowcount


def deleted_runs(store: RunStore) -> tuple[Run, ...]:
    """What can be restored, the latest deleted first."""
    query = select(*COLUMNS).where(runs.c.deleted.is_not(None)).order_by(runs.c.deleted.desc())
    with store.engine.connect() as db:
        return read_runs(db.execute(query))


def purge(store: RunStore, artifacts: Path, older_than_s: float = KEPT_S) -> int:
    """Remove the rows and files of runs that were deleted at least so many seconds ago; returns how many there were."""
    before = time.time() - older_than_s
    expired = [run.id for run in deleted_runs(store) if run.deleted is not None and run.deleted <= before]
    removed = 0
    for run_id in expired:
        with store.engine.begin() as db:
            # Asked again: it may have been restored meanwhile.
            gone = db.execute(delete_rows(runs).where(runs.c.id == run_id, runs.c.deleted <= before)).rowcount
        if gone:
            remove(artifacts, run_id)
            removed += 1
    return removed
