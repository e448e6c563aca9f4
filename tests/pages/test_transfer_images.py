"""The step Images: from nothing to an image set, what is wrong with it, every change and the way back."""

from __future__ import annotations

import errno
import io
import re
import time
import zipfile
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.images.image_set import ImageSet
from cnncore.images.intake import Incoming, add_images, cancel_intake, intake_progress, intakes
from cnncore.images.store import ImageSets, open_sets
from pages.components.transfer_images_gallery import read_picked
from pages.components.transfer_images_upload import impossible_class
from tests.pages.conftest import ANSWERS, address, assert_clean, link

Open = Callable[..., AppTest]
PATIENCE_S = 60.0


def picture(seed: int, side: int = 40) -> bytes:
    """A PNG unlike every other seed's."""
    pixels = np.random.RandomState(seed).randint(0, 256, (5, 5, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC).save(stream, "PNG")
    return stream.getvalue()


def incoming(**counts: int) -> list[Incoming]:
    """So many pictures of each class."""
    names = [(label, number) for label, count in counts.items() for number in range(count)]
    return [
        Incoming(name=f"photos/{label}/{number}.png", content=picture(seed))
        for seed, (label, number) in enumerate(names)
    ]


def named(**counts: int) -> list[tuple[str, bytes]]:
    """The same as names and bytes."""
    return [(item.name, item.content) for item in incoming(**counts) if isinstance(item.content, bytes)]


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageSets:
    """Image sets of this test alone."""
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    return open_sets((tmp_path / "data").resolve())


@pytest.fixture
def pets(sets: ImageSets) -> ImageSet:
    """Twelve cats and ten dogs."""
    made = sets.create("Pets")
    add_images(sets, made.id, incoming(cat=12, dog=10))
    return sets.get(made.id)


@pytest.fixture
def images(app: AppTest) -> Open:
    """Opens the step by a link."""

    def opened(**params: str) -> AppTest:
        app.switch_page("pages/transfer.py")
        for name, value in params.items():
            app.query_params[name] = value
        app.run()
        assert_clean(app)
        return app

    return opened


def text(app: AppTest) -> str:
    parts = [str(element.value) for element in [*app.markdown, *app.caption, *app.subheader]]
    return " ".join(parts + [element.proto.body for element in app.get("html")]).replace("\\", "")


def problem(app: AppTest) -> str:
    """The one sentence that says what is wrong."""
    assert not app.exception
    (message,) = (element.value for element in app.error)
    return message.replace("\\", "")


def select(app: AppTest, image_set: ImageSet, *rows: int) -> AppTest:
    """Tick rows of the table, which stands in for the gallery where there is no browser."""
    app.segmented_control(key="transfer_images_as").set_value("Table").run()
    name = app.dataframe[-1].proto.id.rpartition("-")[2]
    assert name.startswith(f"transfer_gallery_{image_set.id}_table_")
    app.session_state[name] = {"selection": {"rows": list(rows), "columns": []}}
    return app.run()


def table_names(app: AppTest) -> list[str]:
    return app.dataframe[-1].value["Name"].tolist()


def finish(app: AppTest, sets: ImageSets, set_id: str) -> AppTest:
    """Wait until the newest intake of a set is over, then draw the page again."""
    end = time.monotonic() + PATIENCE_S
    token = intakes(sets, set_id)[0]
    while not intake_progress(sets, set_id, token).finished:
        assert time.monotonic() < end
        time.sleep(0.1)
    return app.run()


def choose(app: AppTest, way: str, *files: tuple[str, bytes], place: str = "new") -> str:
    """Choose files as the browser tells of them; returns the key of what sends them."""
    app.segmented_control(key="transfer_images_way").set_value(way).run()
    turn = app.session_state.get("transfer_images_turn", 0)
    key = f"transfer_sender_{way}_{place}_{turn}"
    folders = Counter(name.rpartition("/")[0].rpartition("/")[2] for name, _ in files)
    chosen = {
        "id": "choice",
        "files": len(files),
        "bytes": sum(len(content) for _, content in files),
        "first": files[0][0],
        "classes": len(folders),
        "folders": [list(each) for each in folders.most_common()],
    }
    app.session_state[key] = {"chosen": chosen}
    app.run()
    return key


def batch(number: int, *files: tuple[str, bytes], done: bool = True) -> dict[str, Any]:
    pieces = [{"name": name, "data": b64encode(content).decode(), "last": True} for name, content in files]
    return {"id": "choice", "number": number, "pieces": pieces, "done": done}


def upload(app: AppTest, way: str, *files: tuple[str, bytes], place: str = "new") -> AppTest:
    """Choose files, add them and send them in two batches."""
    key = choose(app, way, *files, place=place)
    app.button(key=f"transfer_images_add_{way}").click().run()
    for number, part in enumerate((files[:1], files[1:])):
        app.session_state[key] = {**app.session_state[key], "batch": batch(number, *part, done=number == 1)}
        app.run()
    return app


# Ways in


def test_without_sets_there_are_three_ways_and_the_limits(images: Open, sets: ImageSets) -> None:
    app = images()
    assert {"transfer_images_sample_digits", "transfer_images_camera"} <= {each.key for each in app.button}
    assert "Up to 10,000 pictures a set, 25 MB and 50 megapixels each, 500 MB at once" in text(app)
    assert sets.all() == ()


def test_a_sample_set_is_one_click(images: Open, pets: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(request: Mapping[str, Any]) -> Answer:
        assert request == {"key": "digits"}
        return Answer({"set": pets.id})

    monkeypatch.setitem(ANSWERS, "make_sample_set", make)
    app = images()
    app.button(key="transfer_images_sample_digits").click().run()
    assert_clean(app)
    assert address(app)["set"] == pets.id


def test_samples_of_data_that_is_not_there_are_not_offered(images: Open, sets: ImageSets) -> None:
    app = images()
    assert "transfer_images_sample_cats_dogs" not in {each.key for each in app.button}


def test_a_folder_becomes_a_set_with_its_report(images: Open, sets: ImageSets) -> None:
    app = images()
    files = named(cat=6, dog=6)
    files += [("photos/dog/notes.jpg", b"Buy milk"), files[0]]
    choose(app, "folder", *files)
    assert "2 classes: cat (7), dog (7)" in text(app)
    assert app.button(key="transfer_images_add_folder").label.startswith("Add 14 pictures")
    upload(app, "folder", *files)
    assert_clean(app)
    (made,) = sets.all()
    assert address(app)["set"] == made.id
    assert made.name == "photos"
    finish(app, sets, made.id)
    assert_clean(app)
    assert "12 images added, 1 skipped" in text(app)
    assert "dog/notes.jpg" in text(app)
    assert "12 images in 2 classes" in text(app)
    assert list((sets.folder / "incoming").iterdir()) == []


def test_a_closed_report_stays_closed(images: Open, sets: ImageSets, app: AppTest) -> None:
    upload(images(), "folder", *named(cat=3, dog=3))
    (made,) = sets.all()
    finish(app, sets, made.id)
    next(each for each in app.button if (each.key or "").startswith("transfer_images_close")).click().run()
    assert "6 images added" not in text(app)
    assert "6 images in 2 classes" in text(images(set=made.id))


def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(images: Open, sets: ImageSets) -> None:
    app = images()
    files = named(cat=3, dog=3)
    key = choose(app, "folder", *files)
    app.button(key="transfer_images_add_folder").click().run()
    app.session_state[key] = {**app.session_state[key], "batch": batch(0, *files[:4], done=False)}
    app.run()
    assert app.get("progress")[0].proto.text == "Sending: 4 of 6 files"
    # The same batch again, one of another upload, and nonsense change nothing.
    strange = [batch(0, *files), {**batch(1, *files), "id": "other"}, {**batch(1), "pieces": [{"name": 1}]}, "x"]
    for each in strange:
        app.session_state[key] = {**app.session_state[key], "batch": each}
        app.run()
        assert app.get("progress")[0].proto.text == "Sending: 4 of 6 files"
    app.button(key="transfer_images_give_up").click().run()
    assert_clean(app)
    assert not app.get("progress")
    assert sets.all() == ()
    assert list((sets.folder / "incoming").iterdir()) == []


def test_files_need_a_class(images: Open, pets: ImageSet, sets: ImageSets) -> None:
    app = images(set=pets.id)
    app.session_state["transfer_images_more"] = True
    app.run()
    files = (("a.png", picture(500)), ("b.png", picture(501)))
    choose(app, "files", *files, place=pets.id)
    assert app.button(key="transfer_images_add_files").disabled
    assert "Give the class a name first." in text(app)
    app.selectbox(key=f"transfer_images_files_label_{pets.id}_choice").set_value("dog").run()
    upload(app, "files", *files, place=pets.id)
    finish(app, sets, pets.id)
    assert_clean(app)
    assert len(sets.get(pets.id).images) == 24


def test_loose_files_are_no_folder(images: Open, sets: ImageSets) -> None:
    app = images()
    choose(app, "folder", ("a.png", picture(1)), ("b.png", picture(2)))
    assert app.button(key="transfer_images_add_folder").disabled
    assert "lie in no folder" in text(app)


def test_a_zip_with_a_hostile_member_gives_the_others(images: Open, sets: ImageSets) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("../../outside.png", picture(0))
        for name, content in named(cat=3, dog=3):
            archive.writestr(name, content)
    app = images()
    upload(app, "zip", ("my pets.zip", stream.getvalue()))
    (made,) = sets.all()
    assert made.name == "my pets"
    finish(app, sets, made.id)
    assert_clean(app)
    assert "6 images added" in text(app)
    assert "outside.png" in text(app)


def test_what_is_no_zip_is_told_and_adds_nothing(images: Open, sets: ImageSets) -> None:
    app = images()
    upload(app, "zip", ("pets.zip", b"PK\x03\x04 or not"))
    (made,) = sets.all()
    finish(app, sets, made.id)
    assert not app.exception
    assert ":material/error:" in text(app)
    assert not sets.get(made.id).images
    assert app.button(key="transfer_images_go").disabled


@pytest.mark.parametrize(
    ("variable", "told"),
    [("CNNLAB_MAX_UPLOAD_MB", "a browser may send 1 MB at once"), ("CNNLAB_MAX_SET_IMAGES", "1 are allowed")],
)
def test_more_than_the_limits_is_refused_before_it_is_stored(
    images: Open, sets: ImageSets, monkeypatch: pytest.MonkeyPatch, variable: str, told: str
) -> None:
    monkeypatch.setenv(variable, "1")
    app = images()
    files = [("a/b/1.png", picture(1) + b"\0" * 600_000), ("a/b/2.png", picture(2) + b"\0" * 600_000)]
    choose(app, "folder", *files)
    assert told in text(app)
    assert app.button(key="transfer_images_add_folder").disabled


def test_a_browser_that_sends_more_than_it_said_is_stopped(
    images: Open, sets: ImageSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_MAX_UPLOAD_MB", "1")
    app = images()
    key = choose(app, "folder", *named(cat=1))
    app.button(key="transfer_images_add_folder").click().run()
    app.session_state[key] = {**app.session_state[key], "batch": batch(0, ("a/b.png", b"0" * 2_000_000))}
    app.run()
    assert "more than 1 MB at once" in problem(app)
    assert sets.all() == ()
    assert list((sets.folder / "incoming").iterdir()) == []


def test_a_folder_of_this_machine(images: Open, sets: ImageSets, tmp_path: Path) -> None:
    for name, content in named(cat=3, dog=3):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    app = images()
    app.segmented_control(key="transfer_images_way").set_value("path").run()
    app.text_input(key="transfer_images_path_new_0").set_value(str(tmp_path / "nowhere")).run()
    app.button(key="transfer_images_path_add_new_0").click().run()
    assert "nowhere" in problem(app)
    assert sets.all() == ()
    app.text_input(key="transfer_images_path_new_0").set_value(str(tmp_path / "photos")).run()
    app.button(key="transfer_images_path_add_new_0").click().run()
    assert_clean(app)
    (made,) = sets.all()
    finish(app, sets, made.id)
    assert "6 images added" in text(app)


def test_the_camera_fills_a_new_set(images: Open, sets: ImageSets) -> None:
    app = images()
    app.button(key="transfer_images_camera").click().run()
    assert_clean(app)
    (made,) = sets.all()
    assert address(app)["set"] == made.id
    assert app.camera_input[0].disabled
    app.text_input(key=f"transfer_images_camera_label_{made.id}").set_value("mug").run()
    app.camera_input[0].set_value(("shot.jpg", picture(7), "image/jpeg")).run()
    app.button(key="transfer_images_add_camera").click().run()
    finish(app, sets, made.id)
    assert_clean(app)
    assert [record.label for record in sets.get(made.id).images.values()] == ["mug"]
    assert [each.value for each in app.toast] == ["1 image added"]
    # Ready for the next one.
    assert app.selectbox(key=f"transfer_images_camera_label_{made.id}_choice").value == "mug"
    assert not app.camera_input[0].disabled


def test_a_killed_upload_is_told_and_changes_nothing(images: Open, pets: ImageSet, sets: ImageSets) -> None:
    app = images(set=pets.id)
    app.session_state["transfer_images_more"] = True
    app.run()
    files = [(f"more/bird/{number}.png", picture(900 + number, 400)) for number in range(30)]
    upload(app, "folder", *files, place=pets.id)
    cancel_intake(sets, pets.id, intakes(sets, pets.id)[0])
    # Another window, opened later, finds it again.
    app = images(set=pets.id)
    assert "nothing was added" in text(app)
    assert sets.get(pets.id) == pets


# The set


def test_an_unknown_set_leads_back(app: AppTest, sets: ImageSets) -> None:
    app.switch_page("pages/transfer.py")
    app.query_params["set"] = "../../etc"
    app.run()
    assert "etc" in problem(app)
    app.button(key="transfer_images_lost").click().run()
    assert_clean(app)
    assert "set" not in address(app)


def test_one_class_cannot_be_trained_and_two_can(images: Open, sets: ImageSets, pets: ImageSet) -> None:
    lonely = sets.create("Lonely")
    add_images(sets, lonely.id, incoming(cat=12))
    app = images(set=lonely.id)
    assert app.button(key="transfer_images_go").disabled
    assert "All images are of one class, “cat”." in text(app)
    app = images(set=pets.id)
    app.button(key="transfer_images_go").click().run()
    assert address(app) == {"set": pets.id, "step": "backbone"}


def test_a_set_is_renamed_deleted_and_restored(images: Open, sets: ImageSets, pets: ImageSet) -> None:
    app = images(set=pets.id)
    app.text_input(key="transfer_images_new_name").set_value("Our *pets* <b>")
    next(each for each in app.button if each.label == "Rename").click().run()
    assert_clean(app)
    assert sets.get(pets.id).name == "Our *pets* <b>"
    app.button(key="transfer_images_delete").click().run()
    assert_clean(app)
    assert sets.all() == ()
    app.button(key=f"transfer_images_restore_{pets.id}").click().run()
    assert [each.id for each in sets.all()] == [pets.id]
    app.button(key=f"transfer_images_open_{pets.id}").click().run()
    assert_clean(app)
    assert address(app)["set"] == pets.id


def test_images_are_moved_excluded_and_restored_and_each_is_undone(
    images: Open, sets: ImageSets, pets: ImageSet
) -> None:
    app = select(images(set=pets.id), pets, 0, 1)
    assert table_names(app)[:2] == ["0.png", "1.png"]
    app.selectbox(key="transfer_images_target_0").set_value("dog").run()
    app.button(key="transfer_images_move").click().run()
    assert_clean(app)
    assert [sets.get(pets.id).images[key].label for key in sorted(pets.images)[:3]] == ["dog", "dog", "cat"]
    assert app.button(key="transfer_images_undo").label == "Undo: moved 2 images to dog"
    select(app, pets, 0)
    app.button(key="transfer_images_exclude").click().run()
    assert len(sets.get(pets.id).included()) == 21
    assert app.button(key="transfer_images_undo").label == "Undo: excluded 1 image"
    app.selectbox(key="transfer_images_show").set_value("excluded").run()
    assert len(table_names(app)) == 1
    select(app, pets, 0)
    app.button(key="transfer_images_restore").click().run()
    assert len(sets.get(pets.id).included()) == 22
    for label in ("Undo: restored 1 image", "Undo: excluded 1 image", "Undo: moved 2 images to dog"):
        assert app.button(key="transfer_images_undo").label == label
        app.button(key="transfer_images_undo").click().run()
    assert_clean(app)
    assert sets.get(pets.id).images == pets.images
    assert app.button(key="transfer_images_undo").label == "Undo: added 22 images"
    app.button(key="transfer_images_redo").click().run()
    assert sets.get(pets.id).images[min(pets.images)].label == "dog"


def test_images_are_moved_to_a_split(images: Open, sets: ImageSets, pets: ImageSet) -> None:
    app = select(images(set=pets.id), pets, 0, 21)
    app.button(key="transfer_images_to_test").click().run()
    assert_clean(app)
    assert [record.label for record in sets.get(pets.id).included("test")] == ["cat", "dog"]
    assert "2 test" in text(app)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Cat", "differ only in upper and lower case"),
        ("cat", "There is a class “cat” already."),
        ("x" * 300, "has 300 characters"),
        ("  ", "A class name is empty."),
        ("a\u202eb", "control character"),
    ],
)
def test_impossible_class_names_are_refused_in_a_sentence(
    images: Open, sets: ImageSets, pets: ImageSet, name: str, told: str
) -> None:
    app = images(set=pets.id)
    app.pills(key="transfer_images_class_action").set_value("Add a class").run()
    app.text_input(key="transfer_images_class_add_0").set_value(name)
    next(each for each in app.button if each.label == "Add the class").click().run()
    assert told in problem(app)
    assert sets.get(pets.id) == pets
    # What was typed is still there to be mended.
    assert app.text_input(key="transfer_images_class_add_0").value == name


def test_classes_are_added_renamed_merged_and_removed(images: Open, sets: ImageSets, pets: ImageSet) -> None:
    app = images(set=pets.id)

    def act(action: str, submit: str, **inputs: Any) -> tuple[str, ...]:
        app.pills(key="transfer_images_class_action").set_value(action).run()
        turn = app.session_state.get("transfer_images_turn", 0)
        for name, value in inputs.items():
            key = f"transfer_images_class_{name}_{turn}"
            kinds = (app.text_input, app.selectbox, app.multiselect)
            next(each for kind in kinds for each in kind if each.key == key).set_value(value)
        [each for each in app.button if each.label == submit][-1].click().run()
        assert_clean(app)
        return sets.get(pets.id).classes

    assert act("Add a class", "Add the class", add="bird") == ("cat", "dog", "bird")
    assert app.button(key="transfer_images_go").disabled
    assert act("Rename", "Rename", old="bird", new="Vogel/🐦") == ("cat", "dog", "Vogel/🐦")
    assert act("Merge", "Merge", merged=["dog", "Vogel/🐦"], into="other") == ("cat", "other")
    assert act("Remove", "Remove the class", removed="other") == ("cat",)
    assert len(sets.get(pets.id).included()) == 12


def test_nothing_merged_is_told(images: Open, pets: ImageSet) -> None:
    app = images(set=pets.id)
    app.pills(key="transfer_images_class_action").set_value("Merge").run()
    next(each for each in app.button if each.label == "Merge").click().run()
    assert "No classes were chosen." in problem(app)


def test_the_division_shows_what_would_come_out(images: Open, sets: ImageSets, pets: ImageSet) -> None:
    app = images(set=pets.id)
    app.session_state["transfer_images_division"] = True
    app.run()
    app.number_input(key=f"transfer_images_validation_{pets.reference}").set_value(30).run()
    app.number_input(key=f"transfer_images_test_{pets.reference}").set_value(20).run()
    shown = text(app)
    app.button(key="transfer_images_divide").click().run()
    assert_clean(app)
    divided = sets.get(pets.id)
    assert (divided.division.validation, divided.division.test) == (0.3, 0.2)
    for split, title in (("train", "Training"), ("validation", "Validation"), ("test", "Test")):
        now, then = len(pets.included(split)), len(divided.included(split))  # type: ignore[arg-type]
        assert f"<td>{title}</td><td>{now} → <b>{then}</b>" in shown
    assert len(divided.included("test")) == 4
    assert app.button(key="transfer_images_undo").label == "Undo: divided anew"


def test_a_finding_shows_its_images(images: Open, sets: ImageSets) -> None:
    made = sets.create("Doubled")
    add_images(sets, made.id, [*incoming(cat=10, dog=10), Incoming(name="x/dog/again.png", content=picture(0))])
    app = images(set=made.id)
    assert "1 image is in two classes or more." in text(app)
    shows = [each for each in app.button if (each.key or "").startswith("transfer_images_finding_")]
    next(each for each in shows if each.label == "Show 2").click().run()
    app.segmented_control(key="transfer_images_as").set_value("Table").run()
    assert table_names(app) == ["0.png", "again.png"]


def test_two_people_edit_the_same_set(images: Open, sets: ImageSets, pets: ImageSet) -> None:
    from cnncore.images.edits import RemoveClass

    app = select(images(set=pets.id), pets, 20, 21)
    app.selectbox(key="transfer_images_target_0").set_value("cat").run()
    # Meanwhile somebody else removes the class they were to go to.
    sets.apply(pets.id, RemoveClass(name="cat"))
    app.button(key="transfer_images_move").click().run()
    assert "There is no class “cat”." in problem(app)
    app.run()
    assert_clean(app)
    assert "10 images in 1 class" in text(app)


def test_what_somebody_else_adds_is_seen_with_the_next_click(images: Open, sets: ImageSets, pets: ImageSet) -> None:
    app = images(set=pets.id)
    add_images(sets, pets.id, [Incoming(name="x/bird/1.png", content=picture(700))])
    app.segmented_control(key="transfer_images_as").set_value("Table").run()
    assert_clean(app)
    assert "23 images in 3 classes" in text(app)
    assert len(table_names(app)) == 23


def test_a_page_holds_a_part_of_many_images(images: Open, sets: ImageSets) -> None:
    made = sets.create("Many")
    add_images(sets, made.id, incoming(cat=50, dog=50))
    app = images(set=made.id)
    app.segmented_control(key="transfer_images_as").set_value("Table").run()
    assert len(table_names(app)) == 60
    select(app, made, 0)
    app.checkbox[0].check().run()
    app.button(key="transfer_images_exclude").click().run()
    assert_clean(app)
    assert not sets.get(made.id).included()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, ()),
        ({}, ()),
        ({"picked": [1]}, ()),
        ({"picked": {"turn": 4, "keys": [0]}}, ()),
        ({"picked": {"turn": 5, "keys": "01"}}, ()),
        ({"picked": {"turn": 5, "keys": [1, 0, 0, True, "1", -1, 99, None, [0]]}}, (0, 1)),
    ],
)
def test_only_keys_of_the_page_are_taken_from_a_browser(
    pets: ImageSet, state: object, expected: tuple[int, ...]
) -> None:
    keys = sorted(pets.images)
    records = [pets.images[key] for key in keys]
    assert [keys.index(key) for key in read_picked(state, 5, records)] == list(expected)


