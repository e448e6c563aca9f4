"""What a lesson's link says: every kind of field, hostile values, what is dragged, and changes that overtake others."""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Literal

import pytest
import streamlit as st
from pydantic import AfterValidator, Field

from cnncore.errors import ConfigError
from pages.components import lesson_state
from pages.components.lesson_state import (
    LessonState,
    as_text,
    bound,
    change_left,
    change_state,
    forget_live,
    one_of,
    read_state,
    take_told,
)
from pages.components.lessons import STATES
from tests.pages.test_learn import Params


def _even(number: int) -> int:
    if number % 2:
        raise ConfigError("even", "This is odd.", "Take an even number.")
    return number


class Fields(LessonState):
    count: Annotated[int, Field(ge=1, le=9, title="number of layers")] = 3
    share: Annotated[float, Field(ge=0, le=1)] = 0.5
    free: float = 0.0
    kind: Literal["max", "mean"] = "max"
    factor: Literal[1, 2, 4] = 2
    on: bool = False
    even: Annotated[int, AfterValidator(_even)] = 2
    text: Annotated[str, Field(max_length=20)] = ""


@pytest.fixture
def params(monkeypatch: pytest.MonkeyPatch) -> Params:
    """The address, without a browser."""
    found = Params({"lesson": "made"})
    monkeypatch.setattr(st, "query_params", found)
    monkeypatch.setattr(st, "session_state", {})
    return found


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(lesson_state.st, "warning", lambda text, icon: said.append(text))
    return said


def test_values_go_into_the_link_and_come_back(params: Params, warned: list[str]) -> None:
    values = {"count": 9, "share": 0.123456789, "free": -1e-9, "kind": "mean", "factor": 4, "on": True, "even": 4}
    change_state(Fields, **values, text="ä / &=?")
    assert read_state(Fields) == Fields(**values, text="ä / &=?")
    assert (params["factor"], params["on"], params["share"]) == ("4", "true", "0.123456789")
    change_state(Fields, **{name: field.default for name, field in Fields.model_fields.items()})
    assert params == {"lesson": "made"}
    assert read_state(Fields) == Fields()
    assert warned == []


HOSTILE = {
    "count": ("0", "10", "x", "", "1.5", "9" * 5_000, "\0", "٣٣", "1e3", "[1]"),
    "share": ("nan", "inf", "-inf", "1.01", "-1", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")),
    "free": ("nan", "inf", "-inf", "one"),
    "kind": ("Max", "median", "m" * 100_000),
    "factor": ("3", "2.0", "true"),
    "on": ("maybe", "2"),
    "even": ("3",),
    "text": ("x" * 21, "x" * 10_000),
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in HOSTILE.items() for text in texts])
def test_what_cannot_be_taken_is_one_sentence(params: Params, warned: list[str], name: str, text: str) -> None:
    params[name] = text
    params["count" if name != "count" else "even"] = "8"
    state = read_state(Fields)
    assert getattr(state, name) == Fields.model_fields[name].default
    assert getattr(state, "count" if name != "count" else "even") == 8, "the rest of the link must hold"
    assert len(warned) == 1
    assert len(warned[0]) < 250
    assert "cannot be taken" in warned[0]


def test_the_sentence_says_what_is_allowed(params: Params, warned: list[str]) -> None:
    params.update({"count": "12", "kind": "x", "on": "x", "even": "3"})
    read_state(Fields)
    assert warned == [
        "The link's number of layers '12' cannot be taken. Allowed\\: 1 to 9.",
        "The link's kind 'x' cannot be taken. Allowed\\: max, mean.",
        "The link's on 'x' cannot be taken. Allowed\\: true, false.",
        "The link's even '3' cannot be taken. This is odd. Take an even number.",
    ]


def test_a_field_may_take_some_numbers_only(params: Params, warned: list[str]) -> None:
    class Places(LessonState):
        depth: Annotated[int, one_of(range(4, 101, 4))] = 8
        scale: Annotated[float, one_of((0.5, 2.0))] = 2.0

    params.update({"depth": "100", "scale": "0.5"})
    assert read_state(Places) == Places(depth=100, scale=0.5)
    params.update({"depth": "6", "scale": "1"})
    assert read_state(Places) == Places()
    assert warned == [
        "The link's depth '6' cannot be taken. Allowed\\: 4 to 100 in steps of 4.",
        "The link's scale '1' cannot be taken. Allowed\\: 0.5, 2.",
    ]


def test_names_that_the_lesson_does_not_know_are_one_sentence(params: Params, warned: list[str]) -> None:
    params.update({"count": "4", "hide": "idea", "cuont": "5", "x" * 500: "1"})
    assert read_state(Fields).count == 4
    assert len(warned) == 1
    assert "'cuont' and 1 more" in warned[0]


