"""Commands about networks: `models`, `profile`."""

from __future__ import annotations

import argparse
import json

from cnncore.catalog import MODELS
from cnncore.commands.command import Command, pairs
from cnncore.config import TrainConfig, in_shape, with_settings


def _models_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")


def _models(arguments: argparse.Namespace) -> int:
    if arguments.json:
        for key, spec in MODELS.items():
            fields = ("title", "family", "year", "num_params", "depth", "native_size", "source")
            print(json.dumps({"model": key, **{name: getattr(spec, name) for name in fields}}))
        return 0
    print(f"{'model':<28}{'year':<6}{'parameters':>12}  network")
    for key, spec in MODELS.items():
        print(f"{key:<28}{spec.year:<6}{spec.num_params:>12,}  {spec.title}")
    return 0


def _profile_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model")
    parser.add_argument("--dataset", help="take shape and classes from this data set")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="for example model.width=2")
    parser.add_argument("--json", action="store_true")


def _profile(arguments: argparse.Namespace) -> int:
    from cnncore.models.profile import profile_model
    from cnncore.terminal import print_profile

    settings = [("model.name", arguments.model), *pairs(arguments.set)]
    config = with_settings(
        TrainConfig(), settings if not arguments.dataset else [("data.dataset", arguments.dataset), *settings]
    )
    spec = config.model_spec
    shape, classes = (spec.in_channels, spec.native_size, spec.native_size), spec.num_classes
    if arguments.dataset:
        shape, classes = in_shape(config), len(config.dataset_spec.classes) or 100
    profile = profile_model(config.model, shape, classes)
    if arguments.json:
        print(profile.to_json())
    else:
        print_profile(profile)
    return 0


COMMANDS = {
    "models": Command(help="list the networks", run=_models, options=_models_options),
    "profile": Command(
        help="parameters, operations and shapes of a network, layer by layer", run=_profile, options=_profile_options
    ),
}
