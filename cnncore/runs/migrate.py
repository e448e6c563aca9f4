"""Opens a run store and brings it to this version's tables, once, under a lock; a newer version's is left alone."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from filelock import FileLock
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from cnncore.errors import StoreError
from cnncore.runs.connection import connect, unreachable

HEAD = "0002"
"""The newest migration in `migrations/versions`; comparing with it spares importing Alembic at every start."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_ALONE = {
    # Python begins no transaction for changes of tables: killed halfway, a store could never be opened again.
    "sqlite": "BEGIN IMMEDIATE",
    # Processes on several machines share no file to lock; the number stands for "cnnlab" and ends with the transaction.
    "postgresql": "SELECT pg_advisory_xact_lock(x'636e6e6c6162'::bigint)",
}
"""What lets nobody else change the tables during a transaction, by database."""


def open_engine(url: str) -> Engine:
    """Connect to the store at an SQLAlchemy address; its tables are created or upgraded where needed.

    Raises:
        StoreError: if there is no such store, it was made by a newer version, or it cannot be opened.
    """
    engine = connect(url)
    try:
        _prepare(engine)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, SQLAlchemyError | OSError):
            raise unreachable(engine.url, getattr(error, "orig", error)) from error
        raise
    return engine


def _prepare(engine: Engine) -> None:
    # Two processes that create the same tables at once both fail, hence the lock; it holds from the first connection
    # on, because that one makes SQLite keep a write-ahead log, which fails at once if another one reads.
    with _lock(engine):
        with engine.connect() as db:
            version = _version(db)
        if version != HEAD:
            _upgrade(engine)


def _lock(engine: Engine) -> AbstractContextManager[object]:
    """A file beside SQLite's, whose folder is made; PostgreSQL has locks of its own."""
    if engine.dialect.name != "sqlite":
        return nullcontext()
    path = Path(f"{engine.url.database or 'lab'}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)


def _version(db: Connection) -> str | None:
    if not inspect(db).has_table("alembic_version"):
        return None
    return db.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(engine: Engine) -> None:
    """Bring the tables to this version, unless another process has just done so.

    Raises:
        StoreError: if they are of a newer one.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.begin() as db:
        db.exec_driver_sql(_ALONE[engine.dialect.name])
        version = _version(db)
        if version is not None and version not in known:
            raise StoreError(
                f"The run store is from a newer version of CNN Lab: its format is {version[:20]}, this one knows "
                f"{HEAD}.",
                "Update CNN Lab; the store was not touched.",
            )
        if version != HEAD:
            config.attributes["connection"] = db
            command.upgrade(config, "head")
