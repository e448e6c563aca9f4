"""Every network of the catalog, proven and timed: `make zoo`.

    python -m benchmarks.zoo [--only resnet18 vgg19 ...]

For each: its parameters as declared and as built, the seconds that building and profiling take, how far its outputs are
from torchvision's with the same weights, whether all gradients and a bf16 pass are finite on small images, and whether
some steps of Adam fit sixteen random images. Plain networks over 34 layers are expected not to be fitted, which is
what their twins' shortcuts are for; Plain-50, whose stages are shallow, takes many steps.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
import torchvision
from torch import Tensor, nn

from benchmarks.report import Report, Target, parser, table
from cnncore.catalog import MODELS
from cnncore.config import ModelConfig
from cnncore.models import build_model
from cnncore.models.names import from_torchvision
from cnncore.models.profile import profile_model

SHAPE, CLASSES = (3, 32, 32), 10
FITTED_BELOW, LEARNING_RATE, IMAGES = 0.05, 2e-3, 16
LARGE = 2_000_000
"""Parameters above which a network is fitted with a quarter of its filters."""
UNFIT = frozenset({"plain44", "plain56", "plain110", "plain101", "plain152"})
QUICKLY_BUILT = ("resnet1202", "vgg19")
COUNTS_S, BUILD_S, DIFFERENCE = 60.0, 5.0, 1e-5
SLOW_STARTS = frozenset({"googlenet", "inception_v3"})
"""Torchvision draws their first weights slowly, and warns of it, unless it is told not to."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How sixteen images are fitted: pixels along a side, factor on the filters, steps at most, learning rate."""

    side: int = 32
    width: float = 1.0
    steps: int = 60
    lr: float = LEARNING_RATE


TRIALS = {
    "alexnet_grouped": Trial(width=0.25, steps=250, lr=5e-4),
    "alexnet_ungrouped": Trial(width=0.25, steps=250, lr=5e-4),
    "alexnet": Trial(width=0.25, steps=150, lr=1e-3),
    "vgg16_1x1": Trial(width=0.25, lr=5e-4),
    "vgg16": Trial(width=0.25, lr=5e-4),
    "vgg19": Trial(width=0.25, lr=5e-4),
    "nin": Trial(side=16, width=0.25),
    "plain50": Trial(width=0.25, steps=120),
    "squeezenet1_1": Trial(width=0.25, steps=150),
    "resnet1202": Trial(side=16, width=0.25, steps=30),
    "preresnet1001": Trial(side=16, width=0.25, lr=1e-2),
}
"""Networks of a thousand layers, whose steps take seconds, get smaller images and fewer filters; deep VGGs without
batch normalization get smaller steps, and AlexNets that start from weights of 0.01 more of them."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was found about a network; seconds, and losses in nats."""

    network: str
    declared: int
    built: int
    macs: int
    build_s: float
    profile_s: float
    torchvision: float | None
    finite_gradients: bool
    bf16: bool
    lowest_loss: float
    steps: int
    trial: Trial

    @property
    def fitted(self) -> bool:
        return self.lowest_loss < FITTED_BELOW


def measure(name: str) -> Row:
    """Everything about one network."""
    spec = MODELS[name]
    config, shape = ModelConfig(name=name), (spec.in_channels, spec.native_size, spec.native_size)
    begin = time.perf_counter()
    with torch.device("meta"):
        built = sum(parameter.numel() for parameter in build_model(config, shape, spec.num_classes).parameters())
    profile = profile_model(config, shape, spec.num_classes)
    profiled = time.perf_counter()
    model = build_model(config, shape, spec.num_classes)
    build_s = time.perf_counter() - profiled
    difference = torchvision_difference(name, model) if spec.torchvision else None
    del model
    gradients, bf16 = runs_on_small_images(name)
    trial = trial_of(name)
    lowest, steps = fit(name, trial)
    return Row(
        network=name,
        declared=spec.num_params,
        built=built,
        macs=profile.macs,
        build_s=build_s,
        profile_s=profiled - begin,
        torchvision=difference,
        finite_gradients=gradients,
        bf16=bf16,
        lowest_loss=lowest,
        steps=steps,
        trial=trial,
    )


