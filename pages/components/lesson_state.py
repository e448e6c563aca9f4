"""What a lesson shows, as its link says it: `?lesson=KEY&name=value…`, read field by field, defaults left out."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import streamlit as st
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from cnncore.errors import LabError
from pages.components.wording import plain

KEPT = ("lesson", "hide")
"""Parameters of the address that are not a lesson's own."""
_LIVE = "learn_live"
_LONGEST_SHOWN = 40


class LessonState(BaseModel):
    """What one lesson's link can say: a field each, with its default, its range, and its name as `title`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


State = TypeVar("State", bound=LessonState)


def read_state(model: type[State]) -> State:
    """What the address says, and what a slider that is being dragged says instead.

    A value that cannot be taken is one warning, and the default stands in for it.
    """
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        text = st.query_params.get(name)
        if text is None:
            continue
        try:
            values[name] = getattr(_one(model, name, text), name)
        except (ValidationError, LabError) as error:
            _refuse(name, field, text, error)
    return model(**{**values, **st.session_state.get(_LIVE, {}).get(model.__name__, {})})


def take_live(model: type[LessonState], values: Mapping[Any, Any], *, settled: bool) -> None:
    """Take values from the browser; what cannot be taken is left out.

    Args:
        model: Of the lesson.
        values: By name; they may be hostile.
        settled: Whether they stay: then they are written to the address, each of whose changes the browser's history
            keeps.
    """
    taken: dict[str, Any] = {}
    for name in model.model_fields.keys() & values.keys():
        try:
            taken[name] = getattr(_one(model, name, values[name]), name)
        except (ValidationError, LabError):
            continue
    if settled:
        st.session_state.pop(_LIVE, None)
        change_state(model, **taken)
    else:
        st.session_state[_LIVE] = {model.__name__: taken}


def forget_live() -> None:
    """Nothing is being dragged any more."""
    st.session_state.pop(_LIVE, None)


def change_state(model: type[LessonState], **values: Any) -> None:
    """Write values to the address, those that are the default by leaving them out; one step back in the browser."""
    forget_live()
    found = {name: value for name, value in st.query_params.to_dict().items() if name not in values}
    for name, value in values.items():
        text = as_text(value)
        if text != as_text(model.model_fields[name].default):
            found[name] = text
    if found != st.query_params.to_dict():
        st.query_params.from_dict(found)


def as_text(value: Any) -> str:
    """A value as links have it."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def bound(model: type[LessonState], name: str, value: Any, then: Callable[[], None] | None = None) -> dict[str, Any]:
    """What makes a Streamlit widget show a field and write it to the address: its key and its callback.

    `st.slider("Stride", 1, 4, **bound(ConvolutionState, "stride", state.stride))`

    Args:
        model: Of the lesson.
        name: Of the field.
        value: What it is now.
        then: Called after a change, before the page is drawn again.
    """
    key = f"learn_{model.__name__}_{name}"
    st.session_state[key] = value

    def changed() -> None:
        change_state(model, **{name: st.session_state[key]})
        if then is not None:
            then()

    return {"key": key, "on_change": changed}


def _one(model: type[State], name: str, value: Any) -> State:
    if isinstance(value, str) and typing.get_origin(model.model_fields[name].annotation) is not Literal:
        value = value[:4_096]
    return model.model_validate({name: value})


def _refuse(name: str, field: FieldInfo, text: str, error: Exception) -> None:
    shown = text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
    why = f"{error.message} {error.hint}".strip() if isinstance(error, LabError) else _allowed(field)
    title = field.title or name.replace("_", " ")
    st.warning(plain(f"The link's {title} {shown!r} cannot be taken. {why}"), icon=":material/link_off:")


def _allowed(field: FieldInfo) -> str:
    """What a field takes, in a sentence."""
    if typing.get_origin(field.annotation) is Literal:
        return f"Allowed: {', '.join(map(str, typing.get_args(field.annotation)))}."
    ends = {type(each).__name__: each for each in field.metadata}
    if "Ge" in ends and "Le" in ends:
        return f"Allowed: {ends['Ge'].ge:g} to {ends['Le'].le:g}."
    return "Allowed: true, false." if field.annotation is bool else "Something else is shown."
