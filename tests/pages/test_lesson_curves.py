"""The lesson on reading curves: cases, answers and their explanations, all of it in the link."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.config import TrainConfig, flatten
from cnncore.lessons.curves import BASE, CASES, DIAGNOSES
from cnncore.lessons.recordings import read_recorded
from pages.components.lesson_curves import MOST_EPOCHS, drawn, train_params
from pages.components.links import read_link
from tests.pages.conftest import address

KEYS = list(CASES)


@pytest.fixture
def lesson(app: AppTest):
    def opened(**params: Any) -> AppTest:
        app.switch_page("pages/learn.py")
        app.query_params["lesson"] = "curves"
        for name, value in params.items():
            app.query_params[name] = str(value)
        app.run()
        assert not app.exception
        assert not app.error
        return app

    return opened


def words(app: AppTest) -> str:
    shown = [*app.markdown, *app.success, *app.warning, *app.caption]
    return "\n".join(each.value for each in shown)


def test_nothing_is_given_away_before_one_answers(lesson) -> None:
    app = lesson()
    assert "What to do" not in words(app)
    assert "Case: 0 of 10 answered, 0 right" in [each.label for each in app.segmented_control]


@pytest.mark.parametrize("place", range(len(CASES)))
def test_the_right_answer_is_right_and_explained(lesson, place: int) -> None:
    case = CASES[KEYS[place]]
    app = lesson(case=place + 1)
    app.pills(key=f"learn_curves_answer_{place + 1}").set_value(case.answer).run()
    assert not app.exception
    assert address(app)["said"] == "." * place + case.answer
    assert f"Right: {DIAGNOSES[case.answer].name}" in words(app)
    assert case.fix in words(app)
    assert "1 of 10 answered, 1 right" in str([each.label for each in app.segmented_control])


def test_a_wrong_answer_is_told_and_the_other_ones_stay(lesson) -> None:
    app = lesson(case=2, said="fine")
    app.pills(key="learn_curves_answer_2").set_value("leak").run()
    assert address(app)["said"] == "fine.leak"
    assert "No: this is over-fitting" in words(app)
    assert DIAGNOSES["leak"].sign in words(app)
    assert "2 of 10 answered, 1 right" in str([each.label for each in app.segmented_control])


def test_answers_with_something_in_them_get_words_of_their_own(lesson) -> None:
    app = lesson(case=8, said=".......over")
    assert CASES["h"].nearly["over"] in words(app)


def test_the_next_case_keeps_the_answers(lesson) -> None:
    app = lesson(case=1, said="fine", epoch=3)
    app.button(key="learn_curves_next").click().run()
    assert address(app)["case"] == "2"
    assert address(app)["said"] == "fine"
    assert "epoch" not in address(app)


def test_the_last_case_has_no_next_one(lesson) -> None:
    app = lesson(case=10, said=".........fine")
    assert "learn_curves_next" not in [each.key for each in app.button]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("case", "11", "Allowed: 1 to 10"),
        ("case", "x", "Allowed: 1 to 10"),
        ("said", "fine.<b>", "is no diagnosis"),
        ("said", "." * 10 + "fine", "There are 10 cases"),
        ("epoch", "-1", f"Allowed: 0 to {MOST_EPOCHS}"),
    ],
)
def test_what_a_link_cannot_say_is_one_sentence(lesson, name: str, value: str, told: str) -> None:
    app = lesson(**{"case": 3, name: value} if name != "case" else {name: value})
    assert [each.value for each in app.warning if told in each.value.replace("\\", "")]
    assert len(app.warning) == 1


@pytest.mark.parametrize("key", CASES)
@pytest.mark.parametrize("marked", [False, True])
def test_what_is_drawn_fits_its_axes(key: str, marked: bool) -> None:
    found = read_recorded().recordings[key]
    data, arrays = drawn(CASES[key], found, marked=marked)
    assert (data["band"] is not None) == marked
    axis = data["loss"]
    low, high = axis["range"]
    for name in ("train_loss", "val_loss"):
        assert (arrays[name] <= high).all()
        assert (arrays[name] >= low).all()
    steps = arrays["step_loss"][np.isfinite(arrays["step_loss"])]
    assert steps.min() >= low
    assert steps.max() <= 1.2 * high or axis["beyond"] == steps.max()
    assert axis["log"] == (found.highest_loss > 100)
    shares = np.concatenate((arrays["train_accuracy"], arrays["val_accuracy"]))
    assert ((shares >= data["accuracy"][0]) & (shares <= 100)).all()
    assert found.num_epochs <= MOST_EPOCHS


@pytest.mark.parametrize("key", CASES)
def test_the_train_page_gets_exactly_what_was_recorded(key: str) -> None:
    case, found = CASES[key], read_recorded().recordings[key]
    params = train_params(case, found)
    assert (params is None) == bool(case.tampered)
    if params is None:
        return
    link = read_link(params)
    assert link.problems == ()
    wanted = flatten(TrainConfig()) | {**BASE, **case.settings}
    assert flatten(link.config) == wanted