def images(count: int, side: int) -> Tensor:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(0))


def outputs(model: nn.Module, batch: Tensor) -> tuple[Tensor, ...]:
    """The logits, and those of the auxiliary heads."""
    result = model(batch)
    return result if isinstance(result, tuple) else (result,)


def torchvision_difference(name: str, model: nn.Module) -> float:
    """Largest difference of the logits from torchvision's with the same weights, as a share of the largest logit."""
    spec = MODELS[name]
    torch.manual_seed(0)
    quick = {"init_weights": False} if spec.torchvision in SLOW_STARTS else {}
    theirs = torchvision.models.get_model(spec.torchvision, weights=None, **quick)
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None and layer.running_var is not None:
            # Statistics as images leave them show whether they are in the right place.
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    model.load_state_dict(from_torchvision(name, theirs.state_dict()))
    batch = images(2, spec.native_size)
    with torch.no_grad():
        expected, found = theirs.eval()(batch), model.eval()(batch)
    return ((found - expected).abs().max() / expected.abs().max()).item()


def runs_on_small_images(name: str) -> tuple[bool, bool]:
    """Whether each parameter has a finite gradient, and whether all outputs are finite in bf16, at 32×32×3."""
    model = build_model(ModelConfig(name=name), SHAPE, CLASSES)
    batch = images(2, SHAPE[1])
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        bf16 = all(bool(result.isfinite().all()) for result in outputs(model, batch))
    torch.stack(outputs(model, batch)).square().mean().backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    return all(gradient is not None and bool(gradient.isfinite().all()) for gradient in gradients), bf16


def trial_of(name: str) -> Trial:
    """Large networks are fitted with a quarter of their filters, unless they have no choice."""
    scalable = "width" not in MODELS[name].refusals
    return TRIALS.get(name) or Trial(width=0.25 if MODELS[name].num_params > LARGE and scalable else 1.0)


def fit(name: str, trial: Trial) -> tuple[float, int]:
    """The lowest loss on sixteen random images, without dropout, and the steps until it was low enough."""
    torch.manual_seed(0)
    dropout = {"dropout": 0.0} if "dropout" in MODELS[name].defaults else {}
    config = ModelConfig.model_validate({"name": name, "width": trial.width, **dropout})
    model = build_model(config, (3, trial.side, trial.side), CLASSES)
    batch, labels = images(IMAGES, trial.side), torch.arange(IMAGES) % CLASSES
    optimizer = torch.optim.Adam(model.parameters(), lr=trial.lr)
    lowest = float("inf")
    for step in range(1, trial.steps + 1):
        optimizer.zero_grad()
        loss = F.cross_entropy(outputs(model, batch)[0], labels)
        loss.backward()
        optimizer.step()
        lowest = min(lowest, loss.item())
        if lowest < FITTED_BELOW:
            return lowest, step
    return lowest, trial.steps


def row_table(rows: Sequence[Row]) -> str:
    """One line a network."""
    words = {True: "yes", False: "**no**"}
    lines = [
        (
            row.network,
            f"{row.built:,}" + ("" if row.built == row.declared else f" (**declared {row.declared:,}**)"),
            f"{row.macs / 1e6:,.1f}",
            f"{row.build_s:.2f}",
            f"{row.profile_s:.2f}",
            "-" if row.torchvision is None else f"{row.torchvision:.1e}",
            words[row.finite_gradients],
            words[row.bf16],
            f"{row.lowest_loss:.3f}",
            row.steps,
            f"{row.trial.width:g} at {row.trial.side}",
        )
        for row in rows
    ]
    header = (
        "network", "parameters", "million MACs", "build s", "profile s", "from torchvision's", "finite gradients",
        "bf16", "lowest loss", "steps", "width at pixels",
    )  # fmt: skip
    return table(header, lines)


