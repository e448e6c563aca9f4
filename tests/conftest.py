"""Every test has run folders of its own; the images are decoded once for all of them."""

from __future__ import annotations

import os

# Before torch is loaded: threads that wait must not take the processor from the processes the tests start.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

from collections.abc import Iterator
from pathlib import Path

import pytest

from cnncore.config import TrainConfig, replace
from cnncore.runs.store import RunStore
from tests import postgresql as postgres

REAL_DATA = Path(os.environ["CNNLAB_DATA"]) if os.environ.get("CNNLAB_DATA") else None
"""Where a person running the tests keeps MNIST and CIFAR-10; tests that want them skip without."""


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ARTIFACTS", str(tmp_path / "runs"))
    monkeypatch.setenv("CNNLAB_DATA", str(data_root))
    monkeypatch.setenv("CNNLAB_SERVICE_IDLE_S", "10")
    monkeypatch.delenv("CNNLAB_DATABASE_URL", raising=False)


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def store(artifacts: Path) -> Iterator[RunStore]:
    store = RunStore(f"sqlite:///{artifacts / 'lab.db'}")
    yield store
    store.engine.dispose()


@pytest.fixture
def tiny() -> TrainConfig:
    """A run of a second: 200 built-in digits, two epochs of four steps."""
    return replace(
        TrainConfig(),
        {"data.train_images": 200, "training.batch_size": 50, "training.epochs": 2, "training.precision": "fp32"},
    )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Server]:
    """A PostgreSQL server; Debian's package `postgresql` is enough, it need not run."""
    programs = postgres.find_programs()
    if programs is None:
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse("PostgreSQL's server is not installed (Debian: apt-get install postgresql).")
    with postgres.serve(programs) as server:
        yield server
