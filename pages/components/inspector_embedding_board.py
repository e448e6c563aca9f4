"""The points of an embedding as a chart with their images: beside the mouse, and below it for those selected.

All of that happens in the browser, which gets the images once, as one sheet; the page only hears which one is opened.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.answers import Answer
from cnncore.figures.embedding import embedding_chart, points_table
from cnncore.figures.theme import RIGHT, WRONG
from cnncore.images.picture_sheet import sheet_of
from cnncore.runs.artifacts import file_stem
from pages.components.inspector_images import ChosenImages
from pages.components.inspector_link import Look, change_link
from pages.components.live_chart import still_chart

BOARD = "inspector_embedding_board"
_PICTURES = "inspector_embedding_pictures"
_OPENED = "inspector_embedding_opened"


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    css, js = (
        Path(__file__).with_name(f"inspector_embedding_pictures{suffix}").read_text(encoding="utf-8")
        for suffix in (".css", ".js")
    )
    return component("lab_point_pictures", html="<div class='lab-points'></div>", css=css, js=js, isolate_styles=False)


def table_of(answer: Answer) -> pd.DataFrame:
    """The points of an answer, see `points_table`."""
    arrays, data = answer.arrays, answer.data
    return points_table(
        arrays["points"],
        [data["classes"][label] for label in arrays["labels"]],
        [data["says"][said] for said in arrays["predicted"]],
        arrays["confidence"],
        comparable=data["comparable"],
    )


def draw_board(
    look: Look,
    images: ChosenImages,
    answer: Answer,
    table: pd.DataFrame,
    *,
    color: str,
    marked: Sequence[str],
    axes: tuple[str, str],
) -> None:
    """The chart, the images of its points, and the table as a file.

    Args:
        look: The network, and the picture that is ringed if it is among the images.
        images: Whose points these are.
        answer: To the question `embedding`.
        table: Its points.
        color: Key of `COLORINGS`.
        marked: Classes in color.
        axes: Titles of the axes.
    """
    if st.session_state.pop(_OPENED, False):
        # What was opened concerns the whole page.
        st.rerun()
    pictures = picture_names(images, answer)
    chosen = pictures.index(look.picture) if look.picture in pictures else None
    stem = file_stem(look.title, f"{images.split}-embedding")
    with st.container(key=BOARD):
        still_chart(embedding_chart(table, color, marked, axes, chosen), key="inspector_embedding_chart")
        _component()(
            key=_PICTURES,
            data=pictures_content(table, answer, stem),
            on_opened_change=lambda: _open(pictures),
        )
    st.download_button(
        "Points (CSV)",
        table.assign(picture=pictures).to_csv(index_label="row"),
        file_name=f"{stem}.csv",
        icon=":material/table_view:",
        on_click="ignore",
        key="inspector_embedding_csv",
    )


def picture_names(images: ChosenImages, answer: Answer) -> list[str]:
    """What each point's image is called, by `cnncore.images.picture_reference`."""
    places = answer.arrays["places"].tolist()
    names = answer.data["names"] or [""] * len(places)
    return [str(images.reference.picture(images.split, place, name)) for place, name in zip(places, names, strict=True)]


def pictures_content(table: pd.DataFrame, answer: Answer, stem: str) -> bytes:
    """What the browser gets: four bytes with the length of a JSON object, the object, and the sheet of images.

    It does not depend on how the points are colored, so that it is sent once.
    """
    sheet = sheet_of(answer.arrays["thumbnails"])
    rows = zip(table["class"], table["said"], table["probability"], table["right"], strict=True)
    facts = {
        "stem": stem,
        "rows": [
            [name, said, round(100 * float(share), 1), None if pd.isna(right) else bool(right)]
            for name, said, share, right in rows
        ],
        "similar": answer.arrays["similar"].tolist(),
        "sheet": {"columns": sheet.columns, "rows": sheet.rows, "cell": sheet.cell, "side": sheet.side},
        "colors": {"right": RIGHT, "wrong": WRONG},
    }
    text = json.dumps(facts, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return struct.pack("<I", len(text)) + text + sheet.content


def opened_row(state: object, count: int) -> int | None:
    """The row that a browser asked to open; None where it sent nonsense."""
    row = state.get("opened") if isinstance(state, Mapping) else None
    return row if type(row) is int and 0 <= row < count else None


def _open(pictures: Sequence[str]) -> None:
    state: Any = st.session_state.get(_PICTURES)
    row = opened_row(state, len(pictures))
    if row is not None:
        change_link(picture=pictures[row], view="why")
        st.session_state[_OPENED] = True
