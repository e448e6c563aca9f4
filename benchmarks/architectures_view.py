"""Server time of the Compare page's Architectures view, with every network and many runs in the store.

    python -m benchmarks.architectures_view [--runs 1000] [--repeats 15]

The page is run without a browser (Streamlit's AppTest), each part of the view in turn: once with the best runs read
anew from the store, and with those of the last ten seconds at hand. The view reads no step of any run, so the runs have
none. The service is not asked: its answers fill in afterwards. The time is processor time, which other processes on the
machine lengthen less than the time that passes.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import streamlit as st
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from benchmarks.report import Report, Target, parser, spread, table
from cnncore.answers import Answer
from cnncore.catalog import MODELS
from cnncore.config import TrainConfig, replace
from cnncore.errors import LabError
from cnncore.places import PROJECT_ROOT
from cnncore.runs.store import RunStore
from cnncore.runs.tables import runs
from pages.components import waiting
from pages.components.architectures_link import FIXED_DATASETS, TABS
from tests import fake_runs

MAX_MS = 200.0


def fill(store: RunStore, count: int) -> None:
    """Adds finished runs of all networks on all data sets."""
    rows = []
    for number in range(count):
        model = list(MODELS)[number % len(MODELS)]
        dataset = list(FIXED_DATASETS)[number % len(FIXED_DATASETS)]
        config = replace(TrainConfig(), {"model.name": model, "data.dataset": dataset, "training.seed": number})
        correct = 5_000 + number * 7_919 % 4_900
        facts = {"test_correct": correct, "test_count": 10_000, "num_params": MODELS[model].num_params}
        rows.append(
            {
                "id": f"{number:012x}", "kind": "train", "name": f"{model} #{number}", "owner": "benchmark",
                "tags": "[]", "status": "finished", "config": json.dumps(config.model_dump(mode="json")),
                "summary": json.dumps({**fake_runs.summary(400, steps=400, epochs=8), **facts}),
                "created": float(number), "place": float(number), "attempt": 1,
            }
        )  # fmt: skip
    with store.engine.begin() as db:
        db.execute(insert(runs), rows)


def no_answer(name: str, request: object) -> Answer:
    """Stands in for the service."""
    raise LabError("The service is not asked.")


def run_ms(app: AppTest) -> float:
    begin = time.process_time()
    app.run()
    elapsed = 1000 * (time.process_time() - begin)
    assert not app.exception
    return elapsed


def measure(repeats: int) -> list[tuple[str, list[float], list[float]]]:
    """For each part of the view, with the details of a network: milliseconds with nothing at hand, and otherwise."""
    app = AppTest.from_file(str(PROJECT_ROOT / "app.py"), default_timeout=60)
    found: list[tuple[str, list[float], list[float]]] = []
    for tab, title in TABS.items():
        app.switch_page("pages/compare.py")
        app.query_params["tab"] = tab
        app.query_params["net"] = "vgg16"
        app.run()
        cold: list[float] = []
        for _ in range(repeats):
            st.cache_resource.clear()
            cold.append(run_ms(app))
        found.append((title, cold, [run_ms(app) for _ in range(repeats)]))
    return found


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--runs", type=int, default=1_000)
    command_line.add_argument("--repeats", type=int, default=15)
    arguments = command_line.parse_args()
    report = Report(name="architectures_view", title="Server time of the Architectures view")
    waiting.ask = no_answer
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CNNLAB_ARTIFACTS"] = folder
        os.environ.pop("CNNLAB_DATABASE_URL", None)
        store = RunStore(f"sqlite:///{Path(folder) / 'lab.db'}")
        fill(store, arguments.runs)
        found = measure(arguments.repeats)
    report.sections.append(
        f"{len(MODELS)} networks, {arguments.runs:,} finished runs; milliseconds of processor time, median (range) of "
        f"{arguments.repeats} runs of the page, the details of VGG-16 below each part.\n\n"
        + table(
            ("part", "runs read anew", "runs at hand"),
            [
                (title, *(f"{statistics.median(each):.0f} ({spread(each)})" for each in (cold, warm)))
                for title, cold, warm in found
            ],
        )
    )
    report.data["parts"] = [{"part": title, "cold_ms": cold, "warm_ms": warm} for title, cold, warm in found]
    worst = max(statistics.median(cold) for _, cold, _ in found)
    report.targets.append(
        Target(
            name="Architectures view, slowest part, median",
            required=f"≤ {MAX_MS:g} ms",
            measured=f"{worst:.0f} ms",
            met=worst <= MAX_MS,
        )
    )
    report.save(arguments.results)


if __name__ == "__main__":
    main()