@pytest.mark.parametrize(
    "value", [None, [], [3], {"a": 1}, float("nan"), 10**400, "x", b"3", True, 3.5, "\0", "9" * 10_000]
)
def test_hostile_values_from_the_browser_are_left_out(params: Params, value: Any) -> None:
    take_told(Fields, kept={"even": 8, "share": value if value is not True else 2}, live={})
    assert params == {"lesson": "made", "even": "8"}
    take_told(Fields, kept={}, live={"count": value if value is not True else 0, "nonsense": 1, 7: 1, "kind": "mean"})
    assert read_state(Fields) == Fields(even=8, kind="mean")


WRONG: tuple[Any, ...] = (
    "", "\0", "\ud800", "\u202e٣", "nan", "1e400", "9" * 39, "9" * 4_000, "../" * 300, "kept:\0",
    "drawn:" + "A" * 3_900, "kept:" + "0" * 32, "set:x@1", "run:0", "c1k1g99999999999", ",".join(["1e308"] * 9),
    ";" * 99, None, True, -1, 10**39, 10**400, 1e308, float("nan"), float("inf"), [[]], {"a": {}}, b"3",
)  # fmt: skip


@pytest.mark.parametrize("key", STATES)
def test_no_field_of_any_lesson_takes_or_dies_of_what_is_none_of_its_values(
    params: Params, warned: list[str], key: str
) -> None:
    """Told by a browser that somebody has tampered with, and in a link."""
    model = STATES[key]
    for name, value in itertools.product(model.model_fields, WRONG):
        take_told(model, kept={name: value}, live={name: value})
        read_state(model)
        assert warned == [], f"{name} took {value!r:.50} and could not read it again"
        forget_live()
        params[name] = value if isinstance(value, str) else "x"
        read_state(model)
        assert all(len(said) < 500 for said in warned), f"{name} says too much of {value!r:.50}"
        warned.clear()
        params.from_dict({"lesson": "made"})


def test_what_is_dragged_holds_until_it_is_over_and_is_not_in_the_address(params: Params) -> None:
    take_told(Fields, kept={}, live={"count": 5})
    assert read_state(Fields).count == 5
    assert params == {"lesson": "made"}
    take_told(Fields, kept={"even": 4}, live={"count": 6})
    assert read_state(Fields) == Fields(count=6, even=4)
    assert params == {"lesson": "made", "even": "4"}
    take_told(Fields, kept={"count": 7}, live={})
    assert params == {"lesson": "made", "even": "4", "count": "7"}
    take_told(Fields, kept={}, live={"count": 2})
    forget_live()
    assert read_state(Fields).count == 7


def test_a_change_does_not_undo_one_that_the_browser_has_not_heard_of(params: Params, warned: list[str]) -> None:
    before = params.to_dict()
    change_state(Fields, count=5)
    read_state(Fields)
    params.from_dict(before)
    change_state(Fields, kind="mean")
    assert params == {"lesson": "made", "count": "5", "kind": "mean"}


def test_a_change_after_going_back_goes_on_from_there(params: Params) -> None:
    before = params.to_dict()
    change_state(Fields, count=5)
    read_state(Fields)
    params.from_dict(before)
    assert read_state(Fields) == Fields()
    change_state(Fields, kind="mean")
    assert params == {"lesson": "made", "kind": "mean"}


def test_a_widget_of_a_lesson_that_is_left_changes_nothing(params: Params) -> None:
    widget = bound(Fields, "count", 3)
    st.session_state[widget["key"]] = 6
    params["lesson"] = "other"
    widget["on_change"]()
    assert params == {"lesson": "other"}
    params["lesson"] = "made"
    widget["on_change"]()
    assert params == {"lesson": "made", "count": "6"}


def test_what_comes_with_a_click_on_another_lesson_is_found_on_coming_back(params: Params) -> None:
    st.session_state[lesson_state.LEFT] = {"made": {"count": "4", "even": "6"}}
    change_left(Fields, "made", {"even": 2, "kind": "mean", "share": 7, "nonsense": 1})
    assert st.session_state[lesson_state.LEFT] == {"made": {"count": "4", "kind": "mean"}}
    change_left(Fields, "never opened", {"even": 4})
    assert "never opened" not in st.session_state[lesson_state.LEFT]
    assert params == {"lesson": "made"}


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (0.1, "0.1"), (1e-7, "1e-07"), (3, "3"), ("a", "a")])
def test_values_as_links_have_them(value: object, text: str) -> None:
    assert as_text(value) == text
