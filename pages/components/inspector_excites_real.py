"""What the real images were that excited the unit looked at last, to stand beside the image made for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnncore.answers import Answer
from cnncore.figures.exciting import stacked
from pages.components.inspector_excites_target import Target
from pages.components.inspector_link import Look

_REAL = "inspector_excites_real"
_COUNT = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Real:
    """The strongest real places of a unit: of which, their patches uint8 (n, s, s, 3), and the largest value."""

    of: tuple[str, str, str, int]
    patches: np.ndarray
    value: float


def keep_real(look: Look, target: Target, answer: Answer) -> None:
    """Keep the first patches of an answer that has some."""
    st.session_state[_REAL] = Real(
        of=_name(look, target),
        patches=stacked(list(answer.arrays["patches"][:_COUNT])),
        value=answer.data["patches"][0]["value"],
    )


def real_of(look: Look, target: Target) -> Real | None:
    """Those of a unit, if they were looked at last."""
    real = st.session_state.get(_REAL)
    return real if isinstance(real, Real) and real.of == _name(look, target) else None


def _name(look: Look, target: Target) -> tuple[str, str, str, int]:
    return look.network, look.stamp, target.layer, target.unit
