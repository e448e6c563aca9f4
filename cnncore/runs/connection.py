"""Connects to the run store's database, SQLite or PostgreSQL; a connection that fails or is lost is told in a sentence.

No sentence repeats an address as it was given: it may hold a password.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from cnncore.errors import StoreError
from cnncore.runs.run import tidy

_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
_LONGEST_REASON = 300
# The defaults are two minutes to connect and two hours until a server that is gone is noticed; the address may differ.
_POSTGRESQL = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

_ALONE = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SET LOCAL lock_timeout = '10s'; LOCK TABLE runs IN SHARE ROW EXCLUSIVE MODE",
}
"""What a transaction begins with in which nobody else may change a run, by database."""


def connect(url: str) -> Engine:
    """An engine for an SQLAlchemy address, not connected yet; errors of connections become StoreError.

    Raises:
        StoreError: if it is no address of SQLite or PostgreSQL.
    """
    address = _read(url)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(address)
        event.listen(engine, "connect", _tune_sqlite)
    else:
        options = {name: value for name, value in _POSTGRESQL.items() if name not in address.query}
        engine = create_engine(address, pool_pre_ping=True, isolation_level="READ COMMITTED", connect_args=options)

    def explain(context: ExceptionContext) -> None:
        # A connection that is found dead before it is used is replaced without anybody noticing.
        if not context.is_pre_ping and (context.is_disconnect or context.connection is None):
            raise unreachable(address, context.original_exception)

    event.listen(engine, "handle_error", explain)
    return engine


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """A transaction in which nobody else changes a run.

    Raises:
        StoreError: if nothing can be changed now: the disk is full or read-only, or others take too long.
    """
    try:
        with engine.begin() as db:
            db.exec_driver_sql(_ALONE[engine.dialect.name])
            yield db
    except OperationalError as problem:
        raise StoreError(
            f"The run store {_place(engine.url)} cannot be changed: {_reason(problem.orig or problem)}.",
            "Nothing was done; make sure that there is room on its disk and that it can be written to, and try again.",
        ) from problem


def unreachable(address: URL, problem: BaseException) -> StoreError:
    """What to tell of a store that cannot be opened, or is gone."""
    if address.get_backend_name() == "sqlite":
        trouble, hint = "opened", "Check that the folder can be written to, or set CNNLAB_DATABASE_URL."
    else:
        trouble, hint = (
            "reached",
            "Check that the server is up, and the user, password and database in CNNLAB_DATABASE_URL.",
        )
    return StoreError(f"The run store {_place(address)} cannot be {trouble}: {_reason(problem)}.", hint)


def _place(address: URL) -> str:
    if address.get_backend_name() == "sqlite":
        return str(address.database)
    host = address.host or _first(address.query.get("host")) or "this machine"
    return f"{address.database or 'of no name'} of PostgreSQL on {host}"


def _read(url: str) -> URL:
    try:
        address = make_url(url)
        # In a password that is not percent-encoded, the rest of it would be told as the host.
        if address.drivername in _DRIVERS and "@" not in (address.host or ""):
            return address
    except (SQLAlchemyError, ValueError):
        pass
    raise StoreError(
        "The run store cannot be opened: CNNLAB_DATABASE_URL is no address of SQLite or PostgreSQL.",
        "Set it to sqlite:////path/to/lab.db or postgresql://USER:PASSWORD@HOST/DATABASE (in a password, @ is written "
        "%40, : %3A, / %2F and % %25), or leave it out.",
    ) from None


def _tune_sqlite(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _first(values: str | tuple[str, ...] | None) -> str | None:
    return values[0] if isinstance(values, tuple) else values


def _reason(problem: BaseException) -> str:
    """What the database says, on one line and without the questions that PostgreSQL asks after it."""
    said = getattr(getattr(problem, "diag", None), "message_primary", None) or str(problem)
    lines = (line for line in said.splitlines() if not line.startswith("\t"))
    return tidy(" ".join(lines))[:_LONGEST_REASON].rstrip(".")
