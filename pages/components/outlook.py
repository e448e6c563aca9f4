"""The right side of the Train page before the start: what the form's settings mean."""

from __future__ import annotations

import streamlit as st

from cnncore.catalog import SCHEDULES
from cnncore.config import TrainConfig
from cnncore.figures.schedule import learning_rate_chart
from pages.components.lab import run_name
from pages.components.live_chart import still_chart
from pages.components.previews import DataFacts, data_facts, draw_images
from pages.components.size_card import draw_size_card
from pages.components.wording import plain

_CHART_HEIGHT = 170


def draw_outlook(config: TrainConfig) -> None:
    """Size card, images, learning rate, and what will be measured on which images."""
    facts = data_facts(config)
    st.header(plain(run_name(config)), anchor=False)
    draw_size_card(config, len(facts.classes) or config.model_spec.num_classes, facts.num_images.get("train", 0))
    draw_images(config, facts)
    _draw_learning_rate(config)
    st.html(f"<div class='lab-note'>{measured(config, facts)}</div>")
    num_train = facts.num_images.get("train", 0)
    if 0 < num_train < config.training.batch_size:
        st.html(f"<div class='lab-note'>One batch takes all {num_train:,} training images: one step an epoch.</div>")
    if config.dataset_spec.note:
        st.html(f"<div class='lab-note'>{config.dataset_spec.note}</div>")


def _draw_learning_rate(config: TrainConfig) -> None:
    with st.container(border=True, key="train_schedule_card", gap="small"):
        st.markdown(f"**Learning rate**, {SCHEDULES[config.schedule.name].title.lower()}")
        still_chart(learning_rate_chart(config, _CHART_HEIGHT), key="train_schedule_chart")


def measured(config: TrainConfig, facts: DataFacts) -> str:
    """What will happen with the validation and the test images, in two sentences."""
    note = facts.split_note or _expected_split(config)
    num_test = facts.num_images.get("test", 0)
    test = f"the {num_test:,} test images are" if num_test else "the test images, if there are any, are"
    weights = "last epoch" if note.startswith("No ") else "epoch with the best validation result"
    return f"{note} At the end {test} scored once, with the weights of the {weights}."


def _expected_split(config: TrainConfig) -> str:
    """Where the validation images will come from, as far as that can be told before the images are opened."""
    spec, data = config.dataset_spec, config.data
    if spec.num_validation:
        return f"Validation: the data set's own {spec.num_validation:,} validation images."
    if data.train_images and data.train_images < spec.num_train:
        return "Validation: images that were not chosen for training."
    if data.validation:
        return f"Validation: {100 * data.validation:.0f} % of each class, set aside."
    return "No validation images: all of them train."
