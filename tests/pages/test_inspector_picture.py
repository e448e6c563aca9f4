"""Where the picture comes from: the drawing field, data sets, mistakes, files; and what a browser should not send."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image, ImageDraw, PngImagePlugin
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.errors import DataError
from cnncore.images.drawing import drawing_text, example_digit, like_mnist
from cnncore.images.kept_pictures import keep_picture, kept_picture
from cnncore.images.picture_reference import parse_picture
from cnncore.runs.store import Run, RunStore
from pages.components import inspector_picture_drawn
from pages.components.digit_pad import LONGEST, SIDE, read_pad
from pages.components.inspector_link import Look
from pages.components.inspector_picture import SOURCES
from pages.components.inspector_views import VIEWS, View
from pages.components.picture_choice import Choice, read_choice
from tests.images.pictures import encoded, png
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.inspector_lab import browse, digit_run, inspect, look, outcomes
from tests.pages.test_inspector import show
from tests.pages.transfer_runs import image_set, words

Asked = list[tuple[str, Mapping[str, Any]]]
SOURCE = "inspector_source"


@dataclass
class Browser:
    """What the components would send: the drawing field its states, the strip of pictures a choice."""

    pads: list[dict[str, Any]]
    strips: list[tuple[list[str], str]]
    picks: int | None = None

    @property
    def turn(self) -> int:
        return self.pads[-1]["turn"]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    found = Browser([], [])

    def pad(key: str, turn: int, start: np.ndarray | None, *, is_example: bool, on_drawn: Any, on_settled: Any) -> None:
        found.pads.append({"turn": turn, "start": start, "example": is_example, "drawn": on_drawn, "rest": on_settled})

    def strip(choices: list[Choice], chosen: str, *, key: str, label: str) -> str | None:
        found.strips.append(([each.name for each in choices], chosen))
        picked, found.picks = found.picks, None
        return None if picked is None else choices[picked].name

    monkeypatch.setattr("pages.components.inspector_picture_drawn.draw_pad", pad)
    monkeypatch.setattr("pages.components.inspector_picture_images.choose_picture_of", strip)
    return found


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, question in {"inspect": inspect, "browse": browse, "split_outcomes": outcomes}.items():
        monkeypatch.setitem(ANSWERS, name, question)
    for name in VIEWS:
        monkeypatch.setitem(VIEWS, name, View(title=name, icon=":material/bolt:", show=show))


@pytest.fixture
def run(store: RunStore, artifacts: Path) -> Run:
    return digit_run(store, artifacts)


def drawing(*points: tuple[int, int]) -> np.ndarray:
    image = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(image).line(points or ((60, 60), (200, 220)), fill=255, width=18)
    return np.asarray(image)


def url(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def reference(pixels: np.ndarray) -> str:
    digit = like_mnist(pixels)
    assert digit is not None
    return f"drawn:{drawing_text(digit)}"


def pictures(asked: Asked) -> list[str]:
    return [request["picture"] for name, request in asked if name == "inspect"]


# The drawing field


@pytest.mark.parametrize("turn", [3, 4])
def test_a_drawing_is_taken_in_its_turn_only(turn: int) -> None:
    sent = {"drawn": {"turn": 3, "png": url(encoded(Image.fromarray(drawing())))}}
    found = read_pad(sent, turn)
    if turn == 4:
        assert found is None
    else:
        np.testing.assert_array_equal(found, drawing())
    assert read_pad(None, 3) is None
    assert read_pad({"drawn": None}, 3) is None
    colors = {"drawn": {"turn": 3, "png": url(encoded(Image.fromarray(drawing()).convert("RGBA")))}}
    np.testing.assert_array_equal(read_pad(colors, 3), drawing())


def bomb() -> bytes:
    """A PNG of 280 × 280 pixels with a compressed text of 100 MB."""
    facts = PngImagePlugin.PngInfo()
    facts.add_text("x", "0" * 100_000_000, zip=True)
    return encoded(Image.new("L", (SIDE, SIDE)), pnginfo=facts)


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (7, "no drawing"),
        ("text", "no drawing"),
        ([], "no drawing"),
        ({}, "no drawing"),
        ({"turn": 1, "png": None}, "no drawing"),
        ({"turn": 1, "png": ["data:image/png;base64,"]}, "no drawing"),
        ({"turn": 1, "png": "data:text/html,<script>"}, "no drawing"),
        ({"turn": 1, "png": "data:image/png;base64," + "A" * LONGEST}, "no drawing"),
        ({"turn": 1, "png": "data:image/png;base64,"}, "damaged"),
        ({"turn": 1, "png": "data:image/png;base64,é%"}, "damaged"),
        ({"turn": 1, "png": url(b"\x89PNG\r\n\x1a\n" + bytes(80))}, "damaged"),
        ({"turn": 1, "png": url(encoded(Image.new("L", (SIDE, SIDE)), "JPEG"))}, "damaged"),
        ({"turn": 1, "png": url(encoded(Image.fromarray(drawing()))[:-40])}, "damaged"),
        ({"turn": 1, "png": url(encoded(Image.new("L", (28, 28))))}, "280 × 280"),
        ({"turn": 1, "png": url(encoded(Image.new("1", (20_000, 20_000))))}, "damaged|280 × 280"),
        ({"turn": 1, "png": url(bomb())}, "damaged"),
    ],
)
def test_what_is_no_drawing_is_one_sentence(sent: object, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read_pad({"drawn": sent}, 1)


def test_the_field_begins_with_a_digit_that_the_first_stroke_replaces(
    app: AppTest, run: Run, browser: Browser, asked: Asked
) -> None:
    look(app)
    assert_clean(app)
    pad = browser.pads[-1]
    np.testing.assert_array_equal(pad["start"], example_digit())
    assert pad["example"]
    assert set(pictures(asked)) == {f"drawn:{drawing_text(example_digit())}"}
    assert "as MNIST would have it" in words(app)


def test_a_link_to_a_drawing_shows_it_and_a_reload_the_same(
    app: AppTest, run: Run, browser: Browser, asked: Asked
) -> None:
    linked = reference(drawing())
    look(app, network=f"run:{run.id}", picture=linked)
    assert_clean(app)
    assert not browser.pads[-1]["example"]
    np.testing.assert_array_equal(browser.pads[-1]["start"], like_mnist(drawing()))
    assert pictures(asked)[-1] == linked
    first = browser.turn
    app.run()
    assert browser.turn == first, "the same picture is no reason to begin anew"
    other = reference(drawing((100, 20), (90, 250)))
    app.query_params["picture"] = other
    app.run()
    assert browser.turn == first + 1
    assert pictures(asked)[-1] == other


@pytest.fixture
def drawn(app: AppTest, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The app, whose field calls back what `sketch` left in the session; AppTest itself cannot operate a component."""

    def draw(look: Look, asked: str) -> str:
        sent = st.session_state.get("test_sent")
        if sent is not None:
            del st.session_state["test_sent"]
            st.session_state["inspector_pad"] = {"drawn": sent}
            browser.pads[-1]["drawn"]()
            if st.session_state["test_rests"]:
                browser.pads[-1]["rest"]()
                asked = str(st.query_params.get("picture", ""))
        return inspector_picture_drawn.draw_digit(look, asked)

    monkeypatch.setattr(inspector_picture_drawn.st, "rerun", lambda scope=None: None)
    monkeypatch.setattr("pages.components.inspector_picture.draw_digit", draw)
    return app


