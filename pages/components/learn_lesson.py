"""One lesson on the page: its idea, its figure, what to try with the answer, and where it leads."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from cnncore.lessons.contents import LESSONS
from pages.components.lab import shown_errors
from pages.components.learn_link import open_lesson
from pages.components.lessons import FIGURES
from pages.components.navigation import TRAIN

HIDE_CONTROLS = """<style>
.lab-board-controls, .lab-board-slider, .lab-board-player, .lab-board-button, .lab-stack-mends,
[class*="st-key-learn_controls"], [data-testid="stLayoutWrapper"]:has(> [class*="st-key-learn_controls"]) {
  display: none !important; }
</style>"""
"""What hides whatever changes a figure; fields within figures are fixed by the board."""


def answer_key(lesson: str) -> str:
    """Where the session keeps whether a lesson's answer is shown."""
    return f"learn_answer_{lesson}"


def is_answered(lesson: str) -> bool:
    """Whether the answer to the lesson's task is shown."""
    return bool(st.session_state.get(answer_key(lesson), False))


def draw_lesson(key: str, hidden: frozenset[str]) -> None:
    """Draw a lesson without what is hidden."""
    lesson = LESSONS[key]
    keys = list(LESSONS)
    place = keys.index(key)
    st.html(_style() + (HIDE_CONTROLS if "controls" in hidden else ""))
    with st.container(key="learn_lesson"):
        st.header(f"{place + 1}. {lesson.title}", anchor=False)
        if "idea" not in hidden:
            st.markdown(lesson.idea)
        with st.container(key="learn_figure", border=True):
            _draw_figure(key)
        if "task" not in hidden:
            _draw_task(key, with_answer="answer" not in hidden)
        if lesson.sources:
            st.caption(f"Sources: {'; '.join(lesson.sources)}.")
        _draw_ways(key, keys[place - 1] if place else "", keys[place + 1] if place + 1 < len(keys) else "")


@st.cache_resource(show_spinner=False)
def _style() -> str:
    return f"<style>{Path(__file__).with_suffix('.css').read_text(encoding='utf-8')}</style>"


@st.fragment
def _draw_figure(key: str) -> None:
    with shown_errors():
        FIGURES[key]()


def _draw_task(key: str, *, with_answer: bool) -> None:
    lesson = LESSONS[key]
    with st.container(key="learn_task", border=True):
        st.markdown(f"**Try this.** {lesson.task}")
        if with_answer:
            with st.expander("Answer", key=answer_key(key), on_change="rerun"):
                st.markdown(lesson.answer)


def _draw_ways(key: str, before: str, after: str) -> None:
    """To the neighbors, and to the Train page with what goes with the lesson."""
    train = LESSONS[key].train
    with st.container(
        key="learn_ways", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        if before:
            st.button(
                LESSONS[before].title,
                key="learn_before",
                icon=":material/arrow_back:",
                type="tertiary",
                on_click=open_lesson,
                args=(before,),
            )
        if train:
            st.page_link(
                TRAIN,
                label=f"Train with this (about {LESSONS[key].train_time})",
                icon=":material/model_training:",
                query_params=dict(train),
                width="content",
            )
        if after:
            st.button(
                f"Next: {LESSONS[after].title}",
                key="learn_after",
                icon=":material/arrow_forward:",
                icon_position="right",
                type="primary",
                on_click=open_lesson,
                args=(after,),
            )
