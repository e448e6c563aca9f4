"""The weights of a run as ONNX: made on demand by a process of its own, offered with how far it is from PyTorch."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnncore.runs.artifacts import WEIGHTS, file_stem, run_dir
from cnncore.runs.onnx_files import ONNX, failure, onnx_card, start_onnx
from cnncore.runs.store import Run
from pages.components.clicks import clicked
from pages.components.lab import artifacts, shown_errors, store
from pages.components.wording import bytes_text, plain

_LOOK_S = 1.0


@st.cache_resource(show_spinner=False)
def _makers() -> dict[str, subprocess.Popen[bytes]]:
    """The processes at work, by run, for all who watch it."""
    return {}


def show_onnx(run: Run) -> None:
    """A button that prepares the file, then one that downloads it; nothing for a run without weights."""
    if (run_dir(artifacts(), run.id) / WEIGHTS).is_file():
        st.fragment(_draw, run_every=_LOOK_S if _is_made(run.id) else None)(run.id, _is_made(run.id))


def _is_made(run_id: str) -> bool:
    maker = _makers().get(run_id)
    return maker is not None and maker.poll() is None


def _draw(run_id: str, was_made: bool) -> None:
    with shown_errors(), st.container(horizontal=True, vertical_alignment="center", key="run_onnx"):
        if was_made and not _is_made(run_id):
            st.rerun()
        card = onnx_card(run_dir(artifacts(), run_id))
        if was_made:
            st.button("Preparing ONNX…", icon=":material/hourglass_top:", disabled=True, key="run_onnx_wait")
            st.caption("Exported and compared with PyTorch, which takes some seconds to a minute.", width="stretch")
        elif card is not None:
            _offer(run_id, card)
        else:
            _offer_to_make(run_id)


def _offer(run_id: str, card: Mapping[str, Any]) -> None:
    path = run_dir(artifacts(), run_id) / ONNX
    st.download_button(
        f"Weights (ONNX, {bytes_text(card['bytes'])})",
        path.read_bytes,
        file_name=f"{file_stem(store().get(run_id).name, run_id)}.onnx",
        icon=":material/deployed_code:",
        on_click="ignore",
        key="run_onnx_get",
    )
    images = f"{card['num_real']} real and {card['num_random']} random images"
    st.caption(
        plain(
            f"Its logits differ from PyTorch's by at most {card['max_difference']:.1g}, the largest being "
            f"{card['largest_output']:.3g}, on {images}. It takes pixels from 0 to 1 and normalizes them itself; the "
            f"names of the classes are inside. {card['note']}".rstrip()
        ),
        width="stretch",
    )


def _offer_to_make(run_id: str) -> None:
    help_text = "For other programs: ONNX Runtime, browsers, phones. It is compared with PyTorch before it is offered."
    if clicked("Prepare ONNX", icon=":material/deployed_code:", help=help_text, key="run_onnx_make", about=run_id):
        _makers()[run_id] = start_onnx(artifacts(), run_id)
        st.rerun()
    if run_id in _makers():
        st.caption(plain(failure(artifacts(), run_id)), width="stretch")
