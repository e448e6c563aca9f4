"""The command `inspect`: what a network makes of one picture, as a picture."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnncore import places
from cnncore.commands.command import Command, network_name, pairs
from cnncore.config.requests import parse_request
from cnncore.errors import ConfigError, LabError, lookup

if TYPE_CHECKING:
    from cnncore.analysis.subjects import Shown, Subjects
    from cnncore.training.trained import TrainedNetwork

MAPS = "maps"
METHODS = ("gradcam", "occlusion", "integrated_gradients", "smoothgrad", "gradient", MAPS)
WITH_LAYER = ("gradcam", MAPS)
MOST_MAPS = 64
LEAST_SIDE = 224
"""Pixels that a picture has at least; smaller ones are enlarged without blurring."""
MAP_SIDE = 96
"""The same of each of several maps."""


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="id, beginning or name of a run; backbone:KEY; untrained:NETWORK")
    parser.add_argument("image", nargs="?", default="", help="image file, or a picture by name, as sample:RUN:test:7")
    parser.add_argument("--layers", action="store_true", help="list the layers that leave maps instead")
    parser.add_argument("--method", default="gradcam", metavar="METHOD", help=", ".join(METHODS))
    parser.add_argument("--layer", default="", help=f"for {' and '.join(WITH_LAYER)}; the last one with some extent")
    parser.add_argument("--class", dest="label", default="", help="the class to explain; the most probable one")
    parser.add_argument("--unit", type=int, help=f"for {MAPS}: this channel alone, not the {MOST_MAPS} strongest")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="steps=64, window=16, …")
    parser.add_argument("--out", type=Path, metavar="PNG", help="where the picture goes; METHOD.png if not given")
    parser.add_argument("--json", action="store_true")


def _inspect(arguments: argparse.Namespace) -> int:
    _check(arguments)
    name = network_name(arguments.run)
    from cnncore.analysis.subjects import Subjects

    subjects = Subjects(places.artifacts_dir(), places.data_dir())
    network = subjects.network(name)
    if arguments.layers:
        _print_layers(network, as_json=arguments.json)
        return 0
    shown = _shown(subjects, network, arguments.image)
    if arguments.method == MAPS:
        content, told, words = _maps(network, shown, arguments)
    else:
        content, told, words = _why(network, shown, arguments)
    out = arguments.out or Path(f"{arguments.method}.png")
    try:
        out.write_bytes(content)
    except OSError as error:
        why = error.strerror or error
        raise LabError(f"The file {out} cannot be written: {why}.", "Choose another place with --out.") from None
    facts = {"network": name, "image": arguments.image, "method": arguments.method, **told, "out": str(out)}
    print(json.dumps(facts, ensure_ascii=False) if arguments.json else f"{out}: {words}")
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that do not go together.

    Raises:
        ConfigError: naming the first one.
    """
    if arguments.layers:
        return
    lookup(dict.fromkeys(METHODS), arguments.method, "method", "method")
    if not arguments.image:
        raise ConfigError("image", "No picture was named.", "Name an image file, or list the layers with --layers.")
    if arguments.layer and arguments.method not in WITH_LAYER:
        raise ConfigError("layer", f"--layer is for {' and '.join(WITH_LAYER)}.", f"{arguments.method} takes none.")
    if arguments.method == MAPS and (arguments.label or arguments.set):
        name = "class" if arguments.label else "set"
        raise ConfigError(name, f"--{name} is for methods that explain a class.", f"{MAPS} takes none.")
    if arguments.unit is not None and arguments.method != MAPS:
        raise ConfigError("unit", f"--unit is for --method {MAPS}.", f"{arguments.method} takes none.")


def _print_layers(network: TrainedNetwork, *, as_json: bool) -> None:
    from cnncore.analysis.layers import layout_of

    layout = layout_of(network)
    if as_json:
        print(json.dumps({"last": layout.last, "layers": [layer.to_dict() for layer in layout.layers.values()]}))
        return
    width = max([5, *map(len, layout.layers)])
    print(f"{'layer':<{width}}  {'kind':<14}{'maps':>6}{'size':>10}{'sees':>6}  Grad-CAM")
    for layer in layout.layers.values():
        channels, height, columns = layer.shape
        sees = "all" if layer.receptive_field is None else str(layer.receptive_field)
        usable = "usual" if layer.name == layout.last else "yes" if layer.passes_all else "–"
        print(f"{layer.name:<{width}}  {layer.kind:<14}{channels:>6}{f'{height}×{columns}':>10}{sees:>6}  {usable}")


