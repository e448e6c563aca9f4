"""The Architectures view's hold on the address and on the runs: widgets show what the link says and change it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from cnncore.runs.best import Best, best_runs
from cnncore.runs.latencies import Latency, latencies
from cnncore.runs.store import ALL
from pages.components.architectures_link import NAMES, Choices, choice_params, read_choices
from pages.components.lab import store

VIEW = "architectures"


def widget_key(name: str) -> str:
    """Key of the widget of a choice."""
    return f"{VIEW}_{name}"


def bind(name: str, choices: Choices) -> str:
    """Let the widget that is drawn next show what the link says; returns its key."""
    value = getattr(choices, name)
    st.session_state[widget_key(name)] = list(value) if isinstance(value, tuple) else value
    if name == "net" and not value:
        st.session_state[widget_key(name)] = None
    return widget_key(name)


def follow() -> None:
    """Callback of the widgets: the link says what they say.

    All of them, since a browser that is quick may name an address in which the change before this one is missing.
    """
    entered = {name: _entered(name) for name in NAMES if st.session_state.get(widget_key(name)) is not None}
    _write(replace(read_choices(st.query_params.to_dict())[0], **entered))


def choose(**values: Any) -> None:
    """Change the link in a callback, from something that is no widget of these choices."""
    _write(replace(read_choices(st.query_params.to_dict())[0], **values))


def _entered(name: str) -> Any:
    value = st.session_state[widget_key(name)]
    return tuple(value) if isinstance(value, list) else value


def _write(choices: Choices) -> None:
    st.query_params.from_dict({"view": VIEW, **choice_params(choices)})


@st.cache_resource(ttl=10, show_spinner=False)
def _best(url: str) -> dict[tuple[str, str], Best]:
    return best_runs(store().list(status=("finished",), kind="train", limit=ALL))


def own_best() -> Mapping[tuple[str, str], Best]:
    """The best run of each network on each data set, at most ten seconds old."""
    return _best(store().url)


@st.cache_resource(ttl=10, show_spinner=False)
def _latencies(url: str) -> dict[str, Latency]:
    return latencies(store(), socket.gethostname())


def own_latencies() -> Mapping[str, Latency]:
    """The newest latency of each network that was measured on this machine, at most ten seconds old."""
    return _latencies(store().url)


def download(table: pd.DataFrame, name: str, *, label: str = "CSV") -> None:
    """A button that saves a table as CSV; nothing is written before it is pressed."""
    st.download_button(
        label,
        to_csv(table),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        key=f"{VIEW}_csv_{name}",
        on_click="ignore",
    )


def to_csv(table: pd.DataFrame) -> Callable[[], bytes]:
    """What writes the table as CSV in UTF-8."""
    return lambda: table.to_csv(index=False).encode()
