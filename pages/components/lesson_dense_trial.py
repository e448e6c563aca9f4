"""The experiment of the lesson on dense layers: two small networks learn digits, and digits with shuffled pixels.

The service carries it out in pieces while one looks; what came out is kept, so that a second visit finds it at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
import streamlit as st
from pydantic import Field

from cnncore.answers import Answer
from cnncore.ask import cached
from cnncore.figures import theme
from cnncore.images.drawing import SIDE, example_digit
from cnncore.lessons.dense import LEAST_SEEDS, MOST_EPOCHS, MOST_SEEDS, pixel_order
from cnncore.runs.statistics import Difference, paired
from pages.components.lab import show_problem
from pages.components.lesson_board import draw_board
from pages.components.lesson_picture import PictureState
from pages.components.lesson_state import bound, change_state, read_state
from pages.components.run_words import percent
from pages.components.waiting import fill_in, inquire

QUESTION = "dense_or_convolutional"
_PART = "learn_dense_trial"
_PATIENCE_S = 120.0
_SECONDS = 2.0
"""For an epoch of all four networks of a seed, in pieces, pauses included: on one of two busy cores of a server."""
_STYLES = {"dense": theme.KIND_COLORS["dense"], "convolutional": theme.KIND_COLORS["convolution"]}


class TrialState(PictureState):
    """What the lesson's link says of the experiment; whether it was started too, so that a reload goes on with it."""

    seeds: Annotated[int, Field(ge=LEAST_SEEDS, le=MOST_SEEDS)] = 5
    epochs: Annotated[int, Field(ge=1, le=MOST_EPOCHS)] = 3
    running: bool = False

    @property
    def request(self) -> dict[str, int]:
        """The experiment, as the question has it."""
        return {"seeds": self.seeds, "epochs": self.epochs}


