"""Commands about pretrained weights: `backbones`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from cnncore import places
from cnncore.catalog import BACKBONES, backbones_at_hand
from cnncore.catalog.zoo import zoo
from cnncore.commands.command import Command


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--download", metavar="KEY", help="bring the weights of this one into the data folder")
    parser.add_argument("--json", action="store_true")


def _backbones(arguments: argparse.Namespace) -> int:
    if arguments.download:
        return _download(arguments.download, as_json=arguments.json)
    there = backbones_at_hand(places.data_dir())
    if arguments.json:
        for key in BACKBONES:
            print(json.dumps({**_facts(key), "at_hand": key in there}))
        return 0
    print(f"{'backbone':<21}{'parameters':>12}{'GMACs':>8}{'top-1 %':>9}{'MB':>6}  at hand  network")
    for key, spec in BACKBONES.items():
        facts = _facts(key)
        print(
            f"{key:<21}{facts['num_params']:>12,}{facts['macs'] / 1e9:>8.2f}{spec.result.top1:>9.1f}"
            f"{spec.file.num_bytes / 1e6:>6.0f}  {'yes' if key in there else '–':<9}{spec.title}"
        )
    print("\nLicenses:")
    for text in dict.fromkeys(spec.license for spec in BACKBONES.values()):
        print(f"  {', '.join(key for key, spec in BACKBONES.items() if spec.license == text)}:\n    {text}.")
    return 0


def _facts(key: str) -> dict[str, Any]:
    """What is told of a backbone: parameters and MACs are of the published network, without auxiliary heads."""
    spec = BACKBONES[key]
    summary = zoo()[spec.network]
    return {
        "backbone": key,
        "title": spec.title,
        "network": spec.network,
        "num_params": summary.num_params - summary.aux_params,
        "macs": summary.macs,
        "top1": spec.result.top1,
        "num_bytes": spec.file.num_bytes,
        "features": spec.features,
        "image_size": spec.image_size,
        "source": spec.source,
        "license": spec.license,
    }


def _download(key: str, *, as_json: bool) -> int:
    from cnncore.terminal import byte_bar
    from cnncore.transfer.weights import provide_weights

    with byte_bar() as progress:
        path = provide_weights(key, places.data_dir(), progress)
    print(json.dumps({"backbone": key, "file": str(path)}) if as_json else f"{path}")
    return 0


COMMANDS = {
    "backbones": Command(help="list the pretrained weights and download them", run=_backbones, options=_options)
}
