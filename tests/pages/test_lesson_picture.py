"""The picture of a lesson: samples, a person's own in every way of giving one, and what is refused."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from cnncore.images.drawing import drawing_text, example_digit, like_mnist
from cnncore.images.kept_pictures import keep_picture
from cnncore.lessons.pictures import SAMPLES
from pages.components.digit_pad import SIDE
from pages.components.lesson_picture_own import OPENED, SOURCE
from tests.images.pictures import encoded, picture, png
from tests.pages.conftest import address, assert_clean

PILLS = "learn_PoolingState_picture"
DRAWN = f"drawn:{drawing_text(example_digit())}"


def opened(app: AppTest, **params: str) -> AppTest:
    """A lesson with a picture, by a link."""
    app.switch_page("pages/learn.py")
    for name, value in {"lesson": "pooling", **params}.items():
        app.query_params[name] = value
    return app.run()


def giving(app: AppTest, way: str, **params: str) -> AppTest:
    """The lesson with the choice of a person's own picture open."""
    app.session_state[OPENED] = True
    app.session_state[SOURCE] = way
    return opened(app, **params)


def url(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def captions(app: AppTest) -> str:
    return " ".join(each.value for each in app.caption)


def choices(app: AppTest) -> list[str]:
    return list(app.button_group(key=PILLS).options)


def errors(app: AppTest) -> str:
    assert not app.exception
    return " ".join(each.value for each in app.error)


def test_every_sample_says_where_it_comes_from(app: AppTest) -> None:
    opened(app)
    for name, sample in SAMPLES.items():
        app.button_group(key=PILLS).set_value(name).run()
        assert_clean(app)
        assert sample.words in captions(app)


def test_an_own_picture_is_a_choice_once_there_is_one(app: AppTest) -> None:
    assert choices(opened(app)) == [each.title for each in SAMPLES.values()]
    assert choices(opened(app, picture=DRAWN)) == [*(each.title for each in SAMPLES.values()), "Your own"]


def test_while_somebody_draws_no_choice_comes_up_that_would_move_the_field(app: AppTest) -> None:
    app = giving(app, "draw")
    app.query_params["picture"] = DRAWN
    app.run()
    assert_clean(app)
    assert "Your own" not in choices(app)
    app.session_state[OPENED] = False
    app.run()
    assert app.button_group(key=PILLS).value == "own"


def test_a_file_becomes_the_picture_and_stays_at_hand_beside_the_samples(app: AppTest, artifacts: Path) -> None:
    app = giving(app, "file")
    app.file_uploader(key="learn_own_file").upload("../../cat.png", png(3)).run()
    assert_clean(app)
    own = address(app)["picture"]
    assert own.startswith("kept:")
    assert not app.session_state[OPENED]
    assert "The middle square of your picture, made 16 × 16 pixels." in captions(app)
    app.button_group(key=PILLS).set_value("flower").run()
    assert address(app)["picture"] == "flower"
    app.button_group(key=PILLS).set_value("own").run()
    assert_clean(app)
    assert address(app)["picture"] == own
    assert not app.session_state[OPENED]


def test_a_square_is_not_cut(app: AppTest, artifacts: Path) -> None:
    kept = keep_picture(artifacts, encoded(picture(1, 30, 30)), "square")
    assert "Your picture, made 16 × 16 pixels." in captions(opened(app, picture=f"kept:{kept}"))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "known format"),
        ("broken.png", png(1)[:-60], "broken.png"),
        ("empty.png", b"", "empty.png"),
        ("text.jpg", "Dear teacher,".encode("utf-16"), "known format"),
        ("bomb.png", encoded(Image.new("1", (40_000, 40_000))), "bomb.png"),
    ],
)
def test_what_is_no_picture_is_one_sentence_and_the_picture_stays(
    app: AppTest, name: str, content: bytes, sentence: str
) -> None:
    app = giving(app, "file", picture="flower")
    app.file_uploader(key="learn_own_file").upload(name, content).run()
    assert sentence in errors(app)
    assert len(app.error) == 1
    assert address(app)["picture"] == "flower"
    assert app.session_state[OPENED]
    app.button_group(key=SOURCE).set_value("draw").run()
    assert_clean(app)


@pytest.mark.parametrize("name", ["evil.svg", "run.exe"])
def test_other_endings_never_reach_the_lab(app: AppTest, name: str) -> None:
    app = giving(app, "file")
    allowed = app.file_uploader(key="learn_own_file").proto.type
    assert Path(name).suffix not in allowed
    assert ".png" in allowed


@pytest.fixture
def pasting(monkeypatch: pytest.MonkeyPatch) -> Callable[[AppTest, object], None]:
    """Pastes what a browser would send: AppTest cannot operate the field."""
    sent: list[object] = []

    def box(key: str, on_pasted: Callable[[], None]) -> None:
        st.session_state[key] = {"picture": sent[-1] if sent else None}
        st.button("paste", key="test_paste", on_click=on_pasted)

    def paste(app: AppTest, content: object) -> None:
        sent.append(content)
        app.run()
        app.button(key="test_paste").click().run()

    monkeypatch.setattr("pages.components.lesson_picture_own.paste_box", box)
    return paste


