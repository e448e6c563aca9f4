"""Commands about networks: `models`, `profile`, `latency`."""

from __future__ import annotations

import argparse
import json

from cnncore.catalog import MODELS
from cnncore.commands.command import Command, check_range, open_store, pairs
from cnncore.config import TrainConfig, in_shape, with_settings
from cnncore.config.latency import LatencyConfig
from cnncore.errors import ConfigError, LabError

MAX_BATCH, MAX_SIZES = 4_096, 12


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


def _network_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model")
    parser.add_argument("--dataset", help="take shape and classes from this data set")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="for example model.width=2")
    parser.add_argument("--json", action="store_true")


def _profile_options(parser: argparse.ArgumentParser) -> None:
    _network_options(parser)
    parser.add_argument("--batch", type=int, default=1, metavar="N", help="images a batch, for the memory")


def _latency_options(parser: argparse.ArgumentParser) -> None:
    _network_options(parser)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 32], metavar="N", help="images a batch")
    parser.add_argument("--repeats", type=int, default=50, help="timed passes of each batch size")


def _network(arguments: argparse.Namespace) -> tuple[TrainConfig, tuple[int, int, int], int]:
    """The settings, the shape of one image and the number of classes: of the data set, else as published."""
    settings = [("model.name", arguments.model), *pairs(arguments.set)]
    config = with_settings(
        TrainConfig(), settings if not arguments.dataset else [("data.dataset", arguments.dataset), *settings]
    )
    if arguments.dataset:
        return config, in_shape(config), len(config.dataset_spec.classes) or 100
    spec = config.model_spec
    return config, (spec.in_channels, spec.native_size, spec.native_size), spec.num_classes


def _profile(arguments: argparse.Namespace) -> int:
    from cnncore.models.profile import profile_model
    from cnncore.terminal import print_profile

    config, shape, classes = _network(arguments)
    check_range("batch", [arguments.batch], 1, MAX_BATCH)
    profile = profile_model(config.model, shape, classes)
    if not arguments.json:
        print_profile(profile, arguments.batch)
        return 0
    kept = sum(layer.kept_bytes(arguments.batch, 4) for layer in profile.layers)
    sums = {f"by_{by}": profile.totals(by) for by in ("stage", "kind")}
    print(json.dumps({**profile.to_dict(), **sums, "batch_size": arguments.batch, "activation_bytes": kept}))
    return 0


def _latency(arguments: argparse.Namespace) -> int:
    from cnncore.runs.latencies import KIND, Timing, read_latency
    from cnncore.runs.runner import own_process
    from cnncore.terminal import print_latency
    from cnncore.training.latency import Measurement
    from cnncore.worker import stop_on_signals

    network, shape, classes = _network(arguments)
    check_range("batch", arguments.batch, 1, MAX_BATCH)
    if len(arguments.batch) > MAX_SIZES:
        raise ConfigError("batch", f"{len(arguments.batch)} batch sizes are too many.", f"Give at most {MAX_SIZES}.")
    check_range("repeats", [arguments.repeats], 5, 1_000)
    config = LatencyConfig(
        model=network.model,
        in_shape=shape,
        num_classes=classes,
        batch_sizes=tuple(arguments.batch),
        repeats=arguments.repeats,
        precision=network.training.precision,
        device=network.training.device,
    )
    store = open_store()
    title = f"Latency of {network.model_spec.title}"
    run = store.create(config.model_dump(mode="json"), name=title, kind=KIND, status="starting")
    store.set_process(run.id, *own_process())

    def put(timing: Timing) -> None:
        if arguments.json:
            print(json.dumps({**vars(timing), "images_per_s": timing.images_per_s}), flush=True)

    measurement = Measurement(store, run, put)
    stop_on_signals(measurement)
    status = measurement.carry_out()
    run = store.get(run.id)
    if run.error:
        raise LabError(run.error, run.hint or "")
    found = read_latency(run)
    if arguments.json:
        facts = {name: run.summary[name] for name in ("device", "device_name", "precision", "threads")}
        print(json.dumps({"run": run.id, "status": status, **facts}))
    elif found is not None:
        print_latency(found)
    return 0


COMMANDS = {
    "models": Command(help="list the networks", run=_models, options=_models_options),
    "profile": Command(
        help="parameters, operations and shapes of a network, layer by layer", run=_profile, options=_profile_options
    ),
    "latency": Command(
        help="measure how long a network takes for a batch on this machine", run=_latency, options=_latency_options
    ),
}
