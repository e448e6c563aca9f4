"""Sets on disk: versions, undo, two who change a set at once, and what a crash leaves."""

from __future__ import annotations

import errno
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnncore.errors import DataError
from cnncore.images import history, store
from cnncore.images.edits import AddClass, AddImages, Divide, ExcludeImages, MoveImages, RenameClass
from cnncore.images.image_set import Division, ImageSet
from cnncore.images.intake import Incoming, add_images
from cnncore.images.store import ImageSets, open_sets
from cnncore.places import PROJECT_ROOT
from tests.images.pictures import png, record


@pytest.fixture
def sets(tmp_path: Path) -> ImageSets:
    return ImageSets(tmp_path / "image_sets")


def content(state: ImageSet) -> tuple[object, ...]:
    return state.classes, dict(state.images), state.division


def fill(sets: ImageSets, number: int = 6) -> ImageSet:
    state = sets.create("Pets")
    images = tuple(record(key, ("cats", "dogs")[key % 2]) for key in range(number))
    return sets.apply(state.id, AddImages(images=images))


def test_a_new_set_is_empty(sets: ImageSets) -> None:
    assert sets.all() == ()
    made = sets.create(" My \n pets ", owner="ann")
    assert (made.name, made.owner, made.version, made.classes) == ("My  pets", "ann", 0, ())
    assert made.created == pytest.approx(time.time(), abs=60)
    assert sets.all() == (made,)
    assert ImageSets(sets.folder).get(made.id) == made


@pytest.mark.parametrize("name", ["", " \n\t "])
def test_a_set_needs_a_name(sets: ImageSets, name: str) -> None:
    with pytest.raises(DataError, match="needs a name"):
        sets.create(name)


def test_every_version_stays(sets: ImageSets) -> None:
    first = fill(sets)
    second = sets.apply(first.id, RenameClass(old="cats", new="felines"), ExcludeImages(keys=(1,)))
    assert (first.version, second.version) == (1, 2)
    for reader in (sets, ImageSets(sets.folder)):
        assert reader.get(first.id) == second
        assert reader.get(first.id, 1) == first
        assert reader.at(f"{first.id}@2") == second
        assert reader.get(first.id, 0).images == {}


def test_a_refused_edit_changes_nothing_even_among_others(sets: ImageSets) -> None:
    before = fill(sets)
    with pytest.raises(DataError, match="no class “fish”"):
        sets.apply(before.id, AddClass(name="birds"), RenameClass(old="fish", new="x"))
    assert sets.get(before.id) == before
    assert ImageSets(sets.folder).get(before.id) == before


def test_what_changes_nothing_makes_no_version(sets: ImageSets) -> None:
    before = fill(sets)
    assert sets.apply(before.id, MoveImages(keys=(0,), label="cats")) == before


def test_undo_and_redo(sets: ImageSets) -> None:
    first = fill(sets)
    second = sets.apply(first.id, ExcludeImages(keys=(0, 1)))
    undone = sets.undo(first.id)
    assert (undone.version, content(undone)) == (3, content(first))
    redone = sets.undo(first.id)
    assert (redone.version, content(redone)) == (4, content(second))
    assert content(sets.undo(first.id, to=1)) == content(first)
    assert content(ImageSets(sets.folder).get(first.id)) == content(first)


def test_undone_images_keep_their_keys(sets: ImageSets) -> None:
    first = fill(sets)
    sets.undo(first.id)
    again = add_images(sets, first.id, [Incoming(name="a.png", content=png(0), label="cats")])
    assert again.added == 1
    assert list(sets.get(first.id).images) == [6]


def test_there_must_be_something_to_undo(sets: ImageSets) -> None:
    made = sets.create("Pets")
    with pytest.raises(DataError, match="nothing to undo"):
        sets.undo(made.id)
    with pytest.raises(DataError, match="no version 7"):
        sets.undo(fill(sets).id, to=7)


