"""Takes a classifier away as one ZIP, made by a process of its own, and opens such a ZIP again."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cnncore.errors import LabError
from cnncore.images.limits import limits
from cnncore.runs.artifacts import file_stem, run_dir
from cnncore.runs.bundle_files import BUNDLE, CONTENTS, MODEL_CARD, SCRIPT, bundle_card, bundle_failure, start_bundle
from cnncore.runs.run import Run
from cnncore.runs.uploads import keep_upload, upload_file
from pages.components import waiting
from pages.components.clicks import clicked
from pages.components.lab import artifacts, show_problem, shown_errors
from pages.components.transfer_link import change_link
from pages.components.wording import bytes_text, plain

PATIENCE_S = 58.0
_LOOK_S = 1.0
_MOST_SHOWN = 200_000
"""Characters of a file that is shown."""


@st.cache_resource(show_spinner=False)
def _makers() -> dict[str, subprocess.Popen[bytes]]:
    """The processes at work, by run, for all who watch it."""
    return {}


def _is_made(run_id: str) -> bool:
    maker = _makers().get(run_id)
    return maker is not None and maker.poll() is None


def show_take(run: Run) -> None:
    """Draw this view."""
    st.markdown(
        "**Everything in one ZIP**, which works without this lab: the network as ONNX and as PyTorch weights, and a "
        "short script that classifies an image with it."
    )
    st.fragment(_draw, run_every=_LOOK_S if _is_made(run.id) else None)(run, _is_made(run.id))


def _draw(run: Run, was_made: bool) -> None:
    with shown_errors():
        if was_made != _is_made(run.id):
            st.rerun()
        card = bundle_card(run_dir(artifacts(), run.id))
        with st.container(key="transfer_take"):
            if was_made:
                st.button("Packing…", icon=":material/hourglass_top:", disabled=True, key="transfer_take_wait")
                st.caption("Exported and compared with PyTorch image by image; some seconds to a minute.")
            elif card is None:
                _offer_to_make(run.id)
            else:
                _offer(run, card)
        _show_contents(card)
        if card is not None:
            _show_text(run, SCRIPT, "The script", "python")
            _show_text(run, MODEL_CARD, "The model card", "markdown")


def _offer_to_make(run_id: str) -> None:
    if clicked("Pack the ZIP", type="primary", icon=":material/archive:", key="transfer_take_make", about=run_id):
        _makers()[run_id] = start_bundle(artifacts(), run_id)
        st.rerun()
    if run_id in _makers():
        st.error(plain(bundle_failure(artifacts(), run_id)), icon=":material/error:")


def _offer(run: Run, card: Mapping[str, Any]) -> None:
    path = run_dir(artifacts(), run.id) / BUNDLE
    st.download_button(
        f"Download the ZIP ({bytes_text(card['bytes'])})",
        path.read_bytes,
        file_name=f"{file_stem(run.name, run.id)}.zip",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
        key="transfer_take_get",
    )
    st.caption(
        "ONNX and PyTorch were compared on the same images: their logits differ by at most "
        f"{card['max_difference']:.1g}."
    )
    st.code(f"pip install onnxruntime pillow numpy\npython {SCRIPT} photograph.jpg", language="bash")


def _show_contents(card: Mapping[str, Any] | None) -> None:
    sizes: Mapping[str, int] = card["files"] if card else {}
    names = [name for name in CONTENTS if name in sizes] if card else list(CONTENTS)
    table = pd.DataFrame(
        {
            "File": names,
            "What it is": [CONTENTS[name] for name in names],
            "Size": [bytes_text(sizes[name]) if name in sizes else None for name in names],
        }
    )
    st.dataframe(
        table if card else table.drop(columns="Size"),
        hide_index=True,
        key="transfer_take_contents",
        column_config={"What it is": st.column_config.TextColumn(width="large")},
    )


def _show_text(run: Run, name: str, title: str, language: str) -> None:
    with st.expander(title, icon=":material/description:"):
        st.code(_text_in_zip(run.id, name, bundle_stamp(run)), language=language, wrap_lines=True)


def bundle_stamp(run: Run) -> str:
    """Changes whenever the ZIP of a run does."""
    facts = (run_dir(artifacts(), run.id) / BUNDLE).stat()
    return f"{facts.st_mtime_ns}/{facts.st_size}"


@st.cache_data(show_spinner=False, max_entries=16)
def _text_in_zip(run_id: str, name: str, stamp: str) -> str:
    """A text in the ZIP; `stamp` tells it from an older one."""
    with zipfile.ZipFile(run_dir(artifacts(), run_id) / BUNDLE) as archive, archive.open(name) as file:
        return file.read(_MOST_SHOWN).decode("utf-8", errors="replace")


# Back in


def draw_open_zip() -> None:
    """The button that opens a ZIP again."""
    if clicked(
        "Open a ZIP again",
        key="transfer_open_zip",
        icon=":material/unarchive:",
        type="tertiary",
        help="A classifier that was taken away as a ZIP, from here or from another lab.",
    ):
        _ask()


@st.dialog("Open a ZIP again", width="medium")
def _ask() -> None:
    with shown_errors():
        st.caption(
            "The network, its classes and its preprocessing become a run that can be tried, compared and trained "
            "further. Nothing in the ZIP is run."
        )
        file = st.file_uploader("A ZIP from Take it away", type=["zip"], key="transfer_zip_file")
        pressed = clicked("Open", type="primary", disabled=file is None, key="transfer_zip_open")
        if pressed and file is not None:
            if file.size > limits().upload_bytes:
                raise LabError(
                    f"The ZIP has {bytes_text(file.size)}; a browser may send {limits().upload_mb:,} MB.",
                    "On the lab's machine `python -m cnncore unbundle FILE` opens larger ones.",
                )
            _open(file.name, file.getvalue())


def _open(name: str, content: bytes) -> None:
    token = keep_upload(artifacts(), content)
    try:
        with st.spinner("Opening…"):
            label = name.replace("\\", "/").rpartition("/")[2][:100]
            answer = waiting.ask("read_bundle", {"upload": token, "label": label}, timeout_s=PATIENCE_S)
    except LabError as error:
        show_problem(error)
        return
    finally:
        upload_file(artifacts(), token).unlink(missing_ok=True)
    change_link(run=str(answer.data["run"]), view="try", step="use", set="", cell="", image="")
    st.rerun()
