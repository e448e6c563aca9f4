"""Commands about runs: `runs`, `show`, `stop`, `pause`, `evaluate`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from cnncore import places
from cnncore.commands.command import Command, open_store, run_argument
from cnncore.config import TrainConfig, flatten
from cnncore.runs.latencies import KIND as LATENCY
from cnncore.runs.latencies import read_latency
from cnncore.runs.store import Run


def _runs_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--json", action="store_true")


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    run_argument(parser)
    parser.add_argument("--split", choices=("train", "validation", "test"), default="test")
    parser.add_argument("--dataset", help="another data set with the same classes")


def _runs(arguments: argparse.Namespace) -> int:
    listed = open_store().list(limit=arguments.limit)
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
    run = open_store().find(arguments.run)
    print(f"{run.name} ({run.id}): {run.status}")
    if run.error:
        print(f"{run.error} {run.hint or ''}".rstrip())
    if run.kind == LATENCY:
        return _show_latency(run)
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


def _show_latency(run: Run) -> int:
    from cnncore.terminal import print_latency

    found = read_latency(run)
    if found is not None:
        print_latency(found)
    return 0


def _ask(wanted: str) -> Callable[[argparse.Namespace], int]:
    def command(arguments: argparse.Namespace) -> int:
        store = open_store()
        run = store.ask(store.find(arguments.run).id, wanted)
        print(f"{run.name} ({run.id}) is {run.status}.")
        return 0

    return command


def _evaluate(arguments: argparse.Namespace) -> int:
    from cnncore.analysis.evaluation import evaluate_run

    store = open_store()
    run = store.find(arguments.run)
    result = evaluate_run(store, places.artifacts_dir(), places.data_dir(), run, arguments.split, arguments.dataset)
    values = {"run": run.id, "split": arguments.split, "accuracy": result.accuracy, "top5": result.top5}
    print(json.dumps(values | {"loss": result.loss, "correct": result.correct, "count": result.count}))
    return 0


COMMANDS = {
    "runs": Command(help="list runs", run=_runs, options=_runs_options),
    "show": Command(help="show a run", run=_show, options=run_argument),
    "stop": Command(help="stop a run, with a checkpoint", run=_ask("stop"), options=run_argument),
    "pause": Command(help="pause a run", run=_ask("pause"), options=run_argument),
    "evaluate": Command(help="score the network of a run", run=_evaluate, options=_evaluate_options),
}
