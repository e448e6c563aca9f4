"""The run store: statuses move by compare-and-set, logs survive NaN, a newer store is not touched."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest
from filelock import FileLock
from sqlalchemy import text

from cnncore.errors import RunError, RunLostError, StoreError
from cnncore.runs import tidying
from cnncore.runs.artifacts import load_evaluation, run_dir, save_evaluation, sweep, write_atomically
from cnncore.runs.events import Evaluation, Row
from cnncore.runs.search import Search, find_runs
from cnncore.runs.store import RESUMABLE, Run, RunStore


def in_threads(works: Iterable[Callable[[], None]]) -> None:
    """Do all of it at the same time; the first thing that goes wrong is raised."""
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result()


def test_names_are_made_unique(store: RunStore) -> None:
    names = [store.create({}, name="LeNet 100%").name for _ in range(3)]
    assert names == ["LeNet 100%", "LeNet 100% #2", "LeNet 100% #3"]


def test_queue_keeps_order_and_resumed_runs_go_first(store: RunStore) -> None:
    first, second, third = (store.create({}, name=name) for name in "abc")
    assert [run.id for run in store.queue()] == [first.id, second.id, third.id]
    assert store.claim(first.id, "here")
    assert not store.claim(first.id, "there"), "a run is taken once"
    assert store.set_running(first.id)
    store.ask(first.id, "pause")
    assert store.get(first.id).status == "stopping"
    assert store.end(first.id, "paused")
    assert store.requeue(first.id).status == "queued"
    assert [run.id for run in store.queue()] == [first.id, second.id, third.id]


def test_stopping_a_waiting_run_closes_it_at_once(store: RunStore) -> None:
    run = store.create({}, name="a")
    assert store.ask(run.id, "stop").status == "stopped"
    with pytest.raises(RunError, match="stopped already"):
        store.ask(run.id, "stop")


def test_a_run_that_was_asked_to_stop_does_not_start(store: RunStore) -> None:
    run = store.create({}, name="a")
    store.claim(run.id, "here")
    store.ask(run.id, "stop")
    assert not store.set_running(run.id)


def test_log_comes_back_in_order_with_nan(store: RunStore) -> None:
    run = store.create({}, name="a")
    rows = [Row(phase="step", step=step, values={"loss": math.nan if step == 3 else step}) for step in range(1, 6)]
    assert store.log(run.id, rows, {"step": 5}) is None
    page = store.since(run.id)
    assert [row.step for row in page.rows] == [1, 2, 3, 4, 5]
    assert math.isnan(page.rows[2].values["loss"])
    assert store.since(run.id, page.cursor).rows == ()
    assert store.get(run.id).summary == {"step": 5}


def test_resuming_forgets_later_rows_and_tells_readers(store: RunStore) -> None:
    run = store.create({}, name="a")
    store.log(run.id, [Row(phase="step", step=step) for step in range(1, 11)])
    before = store.since(run.id)
    assert store.begin_attempt(run.id, 4) == 1
    store.log(run.id, [Row(phase="step", step=5, values={"loss": 1.0})])
    after = store.since(run.id, before.cursor)
    assert after.attempt == before.attempt + 1
    assert [row.step for row in after.rows] == [5], "new rows lie behind every old cursor"
    assert [row.step for row in store.since(run.id).rows] == [1, 2, 3, 4, 5]


def test_the_same_step_is_logged_once(store: RunStore) -> None:
    run = store.create({}, name="a")
    for loss in (1.0, 2.0):
        store.log(run.id, [Row(phase="step", step=1, values={"loss": loss})])
    assert [row.values["loss"] for row in store.since(run.id).rows] == [2.0]


def test_changes_wait_for_their_step(store: RunStore) -> None:
    run = store.create({}, name="a")
    store.ask_change(run.id, "optimizer.lr", 0.01)
    (change,) = store.changes(run.id)
    assert change.step is None
    store.set_change_step(change.id, 17)
    assert store.changes(run.id)[0].step == 17
    with pytest.raises(RunError):
        store.ask_change(run.id, "optimizer.lr", math.nan)
    store.ask(run.id, "stop")
    with pytest.raises(RunError, match="over"):
        store.ask_change(run.id, "optimizer.lr", 0.1)


def test_a_click_that_is_told_twice_is_one_change(store: RunStore) -> None:
    run = store.create({}, name="a")
    for value in (0.01, 0.01, 0.02, 0.01):
        store.ask_change(run.id, "optimizer.lr", value)
    store.ask_change(run.id, "transfer.frozen.stage4", 0.01)
    assert [change.value for change in store.changes(run.id)] == [0.01, 0.02, 0.01, 0.01]
    store.set_change_step(store.changes(run.id)[2].id, 17)
    store.ask_change(run.id, "optimizer.lr", 0.01)
    assert len(store.changes(run.id)) == 5


@pytest.mark.parametrize("text", ["", "zz", "%", "_", "x" * 10_000, "'; --"])
def test_dead_links_say_so(store: RunStore, text: str) -> None:
    store.create({}, name="a")
    store.create({}, name="b")
    with pytest.raises(RunError) as caught:
        store.find(text)
    assert len(str(caught.value)) < 200
    with pytest.raises(RunError):
        store.get(text)
    with pytest.raises(RunError):
        run_dir(Path("runs"), text)


def test_find_by_beginning_and_name(store: RunStore) -> None:
    run = store.create({}, name="my run")
    assert store.find(run.id[:6]).id == run.id
    assert store.find("my run").id == run.id


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_bad_names_are_refused(store: RunStore, name: str) -> None:
    run = store.create({}, name="a")
    with pytest.raises(RunError, match="1 to 200"):
        store.rename(run.id, name)
    assert store.get(run.id).name == "a"


def test_claims_by_many_threads_happen_once_each(store: RunStore) -> None:
    ids = [store.create({}, name="a").id for _ in range(40)]
    taken: list[str] = []

    def work(host: str) -> None:
        taken.extend(run_id for run_id in ids if store.claim(run_id, host))

    in_threads(partial(work, f"host{i}") for i in range(4))
    assert sorted(taken) == sorted(ids)


def test_over_runs_can_be_taken_past_the_queue(store: RunStore) -> None:
    run = store.create({}, name="a", status="starting")
    store.end(run.id, "finished")
    assert store.claim(run.id, "here", RESUMABLE)
    assert store.get(run.id).status == "starting"


def test_a_newer_store_is_not_touched(new_database: str) -> None:
    store = RunStore(new_database)
    run = store.create({}, name="a")
    with store.engine.begin() as db:
        db.execute(text("ALTER TABLE runs ADD COLUMN mood VARCHAR"))
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.engine.dispose()
    path = Path(store.engine.url.database or "")
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(StoreError, match="newer version"):
        RunStore(new_database)
    assert (path.read_bytes() if path.exists() else None) == before
    with store.engine.connect() as db:
        assert db.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
        assert db.execute(text("SELECT id, mood FROM runs")).all() == [(run.id, None)]
    store.engine.dispose()


def test_a_process_writes_only_while_the_run_is_its_own(store: RunStore) -> None:
    run = store.create({}, name="a")
    store.claim(run.id, "here")
    attempt = store.begin_attempt(run.id, 0)
    store.log(run.id, [Row(phase="step", step=1)], {"step": 1}, attempt=attempt)
    store.begin_attempt(run.id, 1)
    late = [Row(phase="step", step=2)]
    with pytest.raises(RunLostError):
        store.log(run.id, late, {"step": 2}, attempt=attempt)
    store.end(run.id, "interrupted")
    with pytest.raises(RunLostError):
        store.log(run.id, late, {"step": 2}, attempt=attempt + 1)
    assert store.get(run.id).summary == {"step": 1}
    assert [row.step for row in store.since(run.id).rows] == [1]
    tidying.delete(store, [run.id])
    with pytest.raises(RunLostError):
        store.log(run.id, late, attempt=attempt + 1)


def test_an_old_process_cannot_close_a_newer_attempt(store: RunStore) -> None:
    run = store.create({}, name="a")
    store.claim(run.id, "here")
    old = store.begin_attempt(run.id, 0)
    store.end(run.id, "interrupted", attempt=old)
    store.claim(run.id, "here", RESUMABLE)
    new = store.begin_attempt(run.id, 0)
    assert not store.end(run.id, "failed", error="The old process has a problem.", attempt=old)
    assert (store.get(run.id).status, store.get(run.id).error) == ("starting", None)
    assert store.end(run.id, "finished", attempt=new)


def _store_of_the_first_version(database: str) -> Run:
    """Make a store with one run as the first version made them."""
    store = RunStore(database)
    run = store.create({"model": {"name": "vgg16"}, "data": {"dataset": "mnist"}}, name="a")
    store.log(run.id, [Row(phase="step", step=1)])
    with store.engine.begin() as db:
        for name in ("model", "dataset", "deleted"):
            db.execute(text(f"ALTER TABLE runs DROP COLUMN {name}"))
        db.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    store.engine.dispose()
    return run


def test_a_store_of_the_first_version_is_upgraded(new_database: str) -> None:
    run = _store_of_the_first_version(new_database)
    upgraded = RunStore(new_database)
    assert upgraded.get(run.id).config == run.config
    assert len(upgraded.since(run.id).rows) == 1
    with upgraded.engine.connect() as connection:
        assert connection.execute(text("SELECT model, dataset FROM runs")).all() == [("vgg16", "mnist")]
    upgraded.engine.dispose()


def test_an_upgrade_that_breaks_off_leaves_the_store_as_it_was(
    new_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _store_of_the_first_version(new_database)
    with monkeypatch.context() as broken:
        broken.setattr(json, "loads", Mock(side_effect=KeyboardInterrupt))  # the columns have been added by then
        with pytest.raises(KeyboardInterrupt):
            RunStore(new_database)
    again = RunStore(new_database)
    assert again.get(run.id).config == run.config
    again.engine.dispose()


def test_a_store_is_made_by_many_at_once(new_database: str) -> None:
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        own = RunStore(new_database)
        own.create({}, name="same")
        own.engine.dispose()

    in_threads(work for _ in range(4))
    store = RunStore(new_database)
    assert sorted(run.name for run in store.list()) == ["same", "same #2", "same #3", "same #4"]
    store.engine.dispose()


def test_nobody_connects_to_a_file_that_is_being_made(tmp_path: Path) -> None:
    # SQLite begins its write-ahead log at the first connection, and does not wait for one that reads.
    file = tmp_path / "new.db"
    with ThreadPoolExecutor(1) as pool:
        with FileLock(f"{file}.lock"):
            opened = pool.submit(RunStore, f"sqlite:///{file}")
            with pytest.raises(TimeoutError):
                opened.result(timeout=0.5)
            assert not file.exists()
        store = opened.result()
    with store.engine.connect() as db:
        assert db.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    store.engine.dispose()


@pytest.mark.parametrize("address", ["nonsense", "nonsense://x", "sqlite:///{}/file/lab.db", "sqlite:///{}/file"])
def test_a_store_that_cannot_be_opened_says_so(address: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("This is no database.")
    with pytest.raises(StoreError, match="cannot be opened"):
        RunStore(address.format(tmp_path))


def test_what_a_database_refuses_to_store_is_replaced(store: RunStore) -> None:
    run = store.create({"model": {"name": "a\0b"}}, name="Größe 😀 \0 \ud800 ok", owner="o\0", tags=["ü\0"])
    store.end(store.create({}, name="broken", status="starting").id, "failed", error="bad\0", hint="\ud800")
    store.log(run.id, [Row(phase="step", step=1, values={"note\0": "\0 ü"})], {"stage_text": "\0 ü"})
    found = store.get(run.id)
    assert (found.name, found.owner, found.tags) == ("Größe 😀 ok", "o\ufffd", ("ü\0",))
    assert found.summary == {"stage_text": "\0 ü"}
    assert found.config == {"model": {"name": "a\0b"}}
    assert store.since(run.id).rows[0].values == {"note\0": "\0 ü"}
    failed = store.find("broken")
    assert (failed.error, failed.hint) == ("bad\ufffd", "?")
    for link in ("\0", "\ud800", f"{run.id}\0"):
        with pytest.raises(RunError, match="There is no run"):
            store.get(link)
        assert store.since(link).rows == ()
        assert find_runs(store, Search(text=link, tag=link, model=link, status=link)) == ()


def test_atomic_writing_leaves_the_old_file_when_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    write_atomically(path, lambda temporary: temporary.write_text("old"))

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.txt"]


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    temporary: list[str] = []

    def write(path: Path) -> None:
        temporary.append(path.name)
        path.write_text("whole")

    write_atomically(tmp_path / "epochs" / "resume.pt", write)
    for folder in (tmp_path, tmp_path / "epochs"):
        (folder / temporary[0]).write_text("half")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["resume.pt"]


def test_evaluations_survive_their_file(tmp_path: Path) -> None:
    import numpy as np

    saved = Evaluation(split="test", loss=0.5, correct=3, top5_correct=4, count=5, confusion=np.eye(2, dtype=np.int64))
    save_evaluation(tmp_path / "e.npz", saved)
    loaded = load_evaluation(tmp_path / "e.npz")
    assert loaded is not None
    assert (loaded.accuracy, loaded.top5, loaded.split) == (0.6, 0.8, "test")
    assert (loaded.confusion == saved.confusion).all()
    assert load_evaluation(tmp_path / "none.npz") is None


def test_a_number_is_not_given_twice(store: RunStore) -> None:
    first, second = (store.create({}, name="a", status="starting") for _ in range(2))
    store.end(first.id, "finished")
    tidying.delete(store, [first.id])
    assert store.create({}, name="a").name == "a #3", "a deleted run may come back under its name"
    tidying.purge(store, Path(), older_than_s=0)
    names = [store.create({}, name="a").name for _ in range(2)]
    assert names == ["a", "a #4"]
    assert second.name == "a #2"


def test_names_are_short_and_on_one_line(store: RunStore) -> None:
    assert store.create({}, name="two\nlines\x1b[31m \0 =1+1").name == "two lines [31m =1+1"
    long = [store.create({}, name="x" * 200).name for _ in range(3)]
    assert long == ["x" * 200, f"{'x' * 190} #2", f"{'x' * 190} #3"]
    for name in ("x" * 201, " \n ", ""):
        with pytest.raises(RunError, match="1 to 200 characters"):
            store.create({}, name=name)
        with pytest.raises(RunError, match="1 to 200 characters"):
            store.rename(store.list()[0].id, name)


def test_names_and_tags_of_processes_at_the_same_time(store: RunStore) -> None:
    run = store.create({}, name="tagged")

    def work(number: int) -> None:
        own = RunStore(store.url)
        for turn in range(4):
            own.create({}, name="same")
            tidying.set_tags(own, [run.id], add=[f"{number} {turn}"])
        own.engine.dispose()

    in_threads(partial(work, number) for number in range(4))
    assert len({each.name for each in store.list()}) == 17
    assert len(store.get(run.id).tags) == 16
