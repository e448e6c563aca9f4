"""Tells addresses that a page wrote itself from links: the browser may lag behind while inputs are changed quickly."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import streamlit as st

LAG_S = 3.0
"""How long a browser may still name an old address while inputs are changed quickly."""
_MOST_WRITTEN = 100


def is_own(key: str, params: Mapping[str, str], *, edited: Callable[[], bool]) -> bool:
    """Whether the page wrote this address and the browser has merely not followed its last changes yet.

    An address the page wrote longer ago comes from the browser's back button and is followed like any link.

    Args:
        key: Where the session keeps the addresses of the page, with the time at which each was replaced by the next.
        params: The address's query parameters.
        edited: Tells whether an input was changed since the page was last drawn.
    """
    replaced = st.session_state.get(key, {}).get(urlencode(params))
    return replaced is not None and (time.monotonic() - replaced < LAG_S or edited())


def remember(key: str, params: Mapping[str, str]) -> None:
    """Note that the page writes this address now."""
    written: dict[str, float] = st.session_state.setdefault(key, {})
    now = time.monotonic()
    for text in written:
        written[text] = min(written[text], now)
    written.pop(urlencode(params), None)
    written[urlencode(params)] = math.inf
    for text in list(written)[:-_MOST_WRITTEN]:
        del written[text]
