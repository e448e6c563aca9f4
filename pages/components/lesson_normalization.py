"""The figure of the lesson on normalization: real activations before and after batch norm, LRN or dropout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import streamlit as st
from pydantic import Field

from cnncore.lessons.batches import CHANNELS, Batches, activations
from cnncore.lessons.normalizing import (
    Statistics,
    batch_statistics,
    dropout,
    local_response_norm,
    normalize,
    response_divisor,
    running_averages,
)
from cnncore.lessons.pictures import SAMPLES
from pages.components.lesson_board import draw_board
from pages.components.lesson_picture import PictureState, choose_picture, load_picture
from pages.components.lesson_state import bound, one_of, read_state

SIDE = 24
"""Of the squares in a batch, in pixels; the pictures they are cut out of have twice as many."""
NUM_PICTURES = 4
MOST_BATCHES = 60
BINS = 40
SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
ALPHAS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_ALEXNET = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2.0}
AVERAGED = (1, 10, 100)
LAYERS = {"batch": "Batch normalization", "response": "Local response normalization", "dropout": "Dropout"}
MODES = {"train": "While training", "eval": "After training"}
_NORMALIZED = (-4.0, 6.0)

Array = npt.NDArray[np.float64]


class NormalizationState(PictureState):
    """What the link says: what is done to the activations, the layer with its settings, and the place looked at."""

    layer: Literal["batch", "response", "dropout"] = "batch"
    mode: Literal["train", "eval"] = "train"
    scale: Annotated[float, one_of(SCALES)] = 1.0
    shift: Annotated[float, Field(ge=-2, le=2)] = 0.0
    gamma: Annotated[float, Field(ge=0, le=3)] = 1.0
    beta: Annotated[float, Field(ge=-3, le=3)] = 0.0
    batch: Annotated[int, Field(ge=1, le=MOST_BATCHES)] = 1
    size: Annotated[int, Field(ge=1, le=len(CHANNELS), title="number of channels")] = 5
    k: Annotated[float, Field(ge=0.5, le=10)] = 2.0
    alpha: Annotated[float, one_of(ALPHAS)] = 1e-4
    power: Annotated[float, Field(ge=0, le=1.5, title="exponent")] = 0.75
    rate: Annotated[int, Field(ge=0, le=95, title="rate of dropout")] = 50
    draws: Annotated[int, Field(ge=AVERAGED[0], le=AVERAGED[-1]), one_of(AVERAGED)] = 1
    seed: Annotated[int, Field(ge=0, le=9_999)] = 0
    image: Annotated[int, Field(ge=1, le=NUM_PICTURES)] = 1
    channel: Annotated[int, Field(ge=1, le=len(CHANNELS))] = 3
    row: Annotated[int, Field(ge=0, lt=SIDE)] = 12
    column: Annotated[int, Field(ge=0, lt=SIDE)] = 12


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """What a layer makes of a batch.

    Attributes:
        after: As the batch, (N, C, H, W).
        axes: Ends of each channel's histogram afterwards, (C, 2).
        dimmed: What the value that is white before has become where it is white after.
        words: What happened, in a sentence or two.
        divisor: What each value was divided by, where the places decide.
    """

    after: Array
    axes: Array
    words: str
    dimmed: float = 1.0
    divisor: Array | None = None


def show_normalization() -> None:
    """Draw the figure."""
    state = read_state(NormalizationState)
    picture = choose_picture(state, 2 * SIDE)
    others = [key for key in SAMPLES if key != picture.reference][: NUM_PICTURES - 1]
    pictures = [picture.gray, *(load_picture(key, 2 * SIDE).gray for key in others)]
    with st.container(key="learn_controls_normalization", horizontal=True, vertical_alignment="bottom"):
        st.pills(
            "Layer",
            list(LAYERS),
            required=True,
            wrap=True,
            format_func=LAYERS.__getitem__,
            **bound(NormalizationState, "layer", state.layer),
        )
        if state.layer != "response":
            st.segmented_control(
                "When",
                list(MODES),
                required=True,
                format_func=MODES.__getitem__,
                **bound(NormalizationState, "mode", state.mode),
            )
    maps, seen = _seen(np.stack(pictures))
    draw_board("normalization", state, *normalization_board(state, maps, seen))


@st.cache_data(show_spinner=False, max_entries=12)
def _seen(pictures: npt.NDArray[np.uint8]) -> tuple[Array, list[tuple[Array, Array]]]:
    """The activations of the pictures, and mean and variance of every batch that can be reached."""
    maps = activations(pictures / 255)
    found = Batches(maps=maps, side=SIDE).statistics(MOST_BATCHES)
    return maps, [(each.mean, each.variance) for each in found]


def normalization_board(
    state: NormalizationState, maps: Array, seen: Sequence[tuple[Array, Array]]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the board shows of a batch that is cut out of the maps of whole pictures."""
    batch = Batches(maps=maps, side=SIDE).batch(state.batch)
    white = maps.max(axis=(0, 2, 3)) * (state.scale if state.layer == "response" else 1)
    before = state.scale * batch + state.shift
    axes = np.stack([-0.5 * white, 1.5 * white], axis=1)
    outcome = _LAYERS[state.layer](state, before, seen, axes)
    stands = batch_statistics(before), batch_statistics(outcome.after)
    data: dict[str, Any] = {
        "layer": state.layer,
        "channels": list(CHANNELS),
        "side": SIDE,
        "words": outcome.words,
        "scales": list(SCALES),
        "alphas": list(ALPHAS),
        "averaged": list(AVERAGED),
        "most": MOST_BATCHES,
        "stands": [
            [float(value) for each in stands for value in (each.mean[channel], each.deviation[channel])]
            for channel in range(len(CHANNELS))
        ],
        "axes": [axes.tolist(), outcome.axes.tolist()],
    }
    arrays = {
        "before": before,
        "after": outcome.after,
        "white": np.stack([white, outcome.dimmed * white]),
        "histograms": np.stack([_histograms(before, axes), _histograms(outcome.after, outcome.axes)]),
    }
    if outcome.divisor is not None:
        arrays["divisor"] = outcome.divisor
    return data, arrays


