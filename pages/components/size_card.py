"""What the network of the form costs: parameters, operations, memory, time."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnncore.catalog.profiles import profile_key, shipped_profile
from cnncore.config import DEFAULT_FOLDER_SIZE, ModelConfig, TrainConfig
from cnncore.runs.pace import expected_seconds
from cnncore.runs.store import Run
from pages.components.lab import store
from pages.components.waiting import Reply, inquire
from pages.components.wording import bytes_text, compact, duration_text

_UNKNOWN = "–"
_PAST_RUNS = 200


def stored_shape(config: TrainConfig) -> tuple[int, int, int]:
    """Channels, height and width of the images before the network resizes them."""
    channels, height, width = config.dataset_spec.in_shape
    size = config.data.image_size
    return channels, size or height or DEFAULT_FOLDER_SIZE, size or width or DEFAULT_FOLDER_SIZE


def _ask_profile(config: TrainConfig, num_classes: int) -> Reply:
    request = {
        "model": config.model.model_dump(mode="json"),
        "in_shape": stored_shape(config),
        "num_classes": num_classes,
        "batch_size": config.training.batch_size,
        "optimizer": config.optimizer.name,
        "precision": config.training.precision,
    }
    return inquire("size", "profile", request)


@st.cache_resource(ttl=10, show_spinner=False)
def _finished_runs(url: str) -> tuple[Run, ...]:
    return store().list(status=("finished",), kind="train", limit=_PAST_RUNS)


def draw_size_card(config: TrainConfig, num_classes: int, num_train: int) -> None:
    """The four numbers; the card keeps its place while they are computed.

    Args:
        config: What is to be trained.
        num_classes: Classes of the data set.
        num_train: Training images it will have; 0 while unknown.
    """
    reply = _ask_profile(config, num_classes)
    shipped = shipped_profile(profile_key(config.model.model_dump(), stored_shape(config), num_classes))
    costs: Mapping[str, Any] = {**(reply.answer.data if reply.answer else {}), **(shipped or {})}
    waiting = reply.pending and not shipped
    with st.container(key="waiting_size" if waiting else "size", border=True):
        if reply.error:
            st.caption(f"{reply.error.message} {reply.error.hint}")
        # Four in a row or two and two, never three and one.
        with st.grid(2, min_column_width=270, gap="small"):
            with st.grid(2, min_column_width=125, gap="small"):
                _draw_costs(config, costs)
            with st.grid(2, min_column_width=125, gap="small"):
                _draw_use(config, costs)
                _draw_time(config, num_train)


def _draw_costs(config: TrainConfig, costs: Mapping[str, Any]) -> None:
    published = config.model_spec.num_params
    changed = config.model != ModelConfig(name=config.model.name)
    exact = f" Exactly {costs['num_params']:,}." if costs else ""
    _number(
        "Parameters",
        compact(costs["num_params"]) if costs else _UNKNOWN,
        "as published" if costs.get("num_params") == published and not changed else "trainable",
        f"Numbers the network learns: weights and biases.{exact}"
        + (f" The published form has {published:,}." if published else ""),
    )
    _number(
        "MACs",
        compact(costs["macs"]) if costs else _UNKNOWN,
        "per image, forward",
        "Multiply-accumulate operations of one image's way through the network; training takes about three times as "
        "many. Papers often count two FLOPs for each.",
    )


def _draw_use(config: TrainConfig, costs: Mapping[str, Any]) -> None:
    memory = costs.get("memory_bytes")
    _number(
        "Memory",
        bytes_text(memory) if memory else _UNKNOWN,
        f"batches of {config.training.batch_size:,}",
        "Estimate for training: weights, gradients, optimizer state and the activations kept for backpropagation. "
        "The framework itself comes on top.",
    )


def _draw_time(config: TrainConfig, num_train: int) -> None:
    seconds = expected_seconds(config, num_train, _finished_runs(store().url), socket.gethostname())
    epochs = config.training.epochs
    _number(
        "Time",
        f"≈ {duration_text(seconds)}" if seconds else _UNKNOWN,
        (f"{epochs:,} epochs here" if epochs > 1 else "1 epoch here") if seconds else "known once it runs",
        "From finished runs of this network on this machine; without one, known after the first steps.",
    )


def _number(title: str, value: str, below: str, explanation: str) -> None:
    st.metric(title, value, below, delta_color="off", delta_arrow="off", help=explanation)
