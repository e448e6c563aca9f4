"""A new head on a frozen backbone: kept features against the backbone in every epoch, and from the button to the head.

    python -m benchmarks.transfer [--seeds 5] [--epochs 10] [--runs 3] [--device auto]

800 flower photographs (CNNLAB_DATA/flowers: five kinds, 600 to train on and 200 for validation) as an image set, on
EfficientNet-Lite0 with the settings that the Transfer page begins with. The two ways take turns seed by seed, each in a
process of its own. The runs are what a person would type, in folders with nothing but the image set.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.accuracy import with_interval
from benchmarks.report import Report, Target, interval, lab_environment, parser, spread, table
from benchmarks.transfer_loop import WAYS
from cnncore.config.transfer import transfer_base
from cnncore.images.intake import Incoming, add_images
from cnncore.images.store import open_sets
from cnncore.places import PROJECT_ROOT
from cnncore.runs.runner import worker_environment

TIMES_OVER_ALL, TIMES_EACH = 7.0, 50.0
"""How many times as fast as the backbone in every epoch: all epochs with the first pass, and each further epoch."""
MAX_DIFFERENCE = 1.0
MIN_ACCURACY = 88.0
TO_HEAD_S, TEN_MORE_S = 60.0, 5.0
MORE_EPOCHS = 10


@dataclass(frozen=True, kw_only=True)
class Loop:
    """One way's epochs: when each ended since the first look at an image, and its validation accuracy."""

    ends_s: list[float]
    accuracies: list[float]
    device: str
    precision: str

    @property
    def further_s(self) -> list[float]:
        """Seconds of each epoch after the first."""
        return [after - before for before, after in pairwise(self.ends_s)]


@dataclass(frozen=True, kw_only=True)
class Journey:
    """A run on the command line.

    Attributes:
        first_step_s: From the start of the process to the first step.
        trained_s: To the end of the last epoch.
        whole_s: To the end of the process, everything stored.
        best: Validation accuracy of the weights that are kept, in percent.
        last: Of the last epoch's.
        num_validation: Validation images.
        more_s: From the end of the first to the end of the last of ten further epochs, and a tenth more for the first.
        more_whole_s: The whole process that resumes the run for them.
    """

    first_step_s: float
    trained_s: float
    whole_s: float
    best: float
    last: float
    num_validation: int
    more_s: float
    more_whole_s: float


def flower_set(source: Path, root: Path) -> str:
    """An image set of the photographs below `root`; returns its id@version.

    Raises:
        SystemExit: where they are not at hand.
    """
    if not source.is_dir():
        raise SystemExit(f"There are no photographs in {source}; shared/data/prepare.py fetches them.")
    sets = open_sets(root)
    made = sets.create("Flowers")
    add_images(sets, made.id, [Incoming(name="flowers", content=source)])
    return sets.get(made.id).reference


