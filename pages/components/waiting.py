"""Asks the service without making a page wait: what is not answered at once fills in when it is.

A card asks under the name of its place. While a new question of that place is on its way, the card keeps showing the
last answer, dimmed; a question that was replaced before its turn is never asked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.answers import Answer
from cnncore.ask import TIMEOUT_S, ask
from cnncore.errors import LabError
from pages.components.lab import shown_errors

PATIENCE_S = 0.12
"""A warm service answers most questions within this time, so that nothing needs to be drawn twice."""
_FIRST_DRAWN = time.monotonic() + 1.0
"""When the first page of this server should be out: until then the service, which loads torch, would hold it up."""
RETRY_S, _LONGEST_RETRY_S = 5.0, 600.0
"""After a failure a question waits this long, after each further one twice as long: it may be what ends the service."""
_FIRST_LOOK_MS, _LAST_LOOK_MS = 250, 2_000
_PART_LOOK_MS = 400
"""Work that comes in parts stands still between two questions."""
_QUESTIONS = "waiting_questions"

_ALARM_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  // Streamlit calls this again for new data, without having called what the last call returned.
  parentElement.endAlarm?.();
  let alarm;
  const set = (delay) => {
    clearTimeout(alarm);
    alarm = setTimeout(ring, delay);
  };
  // Of two parts whose alarms ring in the same moment Streamlit hears only one, so each rings until it is answered,
  // which replaces or removes it; at a random time, or the two would ring together for ever.
  const ring = () => {
    setTriggerValue('rung', data.look);
    set(data.delay + 500 + 1000 * Math.random());
  };
  // A look that reaches the server while a click leads to another page is drawn onto that page and breaks it
  // ("Bad delta path"), so it waits until the click has had its effect.
  const wait = () => set(data.delay + 3000);
  const kinds = ['pointerdown', 'keydown'];
  kinds.forEach((kind) => window.addEventListener(kind, wait, true));
  set(data.delay);
  parentElement.endAlarm = () => {
    clearTimeout(alarm);
    kinds.forEach((kind) => window.removeEventListener(kind, wait, true));
  };
  return parentElement.endAlarm;
}
"""


@dataclass
class _Question:
    text: str
    future: Future[Answer]
    asked: float
    last: Answer | None = None
    shown_open: bool = False
    """Whether the present drawing shows it as not answered yet."""
    goes_on: bool = False
    """Whether it has been answered in part before."""
    failures: int = 0
    """How often it has failed before, one after the other."""


@dataclass(frozen=True)
class Reply:
    """What is known at the moment.

    Attributes:
        answer: The answer, or the last one of this place while the new one is on its way.
        error: Why there is none.
        pending: Whether the answer to the present question is still on its way.
    """

    answer: Answer | None = None
    error: LabError | None = None
    pending: bool = False


@st.cache_resource(show_spinner=False)
def _pool() -> ThreadPoolExecutor:
    # The threads only wait for the service, which answers one question at a time.
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="ask")


def inquire(
    place: str,
    name: str,
    request: Mapping[str, Any],
    *,
    max_age_s: float = 3_600.0,
    timeout_s: float = TIMEOUT_S,
    is_part: Callable[[Answer], bool] = lambda answer: False,
    patience_s: float | None = None,
) -> Reply:
    """Ask the service the question `name`, or look whether it has answered.

    Args:
        place: Name of the card that asks; it has one question at a time.
        name: Key of the table of questions.
        request: What is asked for.
        max_age_s: Seconds after which the same question is asked again.
        timeout_s: Seconds after which an answer is not waited for any longer.
        is_part: Whether an answer is only a part of the work; then the question is put again for the rest of it.
        patience_s: Seconds that drawing waits for the answer, where not the usual ones.
    """
    questions: dict[str, _Question] = st.session_state.setdefault(_QUESTIONS, {})
    text = json.dumps([name, request], sort_keys=True)
    before = questions.get(place)
    if before is None or before.text != text or _is_stale(before, max_age_s) or _has_part(before, is_part):
        if before is not None:
            before.future.cancel()
        cold: Future[Any] = Future()
        questions[place] = _Question(
            text,
            _pool().submit(
                ask,
                name,
                dict(request),
                timeout_s=timeout_s,
                before_start=lambda: _hold_back(cold),
            ),
            time.monotonic(),
            _answer_of(before) if before else None,
            goes_on=before is not None and before.text == text and _has_part(before, is_part),
            failures=before.failures + 1 if before and before.text == text and _has_failed(before) else 0,
        )
        patience_s = PATIENCE_S if patience_s is None else patience_s
        wait_for((questions[place].future, cold), timeout=patience_s, return_when=FIRST_COMPLETED)
    reply = _reply(questions[place])
    if reply.answer is not None and not reply.pending and is_part(reply.answer):
        questions[place].shown_open = True
        return Reply(reply.answer, pending=True)
    return reply