def _shown(subjects: Subjects, network: TrainedNetwork, image: str) -> Shown:
    from cnncore.analysis.subjects import shown
    from cnncore.images.decode import open_rgb
    from cnncore.images.limits import limits

    if not Path(image).is_file():
        if ":" in image:
            return subjects.shown(network, image)
        raise ConfigError("image", f"There is no file {image[:200]}.", "Name an image file.")
    made = network.preprocessing
    opened = open_rgb(Path(image), name=image, at_least=2 * made.resized, max_pixels=limits().pixels)
    return shown(network, made.pixels(opened))


def _why(network: TrainedNetwork, shown: Shown, arguments: argparse.Namespace) -> tuple[bytes, dict[str, Any], str]:
    """The picture with what counts for a class over it, what is told of it, and that in a sentence."""
    from cnncore.analysis.attribution import METHODS as ATTRIBUTIONS
    from cnncore.analysis.attribution import AttributionSettings, attribute
    from cnncore.analysis.scans import finished
    from cnncore.figures.feature_maps import enlarged, png
    from cnncore.images.heat_map import map_over

    method = ATTRIBUTIONS[arguments.method]
    target = _target(network, shown, arguments.label)
    given = dict(pairs(arguments.set))
    for name in given:
        lookup(AttributionSettings.model_fields, name, "setting", "set")
    settings = parse_request(AttributionSettings, given)
    found = finished(
        attribute(network.model, shown.tensor, target, arguments.method, layer=arguments.layer, settings=settings)
    )
    picture = png(enlarged(map_over(shown.pixels, found.map, signed=method.signed), LEAST_SIDE))
    label = network.classes[target]
    how = f"red speaks for {label}, blue against it" if method.signed else f"bright is what matters most for {label}"
    by = f"{method.title} by the maps of {found.layer}" if found.layer else method.title
    told: dict[str, Any] = {"class": label, "layer": found.layer, "signed": method.signed}
    words = f"{by}: {how}."
    if found.completeness is not None:
        complete = found.completeness
        told["completeness"] = {**dataclasses.asdict(complete), "gap_percent": complete.gap_percent}
        words += f" All places add up to {complete.attributed:.2f} of {complete.image - complete.baseline:.2f}."
    return picture, told, words


def _target(network: TrainedNetwork, shown: Shown, label: str) -> int:
    if not label:
        return int(network.look(shown.tensor).probabilities[0].argmax())
    # Two classes of ImageNet share a name with others; the first one is taken.
    lookup(dict.fromkeys(network.classes), label, "class", "class")
    return network.classes.index(label)


def _maps(network: TrainedNetwork, shown: Shown, arguments: argparse.Namespace) -> tuple[bytes, dict[str, Any], str]:
    """The maps of a layer side by side, what is told of them, and that in a sentence."""
    from cnncore.analysis.feature_maps import feature_maps
    from cnncore.analysis.layers import layout_of
    from cnncore.figures.feature_maps import levels, palette, sheet

    layer = arguments.layer or layout_of(network).last
    one = arguments.unit is not None
    first, count, order = (arguments.unit, 1, "channel") if one else (0, MOST_MAPS, "strength")
    found = feature_maps(network, shown.tensor, layer, first=first, count=count, order=order)
    pictures = palette()[levels(found.maps, found.low, found.high)]
    channels, height, width = found.layer.shape
    which = f"map {arguments.unit}" if one else f"the {len(found.units)} strongest of {channels} maps"
    # Pillow's own font has no ×.
    title = f"{layer}: {which}, {height} by {width}"
    side = LEAST_SIDE if one else MAP_SIDE
    ends = (f"{found.low:.3g}", f"{found.high:.3g}")
    content = sheet(pictures, [str(unit) for unit in found.units], title=title, ends=ends, side=side)
    told = {"layer": layer, "units": found.units, "low": found.low, "high": found.high}
    return content, told, f"{title}, from {ends[0]} to {ends[1]}."


COMMANDS = {
    "inspect": Command(help="what a network makes of a picture, as a picture", run=_inspect, options=_options),
}
