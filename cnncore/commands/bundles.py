"""Commands about bundles: `bundle` makes the ZIP of a run to take away, `unbundle` makes a run of such a ZIP again."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from cnncore import places
from cnncore.commands.command import Command, open_store, run_argument
from cnncore.errors import LabError
from cnncore.runs.artifacts import file_stem, run_dir
from cnncore.runs.bundle_files import bundle_card


def _bundle_options(parser: argparse.ArgumentParser) -> None:
    run_argument(parser)
    parser.add_argument("--out", type=Path, metavar="PATH", help="where to; in the run's folder if not given")
    parser.add_argument("--json", action="store_true")


def _bundle(arguments: argparse.Namespace) -> int:
    from cnncore.bundle.writing import write_bundle

    store = open_store()
    run = store.find(arguments.run)
    path = write_bundle(store, places.artifacts_dir(), places.data_dir(), run)
    if arguments.out is not None:
        target = arguments.out / f"{file_stem(run.name, run.id)}.zip" if arguments.out.is_dir() else arguments.out
        try:
            path = Path(shutil.copyfile(path, target))
        except OSError as error:
            raise LabError(f"The bundle cannot be written: {error}.", "Choose another place with --out.") from None
    card = bundle_card(run_dir(places.artifacts_dir(), run.id)) or {}
    if arguments.json:
        print(json.dumps({"run": run.id, "path": str(path), **card}))
        return 0
    for name, num_bytes in card["files"].items():
        print(f"{num_bytes:>12,}  {name}")
    print(f"{path} ({card['bytes']:,} bytes). ONNX and PyTorch differ by at most {card['max_difference']:.2g}.")
    return 0


def _unbundle_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a ZIP that `bundle` made")
    parser.add_argument("--json", action="store_true")


def _unbundle(arguments: argparse.Namespace) -> int:
    from cnncore.bundle.reading import read_bundle

    run = read_bundle(open_store(), places.artifacts_dir(), arguments.file)
    classes = run.summary["classes"]
    if arguments.json:
        print(json.dumps({"run": run.id, "name": run.name, "classes": classes}))
    else:
        print(f"Run {run.id} ({run.name}) tells {len(classes):,} classes apart.")
    return 0


COMMANDS = {
    "bundle": Command(
        help="a trained network as one ZIP: weights, ONNX, a script, a model card", run=_bundle, options=_bundle_options
    ),
    "unbundle": Command(help="make a run of such a ZIP again", run=_unbundle, options=_unbundle_options),
}
