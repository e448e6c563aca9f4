"""What a training costs while stages of its network are frozen: counts of the stages, and what follows from them.

Nothing here loads torch; `cnncore.transfer.stage_profile` counts and measures the stages, and writes the file with the
stages of the backbones (`python -m cnncore.transfer.stage_profile`).

A step is counted so: stages below the lowest one that learns are computed forward only and nothing is kept of them; a
stage that learns takes three times its forward operations (its outputs, the gradients of its inputs and of its
weights); a frozen stage above one that learns takes two, since gradients pass through it.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cnncore.catalog import BACKBONES, MODELS, frozen_stages
from cnncore.catalog.optimizers import OPTIMIZER_STATES
from cnncore.catalog.profiles import BYTES_PER_VALUE
from cnncore.config import ModelConfig, TrainConfig, TransferConfig
from cnncore.config.sections import MODEL_OPTIONS
from cnncore.config.transfer import FREE_OPTIONS, keeps_features
from cnncore.errors import lookup

COSTS_FILE = Path(__file__).with_name("stage_costs.json")
HEAD = "head"
_FORWARD, _THROUGH, _LEARN = 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class StageCost:
    """A stage, or the head; all counts are for one image.

    Attributes:
        key: Of the stage in `cnncore.catalog.stages_of`, or `HEAD`.
        num_params: Numbers that can learn.
        norm_statistics: Running averages of batch normalization.
        macs: Multiply-accumulates of the way forward.
        activations: Values kept for the backward pass, estimated.
        indices: Positions of maxima kept for it, 8 bytes each.
        widest: Values of the largest input and output of a layer together, which are there at one time.
        seconds: Measured time of the way forward on this machine; None where it was not measured.
    """

    key: str
    num_params: int = 0
    norm_statistics: int = 0
    macs: int = 0
    activations: int = 0
    indices: int = 0
    widest: int = 0
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class NetworkCosts:
    """The stages of a network, input side first, and the head.

    Attributes:
        precision: Precision that a training computes in here, and that was measured in; empty where it is unknown.
    """

    stages: tuple[StageCost, ...]
    head: StageCost
    precision: str = ""

    @property
    def parts(self) -> tuple[StageCost, ...]:
        """The stages and the head."""
        return (*self.stages, self.head)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return dataclasses.asdict(self)


def read_costs(data: Mapping[str, Any]) -> NetworkCosts:
    """What `NetworkCosts.to_dict` made, as the service's answer to `transfer_costs` has it."""
    return NetworkCosts(
        stages=tuple(StageCost(**stage) for stage in data["stages"]),
        head=StageCost(**data["head"]),
        precision=data["precision"],
    )


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What a training costs with some stages frozen.

    Attributes:
        trainable_params: Of stages that learn, and of the head.
        frozen_params: Of the others.
        keeps_features: Whether features are computed once, so that a step is the head's alone.
        step_macs: Multiply-accumulates of one step with a batch of images.
        full_step_macs: The same if everything learned.
        first_macs: Of computing the features of one training image once, all its views; 0 where they are not kept.
        memory_bytes: Weights, gradients and states of the optimizer in fp32, and what a step keeps of its batch.
            Not in it: the framework itself, workspaces of the kernels, the images.
        step_s: Seconds of a step, from what was measured; None where nothing was.
        first_s: Seconds of computing the features of one image once; None where nothing was measured or none are kept.
    """

    trainable_params: int
    frozen_params: int
    keeps_features: bool
    step_macs: int
    full_step_macs: int
    first_macs: int
    memory_bytes: int
    step_s: float | None
    first_s: float | None


def outlook(costs: NetworkCosts, config: TrainConfig, frozen: frozenset[str] | None = None) -> Outlook:
    """What a step of this training costs.

    Args:
        costs: Of the network.
        config: The training: its batch size, optimizer, head and views. Where its precision is `auto` and not known
            from `costs`, memory is that of fp32, which is more than that of the others.
        frozen: Keys of the stages that are frozen; those of the start if not given.

    Raises:
        ConfigError: if there is no such optimizer.
    """
    if frozen is None:
        frozen = frozen_stages(config.model.name, config.transfer.frozen)
    asked = config.training.precision
    batch, width = (
        config.training.batch_size,
        BYTES_PER_VALUE[(costs.precision or "fp32") if asked == "auto" else asked],
    )
    factors = _factors(costs, frozen)
    keeps = all(stage.key in frozen for stage in costs.stages) and keeps_features(config)
    working = {HEAD: _LEARN} if keeps else factors
    views = _views(config)
    learning = sum(part.num_params for part in costs.parts if factors[part.key] == _LEARN)
    params = sum(part.num_params for part in costs.parts)
    statistics = sum(part.norm_statistics for part in costs.parts)
    states = 1 + lookup(OPTIMIZER_STATES, config.optimizer.name, "optimizer", "optimizer.name")
    forward = sum(stage.macs for stage in costs.stages)
    seconds = _seconds(costs, working)
    first = _seconds(costs, {stage.key: _FORWARD for stage in costs.stages}) if keeps else None
    return Outlook(
        trainable_params=learning,
        frozen_params=params - learning,
        keeps_features=keeps,
        step_macs=batch * sum(working.get(part.key, 0) * part.macs for part in costs.parts),
        full_step_macs=batch * _LEARN * sum(part.macs for part in costs.parts),
        first_macs=views * forward if keeps else 0,
        memory_bytes=4 * (params + statistics + states * learning) + batch * _kept_bytes(costs, working, width),
        step_s=None if seconds is None else batch * seconds,
        first_s=None if first is None else views * first,
    )


def _views(config: TrainConfig) -> int:
    return config.transfer.views if config.augment.active else 1


def _factors(costs: NetworkCosts, frozen: frozenset[str]) -> dict[str, int]:
    """How many times its forward operations each part takes in a step."""
    factors: dict[str, int] = {}
    below = _FORWARD
    for stage in costs.stages:
        learns = stage.key not in frozen
        below = _THROUGH if learns or below == _THROUGH else _FORWARD
        factors[stage.key] = _LEARN if learns else below
    return {**factors, HEAD: _LEARN}


def _kept_bytes(costs: NetworkCosts, factors: Mapping[str, int], width: int) -> int:
    """Bytes that an image takes in a step: what is kept for the backward pass, and the widest place before it."""
    kept = [part for part in costs.parts if factors.get(part.key, 0) > _FORWARD]
    passing = [part.widest for part in costs.parts if factors.get(part.key, 0) == _FORWARD]
    return sum(part.activations * width + part.indices * 8 for part in kept) + max(passing, default=0) * width


def _seconds(costs: NetworkCosts, factors: Mapping[str, int]) -> float | None:
    """Seconds an image takes, from the measured way forward."""
    total = 0.0
    for part in costs.parts:
        if factors.get(part.key, 0):
            if part.seconds is None:
                return None
            total += factors[part.key] * part.seconds
    return total


def new_head(transfer: TransferConfig, features: int, num_classes: int) -> StageCost:
    """The cost of a new head, linear or with a hidden layer, that receives `features` numbers."""
    sizes = [features, *((transfer.hidden_units,) if transfer.head == "hidden" else ()), num_classes]
    pairs = list(itertools.pairwise(sizes))
    macs = sum(inputs * outputs for inputs, outputs in pairs)
    return StageCost(
        key=HEAD,
        num_params=macs + sum(outputs for _, outputs in pairs),
        macs=macs,
        # The inputs of each dense layer, the hidden layer's output before its ReLU, and the logits.
        activations=sum(inputs for inputs, _ in pairs) + sum(sizes[1:]),
        widest=max(inputs + outputs for inputs, outputs in pairs),
    )


def shipped_costs(config: TrainConfig, in_shape: tuple[int, int, int], num_classes: int) -> NetworkCosts | None:
    """The costs of a backbone's network with a new head at the size its weights are made for, without the service.

    Args:
        config: The run's configuration.
        in_shape: Channels, height and width of the images, as `cnncore.config.in_shape` has them.
        num_classes: Number of classes.

    Returns:
        None for all other networks, sizes and options.
    """
    spec = next((spec for spec in BACKBONES.values() if spec.network == config.model.name), None)
    if spec is None or config.transfer.head == "network" or not _is_published(config.model):
        return None
    if in_shape != (3, spec.image_size, spec.image_size) or config.model.input_size is not None:
        return None
    stages = tuple(StageCost(**stage) for stage in _shipped()[spec.network])
    return NetworkCosts(stages=stages, head=new_head(config.transfer, spec.features, num_classes))


def _is_published(model: ModelConfig) -> bool:
    defaults = MODELS[model.name].defaults
    same = all(getattr(model, name) in (None, defaults.get(name)) for name in MODEL_OPTIONS if name not in FREE_OPTIONS)
    return same and model.width == 1 and model.aux != "on" and model.stem in (None, "auto", "published")


@cache
def _shipped() -> dict[str, list[dict[str, Any]]]:
    return json.loads(COSTS_FILE.read_text(encoding="utf-8"))
