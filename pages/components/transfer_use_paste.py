"""A field that takes a picture from the clipboard: Ctrl+V anywhere on the page, or a click where the browser allows."""

from __future__ import annotations

import base64
from collections.abc import Callable

import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from cnncore.errors import DataError

MAX_BYTES = 25 << 20
_PREFIX = "data:image/png;base64,"

_HTML = (
    "<button type='button' class='lab-paste'><b>Press Ctrl+V (⌘V) to paste a picture</b>"
    "<span class='lab-paste-note'>or click here</span></button>"
)

_CSS = """
.lab-paste { width: 100%; min-height: 6.5rem; display: flex; flex-direction: column; align-items: center;
  justify-content: center; gap: .3rem; padding: 1rem; cursor: pointer; font: inherit; color: var(--st-text-color);
  background: var(--st-secondary-background-color); border: 1px dashed var(--st-border-color); border-radius: .5rem; }
.lab-paste:hover, .lab-paste:focus-visible { border-color: var(--st-primary-color); outline: none; }
.lab-paste-note { opacity: .75; font-size: .9rem; }
"""

_JS = """
// Larger pictures are of no use: the network looks at a few hundred pixels.
const LONGEST = 1024;
const SAID = 'or click here';

async function shrink(blob) {
  const picture = await createImageBitmap(blob);
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/png');
}

export default function ({ parentElement, setStateValue }) {
  // Streamlit calls this again for every run of the page, without having called what the last call returned.
  parentElement.endPaste?.();
  const button = parentElement.querySelector('.lab-paste');
  const note = parentElement.querySelector('.lab-paste-note');
  const take = async (blob) => {
    if (!blob) {
      note.textContent = 'There is no picture in the clipboard.';
      return;
    }
    try {
      setStateValue('picture', await shrink(blob));
      note.textContent = SAID;
    } catch {
      note.textContent = 'This picture cannot be read.';
    }
  };
  const pasted = (event) => {
    if (event.target.closest?.('input, textarea')) return;
    const item = [...(event.clipboardData?.items ?? [])].find((each) => each.type.startsWith('image/'));
    event.preventDefault();
    take(item?.getAsFile());
  };
  const clicked = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const kind = item.types.find((type) => type.startsWith('image/'));
        if (kind) return take(await item.getType(kind));
      }
      take(null);
    } catch {
      note.textContent = 'The browser does not let this page read the clipboard: use the keys.';
    }
  };
  window.addEventListener('paste', pasted);
  button.addEventListener('click', clicked);
  parentElement.endPaste = () => {
    window.removeEventListener('paste', pasted);
    button.removeEventListener('click', clicked);
  };
  return parentElement.endPaste;
}
"""


@st.cache_resource(show_spinner=False)
def _component() -> ComponentRenderer:
    return component("lab_paste", html=_HTML, css=_CSS, js=_JS, isolate_styles=False)


def paste_box(key: str, on_pasted: Callable[[], None] = lambda: None) -> bytes | None:
    """Draw the field; returns the PNG file that was pasted last, None before.

    Args:
        key: Its name on the page.
        on_pasted: Called after a picture was pasted, before the page is drawn again; `pasted` gives it.

    Raises:
        DataError: if what the browser sent is no picture or too large.
    """
    _component()(key=key, on_picture_change=on_pasted)
    return pasted(key)


def pasted(key: str) -> bytes | None:
    """The PNG file that was pasted last into the field `key`, None before.

    Raises:
        DataError: if what the browser sent is no picture or too large.
    """
    return picture_bytes((st.session_state.get(key) or {}).get("picture"))


def picture_bytes(sent: object) -> bytes | None:
    """The file in a data URL that a browser sent.

    Raises:
        DataError: if it is none, or too large.
    """
    if sent is None:
        return None
    if not isinstance(sent, str) or not sent.startswith(_PREFIX) or len(sent) > MAX_BYTES:
        raise DataError("What was pasted is no picture this page can take.", "Save it as a file and upload that.")
    try:
        return base64.b64decode(sent.removeprefix(_PREFIX), validate=True)
    except ValueError:  # binascii.Error is one, and so is a letter beyond ASCII
        raise DataError("The pasted picture arrived damaged.", "Paste it again.") from None
