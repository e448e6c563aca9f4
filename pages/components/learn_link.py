"""Which lesson is open and what of it is hidden, as the link says it, and the way from lesson to lesson."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from cnncore.lessons.contents import LESSONS
from pages.components.lesson_state import KEPT, LEFT, SHOWN, current_address, forget_live, hide_asked, lesson_named
from pages.components.lessons import STATES
from pages.components.links import address
from pages.components.wording import plain

HIDEABLE = {
    "contents": "the contents",
    "idea": "the explanation",
    "controls": "the controls",
    "task": "the task",
    "answer": "the answer",
}
"""Parts of the page that a link can leave out, in `hide=`, with commas between."""
_CARRIED = "learn_carried"
_PICTURE = "picture"
_FIRST = next(iter(LESSONS))


def lesson_asked() -> str:
    """Key of the lesson that the address names; the first one where it names none."""
    asked = st.query_params.get("lesson", "")
    if asked and asked not in LESSONS:
        st.warning(plain(f"There is no lesson {asked[:40]!r}; allowed: {', '.join(LESSONS)}."))
    found = lesson_named()
    if st.session_state.get(SHOWN) != found:
        # By the browser's own buttons, maybe in the middle of dragging.
        forget_live()
        st.session_state[SHOWN] = found
    return found


def hidden() -> frozenset[str]:
    """The parts that the address leaves out."""
    return frozenset(hide_asked()) & HIDEABLE.keys()


def warn_of_hidden() -> None:
    """Say what the address wants to hide and cannot."""
    if unknown := [part for part in hide_asked() if part not in HIDEABLE]:
        st.warning(plain(f"A link cannot hide {unknown[0][:40]!r}; it can hide {', '.join(HIDEABLE)}."))


def open_lesson(key: str) -> None:
    """Go to a lesson as it was left in this session; the picture one looks at goes along to where there is one."""
    params = current_address()
    before = params.get("lesson", _FIRST)
    left: dict[str, dict[str, str]] = st.session_state.setdefault(LEFT, {})
    left[before] = {name: value for name, value in params.items() if name in _fields(before)}
    forget_live()
    if _PICTURE in _fields(before):
        st.session_state[_CARRIED] = params.get(_PICTURE)
    found = {"lesson": key, **left.get(key, {})}
    if _PICTURE in _fields(key) and (carried := st.session_state.get(_CARRIED)):
        found[_PICTURE] = carried
    if params.get("hide"):
        found["hide"] = params["hide"]
    st.query_params.from_dict(found)


def _fields(lesson: str) -> Collection[str]:
    return STATES[lesson].model_fields


@st.fragment
def draw_share(lesson: str) -> None:
    """The button with the link to exactly what is shown, for a class without some parts of the page."""
    opened = st.popover("Share", icon=":material/link:", type="tertiary", key="learn_share", on_change="rerun")
    if not opened.open:
        return
    with opened:
        st.caption("Opens this lesson with the figure exactly as it is now.")
        chosen = st.multiselect(
            "Hide in it",
            list(HIDEABLE),
            default=sorted(hidden(), key=list(HIDEABLE).index),
            format_func=HIDEABLE.__getitem__,
            key="learn_share_hide",
        )
        params = {name: value for name, value in current_address().items() if name not in KEPT}
        params = {"lesson": lesson, **params, **({"hide": ",".join(chosen)} if chosen else {})}
        st.code(address(st.context.url or "", params), language=None, wrap_lines=True)
        if params.get(_PICTURE, "").startswith("kept:"):
            st.caption("Your own picture is kept on this server as long as it is looked at now and then.")
