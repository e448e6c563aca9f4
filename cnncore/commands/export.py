"""The command `export`: runs as an HTML report, CSV tables, TensorBoard files or ONNX."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cnncore import places
from cnncore.commands.command import Command, open_store
from cnncore.errors import LabError
from cnncore.runs.artifacts import file_stem

if TYPE_CHECKING:
    from cnncore.runs.store import Run, RunStore

Writer = Callable[["RunStore", Sequence["Run"], Path | None], str]
"""Writes runs to a path (None: its own choice) and returns what it did, in a sentence."""


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", metavar="RUN", help="id of a run, or its beginning, or its name")
    parser.add_argument("--to", choices=tuple(_WRITERS), required=True, help="what to make of them")
    parser.add_argument("--out", type=Path, metavar="PATH", help="where to; a name in this folder if not given")


def _export(arguments: argparse.Namespace) -> int:
    store = open_store()
    runs = [store.find(text) for text in arguments.runs]
    try:
        print(_WRITERS[arguments.to](store, runs, arguments.out))
    except OSError as error:
        raise LabError(f"The file cannot be written: {error}.", "Choose another place with --out.") from None
    return 0


def _name(runs: Sequence[Run]) -> str:
    return file_stem(runs[0].name, runs[0].id) if len(runs) == 1 else f"{len(runs)}-runs"


def _put(path: Path, content: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return f"{path} ({len(content):,} bytes)"


def _html(store: RunStore, runs: Sequence[Run], out: Path | None) -> str:
    from cnncore.reports import html_report

    text = html_report(store, places.artifacts_dir(), [run.id for run in runs], made=datetime.now().astimezone())
    return _put(out or Path(f"{_name(runs)}.html"), text.encode())


def _csv(store: RunStore, runs: Sequence[Run], out: Path | None) -> str:
    from cnncore.runs.log_csv import csv_zip

    return _put(out or Path(f"{_name(runs)}-csv.zip"), csv_zip(store, [run.id for run in runs]))


def _tensorboard(store: RunStore, runs: Sequence[Run], out: Path | None) -> str:
    from cnncore.runs.tensorboard import write_tensorboard

    folder = out or Path("tensorboard")
    write_tensorboard(store, [run.id for run in runs], folder)
    return (
        f"{folder}/ has event files of {len(runs)} run{'s' if len(runs) > 1 else ''}: `tensorboard --logdir {folder}`"
    )


def _onnx(store: RunStore, runs: Sequence[Run], out: Path | None) -> str:
    from cnncore.analysis.onnx_export import export_onnx
    from cnncore.runs.artifacts import run_dir
    from cnncore.runs.onnx_files import ONNX

    if len(runs) > 1:
        raise LabError("An ONNX file holds one network.", "Name one run.")
    card = export_onnx(store, places.artifacts_dir(), places.data_dir(), runs[0])
    made = run_dir(places.artifacts_dir(), runs[0].id) / ONNX
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, out)
    return (
        f"{out or made} ({card['bytes']:,} bytes). Its logits differ from PyTorch's by at most "
        f"{card['max_difference']:.2g} (the largest is {card['largest_output']:.3g}) on {card['num_real']} real and "
        f"{card['num_random']} random images. {card['note']}"
    ).rstrip()


_WRITERS: dict[str, Writer] = {"html": _html, "csv": _csv, "tensorboard": _tensorboard, "onnx": _onnx}

COMMANDS = {
    "export": Command(
        help="runs as an HTML report, CSV tables, TensorBoard files or ONNX", run=_export, options=_options
    ),
}
