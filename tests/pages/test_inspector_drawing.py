"""The drawing field of the Inspector: what is drawn becomes the picture, and what a browser should not send."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image, ImageDraw, PngImagePlugin
from streamlit.testing.v1 import AppTest

from cnncore.errors import DataError
from cnncore.images.drawing import drawing_text, example_digit, like_mnist
from cnncore.runs.store import Run
from pages.components import inspector_picture_drawn
from pages.components.digit_pad import LONGEST, SIDE, read_pad
from pages.components.inspector_link import Look
from tests.images.pictures import encoded
from tests.pages.conftest import address, assert_clean
from tests.pages.inspector_lab import Asked, Browser, browser, fakes, look, pictures, run
from tests.pages.transfer_runs import words

__all__ = ["browser", "fakes", "run"]
pytestmark = pytest.mark.usefixtures("fakes")


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