def show_trial(state: TrialState) -> None:
    """Draw the experiment: what it does, the button that starts it, and what has come out so far."""
    model = type(state)
    stop = partial(change_state, model, running=False)
    st.markdown(
        "A dense and a convolutional network with about as many parameters learn the built-in digits, once as they are "
        "and once with the pixels of all images in the same shuffled order."
    )
    with st.container(key="learn_controls_trial", horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.slider("Trainings of each", LEAST_SEEDS, MOST_SEEDS, **bound(model, "seeds", state.seeds, stop))
        st.slider("Epochs", 1, MOST_EPOCHS, **bound(model, "epochs", state.epochs, stop))
    fill_in(_PART, lambda: _draw(model))


def _draw_button(state: TrialState, *, known: bool) -> None:
    started = state.running
    long_s = max(10, round(_SECONDS * state.seeds * state.epochs / 10) * 10)
    words = "Done; kept for the next visit" if known else "Stop" if started else f"Run it here (about {long_s} s)"
    with st.container(key="learn_controls_run"):
        st.button(
            words,
            key="learn_dense_run",
            type="secondary" if known or started else "primary",
            disabled=known,
            on_click=partial(change_state, type(state), running=not started),
        )


def _draw(model: type[TrialState]) -> None:
    state = read_state(model)
    answer = _answer(state)
    _draw_button(state, known=answer is not None and not answer.data["pending"])
    draw_board("dense_trial", state, *drawn(answer, state.epochs))
    if answer is None:
        st.caption("Starting…" if state.running else "Here the accuracies appear, and in the end what they say.")
        return
    if answer.data["pending"]:
        share = answer.data["done"] / answer.data["total"]
        st.progress(share, text=f"Training: {percent(share, 0)}")
        return
    st.markdown(result_table(answer))
    st.markdown("\n\n".join(conclusions(answer)))
    st.caption(_told(answer, state.request))


def _answer(state: TrialState) -> Answer | None:
    """What is known so far: kept from before, or asked for where somebody has pressed the button."""
    if not state.running:
        return cached(QUESTION, state.request)
    reply = inquire(
        _PART, QUESTION, state.request, timeout_s=_PATIENCE_S, is_part=lambda answer: bool(answer.data["pending"])
    )
    if reply.error is not None:
        show_problem(reply.error)
    return reply.answer


def drawn(answer: Answer | None, epochs: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the browser draws: a digit in both orders, and the accuracies as far as they are known, in percent."""
    digit = example_digit() / 255
    shuffled = digit.ravel()[pixel_order(SIDE * SIDE, 0)].reshape(SIDE, SIDE)
    data: dict[str, Any] = {"epochs": epochs, "arms": [], "low": 0.0}
    arrays = {"digits": np.stack([digit, shuffled])}
    if answer is None:
        return data, arrays
    curves = 100 * answer.arrays["curves"]
    data["arms"] = [
        {"name": arm_name(arm), "color": _STYLES[arm["network"]], "dash": arm["shuffled"]}
        for arm in answer.data["arms"]
    ]
    known = curves[np.isfinite(curves)]
    data["low"] = float(np.floor(known.min() / 10) * 10) if len(known) else 0.0
    return data, {**arrays, "curves": curves, "means": mean_of_known(curves)}


def mean_of_known(curves: np.ndarray) -> np.ndarray:
    """The mean over seeds, (arms, seeds, epochs) to (arms, epochs), of those that are known; NaN where none is."""
    counts = np.isfinite(curves).sum(axis=1)
    sums = np.nansum(curves, axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def arm_name(arm: Mapping[str, Any]) -> str:
    """What one of the four is called."""
    return f"{arm['network']}, {'shuffled' if arm['shuffled'] else 'as they are'}"


def _by_network(answer: Answer) -> dict[str, dict[bool, np.ndarray]]:
    """Test accuracies by network, then by whether the pixels are shuffled."""
    found: dict[str, dict[bool, np.ndarray]] = {}
    for arm, values in zip(answer.data["arms"], answer.arrays["test"], strict=True):
        found.setdefault(arm["network"], {})[arm["shuffled"]] = values
    return found


def lost(values: Mapping[bool, np.ndarray]) -> Difference:
    """How much accuracy shuffling costs, over the seeds in pairs."""
    return paired(values[False].tolist(), values[True].tolist())


def result_table(answer: Answer) -> str:
    """The four means with their spread as a Markdown table."""
    sizes = {arm["network"]: arm["num_params"] for arm in answer.data["arms"]}
    lines = ["| Network | Pixels as they are | Pixels shuffled | Lost |", "|---|---|---|---|"]
    for network, values in _by_network(answer).items():
        cost = lost(values)
        interval = f"{100 * cost.value:.1f} points ({100 * cost.low:.1f} to {100 * cost.high:.1f})"
        cells = (f"{network}, {sizes[network]:,} parameters", _spread(values[False]), _spread(values[True]), interval)
        lines.append(f"| {' | '.join(cells)} |".replace("-", "−"))
    return "\n".join(lines)


def _spread(values: Sequence[float] | np.ndarray) -> str:
    found = np.asarray(values)
    return f"**{percent(float(found.mean()))}** ({percent(float(found.min()))} to {percent(float(found.max()))})"


def conclusions(answer: Answer) -> list[str]:
    """What the numbers say of each network, and no more than that."""
    said: list[str] = []
    for network, values in _by_network(answer).items():
        cost = lost(values)
        if not cost.is_distinguishable:
            said.append(f"The **{network}** network: no difference that {cost.counts[0]} trainings could tell.")
        elif cost.value > 0:
            said.append(f"The **{network}** network loses {100 * cost.value:.1f} points when the pixels are shuffled.")
        else:
            said.append(f"The **{network}** network gains {-100 * cost.value:.1f} points when the pixels are shuffled.")
    return said


def _told(answer: Answer, request: Mapping[str, int]) -> str:
    facts = answer.data
    return (
        f"Accuracy on {facts['num_test']:,} test images: mean of {request['seeds']} trainings (seeds 0 to "
        f"{request['seeds'] - 1}; weights, order of the images and order of the pixels are drawn anew), lowest to "
        f"highest; lost: mean of the pairs with its 95 % interval, which misses once in twenty times. "
        f"{facts['num_train']:,} training images, "
        f"{request['epochs']} epochs, Adam {facts['lr']:g}, batches of {facts['batch_size']}; curves: "
        f"{facts['num_validation']:,} validation images. {facts['device']}, one thread, torch {facts['torch']}, "
        f"{facts['seconds']:g} s of work."
    )