# Elsewhere


def test_the_train_page_offers_the_sets_by_name(app: AppTest, sets: ImageSets, pets: ImageSet) -> None:
    sets.create("Empty")
    link(app).selectbox(key="train_data_dataset").set_value("image_set").run()
    choice = app.selectbox(key="train_data_image_set")
    assert choice.options == ["Pets, version 1 (22 images)"]
    assert choice.value is None
    assert "Samples appear here once the image set is chosen." in text(app)
    choice.set_value(pets.reference).run()
    assert not app.exception
    assert address(app)["data.image_set"] == pets.reference


def test_home_leads_to_ones_own_photos(app: AppTest) -> None:
    app.run().button(key="home_start_pages/transfer.py").click().run()
    assert_clean(app)
    assert app.title[0].value == "Transfer"


# What is bad


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def linked() -> zipfile.ZipInfo:
    member = zipfile.ZipInfo("cat/link.png")
    member.external_attr = 0o120777 << 16
    return member


def noise(seed: int = 5) -> Image.Image:
    return Image.fromarray(np.random.RandomState(seed).randint(0, 256, (40, 60, 3), np.uint8))


def exif(held: int) -> Image.Exif:
    data = Image.Exif()
    data[0x0112] = held
    return data


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "text.jpg": (b"This is no picture.", "is not an image of a known format"),
    "nothing.png": (b"", "is not an image of a known format"),
    "cut.jpg": (encoded(noise(), "JPEG")[:600], "is damaged or cut off"),
    "large.png": (encoded(Image.new("L", (10_000, 10_000)), "PNG"), "has too many pixels; at most 50 million"),
    "60.png": (encoded(Image.new("1", (10_000, 6_000)), "PNG"), "10,000×6,000 pixels; at most 50 million"),
    "page.html.png": (b"<img src=x onerror=alert(1)>", "is not an image of a known format"),
    "inner.zip": (zipped(("dog/1.png", picture(1))), "It is an archive inside another one or a folder."),
    "phone.heic": (b"\0\0\0\x18ftypheic", "Convert it to JPEG or PNG"),
}
BAD_MEMBERS: dict[str, tuple[str | zipfile.ZipInfo, bytes, str]] = {
    "outside": ("../../cat/1.png", picture(1), "Its name leads out of the ZIP."),
    "absolute": ("/cat/1.png", picture(1), "Its name leads out of the ZIP."),
    "link": (linked(), b"/etc/passwd", "It is a link or a device"),
    "nested": ("cat/more.zip", zipped(("dog/1.png", picture(1))), "It is an archive inside another one"),
    "bomb": ("cat/zeros.png", bytes(20_000_000), "as in a ZIP bomb"),
}


