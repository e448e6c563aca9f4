"""What the network of the form costs: parameters, operations, memory, time."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnncore.catalog import MODELS
from cnncore.catalog.profiles import profile_key, shipped_profile
from cnncore.config import DEFAULT_FOLDER_SIZE, TrainConfig
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


def _time(config: TrainConfig, num_train: int) -> str:
    seconds = expected_seconds(config, num_train, _finished_runs(store().url), socket.gethostname())
    return f"≈ {duration_text(seconds)}" if seconds else "after the first steps"


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
        with st.grid(4, min_column_width=125, gap="small"):
            _draw_numbers(config, costs, num_train)


def _draw_numbers(config: TrainConfig, costs: Mapping[str, Any], num_train: int) -> None:
    batch = config.training.batch_size
    st.metric(
        "Parameters",
        compact(costs["num_params"]) if costs else _UNKNOWN,
        help=f"Numbers the network learns (trainable weights and biases){_published(config, costs)}.",
    )
    st.metric(
        "MACs per image",
        compact(costs["macs"]) if costs else _UNKNOWN,
        help="Multiply-accumulate operations of one image's way through the network (forward pass); "
        "training takes about three times as many. Papers often count two FLOPs for each.",
    )
    memory = costs.get("memory_bytes")
    st.metric(
        "Memory to train",
        bytes_text(memory) if memory else _UNKNOWN,
        help=f"Estimate for {batch:,} images a batch: weights, gradients, optimizer state and the activations kept "
        "for backpropagation. The framework itself comes on top.",
    )
    st.metric(
        "Time here",
        _time(config, num_train) if num_train else _UNKNOWN,
        help="From finished runs of this network on this machine; else known after the first steps.",
    )


def _published(config: TrainConfig, costs: Mapping[str, Any]) -> str:
    if not costs:
        return ""
    published = MODELS[config.model.name].num_params
    exact = f": {costs['num_params']:,}"
    return exact + (f"; {published:,} in the published form" if published not in (0, costs["num_params"]) else "")
