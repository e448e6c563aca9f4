"""What a link says of maps and weights: each value is taken if it can be, else said to be refused."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from pages.components.inspector_link import change_link, param
from pages.components.wording import plain

_MOST_SHOWN = 40
_MOVED = "inspector_maps_moved"


def choice(name: str, allowed: Collection[str], default: str, what: str) -> str:
    """One of `allowed`; `what` says what it is one of."""
    asked = param(name)
    if asked and asked not in allowed:
        refuse(asked, what)
    return asked if asked in allowed else default


def number(name: str, count: int, what: str) -> int | None:
    """A number from 0 to `count - 1`; None where the link has none that can be taken."""
    asked = param(name)
    found = read_number(asked, count)
    if asked and found is None:
        refuse(asked, f"{what} (0 to {count - 1:,})")
    return found


def place(name: str, height: int, width: int) -> tuple[int, int] | None:
    """Row and column as `row,column`; None where the link has none that can be taken."""
    asked = param(name)
    row_text, _, column_text = asked.partition(",")
    row, column = read_number(row_text, height), read_number(column_text, width)
    if row is not None and column is not None:
        return row, column
    if asked:
        refuse(asked, f"place of this map (row 0 to {height - 1:,}, column 0 to {width - 1:,})")
    return None


def read_number(text: str, count: int) -> int | None:
    """A number from 0 to `count - 1` in ASCII digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        return None
    found = int(text)
    return found if found < count else None


def open_view(view: str, **link: str) -> None:
    """Go to another view; called by a button of a part that `moved_on` begins."""
    change_link(view=view, part="", page="", place="", **link)
    st.session_state[_MOVED] = True


def moved_on() -> None:
    """After `open_view` draw the whole page again, not only the part with the button."""
    if st.session_state.pop(_MOVED, False):
        st.rerun()


def refuse(asked: str, what: str) -> None:
    """One sentence on a value that cannot be taken."""
    shown = asked if len(asked) <= _MOST_SHOWN else f"{asked[: _MOST_SHOWN - 1]}…"
    st.warning(plain(f"The link's {shown!r} is no {what}, so something else is shown."), icon=":material/link_off:")
