"""Sends files or a whole folder from the browser in pieces, each written to disk as it comes: 5,000 are no trouble.

The browser first says what was chosen; once the person adds it, the server asks for one batch after the other.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.images.reception import Piece, Reception

Kind = Literal["folder", "files", "zip"]
_MOST_PIECES = 1_000
_LONGEST_NAME = 1_000


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What was chosen in the browser, in its own words.

    Attributes:
        id: Name of the choice.
        num_files: Files.
        num_bytes: Their bytes.
        first: Name of the first file, with the folders before it.
        num_folders: Innermost folders.
        folders: The largest of them with their files.
    """

    id: str
    num_files: int
    num_bytes: int
    first: str
    num_folders: int
    folders: Sequence[tuple[str, int]]


@dataclass
class Sending:
    """An upload that is on.

    Attributes:
        key: Name of the component that sends.
        chosen: What it sends.
        label: The class of all of it; None: the folder of each.
        name: What a set that is made for it is called.
        reception: Where it goes.
        done: Whether all of it has come.
    """

    key: str
    chosen: Chosen
    label: str | None
    name: str
    reception: Reception
    done: bool = False


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    css, js = (Path(__file__).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".css", ".js"))
    return component("lab_sender", html="<div class='lab-sender'></div>", css=css, js=js, isolate_styles=False)


def draw_sender(kind: Kind, key: str, sending: Sending | None) -> Chosen | None:
    """Show where files are chosen, and ask for the next batch of what is being sent.

    Args:
        kind: What can be chosen.
        key: Name of the component on the page.
        sending: The upload that is on; it is asked for its next batch.

    Returns:
        What is chosen at the moment.
    """
    on = sending is not None and not sending.done
    want = {"id": sending.chosen.id, "number": sending.reception.number} if sending and on else {"id": "", "number": 0}
    _component()(
        key=key,
        data={"kind": kind, "want": want},
        on_chosen_change=lambda: None,
        on_batch_change=lambda: None,
    )
    return read_chosen(st.session_state.get(key))


def receive(sending: Sending) -> None:
    """Take the batch that has come with this run, if one has; before the component is drawn again.

    Raises:
        DataError: where it is too much.
    """
    state = st.session_state.get(sending.key)
    batch = state.get("batch") if isinstance(state, Mapping) else None
    if not isinstance(batch, dict) or batch.get("id") != sending.chosen.id or sending.done:
        return
    pieces = read_pieces(batch.get("pieces"))
    number = batch.get("number")
    if pieces is not None and type(number) is int and sending.reception.take(number, pieces):
        sending.done = batch.get("done") is True


def read_pieces(found: object) -> list[Piece] | None:
    """The pieces of a batch that a browser sent; None where it sent nonsense."""
    if not isinstance(found, list) or len(found) > _MOST_PIECES:
        return None
    pieces: list[Piece] = []
    for each in found:
        name, data = (each.get("name"), each.get("data")) if isinstance(each, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(data, str) or len(name) > _LONGEST_NAME:
            return None
        try:
            content = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            return None
        pieces.append(Piece(name, content, each.get("last") is True))
    return pieces


def read_chosen(state: object) -> Chosen | None:
    """What a browser says was chosen; None where nothing is, or it sent nonsense."""
    found = state.get("chosen") if isinstance(state, Mapping) else None
    if not isinstance(found, dict):
        return None
    numbers = [found.get(name) for name in ("files", "bytes", "classes")]
    texts = [found.get(name) for name in ("id", "first")]
    folders = found.get("folders")
    if not all(type(number) is int and number >= 0 for number in numbers) or not isinstance(folders, list):
        return None
    if not all(isinstance(text, str) and 0 < len(text) <= _LONGEST_NAME for text in texts):
        return None
    named = [(each[0], each[1]) for each in folders if isinstance(each, list) and len(each) == 2]
    return Chosen(
        id=str(texts[0]),
        num_files=int(numbers[0] or 0),
        num_bytes=int(numbers[1] or 0),
        first=str(texts[1]),
        num_folders=int(numbers[2] or 0),
        folders=[(name, count) for name, count in named if isinstance(name, str) and type(count) is int],
    )