def test_bad_files_are_named_and_the_others_come_in(images: Open, sets: ImageSets) -> None:
    app = images()
    bad = [(f"photos/cat/{name}", content) for name, (content, _) in BAD_FILES.items()]
    upload(app, "folder", *bad, *named(cat=2, dog=2))
    (made,) = sets.all()
    finish(app, sets, made.id)
    assert_clean(app)
    shown = text(app)
    assert [(name, told) for name, (_, told) in BAD_FILES.items() if name not in shown or told not in shown] == []
    assert f"{len(BAD_FILES)} files not added" in {each.label for each in app.expander}
    assert "4 images added" in shown


def test_bad_members_of_a_zip_are_named_and_the_others_come_in(images: Open, sets: ImageSets) -> None:
    app = images()
    bad = [(member, content) for member, content, _ in BAD_MEMBERS.values()]
    upload(app, "zip", ("pets.zip", zipped(*bad, *named(cat=2, dog=2))))
    (made,) = sets.all()
    finish(app, sets, made.id)
    assert_clean(app)
    assert [told for _, _, told in BAD_MEMBERS.values() if told not in text(app)] == []
    assert f"{len(BAD_MEMBERS)} files not added" in {each.label for each in app.expander}
    assert "4 images added" in text(app)


def test_valid_pictures_of_every_kind_come_in_upright(images: Open, sets: ImageSets) -> None:
    whole = noise()
    kinds = {
        "cmyk.jpg": encoded(noise(1).convert("CMYK"), "JPEG"),
        "deep.png": encoded(Image.fromarray(np.random.RandomState(2).randint(0, 65_536, (40, 60), np.uint16)), "PNG"),
        "palette.gif": encoded(noise(3).quantize(16), "GIF"),
        "moving.gif": encoded(noise(4), "GIF", save_all=True, append_images=[noise(5), noise(6)]),
        "gray.png": encoded(noise(7).convert("L"), "PNG"),
        "turned.jpg": encoded(noise(8), "JPEG", exif=exif(6)),
        "two.jpg": encoded(noise(9), "MPO", save_all=True, append_images=[whole]),
    }
    app = images()
    upload(app, "folder", *[(f"photos/cat/{name}", content) for name, content in kinds.items()])
    (made,) = sets.all()
    finish(app, sets, made.id)
    assert_clean(app)
    found = {record.name: (record.width, record.height) for record in sets.get(made.id).images.values()}
    assert found == {name: (40, 60) if name == "turned.jpg" else (60, 40) for name in kinds}


