"""New pictures for a classifier: one by one, many as a table, and what is not a picture."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.images.image_set import ImageSet
from cnncore.images.preprocessing import Preprocessing
from cnncore.runs.store import Run, RunStore
from cnncore.runs.uploads import upload_file
from pages.components.transfer_use_answers import CHUNK
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.test_transfer_use_mistakes import heat
from tests.pages.transfer_runs import CLASSES, image_set, trained, use, words

Asked = list[tuple[str, Mapping[str, Any]]]
MADE = Preprocessing(size=8, crop=0.875, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
KNOWN = {
    "threshold": 0.4,
    "explanation": "Of 20 images 95% are at least as similar.",
    "false_alarms": 0.05,
    "held_out": 20,
}


def prediction(request: Mapping[str, Any]) -> Answer:
    """Cats, the first for sure; what is called `odd` is far from everything, `broken` is no picture."""
    names = [each["name"] for each in request.get("uploads", ())] or [str(key) for key in request["keys"]]
    places = [place for place, name in enumerate(names) if "broken" not in name]
    count = len(places)
    pixels = np.full((count, 8, 8, 3), 255, np.uint8)
    arrays = {
        "top": np.tile(np.array([[0, 1]]), (count, 1)),
        "shares": np.tile(np.array([[0.8, 0.2]], np.float32), (count, 1)),
        "distances": np.array([0.9 if "odd" in names[place] else 0.1 for place in places], np.float32),
    }
    if request.get("pixels"):
        arrays |= {"pixels": pixels}
    if request.get("tensor") and count:
        arrays |= {"tensor": MADE.normalized(pixels[0])}
    facts = {
        "places": places,
        "refused": {str(place): f"{name} is no picture." for place, name in enumerate(names) if "broken" in name},
        "left": [],
        "classes": CLASSES,
        "nearest": ["1"] * count,
        "familiarity": KNOWN,
        "preprocessing": MADE.to_dict(),
    }
    return Answer(facts, arrays)


@pytest.fixture
def pets(data_root: Path) -> ImageSet:
    return image_set(data_root)


@pytest.fixture
def run(store: RunStore, artifacts: Path, pets: ImageSet, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setitem(ANSWERS, "predict", prediction)
    monkeypatch.setitem(ANSWERS, "grad_cam", heat)
    return trained(store, artifacts, data__image_set=pets.reference)


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), (250, 20, 20)).save(buffer, "PNG")
    return buffer.getvalue()


def predictions(asked: Asked) -> list[Mapping[str, Any]]:
    """Questions for classes, without those for what one picture looked like."""
    return [request for name, request in asked if name == "predict" and "pixels" not in request]


def test_nothing_given_says_what_will_be_here(app: AppTest, run: Run, asked: Asked) -> None:
    use(app, run=run.id)
    assert_clean(app)
    assert "Give it a picture" in words(app)
    assert not predictions(asked)


def test_an_upload_is_answered_with_everything(app: AppTest, run: Run, asked: Asked, artifacts: Path) -> None:
    use(app, run=run.id)
    app.file_uploader(key="transfer_given_files").upload("../../Tom <i>.png", picture()).run()
    assert_clean(app)
    (request,) = predictions(asked)
    (upload,) = request["uploads"]
    assert upload["name"] == "Tom <i>.png"
    assert upload_file(artifacts, upload["token"]).read_bytes() == picture()
    told = words(app)
    assert "<div class='lab-said'>cat</div>" in told
    assert "80.0 %" in told
    assert "dog &lt;b&gt;" in told
    assert "Like images it was trained on" in told
    assert "Tom &lt;i&gt;.png" in told
    assert "distance to the most similar one is 1 minus the cosine" in told
    assert "The most similar one: 1.jpg, dog &lt;b&gt;" in told
    assert "3 × 8 × 8" in told
    assert "resized to 9 pixels" in told
    table = next(each.value for each in app.dataframe if "Channel" in each.value.columns)
    assert table["Greatest"].tolist() == ["1.000"] * 3
    (seen,) = [request for name, request in asked if name == "grad_cam"]
    assert seen["classes"] == [0]
    app.selectbox[-1].set_value(CLASSES[1]).run()
    assert [request["classes"] for name, request in asked if name == "grad_cam"] == [[0], [1]]
    assert len(predictions(asked)) == 1, "the same question is not asked twice"


def test_something_unlike_everything_is_told(app: AppTest, run: Run) -> None:
    use(app, run=run.id)
    app.file_uploader(key="transfer_given_files").upload("odd.png", picture()).run()
    assert_clean(app)
    assert "Perhaps **none of these**" in words(app)


def test_many_are_a_table_with_its_problems_in_words(app: AppTest, run: Run) -> None:
    use(app, run=run.id)
    files = app.file_uploader(key="transfer_given_files")
    for name in ("a.png", "odd.png", "broken.png"):
        files = files.upload(name, picture())
    files.run()
    assert not app.exception
    assert [each.value.replace("\\", "") for each in app.error] == ["broken.png is no picture."]
    table = next(each.value for each in app.dataframe if "File" in each.value.columns)
    assert table["File"].tolist() == ["a.png", "odd.png"]
    assert table["Familiar"].tolist() == ["yes", "none of these?"]
    assert all(each.startswith("data:image/jpeg;base64,") for each in table["Picture"])
    assert "2 pictures, 1 of them perhaps none of these" in words(app)


def test_a_folder_of_the_machine_is_asked_about_in_parts(app: AppTest, run: Run, asked: Asked, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    for number in range(CHUNK + 1):
        (folder / "more" / f"{number:03d}.png").write_bytes(picture())
    (folder / "notes.txt").write_text("no picture")
    use(app, run=run.id)
    app.segmented_control(key="transfer_given_source").set_value("folder").run()
    app.text_input(key="transfer_given_path").set_value(str(folder)).run()
    assert_clean(app)
    assert [len(request["uploads"]) for request in predictions(asked)] == [CHUNK, 1]
    assert f"{CHUNK + 1} pictures" in words(app)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/nowhere", "There is no folder"),
        ("~nobody-here", "There is no folder"),
        ("x" * 900, "There is no folder"),
        ("{tmp}", "There are no pictures"),
    ],
)
def test_a_folder_without_pictures_is_told(app: AppTest, run: Run, tmp_path: Path, path: str, sentence: str) -> None:
    use(app, run=run.id)
    app.segmented_control(key="transfer_given_source").set_value("folder").run()
    app.text_input(key="transfer_given_path").set_value(path.format(tmp=tmp_path)).run()
    assert not app.exception
    assert sentence in words(app)


def test_images_of_the_set_those_it_has_not_seen_first(app: AppTest, run: Run, asked: Asked) -> None:
    use(app, run=run.id)
    app.segmented_control(key="transfer_given_source").set_value("set").run()
    assert_clean(app)
    assert predictions(asked)[-1]["keys"] == [2], "the first two are training images"
    app.selectbox(key="transfer_given_image").set_value(0).run()
    assert address(app)["image"] == "0"
    assert predictions(asked)[-1]["keys"] == [0]
    use(app, run=run.id, image="5")
    assert predictions(asked)[-1]["keys"] == [5]


def test_a_network_without_an_image_set_has_no_images_of_one(
    app: AppTest, run: Run, store: RunStore, artifacts: Path
) -> None:
    other = trained(store, artifacts)
    use(app, run=run.id)
    app.segmented_control(key="transfer_given_source").set_value("set").run()
    app.selectbox(key="transfer_use_run").set_value(other.id).run()
    assert_clean(app)
    assert app.segmented_control(key="transfer_given_source").value == "files"


@pytest.mark.parametrize("image", ["99", "<b>", "-1", "5" * 5_000])
def test_an_image_that_is_not_there_shows_another(app: AppTest, run: Run, asked: Asked, image: str) -> None:
    use(app, run=run.id, image=image)
    assert_clean(app)
    assert predictions(asked)[-1]["keys"] == [2]


def test_too_large_files_are_left_out(app: AppTest, run: Run, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_MAX_IMAGE_MB", "1")
    use(app, run=run.id)
    app.file_uploader(key="transfer_given_files").upload("large.png", bytes(1_000_001)).run()
    assert_clean(app)
    assert "Left out: large.png, larger than 1 MB" in words(app)
    assert not predictions(asked)


def test_without_a_service_one_sentence_says_so(app: AppTest, run: Run, broken_service: None) -> None:
    use(app, run=run.id)
    app.file_uploader(key="transfer_given_files").upload("a.png", picture()).run()
    assert not app.exception
    assert [each.value for each in app.error] == ["The service is not there. Try again."]


def ask_of_folder(app: AppTest, run: Run, folder: Path) -> str:
    use(app, run=run.id)
    app.segmented_control(key="transfer_given_source").set_value("folder").run()
    app.text_input(key="transfer_given_path").set_value(str(folder)).run()
    assert not app.exception
    return " ".join(each.value for each in app.error).replace("\\", "")


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [("CNNLAB_MAX_UPLOAD_MB", "1 MB are taken at once"), ("CNNLAB_MAX_ARCHIVE_FILES", "more than 1 files")],
)
def test_a_folder_without_end_is_refused(
    app: AppTest, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, sentence: str
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.png").write_bytes(picture() + bytes(600_000))
    monkeypatch.setenv(variable, "1")
    assert sentence in ask_of_folder(app, run, folder)


def test_names_that_are_no_text_are_no_trouble(app: AppTest, run: Run, asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "pictures") + b"/\xff.png")).write_bytes(picture())
    assert not ask_of_folder(app, run, tmp_path / "pictures")
    (upload,) = next(request["uploads"] for name, request in asked if name == "predict")
    assert upload["name"] == "?.png"


def test_a_full_disk_is_told(app: AppTest, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "1.png").write_bytes(picture())
    monkeypatch.setattr("cnncore.runs.uploads.write_atomically", full)
    assert "cannot be stored (No space left on device)" in ask_of_folder(app, run, tmp_path)
