"""Training speed beside the peers: images/s of each in turn, round after round, on three networks.

    python -m benchmarks.speed [--models lenet_tutorial cnn3 resnet20] [--rounds 5] [--seconds 5] [--only engine ...]

Every round of every competitor is a process of its own, so that no one's threads, prefetched batches or fragmented
memory help or disturb the next; start-up and the first 20 steps do not count. The two loops in plain torch run in this
environment, with the very torch the engine uses; the others in `.venv-peers`, which `make bench` makes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.clock import MODELS
from benchmarks.report import Report, Target, parser, spread, table
from cnncore.places import PROJECT_ROOT
from cnncore.runs.runner import worker_environment

PEERS_PYTHON = PROJECT_ROOT / ".venv-peers" / "bin" / "python"
BASE, OWN = "ordinary", ("engine", "bare")
REQUIRED = {"lenet_tutorial": 3.0, "cnn3": 2.5, "resnet20": 2.2}
"""How many times the ordinary loop's speed the engine must reach."""
BARE_SHARE = 0.95
PATIENCE_S = 600.0
"""How long a round may take beyond its seconds: imports, compilation, the first steps."""

Rates = dict[str, dict[str, list[float]]]
"""Images/s by network and competitor, a number a round."""


@dataclass(frozen=True, kw_only=True)
class Competitor:
    """A program below benchmarks/ that understands the peers' command line; `needs` is what it is made of."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def command(self) -> tuple[str, ...]:
        return (str(PEERS_PYTHON) if self.needs else sys.executable, "-m", self.module, *self.arguments)

    def environment(self) -> dict[str, str]:
        return worker_environment() if self.name in OWN else dict(os.environ)


COMPETITORS = (
    Competitor(name=BASE, module="benchmarks.peers.ordinary"),
    Competitor(name="bf16_loop", module="benchmarks.peers.bf16_loop"),
    Competitor(name="keras", module="benchmarks.peers.keras_fit", needs=("tensorflow", "keras")),
    Competitor(
        name="keras-xla", module="benchmarks.peers.keras_fit", arguments=("--jit",), needs=("tensorflow", "keras")
    ),
    Competitor(name="fastai", module="benchmarks.peers.fastai_fit", needs=("torch", "fastai")),
    Competitor(name="lightning", module="benchmarks.peers.lightning_fit", needs=("torch", "lightning")),
    Competitor(name="engine", module="benchmarks.engine"),
    Competitor(name="bare", module="benchmarks.engine", arguments=("--bare",)),
)


def peer_versions() -> dict[str, str]:
    """What is installed for the peers, with versions; nothing where they have no environment."""
    if not PEERS_PYTHON.exists():
        return {}
    code = "import importlib.metadata as m; print({d.metadata['Name'].lower(): d.version for d in m.distributions()})"
    listed = subprocess.run((PEERS_PYTHON, "-c", code), capture_output=True, text=True, check=True).stdout
    found: dict[str, str] = json.loads(listed.replace("'", '"'))
    wanted = {name for competitor in COMPETITORS for name in competitor.needs}
    return {name: version for name, version in found.items() if name in wanted}


def why_absent(competitor: Competitor, installed: Mapping[str, str]) -> str | None:
    """Why a competitor cannot be measured here; None if it can."""
    if not (PROJECT_ROOT / f"{competitor.module.replace('.', '/')}.py").exists():
        return "no program for it"
    missing = [name for name in competitor.needs if name not in installed]
    return f"not installed: {', '.join(missing)}" if missing else None


def measure_round(competitor: Competitor, model: str, seconds: float, data: Path) -> float:
    """Images/s of one round in a fresh process.

    Raises:
        RuntimeError: with its last words, if it did not report a number.
    """
    options = ("--model", model, "--seconds", str(seconds), "--rounds", "1", "--data", str(data))
    done = subprocess.run(
        (*competitor.command(), *options),
        cwd=PROJECT_ROOT,
        env=competitor.environment(),
        capture_output=True,
        text=True,
        timeout=seconds + PATIENCE_S,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            return float(json.loads(line)["images_per_s"])
    last = (done.stderr.strip().splitlines() or ["no output"])[-1]
    raise RuntimeError(last[:300])


def measure(arguments: Namespace, competitors: Sequence[Competitor]) -> tuple[Rates, dict[str, str]]:
    """All rounds in turn; also what failed and why. Who fails once is left out of the network's other rounds."""
    rates: Rates = {model: {competitor.name: [] for competitor in competitors} for model in arguments.models}
    failed: dict[str, str] = {}
    for model in arguments.models:
        for number in range(arguments.rounds):
            for competitor in competitors:
                if f"{competitor.name} on {model}" in failed:
                    continue
                try:
                    rate = measure_round(competitor, model, arguments.seconds, arguments.data)
                except (RuntimeError, subprocess.TimeoutExpired) as error:
                    failed[f"{competitor.name} on {model}"] = str(error)
                    continue
                rates[model][competitor.name].append(rate)
                print(f"{model} round {number + 1} {competitor.name}: {rate:,.0f} images/s", file=sys.stderr)
    return rates, failed


