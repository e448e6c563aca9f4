"""All measurements in turn, then one table of what was promised: `make bench`, or `python -m benchmarks [--quick]`.

`--quick` shrinks everything to see that it works; its numbers mean nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

from benchmarks.report import RESULTS, Report, Target, parser
from cnncore.places import PROJECT_ROOT

PARTS: dict[str, tuple[str, ...]] = {
    "speed": ("--rounds", "1", "--seconds", "1", "--models", "lenet_tutorial"),
    "accuracy": ("--seeds", "2", "--images", "300", "--epochs", "1", "--fast-seeds", "1", "--ordinary-seconds", "2"),
    "first_minute": ("--repeats", "1", "--worker-images", "1000"),
    "live_tick": ("--viewers", "1", "3", "--seconds", "5"),
    "compare_runs": ("--runs", "60", "--steps", "1000", "--repeats", "2"),
    "viewers": ("--viewers", "3", "--rounds", "1", "--seconds", "5"),
    "architectures_view": ("--runs", "50", "--repeats", "2"),
    "transfer": ("--seeds", "1", "--epochs", "2", "--runs", "1"),
    "inspector": ("--quick",),
    "lessons": ("--quick",),
}
"""The measurements in order, and what makes each of them quick."""


def measure(part: str, options: tuple[str, ...], results: Path, data: Path) -> list[Target]:
    """Carry out one measurement in a process of its own; what it promised, or that it failed."""
    if results != RESULTS:
        options = (*options, "--results", str(results))
    # The folder of the data is no part of the command that the report shows.
    environment = {**os.environ, "CNNLAB_DATA": str(data)}
    command = (sys.executable, "-m", f"benchmarks.{part}", *options)
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False)
    if done.returncode:
        return [Target(name=part, required="a report", measured=f"exit code {done.returncode}", met=False)]
    record = json.loads((results / f"{part}-{date.today().isoformat()}.json").read_text(encoding="utf-8"))
    return [Target(**target) for target in record["targets"]]


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--part", nargs="+", choices=list(PARTS), default=list(PARTS))
    command_line.add_argument("--quick", action="store_true")
    arguments = command_line.parse_args()
    report = Report(name="bench", title="What was promised, and what was measured")
    for part in arguments.part:
        quick = PARTS[part] if arguments.quick else ()
        report.targets += measure(part, quick, arguments.results.resolve(), arguments.data)
    missed = sum(target.met is False for target in report.targets)
    unknown = sum(target.met is None for target in report.targets)
    report.sections.append(
        f"{len(report.targets) - missed - unknown} targets met, {missed} not met, {unknown} not measured"
        + ("; --quick, so the numbers mean nothing." if arguments.quick else ".")
    )
    report.save(arguments.results)


if __name__ == "__main__":
    main()
