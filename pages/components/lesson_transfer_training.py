"""Second part of the lesson on transfer: how many stages learn, what that costs, and what each stage is good for."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnncore.answers import Answer
from cnncore.catalog.backbones import BACKBONES
from cnncore.catalog.stages import PIXELS, stages_of
from cnncore.config import TrainConfig, replace
from cnncore.figures.intervals import wilson
from cnncore.transfer.costs import outlook, shipped_costs
from pages.components.inspector_answers import answer_of
from pages.components.lesson_board import draw_board
from pages.components.lesson_state import bound, change_state
from pages.components.lesson_transfer_images import Images, image_choices, images_named
from pages.components.lesson_transfer_layers import subject_of
from pages.components.lesson_transfer_state import TransferState
from pages.components.navigation import TRANSFER

NUM_CLASSES = 10
"""Of the new head that is counted."""
SPLIT = "train"
_SEED = 0
_BATCH = 32


def show_training(state: TransferState) -> None:
    """Draw this part."""
    images = images_named(state.images)
    figure = st.container()
    with st.container(key="learn_controls_probe", horizontal=True, vertical_alignment="bottom", gap="small"):
        here = image_choices() | {images.name: images.title}
        st.selectbox(
            "Images to measure with",
            list(here),
            format_func=here.__getitem__,
            width=280,
            **bound(TransferState, "images", images.name),
        )
        if not state.probed:
            st.button(
                "Measure what each stage is good for",
                icon=":material/speed:",
                key="learn_probe",
                on_click=lambda: change_state(TransferState, probed=True),
            )
    answer = _measured(state, images) if state.probed else None
    with figure:
        draw_board("transfer_training", state, training_board(state, answer, images))
    with st.container(key="learn_controls_transfer_ways"):
        st.page_link(
            TRANSFER,
            label="Do it with your own images in Transfer",
            icon=":material/photo_library:",
            query_params={"step": "images", "backbone": state.network},
        )


def _measured(state: TransferState, images: Images) -> Answer | None:
    request = {**subject_of(state.network), **images.request, "split": SPLIT, "seed": _SEED}
    return answer_of("learn_probe", "probe_by_depth", request, words="Measuring: every stage, 5 probes each…")


def training_board(state: TransferState, answer: Answer | None, images: Images) -> dict[str, Any]:
    """What the board gets.

    Returns:
        `rows`, from the pixels to the head: `title`, `params`, `work` (share of the way forward) and, once measured,
        `share`, `low` and `high` of the images that a linear classifier on it tells right. `positions`, by the number
        of stages that learn: `learning` and `frozen` parameters, `work` of a step as a share of training everything,
        `memory` of a step in bytes. `words` of the measurement, empty before it.
    """
    spec = BACKBONES[state.network]
    stages = stages_of(spec.network)
    config = _config(state.network)
    costs = shipped_costs(config, (3, spec.image_size, spec.image_size), NUM_CLASSES)
    assert costs is not None, "every backbone's costs come with the lab"
    total = sum(part.macs for part in costs.parts)
    titles = {stage.key: stage.title for stage in stages}
    measured = _shares(answer) if answer else {}
    rows = [{"title": "Pixels", "params": 0, "work": 0.0, **measured.get(PIXELS, {})}]
    for part in costs.parts:
        facts = {"title": titles.get(part.key, "New head"), "params": part.num_params, "work": part.macs / total}
        rows.append({**facts, **measured.get(part.key, {})})
    positions = []
    for learning in range(len(stages) + 1):
        found = outlook(costs, config, frozenset(stage.key for stage in stages[: len(stages) - learning]))
        positions.append(
            {
                "learning": found.trainable_params,
                "frozen": found.frozen_params,
                "work": found.step_macs / found.full_step_macs,
                "memory": found.memory_bytes,
            }
        )
    words = _words(answer, images) if answer else ""
    return {"rows": rows, "positions": positions, "batch": config.training.batch_size, "words": words}


def _config(backbone: str) -> TrainConfig:
    """A usual training with a backbone; its data set, one in color, plays no part in what it costs."""
    spec = BACKBONES[backbone]
    images = {"data.dataset": "cifar10", "data.image_size": spec.image_size, "data.normalize": spec.normalize}
    network = {"model.name": spec.network, "transfer.backbone": backbone, "transfer.head": "linear"}
    return replace(TrainConfig(), {**images, **network, "training.batch_size": _BATCH})


def _shares(answer: Answer) -> dict[str, dict[str, float]]:
    count = answer.data["num_images"]
    found: dict[str, dict[str, float]] = {}
    for probe in answer.data["probes"]:
        low, high = wilson(probe["correct"], count)
        found[probe["key"]] = {"share": probe["correct"] / count, "low": low, "high": high}
    return found


def _words(answer: Answer, images: Images) -> str:
    facts = answer.data
    classes = facts["classes"]
    return (
        f"Measured here: a linear classifier on the means of each stage's maps (of the pixels: on 8 × 8 of them), "
        f"{facts['num_images']:,} images of {images.title} ({', '.join(classes)}; {facts['split']} split), each told "
        f"by one of {facts['folds']} classifiers that had not seen it, seed {facts['seed']}. Thin lines: 95 % "
        f"intervals. Guessing would be right in {100 / len(classes):.0f} %."
    )