def sketch(app: AppTest, browser: Browser, sent: object, *, rests: bool = False) -> None:
    """Draw the page after a browser has sent this; the pen then rests, or not."""
    app.session_state["test_sent"] = sent
    app.session_state["test_rests"] = rests
    app.run()


def of_turn(browser: Browser, pixels: np.ndarray) -> dict[str, Any]:
    return {"turn": browser.turn, "png": url(encoded(Image.fromarray(pixels)))}


def test_while_one_draws_only_what_is_said_follows_and_the_link_when_the_pen_rests(
    drawn: AppTest, run: Run, browser: Browser, asked: Asked
) -> None:
    look(drawn, network=f"run:{run.id}")
    pixels = drawing()
    sketch(drawn, browser, of_turn(browser, pixels))
    assert_clean(drawn)
    assert pictures(asked)[-1] == reference(pixels)
    assert "picture" not in address(drawn)
    sketch(drawn, browser, of_turn(browser, pixels), rests=True)
    assert address(drawn)["picture"] == reference(pixels)
    assert f"with {reference(pixels)}" in words(drawn)


def test_a_cleared_field_is_no_picture_and_stays_cleared(
    drawn: AppTest, run: Run, browser: Browser, asked: Asked
) -> None:
    look(drawn, network=f"run:{run.id}")
    sketch(drawn, browser, of_turn(browser, np.zeros((SIDE, SIDE), np.uint8)), rests=True)
    drawn.run()
    assert_clean(drawn)
    assert "picture" not in address(drawn)
    assert "Draw or choose a picture" in words(drawn)
    assert browser.pads[-1]["start"] is None


def test_an_older_address_of_the_browser_does_not_undo_a_stroke(
    drawn: AppTest, run: Run, browser: Browser, asked: Asked
) -> None:
    look(drawn, network=f"run:{run.id}")
    first, second = drawing(), drawing((30, 30), (250, 40))
    for pixels in (first, second):
        sketch(drawn, browser, of_turn(browser, pixels), rests=True)
    turn = browser.turn
    drawn.query_params["picture"] = reference(first)
    drawn.run()
    assert browser.turn == turn
    assert pictures(asked)[-1] == reference(second)


def test_what_is_no_drawing_changes_nothing_but_a_sentence(
    drawn: AppTest, run: Run, browser: Browser, asked: Asked
) -> None:
    look(drawn, network=f"run:{run.id}")
    before = pictures(asked)[-1]
    sketch(drawn, browser, {"turn": browser.turn, "png": "data:text/html,<script>"})
    assert not drawn.exception
    assert "is no drawing. Clear it and draw once more." in words(drawn)
    assert pictures(asked)[-1] == before


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