def model_table(rates: Mapping[str, Sequence[float]]) -> str:
    """Median, spread and ratios of one network's competitors."""
    medians = {name: statistics.median(values) for name, values in rates.items() if values}
    base = medians.get(BASE)
    rows = [
        (
            name,
            f"{median:,.0f}",
            spread(rates[name]),
            f"{median / base:.2f}×" if base else "-",
            len(rates[name]),
        )
        for name, median in medians.items()
    ]
    return table(("", "images/s, median", "smallest–largest", f"times {BASE}", "rounds"), rows)


def targets_of(model: str, rates: Mapping[str, Sequence[float]]) -> list[Target]:
    """What the engine must reach on a network."""
    medians = {name: statistics.median(values) for name, values in rates.items() if values}
    peers = {name: value for name, value in medians.items() if name not in OWN}
    fastest = max(peers, key=peers.__getitem__, default=None)

    def ratio(name: str, other: str | None, required: float, words: str) -> Target:
        known = "engine" in medians and other in medians
        value = medians["engine"] / medians[other] if known and other is not None else None
        return Target(
            name=f"{model}: {name}",
            required=words,
            measured=f"{value:.2f}×" if value is not None else "-",
            met=value >= required if value is not None else None,
        )

    return [
        ratio("engine against the ordinary loop", BASE, REQUIRED[model], f"≥ {REQUIRED[model]}×"),
        ratio(f"engine against the fastest peer ({fastest})", fastest, 1.0, "≥ 1×"),
        ratio("engine against its bare step", "bare", BARE_SHARE, f"≥ {BARE_SHARE}×"),
    ]


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    command_line.add_argument("--rounds", type=int, default=5)
    command_line.add_argument("--seconds", type=float, default=5.0, help="length of one round")
    names = [competitor.name for competitor in COMPETITORS]
    command_line.add_argument("--only", nargs="+", choices=names, default=names, help="measure these only")
    arguments = command_line.parse_args()
    report = Report(name="speed", title="Training speed: images/s, beside the peers")

    installed = peer_versions()
    wanted = [competitor for competitor in COMPETITORS if competitor.name in arguments.only]
    absent = {each.name: why for each in wanted if (why := why_absent(each, installed))}
    rates, failed = measure(arguments, [each for each in wanted if each.name not in absent])

    report.sections.append(
        f"Batch 256, Adam; {arguments.rounds} rounds of {arguments.seconds:g} s in turn, each in a process of its own; "
        "MNIST, and CIFAR-10 with crop and flip for resnet20 (the bare step without). "
        "Ratios are of medians within this run."
    )
    for model in arguments.models:
        report.sections.append(f"## {model}\n\n{model_table(rates[model])}")
        report.targets += targets_of(model, rates[model])
    notes = [f"- {name}: {why}" for name, why in {**absent, **failed}.items()]
    versions = ", ".join(f"{name} {version}" for name, version in installed.items()) or "nothing"
    report.sections.append("\n".join([f"In .venv-peers: {versions}.", "", *notes]))
    report.data = {"images_per_s": rates, "absent": absent, "failed": failed, "peer_versions": installed}
    report.save(arguments.results)


if __name__ == "__main__":
    main()
