"""Commands that queue the runs which are missing: `repeat`, `grid`."""

from __future__ import annotations

import argparse
import json
import socket
from typing import TYPE_CHECKING

from cnncore import places
from cnncore.commands.command import Command, open_store, pairs, run_argument
from cnncore.config import TrainConfig, preset, with_settings
from cnncore.errors import ConfigError

if TYPE_CHECKING:
    from cnncore.runs.repeats import Plan
    from cnncore.runs.store import RunStore


def _queue_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tag", action="append", default=[], help="tag of the new runs")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be queued")
    parser.add_argument("--json", action="store_true")


def _repeat_options(parser: argparse.ArgumentParser) -> None:
    run_argument(parser)
    parser.add_argument("--seeds", type=int, default=5, help="seeds there shall be, those that exist included")
    _queue_options(parser)


def _grid_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", help="start from a preset")
    parser.add_argument("--run", help="start from the settings of a run")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of all runs; `train --help` lists them",
    )
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="NAME=V1,V2",
        help="a setting and the values to try, for example optimizer.lr=1e-3,1e-2; at most two settings",
    )
    parser.add_argument("--seeds", type=int, default=1, help="seeds of each combination")
    _queue_options(parser)


def _repeat(arguments: argparse.Namespace) -> int:
    from cnncore.runs.groups import base_name
    from cnncore.runs.repeats import plan_repeats
    from cnncore.runs.search import changed_runs
    from cnncore.runs.store import ALL
    from cnncore.runs.stored_config import stored_config

    store = open_store()
    run = store.find(arguments.run)
    config = stored_config(run)
    plan = plan_repeats(config, arguments.seeds, store.list(kind="train", limit=ALL), changed_runs(store))
    return _queue(store, plan, arguments, base_name(run))


def _grid(arguments: argparse.Namespace) -> int:
    from cnncore.runs.repeats import plan_grid
    from cnncore.runs.search import changed_runs
    from cnncore.runs.store import ALL
    from cnncore.runs.stored_config import stored_config

    store = open_store()
    base = preset(arguments.preset) if arguments.preset else TrainConfig()
    if arguments.run:
        base = stored_config(store.find(arguments.run))
    base = with_settings(base, pairs(arguments.set))
    vary = dict(pairs(arguments.vary, "vary"))
    if len(vary) < len(arguments.vary):
        raise ConfigError(
            "vary", "A setting is varied twice.", "Give all its values at once, with commas between them."
        )
    plan = plan_grid(base, vary, arguments.seeds, store.list(kind="train", limit=ALL), changed_runs(store))
    return _queue(store, plan, arguments)


def _queue(store: RunStore, plan: Plan, arguments: argparse.Namespace, name: str = "") -> int:
    from cnncore.runs.repeats import plan_seconds, queue_plan
    from cnncore.runs.runner import ensure_runner
    from cnncore.runs.tidying import read_tags

    tags = read_tags(",".join(arguments.tag))
    seconds = plan_seconds(plan, store.list(status=("finished",), kind="train"), socket.gethostname())
    runs = () if arguments.dry_run else queue_plan(store, plan, name=name, tags=tags)
    if runs:
        ensure_runner(places.artifacts_dir())
    if arguments.json:
        facts = {"missing": len(plan.configs), "existing": plan.existing, "expected_s": seconds}
        print(json.dumps({"runs": [run.id for run in runs], **facts}))
        return 0
    verb = "would be queued" if arguments.dry_run else "queued"
    about = f", about {seconds:,.0f} s of training" if seconds else ""
    print(f"{len(plan.configs)} runs {verb}{about}; {plan.existing} exist already.")
    for run in runs:
        print(f"  {run.id}  {run.name}")
    return 0


COMMANDS = {
    "repeat": Command(help="queue a run with more seeds", run=_repeat, options=_repeat_options),
    "grid": Command(help="queue every combination of two settings", run=_grid, options=_grid_options),
}
