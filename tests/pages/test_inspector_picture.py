"""Where the picture comes from: data sets, mistakes, files, the clipboard; and links that lead nowhere."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.errors import DataError
from cnncore.images.kept_pictures import keep_picture, kept_picture
from cnncore.images.picture_reference import parse_picture
from cnncore.runs.store import Run
from pages.components.inspector_picture import SOURCES
from pages.components.picture_choice import Choice, read_choice
from tests.images.pictures import png
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.inspector_lab import Asked, Browser, browser, fakes, look, outcomes, pictures, run
from tests.pages.transfer_runs import image_set, words

__all__ = ["browser", "fakes", "run"]
pytestmark = pytest.mark.usefixtures("fakes")
SOURCE = "inspector_source"


# Images of data sets


def test_images_of_the_run_can_be_taken_by_a_click(app: AppTest, run: Run, browser: Browser, asked: Asked) -> None:
    look(app, network=f"run:{run.id}")
    app.segmented_control(key=SOURCE).set_value("images").run()
    assert_clean(app)
    assert pictures(asked)[-1] == f"sample:{run.id}:test:0"
    names, chosen = browser.strips[-1]
    assert names[:2] == [f"sample:{run.id}:test:0", f"sample:{run.id}:test:1"]
    assert chosen == names[0]
    browser.picks = 4
    app.run()
    assert address(app)["picture"] == f"sample:{run.id}:test:4"
    assert pictures(asked)[-1] == f"sample:{run.id}:test:4"
    assert f"with sample:{run.id}:test:4" in words(app)


def test_a_link_to_an_image_opens_its_images_at_its_place(app: AppTest, run: Run, browser: Browser) -> None:
    look(app, network=f"run:{run.id}", picture=f"sample:{run.id}:train:26")
    assert_clean(app)
    assert app.segmented_control(key=SOURCE).value == "images"
    names, chosen = browser.strips[-1]
    assert chosen in names
    look(app, network=f"run:{run.id}", picture="data:mnist5k:validation:2")
    assert_clean(app)
    assert app.selectbox(key="inspector_images").value == "data:mnist5k"
    assert browser.strips[-1][1] in browser.strips[-1][0]


def test_by_class_the_next_ones_and_at_random(app: AppTest, run: Run, browser: Browser, asked: Asked) -> None:
    look(app, network=f"run:{run.id}", picture=f"sample:{run.id}:train:0")
    app.selectbox(key="inspector_images_class").set_value(7).run()
    assert [name.rpartition(":")[2] for name in browser.strips[-1][0]] == ["7", "17", "27", "37", "47"]
    app.selectbox(key="inspector_images_class").set_value(-1).run()
    app.button(key="inspector_images_Next").click().run()
    assert browser.strips[-1][0][0] == f"sample:{run.id}:train:12"
    app.segmented_control(key="inspector_images_split").set_value("test").run()
    assert browser.strips[-1][0][0] == f"sample:{run.id}:test:0"
    app.button(key="inspector_images_random").click().run()
    assert_clean(app)
    assert address(app)["picture"] == f"sample:{run.id}:test:29"
    assert browser.strips[-1][1] == address(app)["picture"]


def test_mistakes_are_those_of_the_network_the_surest_first(
    app: AppTest, run: Run, browser: Browser, asked: Asked
) -> None:
    look(app, network=f"run:{run.id}", picture=f"sample:{run.id}:validation:0")
    app.toggle(key="inspector_images_wrong").set_value(True).run()
    assert_clean(app)
    assert browser.strips[-1][0] == [f"sample:{run.id}:validation:17", f"sample:{run.id}:validation:4"]
    request = next(request for name, request in asked if name == "split_outcomes")
    assert (request["images"], request["split"], request["network"]) == (f"run:{run.id}", "validation", f"run:{run.id}")
    app.selectbox(key="inspector_images_class").set_value(4).run()
    assert browser.strips[-1][0] == [f"sample:{run.id}:validation:4"]
    app.selectbox(key="inspector_images_class").set_value(5).run()
    assert "It gets none of these wrong" in words(app)


def test_mistakes_of_a_large_split_are_told_by_their_positions(
    app: AppTest, run: Run, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sampled(request: Mapping[str, Any]) -> Answer:
        answer = outcomes(request)
        return Answer(answer.data, {**answer.arrays, "places": answer.arrays["places"] + 3})

    monkeypatch.setitem(ANSWERS, "split_outcomes", sampled)
    look(app, network=f"run:{run.id}", picture=f"sample:{run.id}:validation:0")
    app.toggle(key="inspector_images_wrong").set_value(True).run()
    assert browser.strips[-1][0] == [f"sample:{run.id}:validation:20", f"sample:{run.id}:validation:7"]


def test_networks_of_other_classes_have_no_mistakes_here(app: AppTest, run: Run, browser: Browser) -> None:
    look(app, network="untrained:resnet50", picture="data:mnist5k:test:0")
    assert_clean(app)
    assert not [toggle for toggle in app.toggle if toggle.key == "inspector_images_wrong"]


def test_image_sets_are_offered_to_networks_that_see_colors(
    app: AppTest, run: Run, browser: Browser, data_root: Path
) -> None:
    found = image_set(data_root)
    look(app, network="untrained:resnet50", picture=f"set:{found.reference}:3")
    assert_clean(app)
    assert app.selectbox(key="inspector_images").value == f"set:{found.reference}"
    assert browser.strips[-1][1] == f"set:{found.reference}:3"
    assert browser.strips[-1][0][0] == f"set:{found.reference}:0"
    look(app, network=f"run:{run.id}")
    app.segmented_control(key=SOURCE).set_value("images").run()
    assert not [name for name in app.selectbox(key="inspector_images").options if "Pets" in name]


def test_only_a_choice_of_the_strip_counts() -> None:
    choices = [Choice(name="data:mnist:test:1", source="", label="", words="")]
    assert read_choice("data:mnist:test:1", choices) == "data:mnist:test:1"
    for picked in ("data:mnist:test:2", "<script>", None, 7, ["data:mnist:test:1"], {}):
        assert read_choice(picked, choices) is None


# What a person gives


def upload(app: AppTest, content: bytes, name: str = "../../Tom <i>.png") -> AppTest:
    app.segmented_control(key=SOURCE).set_value("upload").run()
    return app.file_uploader(key="inspector_file").upload(name, content).run()


def test_an_upload_is_kept_and_stays_in_the_link(
    app: AppTest, run: Run, browser: Browser, asked: Asked, artifacts: Path
) -> None:
    look(app, network=f"run:{run.id}")
    upload(app, png(3))
    assert_clean(app)
    name = keep_picture(artifacts, png(3), "a.png")
    assert address(app)["picture"] == f"kept:{name}"
    assert pictures(asked)[-1] == f"kept:{name}"
    look(app, network="untrained:resnet50", picture=f"kept:{name}")
    assert_clean(app)
    assert app.segmented_control(key=SOURCE).value == "upload"
    assert pictures(asked)[-1] == f"kept:{name}"


def test_an_upload_does_not_come_back_over_a_picture_that_was_chosen_later(
    app: AppTest, run: Run, browser: Browser
) -> None:
    look(app, network=f"run:{run.id}")
    upload(app, png(3))
    app.segmented_control(key=SOURCE).set_value("images").run()
    browser.picks = 2
    app.run()
    chosen = address(app)["picture"]
    assert chosen.startswith("sample:")
    app.segmented_control(key=SOURCE).set_value("upload").run()
    assert address(app)["picture"] == chosen


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no picture", "is not an image of a known format"),
        (png(1)[:100], "damaged or cut off"),
        (bytes(1_000_001), "at most 1 are read"),
    ],
)
def test_a_file_that_is_no_picture_is_one_sentence_and_the_picture_before_stays(
    app: AppTest,
    run: Run,
    browser: Browser,
    asked: Asked,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    sentence: str,
) -> None:
    monkeypatch.setenv("CNNLAB_MAX_IMAGE_MB", "1")
    look(app, network=f"run:{run.id}", picture="data:mnist5k:test:1")
    upload(app, content)
    assert not app.exception
    (error,) = [each.value.replace("\\", "") for each in app.error]
    assert sentence in error
    assert "Tom <i>.png" in error
    assert pictures(asked)[-1] == "data:mnist5k:test:1"
    app.run()
    assert len(app.error) == 1, "the file still stands there"


def test_a_pasted_picture_and_one_of_the_camera_are_kept(
    app: AppTest, run: Run, browser: Browser, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.components.inspector_picture_given.paste_box", lambda key: png(5))
    look(app, network=f"run:{run.id}")
    app.segmented_control(key=SOURCE).set_value("paste").run()
    assert_clean(app)
    assert address(app)["picture"] == f"kept:{keep_picture(artifacts, png(5), 'a')}"
    app.segmented_control(key=SOURCE).set_value("camera").run()
    assert_clean(app)


def test_a_broken_clipboard_is_one_sentence(
    app: AppTest, run: Run, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(key: str) -> bytes:
        raise DataError("The pasted picture arrived damaged.", "Paste it again.")

    monkeypatch.setattr("pages.components.inspector_picture_given.paste_box", refuse)
    look(app, network=f"run:{run.id}")
    app.segmented_control(key=SOURCE).set_value("paste").run()
    assert not app.exception
    assert [each.value for each in app.error] == ["The pasted picture arrived damaged. Paste it again."]
    assert "view of" in words(app), "the rest of the page stays"


# Links that lead nowhere


@pytest.mark.parametrize(
    "picture",
    [
        "nonsense",
        "<script>alert(1)</script>",
        "kept:" + "0" * 32,
        "kept:../../etc/passwd",
        "drawn:abc",
        "drawn:" + "A" * 3_800,
        "x" * 20_000,
        "sample::test:1",
    ],
)
def test_a_picture_of_a_hostile_link_is_a_sentence_and_the_default(
    app: AppTest, run: Run, browser: Browser, asked: Asked, picture: str
) -> None:
    look(app, network=f"run:{run.id}", picture=picture)
    assert_clean(app)
    (warning,) = [each.value for each in app.warning]
    assert "<script>" not in warning
    assert len(warning) < 300
    assert pictures(asked)[-1].startswith("drawn:")
    assert "view of" in words(app)


def test_every_kind_of_picture_has_a_source() -> None:
    assert {kind for source in SOURCES.values() for kind in source.kinds} == {"drawn", "sample", "data", "set", "kept"}


def test_the_example_comes_back_when_it_was_tidied_away(
    app: AppTest, browser: Browser, asked: Asked, artifacts: Path
) -> None:
    look(app)
    first = parse_picture(pictures(asked)[-1]).source
    kept_picture(artifacts, first).unlink()
    app.run()
    assert_clean(app)
    assert kept_picture(artifacts, first).is_file()
    assert json.dumps(address(app)) == "{}"
    assert Image.open(io.BytesIO(kept_picture(artifacts, first).read_bytes())).size[0] > 200
