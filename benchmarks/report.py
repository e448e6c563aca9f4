"""How a measurement is kept: tables and targets as markdown, all numbers as JSON, and the machine they hold for."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from cnncore.places import PROJECT_ROOT, data_dir
from cnncore.training.devices import cpu_flags, cpu_name, num_cores

RESULTS = PROJECT_ROOT / "benchmarks" / "results"
PACKAGES = ("torch", "torchvision", "numpy", "streamlit", "plotly", "SQLAlchemy")

T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
        2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093)  # fmt: skip
"""Two-sided 95 % quantiles of Student's t for 1, 2, … degrees of freedom; beyond them it is close to the normal one."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A promise and what was measured; `met` is None where it could not be measured."""

    name: str
    required: str
    measured: str
    met: bool | None


@dataclass(kw_only=True)
class Report:
    """A measurement; `sections` are markdown, `data` is what JSON keeps of it. Make it before anything is started."""

    name: str
    title: str
    sections: list[str] = field(default_factory=list[str])
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    targets: list[Target] = field(default_factory=list[Target])
    machine: dict[str, Any] = field(default_factory=lambda: machine())
    command: str = field(default_factory=lambda: own_command())
    begin: float = field(default_factory=time.time)

    def save(self, folder: Path) -> Path:
        """Print the report and write it as `<name>-<date>.md` and `.json`; returns the markdown file."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}-{date.today().isoformat()}.md"
        text = self._markdown()
        path.write_text(text, encoding="utf-8")
        record = {
            "name": self.name,
            "command": self.command,
            "machine": self.machine,
            "seconds": round(time.time() - self.begin, 1),
            "targets": [asdict(target) for target in self.targets],
            **self.data,
        }
        path.with_suffix(".json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(text, flush=True)
        return path

    def _markdown(self) -> str:
        facts = self.machine
        lines = [
            f"# {self.title}",
            "",
            f"{date.today().isoformat()}, {(time.time() - self.begin) / 60:.1f} minutes: `{self.command}`",
            "",
            f"{facts['cpu']}, {facts['cores']} cores{'' if facts['bf16'] else ' without bf16'}, "
            f"{facts['memory_gb']} GB, {facts['os']}; load average before: {facts['load_average']}. "
            + ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
            + f"; commit {facts['commit']}.",
        ]
        return "\n\n".join(["\n".join(lines), *self.sections, *self._target_table()]) + "\n"

    def _target_table(self) -> list[str]:
        return ["## Targets\n\n" + target_table(self.targets)] if self.targets else []


def target_table(targets: Sequence[Target]) -> str:
    """The targets as a markdown table."""
    words = {True: "met", False: "**not met**", None: "not measured"}
    return table(
        ("target", "required", "measured", ""),
        [(target.name, target.required, target.measured, words[target.met]) for target in targets],
    )


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A markdown table; columns after the first are right-aligned."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (header, rule, *rows))


def machine() -> dict[str, Any]:
    """What the numbers of a report hold for; the load average is that of the last minute."""
    return {
        "cpu": cpu_name(),
        "cores": num_cores(),
        "bf16": bool(cpu_flags() & {"avx512_bf16", "amx_bf16", "bf16"}),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "os": f"{platform.system()} {platform.release()}",
        "load_average": round(os.getloadavg()[0], 2),
        "versions": {"Python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES},
        "commit": _commit(),
    }


def _commit() -> str:
    def git(*arguments: str) -> str:
        asked = subprocess.run(("git", *arguments), cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
        return asked.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "cnncore", "pages", "benchmarks/*.py")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with changes" if changed else "")


def own_command() -> str:
    """The command line of this process as a person would type it; paths and all."""
    spec = sys.modules["__main__"].__spec__
    module = spec.name.removesuffix(".__main__") if spec else Path(sys.argv[0]).name
    return shlex.join(("python", "-m", module, *sys.argv[1:]))


def parser(description: str | None) -> argparse.ArgumentParser:
    """A command line with what all measurements take: `--results` and `--data`."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--results", type=Path, default=RESULTS, help="folder for the report")
    made.add_argument("--data", type=Path, default=data_dir(), help="folder of the data sets (CNNLAB_DATA)")
    return made


def lab_environment(artifacts: Path, data: Path, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a lab process with folders of its own."""
    environment = {**base, "CNNLAB_ARTIFACTS": str(artifacts), "CNNLAB_DATA": str(data)}
    environment.pop("CNNLAB_DATABASE_URL", None)
    return environment


# Numbers


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean of `values` and half the width of its 95 % t-interval; infinite for fewer than two values."""
    mean, count = statistics.fmean(values), len(values)
    if count < 2:
        return mean, math.inf
    quantile = T_95[count - 2] if count - 2 < len(T_95) else 1.96
    return mean, quantile * statistics.stdev(values) / math.sqrt(count)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie, interpolated; NaN without values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """Smallest and largest value as text."""
    return f"{min(values):{form}}–{max(values):{form}}" if values else "-"
