"""Which lesson is open and what of it is hidden, as the link says it, and the way from lesson to lesson."""

from __future__ import annotations

import streamlit as st

from cnncore.lessons.contents import LESSONS
from pages.components.lesson_state import KEPT, forget_live
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
_LEFT = "learn_left"
_PICTURE = "picture"


def lesson_asked() -> str:
    """Key of the lesson that the address names; the first one where it names none."""
    asked = st.query_params.get("lesson", "")
    if asked and asked not in LESSONS:
        st.warning(plain(f"There is no lesson {asked[:40]!r}; allowed: {', '.join(LESSONS)}."))
    return asked if asked in LESSONS else next(iter(LESSONS))


def hidden() -> frozenset[str]:
    """The parts that the address leaves out."""
    asked = [part for part in st.query_params.get("hide", "").split(",") if part]
    if unknown := [part for part in asked if part not in HIDEABLE]:
        st.warning(plain(f"A link cannot hide {unknown[0][:40]!r}; it can hide {', '.join(HIDEABLE)}."))
    return frozenset(asked) & HIDEABLE.keys()


def open_lesson(key: str) -> None:
    """Go to a lesson as it was left in this session; the picture one looks at goes along."""
    params = st.query_params.to_dict()
    left: dict[str, dict[str, str]] = st.session_state.setdefault(_LEFT, {})
    left[params.get("lesson", next(iter(LESSONS)))] = {
        name: value for name, value in params.items() if name not in KEPT
    }
    forget_live()
    found = {"lesson": key, **left.get(key, {})}
    if _PICTURE in params:
        found[_PICTURE] = params[_PICTURE]
    if params.get("hide"):
        found["hide"] = params["hide"]
    st.query_params.from_dict(found)


@st.fragment
def draw_share() -> None:
    """The button with the link to exactly what is shown, for a class without some parts of the page."""
    opened = st.popover("Share", icon=":material/link:", type="tertiary", key="learn_share", on_change="rerun")
    if not opened.open:
        return
    with opened:
        st.caption("Opens this lesson with the figure exactly as it is now.")
        parts = st.multiselect("Hide in it", list(HIDEABLE), format_func=HIDEABLE.__getitem__, key="learn_share_hide")
        params = {name: value for name, value in st.query_params.to_dict().items() if name != "hide"}
        params = {"lesson": lesson_asked()} | params | ({"hide": ",".join(parts)} if parts else {})
        st.code(address(st.context.url or "", params), language=None, wrap_lines=True)
        if params.get(_PICTURE, "").startswith("kept:"):
            st.caption("Your own picture is kept on this server as long as it is looked at now and then.")