def run_loop(way: str, root: Path, image_set: str, seed: int, arguments: Namespace) -> Loop:
    """One way with one seed, in a process of its own."""
    options = ("--way", way, "--data", str(root), "--image-set", image_set, "--seed", str(seed))
    command = (sys.executable, "-m", "benchmarks.transfer_loop", *options)
    done = subprocess.run(
        (*command, "--epochs", str(arguments.epochs), "--device", arguments.device),
        cwd=PROJECT_ROOT,
        env=worker_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    loop = Loop(**json.loads(done.stdout.splitlines()[-1]))
    print(f"{way} seed {seed}: {loop.ends_s[-1]:.2f} s, {100 * loop.accuracies[-1]:.1f} %", file=sys.stderr)
    return loop


def timed_lines(
    command: Sequence[str], environment: dict[str, str]
) -> tuple[list[tuple[float, dict[str, Any]]], float]:
    """The JSON lines of a process with the seconds after which each came, and the seconds it took.

    Raises:
        SystemExit: if it failed.
    """
    begin = time.monotonic()
    child = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines = [(time.monotonic() - begin, json.loads(line)) for line in child.stdout]
    if child.wait():
        raise SystemExit(f"{' '.join(command[1:])} failed.")
    return lines, time.monotonic() - begin


def run_journey(root: Path, image_set: str, seed: int, device: str) -> Journey:
    """Train a head in a process that finds nothing prepared, then ten epochs more in another one."""
    shutil.rmtree(root / "cache", ignore_errors=True)
    config = transfer_base("efficientnet_lite0", image_set)
    with tempfile.TemporaryDirectory() as folder:
        environment = lab_environment(Path(folder), root, worker_environment())
        (Path(folder) / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
        lab = (sys.executable, "-m", "cnncore")
        options = ("--config", f"{folder}/config.json", "--set", f"training.seed={seed}")
        lines, whole = timed_lines(
            (*lab, "train", "--json", *options, "--set", f"training.device={device}"), environment
        )
        last = lines[-1][1]
        resume = (*lab, "resume", last["run"], "--more-epochs", str(MORE_EPOCHS), "--json")
        more, more_whole = timed_lines(resume, environment)
    epochs, more_epochs = (
        [(at, line) for at, line in found if line.get("event") == "epoch"] for found in (lines, more)
    )
    start = next((at, line) for at, line in lines if line.get("event") == "start")
    journey = Journey(
        first_step_s=start[0],
        trained_s=epochs[-1][0],
        whole_s=whole,
        best=100 * last["best_val_accuracy"],
        last=100 * epochs[-1][1]["val_accuracy"],
        num_validation=start[1]["num_validation"],
        more_s=(more_epochs[-1][0] - more_epochs[0][0]) * MORE_EPOCHS / (MORE_EPOCHS - 1),
        more_whole_s=more_whole,
    )
    print(f"seed {seed}: {journey}", file=sys.stderr)
    return journey


def add_loops(report: Report, loops: dict[str, list[Loop]]) -> None:
    """The two ways beside each other."""
    kept, anew = loops["kept"], loops["anew"]
    whole = {way: statistics.median(loop.ends_s[-1] for loop in found) for way, found in loops.items()}
    further = {way: [seconds for loop in found for seconds in loop.further_s] for way, found in loops.items()}
    each = {way: statistics.median(seconds) for way, seconds in further.items()}
    accuracies = {way: [100 * loop.accuracies[-1] for loop in found] for way, found in loops.items()}
    differences = [a - b for a, b in zip(accuracies["kept"], accuracies["anew"], strict=True)]
    mean, half = interval(differences)
    epochs, count = len(kept[0].ends_s), len(kept)
    rows = [
        (way, f"{whole[way]:.2f} s", f"{statistics.median(loop.ends_s[0] for loop in loops[way]):.2f} s",
         f"{1000 * each[way]:,.0f} ms", spread([1000 * value for value in further[way]]),
         with_interval(accuracies[way]))
        for way in loops
    ]  # fmt: skip
    header = ("", f"{epochs} epochs", "the first", "each further one", "smallest–largest ms", "accuracy after them")
    report.sections.append(
        f"## Kept features against the backbone in every epoch\n\nMedians of {count} seeds in turn; {anew[0].device}, "
        f"{anew[0].precision}. Kept: the first pass over all images, then the lab's loop with all it logs. Anew: the "
        "backbone without gradients and the same steps, nothing else. Accuracy: of 200 validation images, mean and "
        f"95 % t-interval.\n\n{table(header, rows)}"
    )
    ratio, ratio_each = whole["anew"] / whole["kept"], each["anew"] / each["kept"]
    report.targets += [
        Target(
            name=f"{epochs} epochs with the first pass, against the backbone in each",
            required=f"≥ {TIMES_OVER_ALL:g}×",
            measured=f"{ratio:.1f}×",
            met=ratio >= TIMES_OVER_ALL if epochs == 10 else None,
        ),
        Target(
            name="each further epoch, median",
            required=f"≥ {TIMES_EACH:g}×",
            measured=f"{ratio_each:.0f}×",
            met=ratio_each >= TIMES_EACH,
        ),
        Target(
            name=f"difference of the mean accuracies, {count} seeds",
            required=f"≤ {MAX_DIFFERENCE:g} point",
            measured=f"{mean:+.2f} ± {half:.2f} points",
            met=abs(mean) <= MAX_DIFFERENCE if count > 1 else None,
        ),
    ]
    report.data["loops"] = {way: [asdict(loop) for loop in found] for way, found in loops.items()}


def add_journeys(report: Report, journeys: Sequence[Journey]) -> None:
    """From the start of a process to a trained head, and how good it is."""
    best, last = [journey.best for journey in journeys], [journey.last for journey in journeys]
    mean, images = statistics.fmean(best), journeys[0].num_validation
    sampling = 1.96 * 100 * math.sqrt(mean / 100 * (1 - mean / 100) / images)
    names = ("first_step_s", "trained_s", "whole_s", "more_s", "more_whole_s")
    seconds = {name: [getattr(journey, name) for journey in journeys] for name in names}
    words = (
        "to the first step (decoded, features computed)", "to the trained head", "to the end of the process",
        f"{MORE_EPOCHS} further epochs", f"{MORE_EPOCHS} further epochs, with the process that resumes the run",
    )  # fmt: skip
    rows = [
        (text, f"{statistics.median(seconds[name]):.1f} s", spread(seconds[name], ".1f"))
        for name, text in zip(names, words, strict=True)
    ]
    report.sections.append(
        f"## From the start of a process to a trained head\n\nMedians of {len(journeys)} runs, nothing prepared before "
        f"each but the image set.\n\n{table(('', 'seconds', 'smallest–largest'), rows)}\n\nValidation accuracy of "
        f"{images} images, mean and 95 % t-interval of {len(journeys)} seeds: {with_interval(best)} with the weights "
        f"that are kept (the best epoch's, chosen on the same images), {with_interval(last)} after the last epoch; "
        f"{images} images alone leave ± {sampling:.1f} points."
    )
    to_head, more = statistics.median(seconds["trained_s"]), statistics.median(seconds["more_s"])
    report.targets += [
        Target(
            name=f"flowers, frozen backbone: mean validation accuracy of {len(journeys)} seeds, n = {images}",
            required=f"≥ {MIN_ACCURACY:g} %",
            measured=with_interval(best),
            met=mean >= MIN_ACCURACY,
        ),
        Target(
            name="from the start of the process to a trained head",
            required=f"< {TO_HEAD_S:g} s",
            measured=f"{to_head:.1f} s",
            met=to_head < TO_HEAD_S,
        ),
        Target(
            name=f"{MORE_EPOCHS} further epochs",
            required=f"< {TEN_MORE_S:g} s",
            measured=f"{more:.2f} s",
            met=more < TEN_MORE_S,
        ),
    ]
    report.data["journeys"] = [asdict(journey) for journey in journeys]


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--seeds", type=int, default=5, help="of the two ways")
    command_line.add_argument("--epochs", type=int, default=10, help="of the two ways")
    command_line.add_argument("--runs", type=int, default=3, help="runs from the start of a process")
    command_line.add_argument("--device", default="auto")
    arguments = command_line.parse_args()
    report = Report(name="transfer", title="Transfer learning with a frozen backbone")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        image_set = flower_set(arguments.data / "flowers", root)
        os.environ["CNNLAB_DATA"] = str(root)
        journeys = [run_journey(root, image_set, seed, arguments.device) for seed in range(arguments.runs)]
        loops: dict[str, list[Loop]] = {way: [] for way in WAYS}
        for seed in range(arguments.seeds):
            for way, found in loops.items():
                found.append(run_loop(way, root, image_set, seed, arguments))
    add_loops(report, loops)
    add_journeys(report, journeys)
    report.save(arguments.results)


if __name__ == "__main__":
    main()
