"""The figures of the lesson on sizes: how many windows fit into a row, and a stack of layers to build."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
import streamlit as st
from pydantic import AfterValidator, Field

from cnncore.errors import DataError
from cnncore.lessons import window_sizes
from cnncore.lessons.pictures import SAMPLES
from cnncore.lessons.stack_mends import SIZES, mends
from cnncore.lessons.stack_presets import STACK_PRESETS
from cnncore.lessons.stack_text import FIELDS, RANGES, parse_stack, stack_text
from cnncore.lessons.stacks import MOST_LAYERS, Row, build_stack
from pages.components.lesson_board import draw_board
from pages.components.lesson_state import LessonState, read_state

MOST_CHANNELS = 512
_PICTURE_SIDE = 64
_START = STACK_PRESETS["lenet"]
_N, _K, _P, _S, _D = window_sizes.RANGES.values()


def _canonical(text: str) -> str:
    """A stack as links have it.

    Raises:
        ConfigError: if it cannot be read.
    """
    return stack_text(parse_stack(text))


class WindowState(LessonState):
    """What the link says of the row of pixels and its window."""

    n: Annotated[int, Field(ge=_N[0], le=_N[1], title="number of pixels n")] = 28
    k: Annotated[int, Field(ge=_K[0], le=_K[1], title="kernel k")] = 5
    p: Annotated[int, Field(ge=_P[0], le=_P[1], title="padding p")] = 0
    s: Annotated[int, Field(ge=_S[0], le=_S[1], title="stride s")] = 2
    d: Annotated[int, Field(ge=_D[0], le=_D[1], title="dilation d")] = 1
    place: Annotated[int, Field(ge=-1, le=_N[1] + 2 * _P[1] - 1, title="chosen place")] = -1


class SizeState(WindowState):
    """What the link says, the stack with it."""

    stack: Annotated[str, AfterValidator(_canonical), Field(title="stack")] = _START.stack
    size: Annotated[int, Field(ge=SIZES[0], le=SIZES[1], title="size of the input")] = _START.size
    channels: Annotated[int, Field(ge=1, le=MOST_CHANNELS, title="channels of the input")] = _START.channels
    row: Annotated[int, Field(ge=-1, le=MOST_LAYERS - 1, title="chosen layer")] = -1


def show_size() -> None:
    """Draw the figures."""
    state = read_state(SizeState)
    tables = window_sizes.size_tables()
    draw_board(
        "size",
        # Of its own part only, so that the tables are not sent again while the stack is edited.
        WindowState(**state.model_dump(include=set(WindowState.model_fields))),
        {"ranges": window_sizes.RANGES, "noRoom": window_sizes.NO_ROOM, "problem": window_sizes.PROBLEM},
        {"outputs": tables.outputs, "room": tables.room, "left": tables.left_over},
    )
    st.markdown("**A stack of layers**")
    draw_board("size_stack", state, stack_data(state), {"picture": _picture(state.channels)})


def stack_data(state: SizeState) -> dict[str, Any]:
    """What the builder shows: every layer with what comes out of it, totals, where it breaks and what mends it."""
    layers = parse_stack(state.stack)
    stack = build_stack((state.channels, state.size, state.size), layers)
    return {
        "layers": [asdict(layer) for layer in layers],
        "rows": [_row_data(row) for row in stack.rows],
        "params": stack.params,
        "macs": stack.macs,
        "broken": stack.broken_at,
        "problem": str(stack.problem) if stack.problem else "",
        "mends": [
            {"words": mend.words, "stack": stack_text(mend.layers), "size": mend.size}
            for mend in mends(state.channels, state.size, layers)
        ],
        "fields": FIELDS,
        "ranges": RANGES,
        "sizes": SIZES,
        "mostChannels": MOST_CHANNELS,
        "most": MOST_LAYERS,
        "presets": [asdict(preset) for preset in STACK_PRESETS.values()],
    }


def _row_data(row: Row) -> dict[str, Any]:
    return {
        "shape": row.out_shape,
        "formula": row.formula,
        "params": row.params,
        "macs": row.macs,
        "sees": row.field.size if row.field else 0,
        "seen": row.middle_seen or (),
    }


@st.cache_data(show_spinner=False)
def _picture(channels: int) -> np.ndarray:
    """What the input is drawn with, uint8 (side, side, 3)."""
    try:
        pixels = SAMPLES["digit" if channels == 1 else "palace"].load(_PICTURE_SIDE)
    except DataError:
        pixels = SAMPLES["shapes"].load(_PICTURE_SIDE)
    return np.ascontiguousarray(np.broadcast_to(pixels, (_PICTURE_SIDE, _PICTURE_SIDE, 3)))
