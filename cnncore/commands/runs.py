"""Commands about runs: `runs`, `show`, `stop`, `pause`, `rename`, `tag`, `delete`, `restore`, `evaluate`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from cnncore import places
from cnncore.commands.command import Command, check_range, open_store, run_argument
from cnncore.config import TrainConfig, flatten
from cnncore.errors import RunError
from cnncore.runs.latencies import KIND as LATENCY
from cnncore.runs.latencies import read_latency
from cnncore.runs.run import STATUSES, Run
from cnncore.runs.search import MAX_LISTED
from cnncore.runs.stored_config import stored_config


def _runs_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="the newest N runs")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--model", default="", help="only runs of this network")
    parser.add_argument("--dataset", default="", help="only runs on this data set")
    parser.add_argument("--status", default="", choices=STATUSES, help="only runs with this status")
    parser.add_argument("--tag", default="", help="only runs with this tag")
    parser.add_argument("--text", default="", help="only runs whose name or tags contain this")
    parser.add_argument("--deleted", action="store_true", help="runs that can still be restored instead")
    parser.add_argument("--purge", action="store_true", help="remove what was deleted now, for good")


def _rename_options(parser: argparse.ArgumentParser) -> None:
    run_argument(parser)
    parser.add_argument("name", help="its new name")


def _tag_options(parser: argparse.ArgumentParser) -> None:
    run_argument(parser)
    parser.add_argument("tags", nargs="*", help="tags to add; without any, the run's tags are shown")
    parser.add_argument("--remove", action="append", default=[], metavar="TAG", help="a tag to take away")


def _several_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", metavar="run", help="id of a run, or its beginning")


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    run_argument(parser)
    parser.add_argument("--split", choices=("train", "validation", "test"), default="test")
    parser.add_argument("--dataset", help="another data set with the same classes")


def _runs(arguments: argparse.Namespace) -> int:
    from cnncore.runs.search import Search, find_runs
    from cnncore.runs.tidying import deleted_runs, purge

    check_range("limit", [arguments.limit], 1, MAX_LISTED)
    store = open_store()
    if arguments.purge:
        print(f"Removed {purge(store, places.artifacts_dir(), older_than_s=0)} deleted runs for good.")
        return 0
    filters = {name: getattr(arguments, name) for name in ("model", "dataset", "status", "tag", "text", "limit")}
    listed = deleted_runs(store) if arguments.deleted else find_runs(store, Search(searches=True, **filters))
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
    for name, value in flatten(stored_config(run)).items():
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


def _rename(arguments: argparse.Namespace) -> int:
    store = open_store()
    run = store.find(arguments.run)
    store.rename(run.id, arguments.name)
    print(f"{run.name} ({run.id}) is now called {store.get(run.id).name}.")
    return 0


def _tag(arguments: argparse.Namespace) -> int:
    from cnncore.runs.tidying import set_tags

    store = open_store()
    run = store.find(arguments.run)
    set_tags(store, [run.id], add=arguments.tags, remove=arguments.remove)
    print(f"{run.name} ({run.id}): {', '.join(store.get(run.id).tags) or 'no tags'}")
    return 0


def _delete(arguments: argparse.Namespace) -> int:
    from cnncore.runs.tidying import delete

    store = open_store()
    ids = [store.find(text).id for text in arguments.runs]
    print(f"Deleted {delete(store, ids)}. For a day: `python -m cnncore restore {' '.join(ids)}` brings them back.")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from cnncore.runs.runner import ensure_runner
    from cnncore.runs.tidying import deleted_runs, restore

    store = open_store()
    known = [run.id for run in deleted_runs(store)]
    ids: list[str] = []
    for text in arguments.runs:
        found = [run_id for run_id in known if text and run_id.startswith(text)]
        if len(found) != 1:
            raise RunError(
                f"{'More than one' if found else 'No'} deleted run matches {text[:40]!r}, so none was restored.",
                "`python -m cnncore runs --deleted` lists what can be restored.",
            )
        ids += found
    print(f"Restored {restore(store, ids)}.")
    if store.queue():
        ensure_runner(places.artifacts_dir())
    return 0


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
    "rename": Command(help="give a run another name", run=_rename, options=_rename_options),
    "tag": Command(help="add tags to a run, or take them away", run=_tag, options=_tag_options),
    "delete": Command(help="delete runs; for a day they can be restored", run=_delete, options=_several_options),
    "restore": Command(help="bring deleted runs back", run=_restore, options=_several_options),
    "evaluate": Command(help="score the network of a run", run=_evaluate, options=_evaluate_options),
}
