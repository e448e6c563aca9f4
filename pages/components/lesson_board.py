"""A lesson's figure: numbers from `cnncore.lessons`, drawn and browsed in the browser by `lesson_<name>.js`.

Every figure's script is preceded by `lesson_board*.js`, which hold what they share: sliders that tell the server while
they are dragged, a player, grids of numbers with a keyboard, lines, colors of the theme and of paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.figures.feature_maps import palette
from pages.components.inspector_maps_tiles import packed
from pages.components.lesson_state import LessonState, change_left, hide_asked, lesson_named, take_told

SHARED = ("board", *(f"board_{part}" for part in ("formats", "grid", "lines", "numbers", "picture", "walk")))
"""Scripts that every figure's own one is preceded by, `lesson_<name>.js`."""
_HERE = Path(__file__).parent
_TYPES = {"u1": np.uint8, "i2": np.int16, "f4": np.float32, "i4": np.int32}


@st.cache_resource(show_spinner=False)
def _component(name: str) -> ComponentRenderer:
    js = "\n".join((_HERE / f"lesson_{part}.js").read_text(encoding="utf-8") for part in (*SHARED, name))
    sheets = [_HERE / f"lesson_{part}.css" for part in ("board", name)]
    css = "\n".join(path.read_text(encoding="utf-8") for path in sheets if path.is_file())
    html = "<div class='lab-board'></div>"
    return component(f"lab_lesson_{name}", html=html, css=css, js=js, isolate_styles=False)


def draw_board(
    name: str, state: LessonState, data: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None
) -> None:
    """Draw a lesson's figure.

    Its script gets the state's fields, the data and the arrays. What it tells comes back through the state's model and
    is written to the address once it has settled.

    Args:
        name: Of the script, `lesson_<name>.js`.
        state: What the lesson shows.
        data: What JSON can say.
        arrays: Numbers by name: uint8, int16, float32 or int32; others become float32.
    """
    model = type(state)
    key = f"learn_board_{name}"
    lesson = lesson_named()

    def told() -> None:
        found = st.session_state[key].get("told")
        if not isinstance(found, Mapping):
            return
        kept, live = (each if isinstance(each, Mapping) else {} for each in (found.get("kept"), found.get("live")))
        if lesson_named() == lesson:
            take_told(model, kept=kept, live=live)
        else:
            # It came together with the click that leads to another lesson.
            change_left(model, lesson, kept)

    found = getattr(st.session_state.get(key), "told", None)
    count = found.get("count") if isinstance(found, Mapping) else 0
    bodies = {each: _plain(array) for each, array in (arrays or {}).items()}
    header = {
        "data": dict(data),
        "state": state.model_dump(mode="json"),
        "count": count if type(count) is int else 0,  # of what was told and is answered by this
        "arrays": [[each, array.dtype.str[1:], list(array.shape)] for each, array in bodies.items()],
        "fixed": "controls" in hide_asked(),
        "palette": palette().ravel().tolist(),
    }
    _component(name)(key=key, data=packed(header, _aligned(bodies.values())), on_told_change=told)


def _plain(array: np.ndarray) -> np.ndarray:
    kept = array.dtype.str[1:] in _TYPES
    return np.ascontiguousarray(array if kept else array.astype(np.float32))


def _aligned(arrays: Iterable[np.ndarray]) -> Sequence[np.ndarray]:
    """Each array's bytes, filled up so that the next one begins at a multiple of four."""
    return [np.frombuffer(array.tobytes() + b"\0" * (-array.nbytes % 4), np.uint8) for array in arrays]
