"""Connections to the run store: what goes wrong is a sentence without the password; a short absence is waited for."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import event

from cnncore.errors import RunLostError, StoreError
from cnncore.places import PROJECT_ROOT
from cnncore.runs import patience, runner
from cnncore.runs.events import Row
from cnncore.runs.runner import Runner
from cnncore.runs.store import RunStore
from tests.postgresql import PASSWORD, Server

SECRET = "hidden-s3cret"


@pytest.fixture
def lab(postgresql: Server) -> Iterator[tuple[Server, str, RunStore]]:
    """A server, the name of a database on it, and the store that is there."""
    name = postgresql.new_database()
    store = RunStore(postgresql.url(name))
    yield postgresql, name, store
    store.engine.dispose()


def sentence(url: str) -> str:
    with pytest.raises(StoreError) as caught:
        RunStore(url)
    told = str(caught.value)
    assert "\n" not in told
    assert len(told) < 400
    return told


def test_a_full_disk_is_told_and_nothing_is_begun(tmp_path: Path) -> None:
    store = RunStore(f"sqlite:///{tmp_path / 'lab.db'}")
    store.engine.dispose()
    event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=1"))
    with pytest.raises(StoreError, match=r"lab\.db cannot be changed: database or disk is full\. .* try again\.$"):
        store.create({"model": {"name": "x" * 200_000}}, name="a")
    assert store.list() == ()
    store.engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:{}@server/lab",
        "postgres://me:{}@server/lab",
        "postgresql+psycopg2://me:{}@server/lab",
        "postgresql://me:x@{}@server/lab",
        "postgresql://me:x@server:{}/lab",
        "postgresql//{}",
        "{}",
        "",
    ],
)
def test_what_is_no_address_is_not_repeated(url: str) -> None:
    told = sentence(url.format(SECRET))
    assert "postgresql://USER:PASSWORD@HOST/DATABASE" in told
    assert SECRET not in told


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://me:{}@127.0.0.1:1/lab", "Connection refused"),
        ("postgresql://me:{}@host.invalid/lab", "host.invalid"),
        ("postgresql://me@/lab?host=/nowhere&password={}", "No such file"),
        ("postgresql://me:{}@/lab?host=/nowhere&colour=red", "colour"),
    ],
)
def test_a_server_that_is_not_there(url: str, reason: str) -> None:
    told = sentence(url.format(SECRET))
    assert reason in told
    assert "CNNLAB_DATABASE_URL" in told
    assert SECRET not in told


def test_what_the_server_refuses(postgresql: Server) -> None:
    told = sentence(postgresql.url("postgres", password=SECRET))
    assert "password authentication failed" in told
    assert SECRET not in told
    assert PASSWORD not in told
    assert '"nowhere" does not exist' in sentence(postgresql.url("nowhere"))


def test_a_user_who_may_not_make_tables_is_told_so(postgresql: Server) -> None:
    database = postgresql.new_database()
    postgresql.execute(f"CREATE USER guest{database} PASSWORD '{SECRET}'")
    url = postgresql.url(database, password=SECRET).replace("//lab:", f"//guest{database}:")
    assert "permission denied for schema public" in sentence(url)


def test_the_command_line_says_it_in_one_line(postgresql: Server) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "cnncore", "runs"],
        env={"CNNLAB_DATABASE_URL": postgresql.url("postgres", password=SECRET)},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert "password authentication failed" in answer.stderr
    assert SECRET not in answer.stderr + answer.stdout


def test_sqlite_does_not_load_the_other_database(tmp_path: Path) -> None:
    code = (
        "import sys; from cnncore.runs.store import RunStore; RunStore(sys.argv[1]).create({}, name='a');"
        "print(*sys.modules)"
    )
    command = (sys.executable, "-c", code, f"sqlite:///{tmp_path / 'lab.db'}")
    subprocess.run(command, cwd=PROJECT_ROOT, check=True)
    loaded = subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert "sqlalchemy.dialects.sqlite" in loaded
    assert not {"psycopg", "sqlalchemy.dialects.postgresql", "alembic"} & set(loaded)


def test_a_connection_that_was_cut_between_two_questions_is_replaced(lab: tuple[Server, str, RunStore]) -> None:
    server, name, store = lab
    run = store.create({}, name="a")
    for _ in range(3):
        server.cut_connections(name)
        assert store.get(run.id).name == "a"


def test_a_connection_that_is_cut_in_the_middle_is_one_sentence(lab: tuple[Server, str, RunStore]) -> None:
    server, name, store = lab

    def write() -> None:
        with store.writing() as db:
            server.cut_connections(name)
            db.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreError, match="terminating connection"):
        write()
    assert store.create({}, name="a").name == "a", "the next question is answered"


def test_what_is_logged_while_connections_are_cut_is_there_once(
    lab: tuple[Server, str, RunStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "RETRY_S", 0.01)
    server, name, store = lab
    run = store.create({}, name="a", status="starting")
    worker = store.patient(lambda waited: waited < 30)
    over = threading.Event()

    def cut() -> None:
        while not over.wait(0.03):
            server.cut_connections(name)

    cutter = threading.Thread(target=cut)
    cutter.start()
    attempt = worker.begin_attempt(run.id, 0)
    for step in range(1, 61):
        worker.log(run.id, [Row(phase="step", step=step, values={"loss": step})], {"step": step}, attempt=attempt)
    over.set()
    cutter.join()
    assert [row.step for row in store.since(run.id).rows] == list(range(1, 61))
    assert store.get(run.id).summary == {"step": 60}


def test_waiting_has_an_end(lab: tuple[Server, str, RunStore], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "RETRY_S", 0.01)
    server, name, store = lab
    run = store.create({}, name="a")
    server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    server.cut_connections(name)
    waited: list[float] = []

    def three_times(seconds: float) -> bool:
        waited.append(seconds)
        return len(waited) < 3

    with pytest.raises(StoreError, match="not currently accepting connections"):
        store.patient(three_times).log(run.id, [])
    assert len(waited) == 3
    assert waited == sorted(waited)


def test_the_runner_waits_for_a_store_that_is_away(
    lab: tuple[Server, str, RunStore], artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "POLL_S", 0.01)
    server, name, store = lab
    started: list[str] = []

    def note(run_id: str) -> Sequence[str]:
        started.append(run_id)
        return (sys.executable, "-S", "-c", "")

    server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    server.cut_connections(name)
    serving = threading.Thread(target=Runner(store, artifacts, command=note).serve, kwargs={"idle_exit_s": 0.1})
    serving.start()
    time.sleep(0.3)
    assert serving.is_alive()
    server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    run = store.create({}, name="a")
    serving.join()
    assert started == [run.id]


def test_two_runners_on_one_queue_start_each_run_once(lab: tuple[Server, str, RunStore], tmp_path: Path) -> None:
    _, _, store = lab
    ids = [store.create({}, name="a").id for _ in range(12)]
    started: dict[str, list[str]] = {"one": [], "two": []}

    def serve(host: str) -> None:
        own = RunStore(store.url)
        machine = Runner(own, tmp_path / host, command=lambda run_id: (sys.executable, "-S", "-c", "", run_id))
        machine.host = host
        while own.queue():
            machine.tick()
            for run_id in [run.id for run in own.list(status=("starting",)) if run.host == host]:
                started[host].append(run_id)
                machine.children[run_id].wait()
                own.end(run_id, "finished")
        own.engine.dispose()

    threads = [threading.Thread(target=serve, args=(host,)) for host in started]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted([*started["one"], *started["two"]]) == sorted(ids)


def test_an_older_process_leaves_nothing_behind_a_new_attempt(lab: tuple[Server, str, RunStore]) -> None:
    _, _, store = lab
    for turn in range(5):
        run = store.create({}, name="a", status="starting")
        old = store.begin_attempt(run.id, 0)

        def log_on(run_id: str = run.id, attempt: int = old) -> None:
            own = RunStore(store.url)
            try:
                for step in range(1, 10_000):
                    own.log(run_id, [Row(phase="step", step=step)], attempt=attempt)
            except RunLostError:
                pass
            own.engine.dispose()

        thread = threading.Thread(target=log_on)
        thread.start()
        while len(store.since(run.id).rows) < 10:
            time.sleep(0.001)
        store.begin_attempt(run.id, 5)
        left = [row.step for row in store.since(run.id).rows]
        thread.join()
        assert left == [row.step for row in store.since(run.id).rows] == [1, 2, 3, 4, 5], turn
