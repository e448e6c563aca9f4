"""What the stages of a network cost, and what follows for a training with some of them frozen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cnncore.config import TrainConfig, TransferConfig, in_shape
from cnncore.errors import LabError
from cnncore.transfer.costs import NetworkCosts, Outlook, StageCost, outlook, read_costs, shipped_costs
from pages.components.size_card import stored_shape
from pages.components.waiting import Reply, fill_in, inquire
from pages.components.wording import bytes_text, compact, duration_text

_UNKNOWN = "–"
_TOO_SMALL = 0.005
"""Shares below half a percent are told as less than one."""
_HEAD_SETTINGS = ("backbone", "head", "hidden_units", "head_dropout")


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What is known of the costs of a network.

    Attributes:
        network: Those of the stages and the head; None while unknown.
        measuring: Whether the time of a step is still on its way.
        error: Why something is not known.
    """

    network: NetworkCosts | None = None
    measuring: bool = False
    error: LabError | None = None

    def of(self, key: str) -> StageCost | None:
        """The cost of a stage, or of the head; None while unknown."""
        return next((part for part in self.network.parts if part.key == key), None) if self.network else None

    def share(self, key: str) -> float | None:
        """A part's share of the network's work for an image; None while unknown."""
        part = self.of(key)
        total = sum(each.macs for each in self.network.parts) if self.network else 0
        return part.macs / total if part and total else None


def known_costs(config: TrainConfig, num_classes: int, *, measure: bool = False) -> Costs:
    """What is known now; the rest fills in.

    Args:
        config: The training.
        num_classes: Classes of the image set.
        measure: Whether the time of a step is measured too, if it is not known yet.
    """
    # Those of the backbones come with the lab, so that the first paint waits for nothing.
    counted = shipped_costs(config, in_shape(config), num_classes)
    reply = Reply() if counted else _ask(config, num_classes, measure=False)
    if reply.answer:
        counted = read_costs(reply.answer.data)
    timed = _ask(config, num_classes, measure=True) if measure else Reply()
    if timed.answer and not timed.pending:
        counted = read_costs(timed.answer.data)
    return Costs(network=counted, measuring=timed.pending, error=reply.error)


def _ask(config: TrainConfig, num_classes: int, *, measure: bool) -> Reply:
    """Ask for the costs; what is frozen is no part of the question, since it changes with every switch."""
    head = TransferConfig(**{name: getattr(config.transfer, name) for name in _HEAD_SETTINGS})
    request: dict[str, Any] = {
        "model": config.model.model_dump(mode="json"),
        "transfer": head.model_dump(mode="json"),
        "in_shape": stored_shape(config),
        "num_classes": max(num_classes, 1),
        "precision": config.training.precision,
        "device": config.training.device,
        "measure": measure,
    }
    return inquire("transfer_measured" if measure else "transfer_counted", "transfer_costs", request)


def draw_cost(config: TrainConfig, num_classes: int, key: str) -> None:
    """What a stage or the head costs; it fills in where it is not known yet."""
    if known_costs(config, num_classes).network:
        show_cost(config, num_classes, key)
    else:
        fill_in(f"transfer_cost_{key}", lambda: show_cost(config, num_classes, key))


def show_cost(config: TrainConfig, num_classes: int, key: str) -> None:
    """The same as far as it is known now, in a part of the page that is drawn again anyway."""
    st.html(_bars(known_costs(config, num_classes), key))


def _bars(costs: Costs, key: str) -> str:
    """Parameters and share of the work, as HTML that keeps its height while they are not known."""
    cost, share = costs.of(key), costs.share(key)
    params = compact(cost.num_params) if cost else _UNKNOWN
    words = _UNKNOWN if share is None else "< 1 %" if share < _TOO_SMALL else f"{100 * share:.0f} %"
    title = f"{cost.num_params:,} parameters, {compact(cost.macs)} MACs an image" if cost else ""
    return (
        f"<div class='lab-cost' title='{title}'><div><span>parameters</span>{params}</div>"
        f"<div><span>work</span>{words}</div><i><b style='width:{100 * (share or 0):.1f}%'></b></i></div>"
    )


def draw_outlook(config: TrainConfig, num_classes: int, num_train: int) -> None:
    """What learns and what a step takes, in four numbers that follow the switches; they keep their place meanwhile."""
    costs = known_costs(config, num_classes, measure=True)
    found = outlook(costs.network, config) if costs.network else None
    with st.container(key="waiting_transfer_outlook" if costs.measuring else "transfer_outlook"):
        with st.grid(4, min_column_width=150, gap="small"):
            _draw_parameters(found)
            _draw_work(found)
            _draw_time(config, found, num_train)
            _draw_memory(config, found)
        if costs.error:
            st.caption(f"{costs.error.message} {costs.error.hint}".strip())


def _draw_parameters(found: Outlook | None) -> None:
    _number(
        "Learning",
        compact(found.trainable_params) if found else _UNKNOWN,
        f"{compact(found.frozen_params)} frozen" if found else "parameters",
        "Parameters that learn from the start, and those that keep their values.",
    )


def _draw_work(found: Outlook | None) -> None:
    share = found.step_macs / found.full_step_macs if found and found.full_step_macs else None
    _number(
        "Work of a step",
        _UNKNOWN if share is None else "< 0.1 %" if share < 0.001 else f"{100 * share:.3g} %",
        "of training everything",
        "Stages below the lowest that learns are only computed forward; a stage that learns takes three times that, "
        "a frozen one above it twice, since gradients pass through it.",
    )


def _draw_time(config: TrainConfig, found: Outlook | None, num_train: int) -> None:
    batch = config.training.batch_size
    steps = math.ceil(num_train / batch)
    # The last batch of an epoch is smaller.
    epoch = found.step_s * num_train / batch if found and found.step_s is not None else None
    once = found.first_s * num_train if found and found.first_s is not None else None
    _number(
        "Time of an epoch",
        _UNKNOWN if epoch is None else f"≈ {_seconds(epoch)}",
        f"and {_seconds(once)} once" if once else f"{steps:,} {'step' if steps == 1 else 'steps'}, without evaluation",
        "From a quick measurement of the way forward on this machine; other work on it makes it longer."
        + (" The features of each image are computed once, before the first epoch, and kept." if once else ""),
    )


def _draw_memory(config: TrainConfig, found: Outlook | None) -> None:
    _number(
        "Memory of a step",
        bytes_text(found.memory_bytes) if found else _UNKNOWN,
        f"batches of {config.training.batch_size:,}",
        "Estimate: weights, gradients, the optimizer's state, and what is kept of a batch for the way back. The "
        "framework itself comes on top.",
    )


def _seconds(seconds: float) -> str:
    return (
        f"{1000 * seconds:.0f} ms" if seconds < 0.1 else f"{seconds:.1f} s" if seconds < 10 else duration_text(seconds)
    )


def _number(title: str, value: str, below: str, explanation: str) -> None:
    st.metric(title, value, below, delta_color="off", delta_arrow="off", help=explanation)