def test_the_clipboard_becomes_the_picture(app: AppTest, pasting: Callable[[AppTest, object], None]) -> None:
    app = giving(app, "paste")
    pasting(app, url(png(5)))
    assert_clean(app)
    assert address(app)["picture"].startswith("kept:")


def test_a_hostile_clipboard_is_one_sentence(app: AppTest, pasting: Callable[[AppTest, object], None]) -> None:
    app = giving(app, "paste", picture="flower")
    for sent in (17, "data:text/html;base64,AAAA", "data:image/png;base64,é", url(b"<svg/>")):
        pasting(app, sent)
        assert len(app.error) == 1
        assert "pasted" in errors(app)
        assert address(app)["picture"] == "flower"


class Pad:
    """Draws what a browser would send."""

    def __init__(self) -> None:
        self.turn = 0
        self.start: np.ndarray | None = None
        self.sent: object = None

    def __call__(
        self, key: str, turn: int, start: np.ndarray | None, *, is_example: bool, on_drawn: object, on_settled: object
    ) -> None:
        self.turn, self.start = turn, start
        st.session_state[key] = {"drawn": self.sent}
        st.button("draw", key="test_draw", on_click=on_drawn)  # pyright: ignore[reportArgumentType]
        st.button("rest", key="test_rest", on_click=on_settled)  # pyright: ignore[reportArgumentType]

    def draw(self, app: AppTest, sent: object, *, rests: bool) -> None:
        self.sent = sent
        app.run()
        app.button(key="test_rest" if rests else "test_draw").click().run()

    def of_turn(self, pixels: np.ndarray) -> dict[str, object]:
        return {"turn": self.turn, "png": url(encoded(Image.fromarray(pixels)))}


@pytest.fixture
def pad(monkeypatch: pytest.MonkeyPatch) -> Pad:
    found = Pad()
    monkeypatch.setattr("pages.components.lesson_picture_own.draw_pad", found)
    return found


def stroke(*points: tuple[int, int]) -> np.ndarray:
    image = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(image).line(points, fill=255, width=18)
    return np.asarray(image)


def named(pixels: np.ndarray) -> str:
    digit = like_mnist(pixels)
    assert digit is not None
    return f"drawn:{drawing_text(digit)}"


def test_the_figure_follows_a_stroke_and_the_link_once_the_pen_rests(app: AppTest, pad: Pad) -> None:
    app = giving(app, "draw")
    assert pad.start is None
    first = stroke((60, 60), (200, 220))
    pad.draw(app, pad.of_turn(first), rests=False)
    assert_clean(app)
    assert "picture" not in address(app)
    assert "A digit, scaled and centered" in captions(app)
    pad.draw(app, pad.of_turn(first), rests=True)
    assert address(app)["picture"] == named(first)
    turn = pad.turn
    second = stroke((60, 60), (200, 220), (20, 250))
    pad.draw(app, pad.of_turn(second), rests=False)
    assert pad.turn == turn, "the strokes stay in the field"
    app.button_group(key=SOURCE).set_value("file").run()
    assert address(app)["picture"] == named(second), "what was drawn last is not lost"
    app.button_group(key=SOURCE).set_value("draw").run()
    np.testing.assert_array_equal(pad.start, like_mnist(second))


@pytest.mark.parametrize("empty", [True, False])
def test_an_empty_or_damaged_drawing_leaves_the_picture(app: AppTest, pad: Pad, empty: bool) -> None:
    app = giving(app, "draw", picture="flower")
    blank = pad.of_turn(np.zeros((SIDE, SIDE), np.uint8))
    pad.draw(app, blank if empty else blank | {"png": "data:text/html,<script>"}, rests=True)
    assert address(app)["picture"] == "flower"
    assert not app.exception
    assert len(app.error) == (0 if empty else 1)


def test_a_drawing_is_its_own_link(app: AppTest) -> None:
    opened(app, picture=DRAWN)
    assert_clean(app)
    assert app.button_group(key=PILLS).value == "own"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("kept:" + "0" * 32, "not kept any more"),
        ("drawn:AAAA", "no whole drawing"),
        ("drawn:" + "A" * 9_000, "There is no picture named"),
        ("data:mnist:train:3", "no pictures of data sets"),
        ("kept:../../secret", "There is no picture named"),
        ("<script>", "There is no picture named"),
    ],
)
def test_a_link_without_its_picture_is_one_sentence_and_shows_the_first(
    app: AppTest, asked: str, sentence: str
) -> None:
    opened(app, picture=asked, right="2")
    assert_clean(app)
    assert len(app.warning) == 1
    assert sentence in app.warning[0].value
    assert app.button_group(key=PILLS).value == "digit"
    assert address(app)["right"] == "2"


def test_a_picture_that_was_tidied_away_is_no_choice_any_more(app: AppTest, artifacts: Path) -> None:
    kept = keep_picture(artifacts, png(9), "soon gone")
    opened(app, picture=f"kept:{kept}")
    app.button_group(key=PILLS).set_value("flower").run()
    (artifacts / "pictures" / f"{kept}.png").unlink()
    app.run()
    assert_clean(app)
    assert "Your own" not in choices(app)
    assert address(app)["picture"] == "flower"
