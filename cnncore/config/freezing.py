"""Ready-made ways of freezing a backbone, and how fast its stages learn against the head.

Feature extraction and fine-tuning: Yosinski et al., "How transferable are features in deep neural networks?" (2014).
Gradual unfreezing and rates that fall towards the input: Howard, Ruder, "Universal language model fine-tuning for text
classification" (2018), sections 3.2 and 3.3; there 2.6 times slower for each earlier layer. Our stages are groups of
layers, and a stage is unfrozen after a number of epochs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from cnncore.catalog import OPTIMIZERS, frozen_stages, stages_of
from cnncore.config.sections import TrainConfig

SMALL_STEP = 0.1
"""How fast pretrained weights learn against a new head: they are to be adjusted, not replaced."""
MAX_SLOWDOWN = 10.0
_CLOSE = 1e-3
"""Relative error up to which factors count as those of a slowdown; they are rounded in links."""


@dataclass(frozen=True, kw_only=True)
class Freezing:
    """One way.

    Attributes:
        title: What a person reads.
        summary: What happens, in one sentence.
        learning: How many of the last stages learn from the start; -1 for all of them.
        unfreeze_every: `transfer.unfreeze_every`.
        pretrained: Whether the pretrained weights are used.
    """

    title: str
    summary: str
    learning: int
    unfreeze_every: float = 0.0
    pretrained: bool = True


FREEZINGS: dict[str, Freezing] = {
    "features": Freezing(
        title="Feature extraction",
        summary="Only the head learns. The backbone runs once over the images and its features are kept, so that every "
        "further epoch takes moments; best with few images that resemble those of ImageNet.",
        learning=0,
    ),
    "last": Freezing(
        title="Last stage",
        summary="The last stage is adjusted too: its features are the most specific to the images it was trained on.",
        learning=1,
    ),
    "last_two": Freezing(
        title="Last two",
        summary="The last two stages are adjusted; for images that look less like photographs.",
        learning=2,
    ),
    "all": Freezing(
        title="Everything",
        summary="All stages go on learning in small steps (fine-tuning); the slowest, and best with many images.",
        learning=-1,
    ),
    "gradual": Freezing(
        title="Gradual unfreezing",
        summary="The head learns first; after every epoch the next stage from the top learns too, so that the first, "
        "random errors of the new head do not spoil the early stages.",
        learning=0,
        unfreeze_every=1.0,
    ),
    "scratch": Freezing(
        title="From scratch",
        summary="The same network from random weights, for comparison: what the pretrained weights are worth.",
        learning=-1,
        pretrained=False,
    ),
}


def freezings(network: str) -> dict[str, Freezing]:
    """The ways that differ from each other on this network; one with two stages has no last two of its own."""
    count = len(stages_of(network))
    return {key: freezing for key, freezing in FREEZINGS.items() if freezing.learning < count}


def freezing_settings(key: str, base: TrainConfig) -> dict[str, Any]:
    """The settings that a way stands for.

    Args:
        key: A key of `FREEZINGS`.
        base: The recommended training, whose backbone is frozen and whose learning rate suits its head.
    """
    freezing, stages = FREEZINGS[key], [stage.key for stage in stages_of(base.model.name)]
    learning = len(stages) if freezing.learning < 0 else freezing.learning
    rate, factors = base.optimizer.lr, base.transfer.stage_lr
    if not freezing.pretrained:
        rate, factors = OPTIMIZERS[base.optimizer.name].typical_lr, ()
    elif learning == len(stages):
        rate, factors = float(f"{rate * SMALL_STEP:.4g}"), ()
    elif learning or freezing.unfreeze_every:
        factors = stage_factors(len(stages), SMALL_STEP, 1.0)
    return {
        "transfer.backbone": base.transfer.backbone if freezing.pretrained else None,
        "training.start_from": base.training.start_from if freezing.pretrained else None,
        "transfer.frozen": ("all",) if not learning else tuple(stages[:-learning]),
        "transfer.unfreeze_every": freezing.unfreeze_every,
        "transfer.stage_lr": factors,
        "optimizer.lr": rate,
    }


def freezing_of(config: TrainConfig) -> str | None:
    """The way that `config` takes, whatever its rates; None where it is none of them."""
    stages = [stage.key for stage in stages_of(config.model.name)]
    frozen = frozen_stages(config.model.name, config.transfer.frozen)
    pretrained = config.transfer.backbone is not None or config.training.start_from is not None
    for key, freezing in freezings(config.model.name).items():
        learning = len(stages) if freezing.learning < 0 else freezing.learning
        same = frozen == frozenset(stages[: len(stages) - learning]) and pretrained == freezing.pretrained
        gradual = config.transfer.unfreeze_every > 0 and bool(frozen)
        if same and gradual == (freezing.unfreeze_every > 0):
            return key
    return None


def stage_factors(count: int, last: float, slowdown: float) -> tuple[float, ...]:
    """Factors for `transfer.stage_lr`, input side first.

    Args:
        count: Number of stages.
        last: Factor of the last stage; the head's is 1.
        slowdown: How many times slower each earlier stage learns than the next one.

    Returns:
        Factors with four digits; none where all would be 1.
    """
    factors = tuple(float(f"{last / slowdown**before:.4g}") for before in reversed(range(count)))
    return () if all(factor == 1 for factor in factors) else factors


def slowdown_of(factors: tuple[float, ...], count: int) -> tuple[float, float] | None:
    """The last stage's factor and the slowdown that give these factors; None where no single slowdown does."""
    padded = (*factors, *([1.0] * (count - len(factors))))
    last = padded[-1]
    slowdown = last / padded[-2] if count > 1 else 1.0
    if not 1 - _CLOSE <= slowdown <= MAX_SLOWDOWN + _CLOSE:
        return None
    found = stage_factors(count, last, round(slowdown, 2)) or (1.0,) * count
    near = all(math.isclose(one, other, rel_tol=10 * _CLOSE) for one, other in zip(found, padded, strict=True))
    return (last, round(slowdown, 2)) if near else None
