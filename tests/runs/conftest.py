"""The tests of what asks the run store's database run on both kinds of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from cnncore.runs.store import RunStore
from tests.postgresql import Server

ON_BOTH = ("test_curves", "test_history", "test_search", "test_store", "test_tidying")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.path.stem in ON_BOTH:
        for name in {"database", "new_database"} & set(metafunc.fixturenames):
            metafunc.parametrize(name, ["sqlite", "postgresql"], indirect=True)


def _opened(url: str) -> Iterator[RunStore]:
    store = RunStore(url)
    yield store
    store.engine.dispose()


@pytest.fixture(scope="session")
def shared_store(postgresql: Server) -> Iterator[RunStore]:
    yield from _opened(postgresql.url(postgresql.new_database()))


@pytest.fixture
def database(request: pytest.FixtureRequest, artifacts: Path) -> str:
    """Address of a database without runs; emptying one takes a tenth of making one."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{artifacts / 'lab.db'}"
    shared: RunStore = request.getfixturevalue("shared_store")
    with shared.engine.begin() as db:
        db.execute(text("TRUNCATE runs, metrics, changes, artifacts RESTART IDENTITY"))
    return shared.url


@pytest.fixture
def store(database: str) -> Iterator[RunStore]:
    yield from _opened(database)


@pytest.fixture
def new_database(request: pytest.FixtureRequest, artifacts: Path) -> str:
    """Address of a database without tables."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{artifacts / 'new.db'}"
    server: Server = request.getfixturevalue("postgresql")
    return server.url(server.new_database())
