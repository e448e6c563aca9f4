"""The Inspector's questions: put in pieces where they take long, with a word on how far they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from cnncore.answers import Answer
from pages.components.inspector_link import Look
from pages.components.lab import show_problem
from pages.components.run_words import percent
from pages.components.waiting import Reply, inquire

PREDICTION = "inspector_prediction"
"""The part of the page that says what the network makes of the picture, and its question's place."""
_PATIENCE_S = 120.0
_STROKE_S = 0.3
"""Longest time that drawing waits for what a network says: whoever draws should not see an older answer first."""


def ask_prediction(look: Look) -> Reply:
    """What the network says of the picture, as far as it is known; two parts of the page show it."""
    return inquire(PREDICTION, "inspect", look.request, timeout_s=_PATIENCE_S, patience_s=_STROKE_S)


def answer_of(
    place: str, name: str, request: Mapping[str, Any], *, words: str = "Computing…", quiet: bool = False
) -> Answer | None:
    """The whole answer to a question; until it is there None, with a bar or an error drawn here.

    Call it inside `fill_in`, which draws again until everything is answered.

    Args:
        place: Name of the card that asks; it has one question at a time.
        name: Key of the table of questions.
        request: What is asked for.
        words: What is going on, beside the bar.
        quiet: Whether nothing is drawn while waiting.
    """
    reply = inquire(place, name, request, timeout_s=_PATIENCE_S, is_part=is_part)
    if reply.error is not None:
        show_problem(reply.error)
        return None
    if reply.pending:
        if not quiet:
            _show_wait(reply.answer, words)
        return None
    return reply.answer


def newest_answer(
    place: str, name: str, request: Mapping[str, Any], *, words: str, fits: Callable[[Answer], bool]
) -> tuple[Answer | None, bool]:
    """Likewise for a question that is answered at once; and whether it is the answer to this very question.

    While it is on its way, the last answer is returned where it `fits` what is drawn, so that nothing jumps: show it
    in a container whose key begins with `waiting_`, which dims it.
    """
    reply = inquire(place, name, request, timeout_s=_PATIENCE_S)
    if reply.error is not None:
        show_problem(reply.error)
        return None, True
    if reply.pending and (reply.answer is None or not fits(reply.answer)):
        _show_wait(None, words)
        return None, False
    return reply.answer, not reply.pending


def is_part(answer: Answer) -> bool:
    """Whether an answer only says how far its work is."""
    return bool(answer.data.get("pending"))


def _show_wait(part: Answer | None, words: str) -> None:
    if part is not None and is_part(part) and part.data["total"]:
        share = min(part.data["done"] / part.data["total"], 1.0)
        st.progress(share, text=f"{words} {percent(share, 0)}")
    else:
        st.progress(0.0, text=words)
