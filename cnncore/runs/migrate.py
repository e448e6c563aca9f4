"""Brings a run store to this version's tables, once, under a lock; a store from a newer version is left alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

from filelock import FileLock
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import OperationalError

from cnncore.errors import RunError

HEAD = "0001"
"""The newest migration in `migrations/versions`; comparing with it spares importing Alembic at every start."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def prepare(engine: Engine) -> None:
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
    except (OperationalError, OSError) as error:
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
        config.attributes["connection"] = db
        command.upgrade(config, "head")
