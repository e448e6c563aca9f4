"""What a lesson shows, as its link says it: `?lesson=KEY&name=value…`, read field by field, defaults left out."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeVar

import streamlit as st
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from cnncore.errors import ConfigError, LabError
from cnncore.lessons.contents import LESSONS
from pages.components.wording import plain

KEPT = ("lesson", "hide")
"""Parameters of the address that are not a lesson's own."""
SHOWN, LEFT = "learn_shown", "learn_left"
"""Where the session keeps the lesson that the page shows, and by lesson the parameters with which it was left."""
_LIVE, _WRITTEN = "learn_live", "learn_written"
_LONGEST_SHOWN = 40
_LONGEST_TEXT = 4_096
_MOST_NAMED = 12


class LessonState(BaseModel):
    """What one lesson's link can say: a field each, with its default, its range, and its name as `title`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


State = TypeVar("State", bound=LessonState)


def one_of(values: Sequence[float]) -> AfterValidator:
    """What makes a field take some numbers only, such as the places of a slider: `Annotated[int, one_of(SIDES)]`."""
    if isinstance(values, range) and len(values) > _MOST_NAMED:
        allowed = f"{values[0]} to {values[-1]} in steps of {values.step}"
    else:
        allowed = ", ".join(f"{each:g}" for each in values)

    def check(value: float) -> float:
        if value not in values:
            raise ConfigError("value", f"Allowed: {allowed}.")
        return value

    return AfterValidator(check)


def hide_asked() -> list[str]:
    """The parts of the page that the address wants to leave out, also such as there are not."""
    return [part.strip() for part in st.query_params.get("hide", "").split(",") if part.strip()]


def lesson_named() -> str:
    """Key of the lesson that the address names; the first one where it names none."""
    asked = st.query_params.get("lesson", "")
    return asked if asked in LESSONS else next(iter(LESSONS))


def read_state(model: type[State]) -> State:
    """What the address says, and what a slider that is being dragged says instead.

    A value that cannot be taken is one warning, and the default stands in for it; so are names that no field has.
    """
    if st.session_state.get(SHOWN, lesson_named()) != lesson_named():
        # What a figure tells and a click on another lesson can come as one, and then only the figure is drawn again.
        st.rerun()
    params = st.query_params.to_dict()
    if params == st.session_state.get(_WRITTEN, (None, None))[0]:
        # Somebody went back in the browser.
        del st.session_state[_WRITTEN]
    _refuse_names([name for name in params if name not in (*KEPT, *model.model_fields)])
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        text = params.get(name)
        if text is None:
            continue
        try:
            values[name] = getattr(_one(model, name, text), name)
        except (ValidationError, LabError) as error:
            _refuse(name, field, text, error)
    return model(**{**values, **st.session_state.get(_LIVE, {}).get(model.__name__, {})})


def take_told(model: type[LessonState], *, kept: Mapping[Any, Any], live: Mapping[Any, Any]) -> None:
    """Take values from the browser by their names; they may be hostile, and what cannot be taken is left out.

    Args:
        model: Of the lesson.
        kept: What stays: it is written to the address, each of whose changes the browser's history keeps.
        live: What is being dragged, all of it; it holds until the next call.
    """
    change_state(model, **_taken(model, kept))
    st.session_state[_LIVE] = {model.__name__: _taken(model, live)}


def _taken(model: type[LessonState], values: Mapping[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in model.model_fields.keys() & values.keys():
        with suppress(ValidationError, LabError):
            found[name] = getattr(_one(model, name, values[name]), name)
    return found


def forget_live() -> None:
    """Nothing is being dragged any more."""
    st.session_state.pop(_LIVE, None)


def current_address() -> dict[str, str]:
    """The parameters of the address, with what was written to it a moment ago.

    A browser that has not heard of the last change yet sends the address before it along with the next one, which
    would undo the first.
    """
    params = st.query_params.to_dict()
    before, after = st.session_state.get(_WRITTEN, (None, None))
    return dict(after) if after is not None and params == before else params


def change_state(model: type[LessonState], **values: Any) -> None:
    """Write values to the address, those that are the default by leaving them out; one step back in the browser."""
    forget_live()
    before = current_address()
    found = _changed(model, before, values)
    if found != before:
        st.session_state[_WRITTEN] = (before, found)
    if found != st.query_params.to_dict():
        st.query_params.from_dict(found)


def change_left(model: type[LessonState], lesson: str, values: Mapping[Any, Any]) -> None:
    """Change what a lesson is found with when somebody comes back to it, by values from the browser."""
    left: dict[str, dict[str, str]] = st.session_state.get(LEFT, {})
    if lesson in left:
        left[lesson] = _changed(model, left[lesson], _taken(model, values))


def _changed(model: type[LessonState], params: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
    found = {name: text for name, text in params.items() if name not in values}
    texts = {name: as_text(value) for name, value in values.items()}
    return found | {name: text for name, text in texts.items() if text != as_text(model.model_fields[name].default)}


def as_text(value: Any) -> str:
    """A value as links have it."""
    return (
        str(value).lower() if isinstance(value, bool) else f"{value:.12g}" if isinstance(value, float) else str(value)
    )


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
    lesson = st.query_params.get("lesson")

    def changed() -> None:
        if st.query_params.get("lesson") != lesson:
            return
        change_state(model, **{name: st.session_state[key]})
        if then is not None:
            then()

    return {"key": key, "on_change": changed}


def choose_view(state: LessonState, titles: Mapping[str, str]) -> None:
    """Draw the choice among the views of a figure, by the values of the state's field `view`."""
    with st.container(key="learn_controls_view"):
        st.segmented_control(
            "What to look at",
            list(titles),
            required=True,
            format_func=titles.__getitem__,
            label_visibility="collapsed",
            **bound(type(state), "view", dict(state)["view"]),
        )


def _one(model: type[State], name: str, value: Any) -> State:
    annotation = model.model_fields[name].annotation
    if isinstance(value, str):
        value = value[:_LONGEST_TEXT]
        if typing.get_origin(annotation) is Literal:
            # What is no text is text in a link.
            value = {as_text(each): each for each in typing.get_args(annotation)}.get(value, value)
    return model.model_validate({name: value})


def _refuse_names(names: list[str]) -> None:
    if not names:
        return
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    text = f"This lesson knows no {_shortened(names[0])!r}{more}, which the link names; the rest of the link holds."
    st.warning(plain(text), icon=":material/link_off:")


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _refuse(name: str, field: FieldInfo, text: str, error: Exception) -> None:
    why = f"{error.message} {error.hint}".strip() if isinstance(error, LabError) else _allowed(field)
    title = field.title or name.replace("_", " ")
    st.warning(plain(f"The link's {title} {_shortened(text)!r} cannot be taken. {why}"), icon=":material/link_off:")


def _allowed(field: FieldInfo) -> str:
    """What a field takes, in a sentence."""
    if typing.get_origin(field.annotation) is Literal:
        return f"Allowed: {', '.join(map(str, typing.get_args(field.annotation)))}."
    ends = {type(each).__name__: each for each in field.metadata}
    if "Ge" in ends and "Le" in ends:
        return f"Allowed: {ends['Ge'].ge:g} to {ends['Le'].le:g}."
    return "Allowed: true, false." if field.annotation is bool else "Something else is shown."
