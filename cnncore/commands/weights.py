"""Commands about files of weights: `import`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from cnncore import places
from cnncore.commands.command import Command, open_store, pairs
from cnncore.config import TrainConfig, with_settings


def _import_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a .safetensors file, or a state_dict that torch.save wrote")
    parser.add_argument("--model", required=True, help="the network it is of (model.name)")
    parser.add_argument("--dataset", help="the images it is used with (data.dataset)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="for example model.shortcut=B, or data.normalize=imagenet for the pixel values the weights expect",
    )
    parser.add_argument("--name", default="", help="name of the run")
    parser.add_argument("--json", action="store_true")


def _import(arguments: argparse.Namespace) -> int:
    settings = [("model.name", arguments.model), *pairs(arguments.set)]
    if arguments.dataset:
        settings.insert(0, ("data.dataset", arguments.dataset))
    # Weights of unknown origin are measured exactly; who trains on from them may choose another precision.
    config = with_settings(TrainConfig(), [("training.precision", "fp32"), *settings])
    from cnncore.training.imports import ImportRequest, import_weights

    request = ImportRequest(
        file=arguments.file,
        label=arguments.file.name,
        config=config,
        has_images=any(name == "data.dataset" for name, _ in settings),
        normalize=config.data.normalize if any(name == "data.normalize" for name, _ in settings) else "",
        name=arguments.name,
        download=True,
    )
    run = import_weights(open_store(), places.artifacts_dir(), places.data_dir(), request)
    summary = run.summary
    if arguments.json:
        facts = ("num_params", "imported_from", "imported_by", "imported_tensors", "imported_notes")
        print(json.dumps({"run": run.id, "name": run.name, **{name: summary[name] for name in facts}}))
        return 0
    print(f"{summary['imported_tensors']:,} tensors, matched by {summary['imported_by']}.")
    for note in summary["imported_notes"]:
        print(note)
    how = f"; `python -m cnncore evaluate {run.id}` scores it on its test images" if request.has_images else ""
    print(f"Run {run.id} ({run.name}){how}.")
    return 0


COMMANDS = {"import": Command(help="make a run out of a file of weights", run=_import, options=_import_options)}
