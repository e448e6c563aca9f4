"""The run store: SQLite in WAL mode by default, PostgreSQL by its address, the same code.

A run is a row; its log is one row a step and phase with the values as JSON text; the queue is the rows with status
"queued" in the order of `place`. Every change of status is a compare-and-set, so that a page, the runner and a worker
can act at the same time.
"""

from __future__ import annotations

import getpass
import json
import math
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from cnncore.errors import RunError, RunLostError
from cnncore.runs.connection import alone
from cnncore.runs.events import Row
from cnncore.runs.migrate import open_engine
from cnncore.runs.patience import KeepTrying, retried
from cnncore.runs.run import (
    ALIVE,
    COLUMNS,
    ENDED_STATUS,
    RESUMABLE,
    Change,
    Page,
    Run,
    checked_name,
    describe,
    escape,
    free_name,
    numbered,
    read_runs,
    tidy,
)
from cnncore.runs.tables import artifacts, changes, metrics, runs

ALL = 2**31 - 1
"""As a limit: no limit."""


class RunStore:
    """Runs, their logs and the queue.

    Args:
        url: SQLAlchemy address, for example `sqlite:///runs/lab.db`.

    Attributes:
        keep_trying: Whether a process that trains waits for a database that is gone.

    Raises:
        StoreError: if the store was made by a newer version of the lab, or cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.keep_trying: KeepTrying = lambda _waited: False
        self.engine = open_engine(url)
        # Each would be imported in 50 ms for nothing where the other database is used.
        if self.engine.dialect.name == "sqlite":
            from sqlalchemy.dialects.sqlite import insert as upsert
        else:
            from sqlalchemy.dialects.postgresql import insert as upsert
        self._upsert = upsert
        # Made once: that takes a quarter of the time in which rows are written with it.
        rows = upsert(metrics)
        self._put_rows = rows.on_conflict_do_update(
            index_elements=["run_id", "phase", "step"],
            set_={"values": rows.excluded["values"], "time": rows.excluded["time"]},
        )

    def patient(self, keep_trying: KeepTrying) -> RunStore:
        """The same store for a process that trains: it waits for a database that is gone."""
        patient = copy(self)
        patient.keep_trying = keep_trying
        return patient

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction in which what is read stays so until it is written.

        Nobody else changes a run meanwhile; after ten seconds of waiting for that it fails.
        """
        with alone(self.engine) as db:
            yield db

    # Runs

    def create(
        self,
        config: Mapping[str, Any],
        *,
        name: str,
        kind: str = "train",
        owner: str = "",
        tags: Sequence[str] = (),
        status: str = "queued",
    ) -> Run:
        """Add a run at the end of the queue; a name that is taken gets a number.

        Raises:
            RunError: if the name is empty or longer than 200 characters.
        """
        name = checked_name(name)
        now = time.time()
        run_id = uuid.uuid4().hex[:12]
        with self.writing() as db:
            namesakes = (runs.c.name == name) | runs.c.name.like(f"{escape(numbered(name))} #%", escape="\\")
            taken = set(db.execute(select(runs.c.name).where(namesakes)).scalars())
            db.execute(
                insert(runs).values(
                    id=run_id,
                    kind=kind,
                    name=free_name(name, taken),
                    owner=owner or getpass.getuser(),
                    tags=json.dumps(list(tags)),
                    status=status,
                    summary="{}",
                    **describe(config),
                    created=now,
                    place=now,
                    started=now if status != "queued" else None,
                    attempt=0,
                )
            )
        return self.get(run_id)

    @retried
    def get(self, run_id: str) -> Run:
        """The run with this id.

        Raises:
            RunError: if there is none, or it was deleted.
        """
        with self.engine.connect() as db:
            found = read_runs(db.execute(select(*COLUMNS).where(runs.c.id == run_id)))
        if not found:
            raise RunError(
                f"There is no run {run_id[:40]!r} here; it may have been deleted.", "Choose one from the list of runs."
            )
        if found[0].deleted is not None:
            raise RunError(
                f"The run {found[0].name[:60]!r} was deleted.",
                f"For a day it can be restored: `python -m cnncore restore {run_id}`.",
            )
        return found[0]

    def find(self, text: str) -> Run:
        """The run whose id starts with `text` (or whose name is `text`), as the command line takes it.

        Raises:
            RunError: if there is none, or more than one.
        """
        text = tidy(text)
        with self.engine.connect() as db:
            query = select(*COLUMNS).where(runs.c.id.like(f"{escape(text)}%", escape="\\") | (runs.c.name == text))
            query = query.where(runs.c.deleted.is_(None)).limit(2)
            found = read_runs(db.execute(query)) if text else ()
        if len(found) == 1:
            return found[0]
        many = "More than one run matches" if found else "There is no run"
        raise RunError(f"{many} {text[:40]!r}.", "`python -m cnncore runs` lists them.")

    def list(
        self, *, status: Iterable[str] | None = None, kind: str | None = None, limit: int = 1_000
    ) -> tuple[Run, ...]:
        """Runs, newest first."""
        query = select(*COLUMNS).where(runs.c.deleted.is_(None)).order_by(runs.c.created.desc()).limit(limit)
        if status is not None:
            query = query.where(runs.c.status.in_(tuple(status)))
        if kind is not None:
            query = query.where(runs.c.kind == kind)
        with self.engine.connect() as db:
            return read_runs(db.execute(query))

    def queue(self) -> tuple[Run, ...]:
        """The waiting runs in the order in which they will start."""
        query = select(*COLUMNS).where(runs.c.status == "queued", runs.c.deleted.is_(None))
        with self.engine.connect() as db:
            return read_runs(db.execute(query.order_by(runs.c.place, runs.c.id)))

    def rename(self, run_id: str, name: str) -> None:
        """Give a run another name.

        Raises:
            RunError: if the name is empty or longer than 200 characters.
        """
        self._set(run_id, name=checked_name(name))

    # The queue and the processes

    def claim(self, run_id: str, host: str, sources: Sequence[str] = ("queued",)) -> bool:
        """Take a queued run for a process of `host`; False if another was quicker.

        With `sources=RESUMABLE` a run that is over is taken past the queue.
        """
        now = time.time()
        return self._move(
            run_id,
            sources,
            status="starting",
            host=host,
            started=now,
            beat=now,
            ended=None,
            wanted=None,
            wanted_at=None,
            pid=None,
            pid_created=None,
            error=None,
            hint=None,
        )

    @retried
    def set_process(self, run_id: str, host: str, pid: int, pid_created: float) -> None:
        """Note which process works on the run."""
        self._set(run_id, host=host, pid=pid, pid_created=pid_created)

    def set_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        """Replace the configuration of a run, for example when it is given more epochs."""
        self._set(run_id, **describe(config))

    def set_summary(self, run_id: str, summary: Mapping[str, Any]) -> None:
        """Replace the summary of a run that is over."""
        self._set(run_id, summary=json.dumps(summary))

    @retried
    def set_running(self, run_id: str) -> bool:
        """Note that the process is at work; False if the run was asked to stop or taken away in the meantime."""
        return self._move(run_id, ("starting", "running"), status="running", beat=time.time())

    @retried
    def end(
        self,
        run_id: str,
        status: str,
        *,
        error: str | None = None,
        hint: str | None = None,
        attempt: int | None = None,
    ) -> bool:
        """Close a run that is on; False if somebody else closed it, or it is in another attempt than `attempt`."""
        return self._move(
            run_id,
            ALIVE,
            attempt,
            status=status,
            ended=time.time(),
            error=error,
            hint=hint,
            wanted=None,
            wanted_at=None,
            pid=None,
            pid_created=None,
        )

    def ask(self, run_id: str, wanted: str) -> Run:
        """Ask for a `stop` or a `pause`; a run that has not started yet is closed at once.

        Raises:
            RunError: if the run is over.
        """
        over = {"status": ENDED_STATUS[wanted], "ended": time.time()}
        if not self._move(run_id, ("queued",), **over) and not self._move(
            run_id, ALIVE, status="stopping", wanted=wanted, wanted_at=time.time()
        ):
            raise RunError(f"The run is {self.get(run_id).status} already.", "There is nothing to stop.")
        return self.get(run_id)

    def requeue(self, run_id: str, config: Mapping[str, Any] | None = None) -> Run:
        """Put a run that is over at the head of the queue, to go on from its checkpoint.

        Args:
            run_id: The run.
            config: Its new configuration where it changes, for example with more epochs.

        Raises:
            RunError: if the run is waiting or on.
        """
        with self.writing() as db:
            head = db.execute(select(func.min(runs.c.place)).where(runs.c.status == "queued")).scalar()
            values: dict[str, Any] = {"status": "queued", "ended": None, "error": None, "hint": None, "wanted": None}
            values["place"] = (head or time.time()) - 1
            if config is not None:
                values |= describe(config)
            query = update(runs).where(runs.c.id == run_id, runs.c.status.in_(RESUMABLE), runs.c.deleted.is_(None))
            moved = db.execute(query.values(**values)).rowcount
        if not moved:
            raise RunError(f"The run is {self.get(run_id).status} already.", "Wait until it has ended.")
        return self.get(run_id)

    # The log

    @retried
    def begin_attempt(self, run_id: str, step: int) -> int:
        """Forget log rows after `step`, where the checkpoint is; returns the number of the attempt, from 1."""
        with self.engine.begin() as db:
            # The number first: the last rows of an older process then come before, and go, or are refused.
            db.execute(update(runs).where(runs.c.id == run_id).values(attempt=runs.c.attempt + 1))
            db.execute(delete(metrics).where(metrics.c.run_id == run_id, metrics.c.step > step))
            return db.execute(select(runs.c.attempt).where(runs.c.id == run_id)).scalar_one()

    @retried
    def log(
        self, run_id: str, rows: Sequence[Row], summary: Mapping[str, Any] | None = None, *, attempt: int | None = None
    ) -> str | None:
        """Add log rows, beat the heart and replace the summary; returns what is wanted of the run.

        With `attempt` it writes nothing and raises RunLostError where the run is over, gone or in another attempt.
        """
        now = time.time()
        values: dict[str, Any] = {"beat": now}
        if summary is not None:
            values["summary"] = json.dumps(summary)
        query = update(runs).where(runs.c.id == run_id)
        if attempt is not None:
            query = query.where(runs.c.status.in_(ALIVE), runs.c.attempt == attempt)
        with self.engine.begin() as db:
            if not db.execute(query.values(**values)).rowcount and attempt is not None:
                raise RunLostError(run_id)
            if rows:
                self._insert(db, run_id, rows, now)
            return db.execute(select(runs.c.wanted).where(runs.c.id == run_id)).scalar()

    def _insert(self, db: Connection, run_id: str, rows: Sequence[Row], now: float) -> None:
        db.execute(
            self._put_rows,
            [
                {
                    "run_id": run_id,
                    "phase": row.phase,
                    "step": row.step,
                    "time": row.time or now,
                    "values": json.dumps(row.values),
                }
                for row in rows
            ],
        )

    @retried
    def since(self, run_id: str, cursor: int = 0, *, phases: Iterable[str] | None = None, limit: int = 200_000) -> Page:
        """Log rows newer than `cursor` (0 for all), oldest first."""
        columns = (metrics.c.seq, metrics.c.phase, metrics.c.step, metrics.c.time, metrics.c["values"])
        query = select(*columns).where(metrics.c.run_id == run_id, metrics.c.seq > cursor)
        if phases is not None:
            query = query.where(metrics.c.phase.in_(tuple(phases)))
        with self.engine.connect() as db:
            attempt = db.execute(select(runs.c.attempt).where(runs.c.id == run_id)).scalar()
            found = db.execute(query.order_by(metrics.c.seq).limit(limit)).all()
        # One text with all values is parsed in two thirds of the time that many small ones take.
        values = json.loads(f"[{','.join(row[-1] for row in found)}]")
        rows = tuple(
            Row(phase=phase, step=step, time=at, values=value)
            for (_, phase, step, at, _), value in zip(found, values, strict=True)
        )
        return Page(rows=rows, cursor=found[-1][0] if found else cursor, attempt=attempt or 0)

    # Changes while it runs

    def ask_change(self, run_id: str, setting: str, value: float) -> None:
        """Ask for another value of a setting while the run is on.

        A browser may tell a click twice: what is asked for already, and not done yet, is not asked for again.

        Raises:
            RunError: if the run is over, or the value is not a number.
        """
        if not math.isfinite(value):
            raise RunError(f"{setting} cannot be {value}.", "Give a number.")
        if not self.get(run_id).is_open:
            raise RunError("The run is over; nothing can be changed in it.", "Run it again with changes.")
        same_setting = (changes.c.run_id == run_id) & (changes.c.setting == setting)
        with self.writing() as db:
            query = select(changes.c.step, changes.c.value).where(same_setting).order_by(changes.c.id.desc())
            last = db.execute(query.limit(1)).first()
            if last is None or last.step is not None or last.value != value:
                db.execute(insert(changes).values(run_id=run_id, setting=setting, value=value, asked=time.time()))

    @retried
    def changes(self, run_id: str) -> tuple[Change, ...]:
        """All changes of a run in the order in which they were asked for."""
        with self.engine.connect() as db:
            found = db.execute(select(changes).where(changes.c.run_id == run_id).order_by(changes.c.id)).mappings()
            return tuple(Change(**{name: row[name] for name in Change.__dataclass_fields__}) for row in found)

    @retried
    def set_change_step(self, change_id: int, step: int) -> None:
        """Note after which step a change took effect, so that resuming repeats it there."""
        with self.engine.begin() as db:
            db.execute(update(changes).where(changes.c.id == change_id).values(step=step))

    # Files

    @retried
    def add_artifact(self, run_id: str, path: str, num_bytes: int) -> None:
        """Note a file of the run, `path` relative to its folder."""
        query = self._upsert(artifacts).values(run_id=run_id, path=path, num_bytes=num_bytes, created=time.time())
        query = query.on_conflict_do_update(
            index_elements=["run_id", "path"],
            set_={"num_bytes": query.excluded["num_bytes"], "created": query.excluded["created"]},
        )
        with self.engine.begin() as db:
            db.execute(query)

    def artifacts(self, run_id: str) -> dict[str, int]:
        """The files of a run with their sizes in bytes."""
        with self.engine.connect() as db:
            found = db.execute(select(artifacts).where(artifacts.c.run_id == run_id).order_by(artifacts.c.path))
            return {row["path"]: row["num_bytes"] for row in found.mappings()}

    # Shared steps

    def _set(self, run_id: str, **values: Any) -> None:
        with self.engine.begin() as db:
            db.execute(update(runs).where(runs.c.id == run_id).values(**values))

    def _move(self, run_id: str, sources: Sequence[str], attempt: int | None = None, /, **values: Any) -> bool:
        """Compare-and-set: change the row only while its status is one of `sources`, in `attempt` if one is given."""
        query = update(runs).where(runs.c.id == run_id, runs.c.status.in_(tuple(sources)), runs.c.deleted.is_(None))
        if attempt is not None:
            query = query.where(runs.c.attempt == attempt)
        with self.engine.begin() as db:
            return db.execute(query.values(**values)).rowcount == 1
