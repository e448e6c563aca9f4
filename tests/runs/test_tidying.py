"""Tags, and deleting: hidden at once, restored whole, gone with its files after a day."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnncore.errors import RunError
from cnncore.runs.artifacts import run_dir
from cnncore.runs.events import Row
from cnncore.runs.runner import Runner
from cnncore.runs.search import Search, find_runs
from cnncore.runs.store import RESUMABLE, RunStore
from cnncore.runs.tidying import delete, deleted_runs, purge, read_tags, restore, set_tags


def test_a_deleted_run_is_nowhere_and_comes_back_whole(store: RunStore) -> None:
    run, other = store.create({}, name="gone"), store.create({}, name="stays")
    store.log(run.id, [Row(phase="step", step=1)])
    store.ask(run.id, "stop")
    before = store.get(run.id)
    assert delete(store, [run.id]) == 1
    assert store.list() == find_runs(store, Search()) == (other,)
    assert [each.id for each in store.queue()] == [other.id]
    with pytest.raises(RunError, match="'gone' was deleted"):
        store.get(run.id)
    with pytest.raises(RunError, match="no run"):
        store.find("gone")
    assert [each.id for each in deleted_runs(store)] == [run.id]
    assert restore(store, [run.id, other.id]) == 1
    assert store.get(run.id) == before
    assert len(store.since(run.id).rows) == 1


def test_a_deleted_run_is_not_taken_by_a_process(store: RunStore) -> None:
    run = store.create({}, name="a")
    delete(store, [run.id])
    assert not store.claim(run.id, "here")
    assert not store.claim(run.id, "here", RESUMABLE)
    with pytest.raises(RunError, match="deleted"):
        store.requeue(run.id)
    restore(store, [run.id])
    assert [each.id for each in store.queue()] == [run.id], "it waits again"


def test_where_one_run_is_on_none_is_deleted(store: RunStore) -> None:
    waiting, on = store.create({}, name="waiting"), store.create({}, name="the one")
    store.claim(on.id, "here")
    with pytest.raises(RunError, match="the one"):
        delete(store, [waiting.id, on.id])
    assert {run.id for run in store.list()} == {waiting.id, on.id}


def test_purging_removes_rows_and_files_of_the_expired_only(store: RunStore, artifacts: Path) -> None:
    kept, gone = (store.create({}, name=name) for name in "ab")
    for run in (kept, gone):
        store.log(run.id, [Row(phase="step", step=1)])
        folder = run_dir(artifacts, run.id)
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"x")
    delete(store, [gone.id])
    assert purge(store, artifacts) == 0, "a day has not passed"
    assert purge(store, artifacts, older_than_s=0) == 1
    assert not (artifacts / gone.id).exists()
    assert (artifacts / kept.id).exists()
    assert store.since(gone.id).rows == ()
    assert len(store.since(kept.id).rows) == 1
    assert deleted_runs(store) == ()


def test_the_runner_purges(store: RunStore, artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    purged: list[Path] = []
    monkeypatch.setattr("cnncore.runs.runner.purge", lambda store, folder: purged.append(folder))
    Runner(store, artifacts).serve(idle_exit_s=0.5)
    assert purged == [artifacts]


def test_tags_are_added_and_removed(store: RunStore) -> None:
    run = store.create({}, name="a", tags=["old"])
    set_tags(store, [run.id], add=["good", "old"])
    assert store.get(run.id).tags == ("old", "good")
    set_tags(store, [run.id], remove=["old"])
    assert store.get(run.id).tags == ("good",)


def test_tags_are_read_from_a_text() -> None:
    assert read_tags(" first ,, second  one,first") == ("first", "second one")
    with pytest.raises(RunError, match="at most 40 characters"):
        read_tags("x" * 41)
    with pytest.raises(RunError, match="at most 20 tags"):
        read_tags(",".join(map(str, range(21))))
