"""Opens a run store and brings it to this version's tables, once, under a lock; a newer version's is left alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from cnncore.errors import RunError

HEAD = "0002"
"""The newest migration in `migrations/versions`; comparing with it spares importing Alembic at every start."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str) -> Engine:
    """Connect to the store at an SQLAlchemy address; its tables are created or upgraded where needed.

    Raises:
        RunError: if there is no such store, it was made by a newer version, or it cannot be opened.
    """
    is_sqlite = url.startswith("sqlite")
    try:
        engine = create_engine(url, pool_pre_ping=not is_sqlite)
    except (SQLAlchemyError, ImportError) as error:
        raise RunError(
            f"The run store cannot be opened: {error}.",
            "Set CNNLAB_DATABASE_URL to an address like sqlite:////path/to/lab.db, or leave it out.",
        ) from error
    if is_sqlite:
        event.listen(engine, "connect", _tune_sqlite)
    _prepare(engine)
    return engine


def _tune_sqlite(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare(engine: Engine) -> None:
    """Create or upgrade the tables where needed.

    Raises:
        RunError: if the store was made by a newer version, or its file cannot be opened.
    """
    lock = _lock_path(engine)
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        if _version(engine) == HEAD:
            return
        # Two processes that create the same tables at once both fail, hence the lock.
        with FileLock(lock):
            version = _version(engine)
            if version != HEAD:
                _upgrade(engine, version)
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", error))
        raise RunError(
            f"The run store {engine.url.render_as_string()} cannot be opened: {reason}.",
            "Check that the folder can be written to, or set CNNLAB_DATABASE_URL.",
        ) from error


def _lock_path(engine: Engine) -> Path:
    database = engine.url.database or "lab"
    if engine.url.get_backend_name() == "sqlite":
        return Path(f"{database}.lock")
    return Path(tempfile.gettempdir()) / f"cnnlab-{Path(database).name}.lock"


def _version(engine: Engine) -> str | None:
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as db:
        return db.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(engine: Engine, version: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise RunError(
            f"The run store is from a newer version of CNN Lab: its format is {version[:20]}, this one knows {HEAD}.",
            "Update CNN Lab; the store was not touched.",
        )
    with engine.begin() as db:
        if engine.dialect.name == "sqlite":
            # Python begins no transaction for changes of tables: killed halfway, a store could never be opened again.
            db.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = db
        command.upgrade(config, "head")
