"""The view 'errors' of the Inspector: where the network errs, in parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.components.inspector_errors_cases import show_confusions, show_mistakes, show_unsure
from pages.components.inspector_errors_images import Judged, choose_judged
from pages.components.inspector_errors_overview import show_overview
from pages.components.inspector_errors_robustness import show_robustness
from pages.components.inspector_link import Look, change_link, param
from pages.components.wording import plain

_KEY = "inspector_errors_part"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the view."""

    title: str
    show: Callable[[Judged], None]


PARTS: dict[str, Part] = {
    "overview": Part(title="Overview", show=show_overview),
    "confusions": Part(title="Confusions", show=show_confusions),
    "mistakes": Part(title="Most confident mistakes", show=show_mistakes),
    "unsure": Part(title="Least certain", show=show_unsure),
    "robustness": Part(title="Robustness", show=show_robustness),
}


def show_errors(look: Look) -> None:
    """Draw this view."""
    part = _choose_part()
    judged = choose_judged(look)
    if judged is not None:
        part.show(judged)


def _choose_part() -> Part:
    asked = param("part")
    current = asked if asked in PARTS else next(iter(PARTS))
    if asked and asked != current:
        st.warning(f"There is no part {plain(repr(asked[:40]))} here; allowed: {', '.join(PARTS)}.")
    st.session_state[_KEY] = current
    st.segmented_control(
        "Part",
        list(PARTS),
        required=True,
        format_func=lambda name: PARTS[name].title,
        key=_KEY,
        label_visibility="collapsed",
        wrap=True,
        on_change=lambda: change_link(part=st.session_state[_KEY]),
    )
    return PARTS[current]