def test_one_image_a_class_cannot_be_trained(images: Open, sets: ImageSets) -> None:
    made = sets.create("Few")
    add_images(sets, made.id, incoming(cat=1, dog=1))
    app = images(set=made.id)
    assert app.button(key="transfer_images_go").disabled
    assert "“cat” and “dog” have only one image" in text(app)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("CAT", "differ only in"),
        ("x" * 300, "300 characters"),
        ("\u200b", "is empty"),
        ("a\u202eb", "control character"),
    ],
)
def test_an_impossible_class_is_told_before_anything_is_sent(pets: ImageSet, name: str, told: str) -> None:
    assert told in impossible_class(pets, name)
    assert [impossible_class(pets, label) for label in (None, "cat", "bird")] == [""] * 3


HOSTILE = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) $x^2$ :material/home: **b** `c`"


def test_names_from_outside_are_shown_as_they_are(images: Open, sets: ImageSets) -> None:
    label, name = HOSTILE[:80], f"{HOSTILE[:60]}.png"
    made = sets.create(HOSTILE)
    pictures = [Incoming(name=name, content=picture(seed), label=label) for seed in range(3)]
    add_images(sets, made.id, [*pictures, *incoming(dog=3), Incoming(name=name, content=b"no picture", label=label)])
    upload(images(), "folder", (f"photos/{label.replace('/', '|')}/{name}", b"no picture"), *named(cat=1))
    (other,) = (each for each in sets.all() if each.id != made.id)
    app = finish(images(set=other.id), sets, other.id)
    pages = [app, images(set=""), select(images(set=made.id), made, 0)]
    for page in pages:
        shown = [element.value for element in [*page.markdown, *page.caption, *page.subheader]]
        shown += [element.label for element in page.button]
        assert [each for each in shown if re.search(r"(?<!\\)[<$]|(?<!\\)\[x|(?<!\\):material/home", each)] == []
        assert [element for element in page.get("html") if "<img src=x" in element.proto.body] == []


