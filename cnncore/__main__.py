"""The command line: `python -m cnncore COMMAND`; `--help` after any command lists what it takes."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from cnncore import places
from cnncore.config import TrainConfig, flatten, from_json, preset, readable_name, with_settings
from cnncore.errors import ConfigError, LabError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cnncore", description="CNN Lab from the command line.")
    commands = parser.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="train a network, here and now")
    train.add_argument("--preset", help="start from a preset, for example lenet_20s")
    train.add_argument("--config", help="start from a JSON file")
    train.add_argument("--model", help="network (model.name)")
    train.add_argument("--dataset", help="data set (data.dataset)")
    train.add_argument("--epochs", help="epochs (training.epochs)")
    train.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any setting, for example optimizer.lr=1e-3"
    )
    train.add_argument("--name", help="name of the run")
    train.add_argument("--queue", action="store_true", help="put it into the queue instead and return at once")
    train.add_argument("--json", action="store_true", help="JSON lines instead of a progress bar")

    listing = commands.add_parser("runs", help="list runs")
    listing.add_argument("--limit", type=int, default=20)
    listing.add_argument("--json", action="store_true")

    for name, text in (("show", "show a run"), ("stop", "stop a run, with a checkpoint"), ("pause", "pause a run")):
        command = commands.add_parser(name, help=text)
        command.add_argument("run", help="id of the run, or its beginning")

    resume = commands.add_parser("resume", help="go on with a run from its checkpoint, here and now")
    resume.add_argument("run", help="id of the run, or its beginning")
    resume.add_argument("--more-epochs", type=int, default=0, help="train so many epochs more than planned")
    resume.add_argument("--queue", action="store_true", help="put it at the head of the queue instead")
    resume.add_argument("--json", action="store_true")

    evaluate = commands.add_parser("evaluate", help="score the network of a run")
    evaluate.add_argument("run", help="id of the run, or its beginning")
    evaluate.add_argument("--split", choices=("train", "validation", "test"), default="test")
    evaluate.add_argument("--dataset", help="another data set with the same classes")

    profile = commands.add_parser("profile", help="parameters, operations and shapes of a network, layer by layer")
    profile.add_argument("model")
    profile.add_argument("--dataset", help="take shape and classes from this data set")
    profile.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="for example model.width=2")
    profile.add_argument("--json", action="store_true")

    runner = commands.add_parser("runner", help="start queued runs until there is nothing left to do")
    runner.add_argument("--slots", type=int, default=os.environ.get("CNNLAB_SLOTS", "1"))
    runner.add_argument("--idle-exit", type=float, default=60.0, metavar="SECONDS")
    return parser


def _pairs(settings: Sequence[str]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError("set", f"--set takes NAME=VALUE, not {text[:60]!r}.", "For example optimizer.lr=1e-3.")
        pairs.append((name.strip(), value))
    return pairs


def _config(arguments: argparse.Namespace) -> TrainConfig:
    config = TrainConfig()
    if arguments.preset:
        config = preset(arguments.preset)
    if arguments.config:
        try:
            with open(arguments.config, encoding="utf-8") as file:  # noqa: PTH123
                config = from_json(file.read())
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError("config", f"{arguments.config} cannot be read: {error}.") from None
    named = {"model.name": arguments.model, "data.dataset": arguments.dataset, "training.epochs": arguments.epochs}
    settings = [(name, value) for name, value in named.items() if value is not None]
    return with_settings(config, [*settings, *_pairs(arguments.set)])


def _store() -> Any:
    from cnncore.runs.store import RunStore

    return RunStore(places.database_url())


def _train(arguments: argparse.Namespace) -> int:
    config = _config(arguments)
    _tune_process()
    store = _store()
    values = config.model_dump(mode="json")
    name = arguments.name or readable_name(config)
    if arguments.queue:
        return _queued(store.create(values, name=name), arguments.json)
    return _carry_out(store, store.create(values, name=name, status="starting"), config, arguments.json)


def _resume(arguments: argparse.Namespace) -> int:
    import socket

    from cnncore.config import replace
    from cnncore.runs.store import RESUMABLE

    _tune_process()
    store = _store()
    run = store.find(arguments.run)
    config = TrainConfig.model_validate(run.config)
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


def _queued(run: Any, as_json: bool) -> int:
    from cnncore.runs.runner import ensure_runner

    ensure_runner(places.artifacts_dir())
    print(json.dumps({"run": run.id, "status": run.status}) if as_json else f"Run {run.id} ({run.name}) is queued.")
    return 0


def _carry_out(store: Any, run: Any, config: TrainConfig, as_json: bool) -> int:
    from cnncore.runs.runner import own_process

    # At once: importing torch may take longer than the runner waits for a run to show its process.
    store.set_process(run.id, *own_process())
    from cnncore.terminal import json_lines, progress_bar
    from cnncore.training.api import carry_out, result_of
    from cnncore.worker import stop_on_signals

    with (json_lines if as_json else progress_bar)(run, config) as listener:
        run, _ = carry_out(store, run, listener, stop_on_signals)
    result = result_of(store, run)
    if as_json:
        last = {name: value for name, value in vars(result).items() if name != "folder"}
        print(json.dumps(last), flush=True)
        return 0
    if result.test_accuracy is not None:
        print(f"Test accuracy {result.test_accuracy:.2%} ({result.test_correct:,} of {result.test_count:,}).")
    if run.status != "finished":
        print(f"{run.status.capitalize()} at step {run.summary.get('step', 0):,}.", end=" ")
        print(f"`python -m cnncore resume {run.id}` goes on from there.")
    print(f"Run {run.id} ({run.name}); its files are in {result.folder}.")
    return 0


def _runs(arguments: argparse.Namespace) -> int:
    listed = _store().list(limit=arguments.limit)
    if arguments.json:
        for run in listed:
            print(json.dumps({"run": run.id, "name": run.name, "kind": run.kind, "status": run.status, **run.summary}))
        return 0
    print(f"{'run':<14}{'kind':<9}{'status':<13}{'test':>8}  {'validation':>10}  name")
    for run in listed:
        test, validation = (_percent(run.summary.get(key)) for key in ("test_accuracy", "best_val_accuracy"))
        print(f"{run.id:<14}{run.kind:<9}{run.status:<13}{test:>8}  {validation:>10}  {run.name}")
    return 0


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _show(arguments: argparse.Namespace) -> int:
    run = _store().find(arguments.run)
    print(f"{run.name} ({run.id}): {run.status}")
    if run.error:
        print(f"{run.error} {run.hint or ''}".rstrip())
    default = flatten(TrainConfig())
    print("\nSettings that differ from the defaults:")
    for name, value in flatten(TrainConfig.model_validate(run.config)).items():
        if value != default[name]:
            print(f"  {name} = {value}")
    print("\nResults:")
    for name, value in run.summary.items():
        if not isinstance(value, list | dict):
            print(f"  {name} = {value}")
    return 0


def _ask(wanted: str) -> Callable[[argparse.Namespace], int]:
    def command(arguments: argparse.Namespace) -> int:
        store = _store()
        run = store.ask(store.find(arguments.run).id, wanted)
        print(f"{run.name} ({run.id}) is {run.status}.")
        return 0

    return command


def _evaluate(arguments: argparse.Namespace) -> int:
    from cnncore.analysis.evaluation import evaluate_run

    store = _store()
    run = store.find(arguments.run)
    result = evaluate_run(store, places.artifacts_dir(), places.data_dir(), run, arguments.split, arguments.dataset)
    values = {"run": run.id, "split": arguments.split, "accuracy": result.accuracy, "top5": result.top5}
    print(json.dumps(values | {"loss": result.loss, "correct": result.correct, "count": result.count}))
    return 0


def _profile(arguments: argparse.Namespace) -> int:
    from cnncore.config import in_shape
    from cnncore.models.profile import profile_model
    from cnncore.terminal import print_profile

    pairs = [("model.name", arguments.model), *_pairs(arguments.set)]
    config = with_settings(
        TrainConfig(), pairs if not arguments.dataset else [("data.dataset", arguments.dataset), *pairs]
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


def _runner(arguments: argparse.Namespace) -> int:
    from cnncore.runs.runner import serve

    if serve(_store(), places.artifacts_dir(), slots=arguments.slots, idle_exit_s=arguments.idle_exit):
        return 0
    print("Another runner is at work on this machine.")
    return 0


def _tune_process() -> None:
    """Start again with the environment that training is fastest in, if this process was started without it."""
    from cnncore.runs.runner import worker_environment

    tuned = worker_environment()
    if tuned != dict(os.environ) and "CNNLAB_TUNED" not in os.environ:
        os.execve(sys.executable, [sys.executable, "-m", "cnncore", *sys.argv[1:]], tuned | {"CNNLAB_TUNED": "1"})


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "train": _train,
    "runs": _runs,
    "show": _show,
    "stop": _ask("stop"),
    "pause": _ask("pause"),
    "resume": _resume,
    "evaluate": _evaluate,
    "profile": _profile,
    "runner": _runner,
}


def main() -> NoReturn:
    """Run the command of `sys.argv`; a problem a person can mend is one line on standard error and exit code 2."""
    arguments = _parser().parse_args()
    try:
        code = _COMMANDS[arguments.command](arguments)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except BrokenPipeError:
        code = 0
    sys.exit(code)


if __name__ == "__main__":
    main()
