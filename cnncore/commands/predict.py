"""The command `predict`: what a trained network says of image files."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnncore import places
from cnncore.commands.command import Command, network_name
from cnncore.errors import LabError

if TYPE_CHECKING:
    from cnncore.analysis.prediction import Picture, Prediction
    from cnncore.training.trained import TrainedNetwork

_SHOWN = 3
_NAME_WIDTH = 40


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="id, beginning or name of a run; backbone:KEY")
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="image files, or folders of some")
    parser.add_argument("--grad-cam", type=Path, metavar="PNG", help="of one image: where the network sees its class")
    parser.add_argument("--class", dest="label", default="", help="the class for --grad-cam; the most probable one")
    parser.add_argument("--json", action="store_true")


def _predict(arguments: argparse.Namespace) -> int:
    name = network_name(arguments.run)
    from cnncore.analysis.pictures import pictures_at
    from cnncore.analysis.prediction import MOST_PICTURES, predict
    from cnncore.analysis.subjects import Subjects

    network = Subjects(places.artifacts_dir(), places.data_dir()).network(name)
    pictures = pictures_at(arguments.images)
    told: list[dict[str, Any]] = []
    for start in range(0, len(pictures), MOST_PICTURES):
        part = pictures[start : start + MOST_PICTURES]
        found = predict(network, part, budget_s=math.inf)
        told += [_told(network, picture.name, found, place) for place, picture in enumerate(part)]
    if arguments.json:
        known = network.familiarity
        kind, _, key = name.partition(":")
        facts = {kind: key, "familiarity": known and known.to_dict(), "images": told}
        print(json.dumps(facts, ensure_ascii=False))
    else:
        _print_table(network, told)
    if arguments.grad_cam:
        done = _write_heat(network, pictures, arguments.label, arguments.grad_cam)
        print(done, file=sys.stderr if arguments.json else sys.stdout)
    return 1 if any("problem" in each for each in told) else 0


def _told(network: TrainedNetwork, name: str, found: Prediction, place: int) -> dict[str, Any]:
    """What is told of one picture, as plain values."""
    if place in found.seen.refused:
        return {"image": name, "problem": found.seen.refused[place]}
    row = found.seen.places.index(place)
    shares = zip(found.top[row].tolist(), found.shares[row].tolist(), strict=True)
    told: dict[str, Any] = {"image": name, "classes": {network.classes[at]: round(share, 5) for at, share in shares}}
    if network.familiarity is not None:
        distance = float(found.distances[row])
        told |= {"distance": round(distance, 5), "unfamiliar": distance > network.familiarity.threshold}
    return told


def _print_table(network: TrainedNetwork, told: list[dict[str, Any]]) -> None:
    width = min(_NAME_WIDTH, max(len(each["image"]) for each in told))
    for each in told:
        name = each["image"] if len(each["image"]) <= width else f"…{each['image'][1 - width :]}"
        if "problem" in each:
            print(f"{name:{width}}  {each['problem']}")
            continue
        shares = "  ".join(f"{label} {share:.1%}" for label, share in list(each["classes"].items())[:_SHOWN])
        caution = f"  (none of these? distance {each['distance']:.3g})" if each.get("unfamiliar") else ""
        print(f"{name:{width}}  {shares}{caution}")
    if network.familiarity is not None and any(each.get("unfamiliar") for each in told):
        print(network.familiarity.explain())


def _write_heat(network: TrainedNetwork, pictures: list[Picture], label: str, path: Path) -> str:
    """Save the picture with the heat over it; returns what it shows, in a sentence."""
    from PIL import Image

    from cnncore.analysis.prediction import heat_of
    from cnncore.images.heat_map import overlay

    if len(pictures) > 1:
        raise LabError("--grad-cam shows one image.", "Name one file.")
    if label and label not in network.classes:
        raise LabError(f"The network knows no class {label[:60]!r}.", f"Classes: {', '.join(network.classes[:20])}.")
    found = heat_of(network, pictures, [network.classes.index(label)] if label else ())
    if found.seen.refused:
        return "There is no picture to show."
    picture = Image.fromarray(overlay(found.seen.pixels[0], found.maps[0]))
    try:
        picture.save(path, format="PNG")
    except OSError as error:
        why = error.strerror or error
        raise LabError(f"The file {path} cannot be written: {why}.", "Choose another place with --grad-cam.") from None
    return f"{path}: where it sees {network.classes[int(found.classes[0])]}, by the maps of {found.layer}."


COMMANDS = {
    "predict": Command(help="what a trained network says of image files", run=_predict, options=_options),
}