def test_many_versions_of_which_few_stay_in_memory(sets: ImageSets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KEPT_STATES", 3)
    made = fill(sets)
    expected = {1: content(made)}
    for number in range(2, 30):
        state = sets.undo(made.id) if number % 4 == 0 else sets.apply(made.id, AddClass(name=f"class {number}"))
        expected[number] = content(state)
    assert content(sets.undo(made.id, to=2)) == expected[2]
    for reader in (sets, ImageSets(sets.folder)):
        for version in (29, 1, 15, 16, 8, 28):
            assert content(reader.get(made.id, version)) == expected[version]


def test_a_division_stays_as_it_was_made(sets: ImageSets, monkeypatch: pytest.MonkeyPatch) -> None:
    divided = sets.apply(fill(sets, 40).id, Divide(division=Division(validation=0.3, seed=5)))
    assert {record.split for record in divided.images.values()} == {"train", "validation"}
    monkeypatch.setattr("cnncore.images.edits.divide", lambda *_: pytest.fail("divided again"))
    assert ImageSets(sets.folder).get(divided.id) == divided


def test_a_torn_last_line_is_ignored_and_cut_off(sets: ImageSets) -> None:
    first = fill(sets)
    path = sets.folder / first.id / "edits.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"at": 1.0, "edits": [{"kind": "add_cl')
    for reader in (sets, ImageSets(sets.folder)):
        assert reader.get(first.id) == first
    second = ImageSets(sets.folder).apply(first.id, AddClass(name="birds"))
    assert second.version == 2
    assert path.read_bytes().startswith(whole + b'{"at"')
    assert sets.get(first.id) == ImageSets(sets.folder).get(first.id) == second


def test_a_damaged_history_is_one_sentence_and_hides_no_other_set(sets: ImageSets) -> None:
    broken, sound = fill(sets), fill(sets)
    (sets.folder / broken.id / "edits.jsonl").write_bytes(b"nonsense\n")
    (sets.folder / "0123456789ab").mkdir()
    with pytest.raises(DataError, match="is damaged"):
        ImageSets(sets.folder).get(broken.id)
    assert ImageSets(sets.folder).all() == (sound,)


WRITER = """
import sys
from pathlib import Path
from cnncore.images.edits import AddClass
from cnncore.images.store import ImageSets
for number in range(20):
    ImageSets(Path(sys.argv[1])).apply(sys.argv[2], AddClass(name=f"{sys.argv[3]} {number}"))
"""


def test_two_processes_that_edit_at_once_both_land(sets: ImageSets) -> None:
    made = sets.create("Pets")
    writers = [
        subprocess.Popen((sys.executable, "-c", WRITER, str(sets.folder), made.id, name), cwd=PROJECT_ROOT)
        for name in ("one", "two")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    after = sets.get(made.id)
    assert after.version == 40
    assert set(after.classes) == {f"{name} {number}" for name in ("one", "two") for number in range(20)}


def test_somebody_who_never_lets_go_is_one_sentence(sets: ImageSets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LOCK_TIMEOUT_S", 0.1)
    made = sets.create("Pets")
    with sets._lock(made.id), pytest.raises(DataError, match="Somebody else is changing"):
        ImageSets(sets.folder).apply(made.id, AddClass(name="cats"))


def test_names_deletion_and_restoring(sets: ImageSets) -> None:
    older, newer = fill(sets), fill(sets)
    sets.rename(older.id, "Animals")
    assert sets.get(older.id).name == "Animals"
    assert [found.id for found in sets.all()] == [newer.id, older.id]
    sets.delete(newer.id)
    assert [found.id for found in sets.all()] == [older.id]
    assert [found.id for found in sets.all(deleted=True)] == [newer.id]
    assert sets.at(newer.reference) == newer
    with pytest.raises(DataError, match="was deleted"):
        sets.apply(newer.id, AddClass(name="birds"))
    sets.restore(newer.id)
    assert len(sets.all()) == 2


@pytest.mark.parametrize("set_id", ["", "../../etc", "0123456789ab", "0123456789AB", "x" * 5_000, "0123456789ab\n"])
def test_ids_from_links_are_checked(sets: ImageSets, set_id: str) -> None:
    with pytest.raises(DataError, match=r"is not the id of|There is no image set"):
        sets.get(set_id)
    with pytest.raises(DataError):
        sets.at(f"{set_id}@1")


@pytest.mark.parametrize("reference", ["", "@", "0123456789ab", "0123456789ab@", "0123456789ab@-1", "0123456789ab@1e9"])
def test_references_are_checked(sets: ImageSets, reference: str) -> None:
    with pytest.raises(DataError, match="id@version"):
        sets.at(reference)


def test_quotas(sets: ImageSets, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fill(sets)
    monkeypatch.setenv("CNNLAB_MAX_SET_IMAGES", "7")
    with pytest.raises(DataError, match="That would be 8 images; a set holds at most 7"):
        sets.apply(made.id, AddImages(images=(record(6), record(7))))
    with pytest.raises(DataError, match="That would be 201 classes; a set has at most 200"):
        sets.apply(made.id, *(AddClass(name=f"class {number}") for number in range(199)))
    assert sets.get(made.id) == made
    # A limit that was lowered makes nothing unreadable and no edit impossible that adds nothing.
    monkeypatch.setenv("CNNLAB_MAX_SET_IMAGES", "2")
    assert ImageSets(sets.folder).apply(made.id, ExcludeImages(keys=(0,))).version == 2


def test_paths_and_thumbnails(sets: ImageSets) -> None:
    made = sets.create("Pets")
    add_images(sets, made.id, [Incoming(name="a.png", content=png(0), label="cats")])
    only = sets.get(made.id).images[0]
    path = sets.path(made.id, only)
    assert path.parent == sets.folder / made.id / "images"
    first = sets.thumbnail(made.id, only, 16)
    assert first[:2] == b"\xff\xd8"
    path.unlink()
    assert sets.thumbnail(made.id, only, 16) == first
    with pytest.raises(DataError, match="no longer there"):
        sets.thumbnail(made.id, only, 20)
    with pytest.raises(DataError, match="no stored picture"):
        sets.path(made.id, record(0, file="../../set.json"))


def test_a_process_opens_the_sets_once(tmp_path: Path) -> None:
    assert open_sets(tmp_path) is open_sets(tmp_path)
    assert open_sets(tmp_path).folder == tmp_path / "image_sets"


@pytest.mark.parametrize("where", ["fsync", "lock"])
def test_a_full_disk_is_one_sentence_and_changes_nothing(
    sets: ImageSets, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = fill(sets)
    edits = sets.folder / before.id / "edits.jsonl"
    written = edits.read_bytes()
    with monkeypatch.context() as patch:
        if where == "fsync":
            patch.setattr(history.os, "fsync", full)
        else:
            patch.setattr(store.FileLock, "acquire", full)
        with pytest.raises(DataError, match=r"cannot be written \(No space left on device\); nothing was changed"):
            sets.apply(before.id, AddClass(name="birds"))
        with pytest.raises(DataError, match="No space left"):
            sets.rename(before.id, "Other")
    assert edits.read_bytes() == written
    assert ImageSets(sets.folder).get(before.id) == sets.get(before.id) == before
    assert sets.apply(before.id, AddClass(name="birds")).version == 2


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match="cannot be written"):
        ImageSets(tmp_path / "file").create("Pets")


def test_deleted_sets_go_after_their_time(sets: ImageSets, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, gone, there = (fill(sets) for _ in range(3))
    now = time.time()
    for made, days in ((kept, 29), (gone, 31)):
        monkeypatch.setattr(store.time, "time", lambda days=days: now - days * 86_400)
        sets.delete(made.id)
    monkeypatch.setattr(store.time, "time", lambda: now)
    (sets.folder / ".0123456789ab" / "images").mkdir(parents=True)  # a process that was killed while it removed it
    sets.purge()
    assert sorted(path.name for path in sets.folder.iterdir()) == sorted((kept.id, there.id))
    with pytest.raises(DataError, match="There is no image set"):
        sets.restore(gone.id)
    sets.restore(kept.id)
    sets.purge()
    assert {each.id for each in sets.all()} == {kept.id, there.id}


def test_a_set_that_cannot_be_read_is_told(sets: ImageSets) -> None:
    good, bad = fill(sets), fill(sets)
    assert sets.damaged() == ()
    (sets.folder / bad.id / "edits.jsonl").write_text('{"at": 1.0, "edits": [{"kind": "of another version"}]}\n')
    (problem,) = ImageSets(sets.folder).damaged()
    assert bad.id in problem
    assert [each.id for each in ImageSets(sets.folder).all()] == [good.id]
