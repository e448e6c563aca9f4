"""The maps of a picture, one card a method, each filling in when it is there; its error stands in its card."""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from cnncore.answers import Answer
from cnncore.images.heat_map import Picture, reach
from cnncore.runs.artifacts import file_stem
from pages.components.inspector_answers import answer_of
from pages.components.inspector_why_link import Wish
from pages.components.inspector_why_methods import METHODS
from pages.components.inspector_why_networks import Explained
from pages.components.inspector_why_pictures import Map, bar, csv, drawn, figure, png, source

_LEAST_PX = 230
_CLOSE_PERCENT = 5.0


def show_row(row: Explained, wish: Wish, *, words: bool) -> None:
    """A card for each method.

    Args:
        row: What is explained.
        wish: The methods, and how they are shown.
        words: Whether each card says what its method does.
    """
    with st.grid(min_column_width=_LEAST_PX, gap="small", border=True, key=f"why_cards_{_safe(row)}"):
        for method in wish.methods:
            with st.container(key=f"why_card_{_safe(row)}_{method}"):
                _show_card(row, method, wish, words=words)


def _safe(row: Explained) -> str:
    return row.look.network.replace(":", "_")


def _show_card(row: Explained, method: str, wish: Wish, *, words: bool) -> None:
    spec = METHODS[method]
    st.markdown(f"**{spec.title}**")
    request = {**row.look.request, **wish.request(method), "target": row.target}
    if method == "gradcam" and row.layer:
        request["layer"] = row.layer
    place = f"why_{row.look.network}_{method}"
    with st.container(key=f"why_slot_{_safe(row)}_{method}"):
        answer = answer_of(place, "attribution", request, words="Computing…")
        if answer is not None:
            _show_map(row, method, wish, answer)
    if words:
        source_words = html.escape(spec.source)
        st.html(
            f"<div class='lab-note'>{html.escape(spec.shows)} <small>({source_words})</small></div>"
            f"<div class='lab-note' style='margin-top:.35rem'><b>Cannot tell:</b> {html.escape(spec.silent)}</div>"
        )


def _show_map(row: Explained, method: str, wish: Wish, answer: Answer) -> None:
    pixels, values, signed = answer.arrays["pixels"], answer.arrays["map"], bool(answer.data["signed"])
    manner: Mapping[str, Any] = {"signed": signed, "show": wish.show, "opacity": wish.opacity}
    alt = f"{METHODS[method].title} for {row.name} by {row.look.title}"
    shown = figure(source(pixels, values, **manner), alt)
    end = reach(values)
    low, high = (f"against: −{end:.2g}", f"for {row.name}: {end:.2g}") if signed else ("little", f"much: {end:.2g}")
    meaning = "" if wish.show == "picture" else bar(low, high, signed=signed)
    st.html(f"{shown}{meaning}{_facts(answer, end)}")
    stem = file_stem(f"{row.name}-{row.look.title}", method)
    key = f"why_{{}}_{_safe(row)}_{method}"
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "PNG",
            partial(_png, pixels, values, manner),
            file_name=f"{stem}-{wish.show}.png",
            mime="image/png",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            key=key.format("png"),
            help="The picture as it is shown here.",
        )
        st.download_button(
            "CSV",
            partial(csv, values),
            file_name=f"{stem}.csv",
            mime="text/csv",
            icon=":material/table_view:",
            type="tertiary",
            on_click="ignore",
            key=key.format("csv"),
            help="The values of the map, one line a row of pixels.",
        )


def _png(pixels: Picture, values: Map, manner: Mapping[str, Any]) -> bytes:
    return png(drawn(pixels, values, **manner))


def _facts(answer: Answer, end: float) -> str:
    facts: list[str] = []
    if answer.data.get("layer"):
        facts.append(f"Layer {answer.data['layer']}.")
    if answer.data.get("completeness"):
        facts.append(completeness_words(answer.data["completeness"]))
    if not end:
        facts.append("The map is empty: no place counts for this class.")
    told = html.escape(" ".join(facts))
    return f"<div class='lab-note lab-numbers' style='margin-top:.35rem'>{told}</div>" if told else ""


def completeness_words(facts: Mapping[str, Any]) -> str:
    """Whether integrated gradients add up: their sum, what it should be, and what to do about the rest."""
    rise = facts["image"] - facts["baseline"]
    told = (
        f"All places add up to {_number(facts['attributed'])}; the score rose by {_number(rise)}, from "
        f"{_number(facts['baseline'])} for the even picture to {_number(facts['image'])}."
    )
    gap = facts["gap_percent"]
    if gap is None:
        return f"{told} The score hardly changed, so there is little to share out."
    if gap <= _CLOSE_PERCENT:
        return f"{told} That is {gap:.1f} % off: close."
    return f"{told} That is {gap:.0f} % off: take more steps."


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