# Others at the same time, and a full disk


def test_undo_takes_back_nothing_that_somebody_else_did(images: Open, sets: ImageSets, pets: ImageSet) -> None:
    from cnncore.images.edits import ExcludeImages

    app = select(images(set=pets.id), pets, 0)
    app.button(key="transfer_images_exclude").click().run()
    theirs = sets.apply(pets.id, ExcludeImages(keys=(5, 6)))
    app.button(key="transfer_images_undo").click().run()
    assert "Somebody else has changed this set meanwhile" in problem(app)
    assert sets.get(pets.id) == theirs


def test_a_deleted_set_says_so_in_another_window(images: Open, sets: ImageSets, pets: ImageSet) -> None:
    app = images(set=pets.id)
    sets.delete(pets.id)
    app.run()
    assert_clean(app)
    (note,) = app.info
    assert "was deleted. Its files go in 30 days." in note.value
    app.button(key=f"transfer_images_restore_{pets.id}").click().run()
    assert_clean(app)
    assert [each.id for each in sets.all()] == [pets.id]
    assert "22 images in 2 classes" in text(app)


def test_a_full_disk_is_a_sentence_on_the_page(
    images: Open, sets: ImageSets, pets: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    app = select(images(set=pets.id), pets, 0)
    with monkeypatch.context() as patch:
        patch.setattr("cnncore.images.history.os.fsync", full)
        app.button(key="transfer_images_exclude").click().run()
        assert "No space left on device" in problem(app)
        assert sets.get(pets.id) == pets
        images(set="").button(key="transfer_images_camera").click().run()
        assert "No space left on device" in problem(app)
    assert [each.id for each in sets.all()] == [pets.id]


def test_a_damaged_set_is_told(images: Open, sets: ImageSets, pets: ImageSet) -> None:
    bad = sets.create("Bad")
    (sets.folder / bad.id / "edits.jsonl").write_text("{}\n")
    app = images()
    assert [each for each in app.warning if bad.id in each.value]
    assert app.button(key=f"transfer_images_open_{pets.id}")


def test_the_home_of_nobody_is_a_sentence(images: Open, sets: ImageSets) -> None:
    app = images()
    app.segmented_control(key="transfer_images_way").set_value("path").run()
    app.text_input(key="transfer_images_path_new_0").set_value("~nobody-here/pictures").run()
    app.button(key="transfer_images_path_add_new_0").click().run()
    assert "There is nothing at ~nobody-here/pictures" in problem(app)


def test_too_many_classes_are_told_before_anything_is_sent(images: Open, sets: ImageSets) -> None:
    app = images()
    choose(app, "folder", *[(f"photos/kind {number}/1.png", b"") for number in range(201)])
    assert "would be 201 classes; a set has at most 200" in text(app)
    assert app.button(key="transfer_images_add_folder").disabled