def _histograms(maps: Array, axes: Array) -> Array:
    """Shares of each channel's values by place on its axis, (C, bins); what lies beyond counts to the last bin."""
    found = [
        np.histogram(np.clip(maps[:, channel], low, high), BINS, (low, high))[0]
        for channel, (low, high) in enumerate(axes)
    ]
    return np.stack(found) / maps[:, 0].size


def _batch(state: NormalizationState, before: Array, seen: Sequence[tuple[Array, Array]], axes: Array) -> Outcome:
    now = batch_statistics(before)
    scaled = [
        Statistics(mean=state.scale * mean + state.shift, variance=state.scale**2 * variance)
        for mean, variance in seen[: state.batch]
    ]
    kept = running_averages(scaled, before[:, 0].size)[-1]
    used = now if state.mode == "train" else kept
    channel = state.channel - 1
    name = list(CHANNELS)[channel]
    own = f"{name} has mean {_say(now.mean[channel])} and deviation {_say(now.deviation[channel])} in this batch"
    running = f"mean {_say(kept.mean[channel])} and deviation {_say(kept.deviation[channel])}"
    batches = "1 batch" if state.batch == 1 else f"{state.batch} batches"
    words = (
        f"{own}: these are taken. Meanwhile running averages are kept for later: after {batches} {running}."
        if state.mode == "train"
        else f"The running averages of the {batches} so far are taken: {running}. {own}."
    )
    return Outcome(
        after=normalize(before, used, scale=state.gamma, shift=state.beta),
        axes=np.tile(_NORMALIZED, (len(CHANNELS), 1)),
        words=words,
    )


def _response(state: NormalizationState, before: Array, seen: Sequence[tuple[Array, Array]], axes: Array) -> Outcome:
    settings = {"size": state.size, "alpha": state.alpha, "beta": state.power, "k": state.k}
    alone = state.k**-state.power
    return Outcome(
        after=local_response_norm(before, **settings),
        axes=alone * axes,
        dimmed=alone,
        words=f"Each value is divided by ({state.k:g} + {state.alpha:g} · the sum of the squares of {state.size} "
        f"channels at the same place, its own among them) to the power of {state.power:g}, while training and after"
        + (": the constants of AlexNet." if settings == _ALEXNET else "."),
        divisor=response_divisor(before, **settings),
    )


def _dropout(state: NormalizationState, before: Array, seen: Sequence[tuple[Array, Array]], axes: Array) -> Outcome:
    share = state.rate / 100
    if state.mode == "eval":
        return Outcome(after=before, axes=axes, words="After training dropout does nothing: every unit takes part.")
    after = sum(dropout(before, share, seed=100 * state.seed + draw) for draw in range(state.draws)) / state.draws
    zeros = 100 * float((dropout(np.ones_like(before), share, seed=100 * state.seed) == 0).mean())
    each = "" if state.draws == 1 else "of the first draw "
    words = (
        f"{zeros:.1f} % of {before.size:,} values {each}are set to 0, the others multiplied by 1 / (1 − p) = "
        f"{_say(1 / (1 - share))}, so that the sum to expect stays: the mean was {_say(before.mean())}, now it is "
        f"{_say(np.mean(after))}."
    )
    return Outcome(after=np.asarray(after), axes=axes, words=words)


def _say(value: Any) -> str:
    return f"{float(value):.3g}".replace("-", "−")


_LAYERS: dict[str, Callable[[NormalizationState, Array, Sequence[tuple[Array, Array]], Array], Outcome]] = {
    "batch": _batch,
    "response": _response,
    "dropout": _dropout,
}
