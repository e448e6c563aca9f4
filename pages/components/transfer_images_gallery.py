"""A page of an image set's thumbnails that can be selected: as pictures, or as a table for who cannot use those.

The browser holds the selection and tells it a moment after it has changed; only one page of images is ever sent.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.errors import LabError
from cnncore.figures.image_set import PARTS
from cnncore.figures.theme import SPLIT_COLORS
from cnncore.images.image_set import ImageRecord
from cnncore.images.store import ImageSets
from pages.components.wording import bytes_text

PAGE_SIZE = 60
"""Tiles of a page: some 400 kB of thumbnails, drawn at once."""
_SHORT = {"train": "train", "validation": "val", "test": "test"}


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    css, js = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".css", ".js"))
    return component("lab_gallery", html="<div class='lab-gallery'></div>", css=css, js=js, isolate_styles=False)


def pick_pictures(
    sets: ImageSets, set_id: str, records: Sequence[ImageRecord], *, key: str, turn: int, label: str, empty: str
) -> tuple[int, ...]:
    """Show thumbnails; returns the keys of those that are selected.

    Args:
        sets: Where the images are.
        set_id: Their set.
        records: At most `PAGE_SIZE` of its images.
        key: Name of the gallery on the page.
        turn: A number whose change ends the selection.
        label: What is shown, for those who cannot see it.
        empty: What stands there when there is no image.
    """
    data = {
        "turn": turn,
        "label": label,
        "empty": empty,
        "colors": SPLIT_COLORS,
        "tiles": [_tile(sets, set_id, record) for record in records],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    _component()(key=key, data=text, on_picked_change=lambda: None)
    return read_picked(st.session_state.get(key), turn, records)


def read_picked(state: object, turn: int, records: Sequence[ImageRecord]) -> tuple[int, ...]:
    """The selected keys that a browser sent: those of this turn and this page; nothing where it sent nonsense."""
    picked = state.get("picked") if isinstance(state, Mapping) else None
    if not isinstance(picked, dict) or picked.get("turn") != turn or not isinstance(picked.get("keys"), list):
        return ()
    asked = {key for key in picked["keys"] if type(key) is int}
    return tuple(record.key for record in records if record.key in asked)


def pick_rows(sets: ImageSets, set_id: str, records: Sequence[ImageRecord], *, key: str, turn: int) -> tuple[int, ...]:
    """The same as a table: one row an image, selected by check boxes; returns the selected keys."""
    table = pd.DataFrame(
        {
            "Image": [image_source(sets, set_id, record) for record in records],
            "Name": [record.name for record in records],
            "Class": [record.label for record in records],
            "Split": [PARTS["excluded"] if record.excluded else PARTS[record.split] for record in records],
            "Pixels": [f"{record.width:,} × {record.height:,}" for record in records],
            "Size": [bytes_text(record.num_bytes) for record in records],
        }
    )
    name = f"{key}_{turn}"
    st.dataframe(
        table,
        hide_index=True,
        key=name,
        on_select="rerun",
        selection_mode="multi-row",
        column_config={"Image": st.column_config.ImageColumn(width="small")},
        row_height=48,
        height=min(620, 52 + 48 * max(1, len(records))),
    )
    rows = st.session_state.get(name, {}).get("selection", {}).get("rows", [])
    return tuple(records[row].key for row in rows if 0 <= row < len(records))


def _tile(sets: ImageSets, set_id: str, record: ImageRecord) -> dict[str, object]:
    place = PARTS["excluded"] if record.excluded else PARTS[record.split]
    size = f"{record.width:,} × {record.height:,} pixels, {bytes_text(record.num_bytes)}"
    return {
        "key": record.key,
        "src": image_source(sets, set_id, record),
        "label": record.label,
        "split": record.split,
        "splitName": _SHORT[record.split],
        "excluded": record.excluded,
        "words": f"{record.name}: {record.label}, {place}, {size}",
    }


def image_source(sets: ImageSets, set_id: str, record: ImageRecord) -> str:
    """The thumbnail as a data URL; nothing where the file is gone, since the other images can still be worked on."""
    try:
        content = sets.thumbnail(set_id, record)
    except LabError:
        return ""
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
