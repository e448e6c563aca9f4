"""Downloads of a run or of a selection: the report, the tables, TensorBoard's files; nothing is made before a click."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import streamlit as st

from cnncore.reports import MAX_RUNS, html_report
from cnncore.runs.artifacts import file_stem
from cnncore.runs.log_csv import csv_zip, log_csv
from cnncore.runs.store import RunStore
from pages.components.lab import artifacts, store


@dataclass(frozen=True, kw_only=True)
class Export:
    """One download.

    Attributes:
        label: Of the button.
        suffix: Of the file's name.
        icon: Of the button.
        help: What the file is.
        make: Called after the click, in another thread, with the store, the folder of runs and the ids.
        most: Runs it takes.
        for_one: Whether a single run has it.
        for_many: Whether several runs have it.
    """

    label: str
    suffix: str
    icon: str
    help: str
    make: Callable[[RunStore, Path, tuple[str, ...]], bytes | str]
    most: int = 1_000
    for_one: bool = True
    for_many: bool = True


def _report(runs: RunStore, folder: Path, run_ids: tuple[str, ...]) -> str:
    return html_report(runs, folder, run_ids, made=datetime.now().astimezone())


def _log(runs: RunStore, folder: Path, run_ids: tuple[str, ...]) -> bytes:
    return log_csv(runs, run_ids[0])


def _tables(runs: RunStore, folder: Path, run_ids: tuple[str, ...]) -> bytes:
    return csv_zip(runs, run_ids)


def _tensorboard(runs: RunStore, folder: Path, run_ids: tuple[str, ...]) -> bytes:
    # Only who asks for it pays for TensorBoard's messages.
    from cnncore.runs.tensorboard import tensorboard_zip

    return tensorboard_zip(runs, run_ids)


EXPORTS: dict[str, Export] = {
    "report": Export(
        label="Report (HTML)",
        suffix=".html",
        icon=":material/article:",
        help="One file with charts, tables and settings that opens in any browser, also without a network; 5 MB.",
        make=_report,
        most=MAX_RUNS,
    ),
    "log": Export(
        label="Log (CSV)",
        suffix=".csv",
        icon=":material/table_view:",
        help="Everything the run has logged, step by step, as one table.",
        make=_log,
        for_many=False,
    ),
    "tables": Export(
        label="Tables (CSV)",
        suffix="-csv.zip",
        icon=":material/table_view:",
        help="A ZIP of three tables: the runs with settings and results, their epochs, their steps.",
        make=_tables,
        for_one=False,
    ),
    "tensorboard": Export(
        label="TensorBoard",
        suffix="-tensorboard.zip",
        icon=":material/monitoring:",
        help="A ZIP of event files, a folder a run: unpack it and start `tensorboard --logdir` on it.",
        make=_tensorboard,
    ),
}
"""The downloads by name."""


def draw_exports(run_ids: Sequence[str], key: str) -> None:
    """Buttons that download these runs together.

    Args:
        run_ids: The runs, in the order in which they are to appear; nothing is drawn for none.
        key: Start of the buttons' names on the page.
    """
    ids = tuple(dict.fromkeys(run_ids))
    if not ids:
        return
    stem = file_stem(store().get(ids[0]).name, ids[0]) if len(ids) == 1 else f"{len(ids)}-runs"
    with st.container(horizontal=True, key=f"{key}_exports"):
        for name, export in EXPORTS.items():
            if export.for_one if len(ids) == 1 else export.for_many:
                too_many = len(ids) > export.most
                st.download_button(
                    export.label,
                    partial(export.make, store(), artifacts(), ids),
                    file_name=f"{stem}{export.suffix}",
                    icon=export.icon,
                    help=f"It takes at most {export.most} runs; choose fewer." if too_many else export.help,
                    disabled=too_many,
                    on_click="ignore",
                    key=f"{key}_export_{name}",
                )