def targets_of(rows: Sequence[Row]) -> list[Target]:
    """What every network must reach, and the zoo as a whole."""
    compared = {row.network: row.torchvision for row in rows if row.torchvision is not None}
    worst = max(compared, key=compared.__getitem__, default=None)
    counts_s = sum(row.profile_s for row in rows)
    unfit = [row for row in rows if row.network in UNFIT]
    losses = ", ".join(f"{row.network} {row.lowest_loss:.2f}" for row in unfit)
    return [
        _all("parameters built as declared", {row.network: row.built == row.declared for row in rows}),
        Target(
            name=f"outputs beside torchvision's, {len(compared)} networks",
            required=f"≤ {DIFFERENCE:.0e} of the largest logit",
            measured=f"{compared[worst]:.1e} ({worst})" if worst else "-",
            met=compared[worst] <= DIFFERENCE if worst else None,
        ),
        _all("finite gradients at 32 pixels", {row.network: row.finite_gradients for row in rows}),
        _all("finite outputs in bf16", {row.network: row.bf16 for row in rows}),
        _all("sixteen images fitted", {row.network: row.fitted for row in rows if row.network not in UNFIT}),
        Target(
            name="plain networks over 34 layers except Plain-50: not fitted",
            required=f"lowest loss ≥ {FITTED_BELOW}",
            measured=losses or "-",
            met=not any(row.fitted for row in unfit) if unfit else None,
        ),
        Target(
            name=f"counts and shapes of {len(rows)} networks on the meta device",
            required=f"≤ {COUNTS_S:g} s",
            measured=f"{counts_s:.1f} s",
            met=counts_s <= COUNTS_S,
        ),
        *(
            Target(
                name=f"{row.network} builds",
                required=f"≤ {BUILD_S:g} s",
                measured=f"{row.build_s:.2f} s",
                met=row.build_s <= BUILD_S,
            )
            for row in rows
            if row.network in QUICKLY_BUILT
        ),
    ]


def _all(name: str, found: dict[str, bool]) -> Target:
    missing = [network for network, good in found.items() if not good]
    measured = f"{len(found) - len(missing)} of {len(found)}" + (f"; not {', '.join(missing)}" if missing else "")
    return Target(name=name, required="all", measured=measured, met=not missing if found else None)


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--only", nargs="+", choices=list(MODELS), default=list(MODELS), metavar="NETWORK")
    arguments = command_line.parse_args()
    # Tiny batches through hundreds of layers: a second thread only waits, longest on a busy machine.
    torch.set_num_threads(1)
    report = Report(name="zoo", title="Every network of the catalog: counts, costs, proofs")
    rows: list[Row] = []
    failed: dict[str, str] = {}
    for name in arguments.only:
        begin = time.perf_counter()
        try:
            rows.append(measure(name))
        except Exception as error:  # the report names it beside what the others reached
            failed[name] = f"{type(error).__name__}: {error}"
        print(f"{name}: {time.perf_counter() - begin:.1f} s", file=sys.stderr, flush=True)
    others = ", ".join(f"{name}: {trial.steps} steps, {trial.lr:g}" for name, trial in TRIALS.items())
    report.sections.append(
        "Parameters, MACs, build and profile (with the count, on the meta device) at the published size; weights and "
        "statistics as torchvision's start, at random; gradients and bf16 on 2 images at 32×32×3. Then "
        f"{IMAGES} random images of 3 channels in {CLASSES} classes, fp32, Adam {LEARNING_RATE:g}, no dropout, until "
        f"the loss is below {FITTED_BELOW:g}, for {Trial().steps} steps at most ({others})."
    )
    report.sections.append(row_table(rows))
    report.sections += [f"- {name} failed: {why}" for name, why in failed.items()]
    report.targets = targets_of(rows)
    data: dict[str, Any] = {"networks": [asdict(row) | {"fitted": row.fitted} for row in rows], "failed": failed}
    report.data = data
    report.save(arguments.results)


if __name__ == "__main__":
    main()
