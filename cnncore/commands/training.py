"""Commands that train: `train`, `resume`, `runner`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from typing import TYPE_CHECKING

from cnncore import places
from cnncore.commands.command import Command, check_range, open_store, pairs, run_argument
from cnncore.config import (
    TrainConfig,
    flatten,
    format_value,
    from_json,
    meaning,
    preset,
    readable_name,
    with_settings,
)
from cnncore.errors import ConfigError, LabError

if TYPE_CHECKING:
    from cnncore.runs.store import Run, RunStore

MAX_EPOCHS = 2_000


def _all_settings() -> str:
    """Every setting with its default, what it is and what is allowed, for the help."""
    lines = ["settings, for --set, with their defaults:"]
    for name, value in flatten(TrainConfig()).items():
        lines.append(f"  {name}={format_value(value, name)}")
        lines += textwrap.wrap(meaning(name), 112, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines)


def _train_options(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, _all_settings()
    parser.add_argument("--preset", help="start from a preset, for example lenet_20s")
    parser.add_argument("--config", help="start from a JSON file")
    parser.add_argument("--model", help="network (model.name)")
    parser.add_argument("--dataset", help="data set (data.dataset)")
    parser.add_argument("--epochs", help="epochs (training.epochs)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any setting listed below, as optimizer.lr=1e-3",
    )
    parser.add_argument("--name", help="name of the run")
    parser.add_argument("--queue", action="store_true", help="put it into the queue instead and return at once")
    parser.add_argument("--json", action="store_true", help="JSON lines instead of a progress bar")


def _resume_options(parser: argparse.ArgumentParser) -> None:
    run_argument(parser)
    parser.add_argument("--more-epochs", type=int, default=0, help="train so many epochs more than planned")
    parser.add_argument("--queue", action="store_true", help="put it at the head of the queue instead")
    parser.add_argument("--json", action="store_true")


def _runner_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--slots", type=int, help="how many runs may be on at once (CNNLAB_SLOTS, else 1)")
    parser.add_argument("--idle-exit", type=float, default=60.0, metavar="SECONDS")


def _config(arguments: argparse.Namespace) -> TrainConfig:
    config = TrainConfig()
    if arguments.preset:
        config = preset(arguments.preset)
    if arguments.config:
        try:
            with open(arguments.config, encoding="utf-8") as file:  # noqa: PTH123
                config = from_json(file.read())
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                "config", f"{arguments.config} cannot be read: {getattr(error, 'strerror', None) or error}."
            ) from None
    named = {"model.name": arguments.model, "data.dataset": arguments.dataset, "training.epochs": arguments.epochs}
    settings = [(name, value) for name, value in named.items() if value is not None]
    return with_settings(config, [*settings, *pairs(arguments.set)])


def _train(arguments: argparse.Namespace) -> int:
    config = _config(arguments)
    _tune_process()
    store = open_store()
    values = config.model_dump(mode="json")
    name = arguments.name or readable_name(config)
    if arguments.queue:
        return _queued(store.create(values, name=name), arguments.json)
    return _carry_out(store, store.create(values, name=name, status="starting"), config, arguments.json)


def _resume(arguments: argparse.Namespace) -> int:
    import socket

    from cnncore.config import replace
    from cnncore.runs.store import RESUMABLE
    from cnncore.runs.stored_config import stored_config

    _tune_process()
    store = open_store()
    run = store.find(arguments.run)
    _check_resumable(run, arguments.more_epochs)
    config = stored_config(run)
    config = replace(config, {"training.epochs": config.training.epochs + arguments.more_epochs})
    values = config.model_dump(mode="json")
    if arguments.queue:
        return _queued(store.requeue(run.id, values), arguments.json)
    if run.kind != "train":
        raise LabError("Only a training can be resumed.", "Start a new search from the app.")
    if not store.claim(run.id, socket.gethostname(), RESUMABLE):
        raise LabError(f"The run is {store.get(run.id).status} already.", "Wait until it has ended.")
    store.set_config(run.id, values)
    return _carry_out(store, store.get(run.id), config, arguments.json)


def _check_resumable(run: Run, more_epochs: int) -> None:
    """Refuse what has nothing left to do: it would only be scored on the test images once more.

    Raises:
        LabError: saying what to do instead.
    """
    check_range("more-epochs", [more_epochs], 0, MAX_EPOCHS)
    if run.kind == "latency":
        raise LabError("A measurement of latency cannot be resumed.", "Start a new one: `python -m cnncore latency`.")
    if run.kind == "train" and run.status == "finished" and not more_epochs:
        raise LabError("The run has finished all its epochs.", "Train it for longer with --more-epochs N.")


def _queued(run: Run, as_json: bool) -> int:
    from cnncore.runs.runner import ensure_runner

    ensure_runner(places.artifacts_dir())
    print(json.dumps({"run": run.id, "status": run.status}) if as_json else f"Run {run.id} ({run.name}) is queued.")
    return 0


def _carry_out(store: RunStore, run: Run, config: TrainConfig, as_json: bool) -> int:
    from cnncore.runs.runner import own_process

    # At once: importing torch may take longer than the runner waits for a run to show its process.
    store.set_process(run.id, *own_process())
    from cnncore.terminal import json_lines, progress_bar
    from cnncore.training.api import carry_out, result_of
    from cnncore.worker import stop_on_signals

    with (json_lines if as_json else progress_bar)(run, config) as listener:
        run, _ = carry_out(store, run, listener, stop_on_signals)
    if as_json and run.error:
        print(json.dumps({"run": run.id, "status": run.status, "error": run.error, "hint": run.hint}), flush=True)
    result = result_of(store, run)
    # What comes after it in a script needs a trained network.
    code = 0 if run.status == "finished" else 1
    if as_json:
        last = {name: value for name, value in vars(result).items() if name != "folder"}
        print(json.dumps(last), flush=True)
        return code
    if result.test_accuracy is not None:
        print(f"Test accuracy {result.test_accuracy:.2%} ({result.test_correct:,} of {result.test_count:,}).")
    if run.status != "finished":
        print(f"{run.status.capitalize()} at step {run.summary.get('step', 0):,}.", end=" ")
        print(f"`python -m cnncore resume {run.id}` goes on from there.")
    print(f"Run {run.id} ({run.name}); its files are in {result.folder}.")
    return code


def _runner(arguments: argparse.Namespace) -> int:
    from cnncore.runs.runner import MAX_SLOTS, allowed_slots, serve

    slots = allowed_slots() if arguments.slots is None else arguments.slots
    check_range("slots", [slots], 1, MAX_SLOTS)
    if serve(open_store(), places.artifacts_dir(), slots=slots, idle_exit_s=arguments.idle_exit):
        return 0
    print("Another runner is at work on this machine.")
    return 0


def _tune_process() -> None:
    """Start again with the environment that training is fastest in, if this process was started without it."""
    from cnncore.runs.runner import worker_environment

    tuned = worker_environment()
    if tuned != dict(os.environ) and "CNNLAB_TUNED" not in os.environ:
        os.execve(sys.executable, [sys.executable, "-m", "cnncore", *sys.argv[1:]], tuned | {"CNNLAB_TUNED": "1"})


COMMANDS = {
    "train": Command(help="train a network, here and now", run=_train, options=_train_options),
    "resume": Command(help="go on with a run from its checkpoint, here and now", run=_resume, options=_resume_options),
    "runner": Command(help="start queued runs until there is nothing left to do", run=_runner, options=_runner_options),
}