def _hold_back(cold: Future[Any]) -> None:
    """Say that the service is not up, so that drawing does not wait for it; it starts once the first page is out."""
    if not cold.done():
        cold.set_result(None)
    time.sleep(max(0.0, _FIRST_DRAWN - time.monotonic()))


def _has_part(question: _Question, is_part: Callable[[Answer], bool]) -> bool:
    """Whether the question has been answered in part."""
    done = question.future.done() and not question.future.cancelled() and question.future.exception() is None
    return done and is_part(question.future.result())


def _is_stale(question: _Question, max_age_s: float) -> bool:
    longest_s = min(RETRY_S * 2**question.failures, _LONGEST_RETRY_S) if _has_failed(question) else max_age_s
    return question.future.done() and time.monotonic() - question.asked > longest_s


def _has_failed(question: _Question) -> bool:
    return question.future.done() and not question.future.cancelled() and question.future.exception() is not None


def _answer_of(question: _Question) -> Answer | None:
    """The newest answer a place has had."""
    future = question.future
    known = future.done() and not future.cancelled() and future.exception() is None
    return future.result() if known else question.last


def _reply(question: _Question) -> Reply:
    if not question.future.done():
        question.shown_open = True
        return Reply(question.last, pending=True)
    error = question.future.exception()
    if error is None:
        return Reply(question.future.result())
    if isinstance(error, LabError):
        # What the service itself could not do for the moment is tried again; what a person must mend is not.
        question.shown_open = type(error) is LabError
        return Reply(error=error)
    raise error


@st.cache_resource(show_spinner=False)
def _alarm() -> ComponentRenderer:
    return component("lab_alarm", html="<span></span>", js=_ALARM_JS)


def part_key(part: str) -> str:
    """Name of a part's fragment, for `st.rerun` in callbacks."""
    return f"part_{part}"


def fill_in(part: str, draw: Callable[[], None]) -> None:
    """Draw a part of the page that inquires; until everything is answered it, and nothing else, is drawn again.

    Drawing the whole page again instead would replace what its first drawing told the inputs to hold, before a browser
    that still loads their code has seen it.

    Args:
        part: Name of the part.
        draw: Draws it; its widgets redraw the part only.
    """
    looks = f"waiting_{part}_looks"
    st.session_state[looks] = 0

    @st.fragment(key=part_key(part))
    def drawn() -> None:
        with shown_errors():
            questions: dict[str, _Question] = st.session_state.setdefault(_QUESTIONS, {})
            for question in questions.values():
                question.shown_open = False
            draw()
            pending = [question for question in questions.values() if question.shown_open]
            if pending:
                st.session_state[looks] += 1
                longest_ms = _PART_LOOK_MS if any(question.goes_on for question in pending) else _LAST_LOOK_MS
                delay_ms = min(_FIRST_LOOK_MS * st.session_state[looks], longest_ms)
                data = {"look": st.session_state[looks], "delay": delay_ms}
                with st.container(key=f"alarm_{part}"):
                    _alarm()(key=f"alarm_{part}_clock", data=data, on_rung_change=lambda: None)

    drawn()
