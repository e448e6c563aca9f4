"""What the stages of a network cost, and what follows for a training with some of them frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cnncore.config import TrainConfig
from cnncore.errors import LabError
from pages.components.transfer_train_diagram import Cost


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What is known of the costs.

    Attributes:
        stages: By the stages' keys; empty while unknown.
        head: The head's; None while unknown.
        error: Why there are none.
    """

    stages: Mapping[str, Cost] = field(default_factory=dict[str, Cost])
    head: Cost | None = None
    pending: bool = False
    error: LabError | None = None

    def share(self, cost: Cost | None) -> float | None:
        """A part's share of the network's work."""
        total = sum(each.macs for each in (*self.stages.values(), self.head) if each)
        return cost.macs / total if cost and total else None


def known_costs(config: TrainConfig, num_classes: int) -> Costs:
    return Costs()


def draw_outlook(config: TrainConfig, costs: Costs, num_train: int) -> None:
    pass
