"""Learn: every lesson opens, hides what its link hides, says what it cannot take, and leads on."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cnncore.lessons.contents import LESSONS
from pages.components import lesson_state
from pages.components.learn_lesson import HIDE_CONTROLS
from pages.components.learn_link import HIDEABLE, open_lesson
from pages.components.lesson_state import as_text, read_state
from pages.components.lessons import FIGURES, STATES
from pages.components.links import read_link
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.lesson_answers import LESSON_ANSWERS

PICTURED = [key for key in LESSONS if "picture" in STATES[key].model_fields]
BAD = "\0bad"


@pytest.fixture(autouse=True)
def _answered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, answer in LESSON_ANSWERS.items():
        monkeypatch.setitem(ANSWERS, name, answer)


def learn(app: AppTest, **params: str) -> AppTest:
    app.switch_page("pages/learn.py")
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


class Params(dict[str, str]):
    def to_dict(self) -> dict[str, str]:
        return dict(self)

    def from_dict(self, values: Mapping[str, str]) -> None:
        self.clear()
        self.update(values)


@pytest.fixture
def visited(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The address, without a browser."""
    params = Params()
    monkeypatch.setattr(st, "query_params", params)
    monkeypatch.setattr(st, "session_state", {})
    return params


def components(app: AppTest) -> set[str]:
    """Names of the components on the page that are not Streamlit's."""
    return {element.proto.component_name for element in app.get("bidi_component")}


def test_every_lesson_has_a_figure() -> None:
    assert list(FIGURES) == list(STATES) == list(LESSONS)


@pytest.mark.parametrize("key", LESSONS)
def test_a_lesson_is_whole(key: str) -> None:
    lesson = LESSONS[key]
    assert all((lesson.title, lesson.idea, lesson.task, lesson.answer))
    link = read_link(lesson.train)
    assert not link.problems
    # What a laptop without an accelerator is done with in minutes.
    config = link.config
    assert config.data.dataset == "mnist5k" or (config.data.train_images or 50_000) * config.training.epochs <= 20_000
    assert all(any(letter.isdigit() for letter in source) for source in lesson.sources), "a source without its year"


@pytest.mark.parametrize("key", LESSONS)
def test_every_lesson_opens(app: AppTest, key: str) -> None:
    learn(app, lesson=key)
    assert_clean(app)
    assert [warning.value for warning in app.warning] == []
    place = list(LESSONS).index(key) + 1
    assert app.header[0].value == f"{place}. {LESSONS[key].title}"
    texts = [element.value for element in app.markdown]
    assert LESSONS[key].idea in texts
    assert LESSONS[key].answer in texts


@pytest.mark.parametrize("key", LESSONS)
def test_a_lesson_with_everything_hidden_and_every_value_wrong(app: AppTest, key: str) -> None:
    fields = STATES[key].model_fields
    learn(app, lesson=key, hide=",".join(HIDEABLE), **dict.fromkeys(fields, BAD))
    assert not app.exception
    texts = [element.value for element in app.markdown]
    lesson = LESSONS[key]
    assert not {lesson.idea, lesson.answer, f"**Try this.** {lesson.task}"} & set(texts)
    assert "lab_learn_rail" not in components(app)
    refused = [warning.value for warning in app.warning if "cannot be taken" in warning.value]
    # What takes any text says in the figure's place that it cannot read it.
    assert len(refused) + len(app.error) >= len(fields)
    assert not [error.value for error in app.error if "did not expect" in error.value]


@pytest.mark.parametrize(("key", "name"), [(key, name) for key in LESSONS for name in STATES[key].model_fields])
def test_a_field_comes_out_of_a_link_as_it_went_in(
    visited: Params, monkeypatch: pytest.MonkeyPatch, key: str, name: str
) -> None:
    said: list[str] = []
    monkeypatch.setattr(lesson_state.st, "warning", lambda text, icon: said.append(text))
    model, default = STATES[key], STATES[key].model_fields[name].default
    visited["lesson"] = key
    if default is not None:
        visited[name] = as_text(default)
        assert getattr(read_state(model), name) == default
        assert said == []
    visited[name] = BAD
    found = getattr(read_state(model), name)
    assert (len(said), found) in ((1, default), (0, BAD))


@pytest.mark.parametrize("part", HIDEABLE)
def test_a_part_is_hidden_alone(app: AppTest, part: str) -> None:
    lesson = LESSONS["pooling"]
    learn(app, lesson="pooling", hide=part)
    texts = [element.value for element in app.markdown]
    seen = {
        "contents": "lab_learn_rail" in components(app),
        "idea": lesson.idea in texts,
        "controls": not any(HIDE_CONTROLS in element.value for element in app.html),
        "task": f"**Try this.** {lesson.task}" in texts,
        "answer": lesson.answer in texts,
    }
    assert seen == {name: name != part and (name, part) != ("answer", "task") for name in HIDEABLE}
    assert address(app) == {"lesson": "pooling", "hide": part}


def test_what_cannot_be_hidden_and_what_is_no_lesson_is_told_once(app: AppTest) -> None:
    learn(app, lesson="po<b>oling", hide="idea,menu")
    said = [warning.value for warning in app.warning]
    assert len(said) == 2
    assert said[0].startswith("There is no lesson")
    assert "'menu'" in said[1]
    assert "contents" in said[1]
    assert app.header[0].value.startswith("1. ")


def test_next_leads_through_all_lessons(app: AppTest) -> None:
    learn(app, hide="contents,idea")
    found = []
    for key in LESSONS:
        assert address(app).get("lesson", next(iter(LESSONS))) == key
        found.append(app.header[0].value)
        if key != list(LESSONS)[-1]:
            app.button(key="learn_after").click().run()
    assert len(set(found)) == len(LESSONS)
    assert address(app)["hide"] == "contents,idea"
    assert "learn_after" not in {button.key for button in app.button}
    app.button(key="learn_before").click().run()
    assert address(app)["lesson"] == list(LESSONS)[-2]


def test_a_lesson_is_found_as_it_was_left(visited: Params) -> None:
    visited.from_dict({"lesson": "pooling", "right": "3", "nonsense": "1", "hide": "answer"})
    open_lesson("size")
    assert visited == {"lesson": "size", "hide": "answer"}
    open_lesson("pooling")
    assert visited == {"lesson": "pooling", "right": "3", "hide": "answer"}


def test_the_picture_goes_along_to_where_there_is_one(visited: Params) -> None:
    without = [key for key in LESSONS if key not in PICTURED]
    others = [key for key in PICTURED if key != "pooling"]
    visited.from_dict({"lesson": "pooling", "picture": "flower"})
    for key in without:
        open_lesson(key)
        assert "picture" not in visited
    for key in others:
        open_lesson(key)
        assert visited["picture"] == "flower"
    visited.from_dict({"lesson": "pooling"})
    for key in others:
        # The default picture of one lesson is no choice.
        open_lesson(key)
        assert visited.get("picture") == "flower"
