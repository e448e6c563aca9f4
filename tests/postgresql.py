"""A PostgreSQL server for tests: a cluster in a temporary folder, reached over a Unix socket only."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

PASSWORD = "p@ss/w:rd"
_PASSWORD_IN_URL = "p%40ss%2Fw%3Ard"
_DEBIAN = Path("/usr/lib/postgresql")
_START_S = 30.0


def find_programs() -> Path | None:
    """Folder of the server's programs, of the newest version; None where they are not installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda program: float(program.parts[-3]))
    return versions[-1].parent if versions else None


class Server:
    """A running server.

    Args:
        folder: Where its socket is.
        process: The server.
    """

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.process = process
        self._numbers = itertools.count()

    def url(self, database: str, password: str = _PASSWORD_IN_URL) -> str:
        """SQLAlchemy address of a database."""
        return f"postgresql+psycopg://lab:{password}@/{database}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Carry out a statement that belongs to no database."""
        with psycopg.connect(
            host=str(self.folder), user="lab", password=PASSWORD, dbname="postgres", autocommit=True
        ) as db:
            db.execute(statement.encode())

    def new_database(self) -> str:
        """Name of a new database without tables."""
        name = f"lab{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def cut_connections(self, database: str) -> None:
        """End every connection to a database, as a restart of the server does."""
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")

    def wait(self) -> None:
        """Until it takes connections."""
        end = time.monotonic() + _START_S
        while True:
            try:
                return self.execute("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.02)


@contextmanager
def serve(programs: Path) -> Iterator[Server]:
    """A server of its own with nothing in it; as the user `postgres` where this is root, which it refuses to be."""
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="cnnlab-pg-"))
    data = folder / "data"
    try:
        (folder / "password").write_text(PASSWORD)
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user, user)
        options = "--username=lab --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions"
        command = (programs / "initdb", f"--pgdata={data}", f"--pwfile={folder / 'password'}", *options.split())
        assert _start(command, folder, user).wait() == 0
        settings = "-F -c listen_addresses= -c max_connections=60 -c shared_buffers=16MB"
        process = _start((programs / "postgres", "-D", data, "-k", folder, *settings.split()), folder, user)
        try:
            server = Server(folder, process)
            server.wait()
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once, whoever is connected
            process.wait(timeout=_START_S)
    finally:
        shutil.rmtree(folder)


def _start(command: Sequence[str | Path], folder: Path, user: str | None) -> subprocess.Popen[bytes]:
    """A program as another user, if one is named; what it says is in the folder's `log`."""
    groups = () if user else None
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=groups,
        )
