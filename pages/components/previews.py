"""What the form's images look like and how many there are, and what augmentation makes of them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from cnncore.catalog import AUGMENTATIONS
from cnncore.config import TrainConfig
from cnncore.errors import LabError
from pages.components.pictures import blank, strip
from pages.components.size_card import stored_shape
from pages.components.waiting import inquire
from pages.components.wording import bytes_text, plain

NUM_IMAGES = 10
NUM_DRAWS = 3
_SEED = "train_preview_seed"


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """What is known of the form's data set.

    Attributes:
        classes: Names of the classes; empty while unknown.
        num_images: Images by split; 0 where there is no such split or it is not known yet.
        at_hand: Whether the files are on this machine; None while unknown.
        split_note: Where the validation images come from, once the images were opened.
        images: uint8 (N, H, W, C) with `labels`, the classes in turn; None where the files are not at hand.
        pending: Whether better facts are on their way.
        error: Why the images cannot be opened.
    """

    classes: tuple[str, ...]
    num_images: Mapping[str, int]
    at_hand: bool | None = None
    split_note: str = ""
    images: np.ndarray | None = None
    labels: Sequence[int] = ()
    pending: bool = False
    error: LabError | None = None


def data_facts(config: TrainConfig) -> DataFacts:
    """What the service says of the data set; until it has answered, what the catalog says."""
    spec = config.dataset_spec
    if _is_nowhere(config):
        return DataFacts(classes=(), num_images={})
    request = {"data": config.data.model_dump(mode="json"), "per_class": NUM_IMAGES, "max_images": NUM_IMAGES}
    reply = inquire("samples", "samples", request, max_age_s=30)
    known: dict[str, Any] = reply.answer.data if reply.answer else {}
    if tuple(known.get("classes", ())) != spec.classes and spec.classes:
        known = {}  # the last answer, of another data set
    from_catalog = {"train": spec.num_train, "validation": spec.num_validation, "test": spec.num_test}
    return DataFacts(
        classes=tuple(known.get("classes", spec.classes)),
        num_images=known.get("num_images", from_catalog),
        at_hand=known.get("at_hand"),
        split_note=known.get("split_note", ""),
        images=reply.answer.arrays.get("images") if reply.answer and known else None,
        labels=known.get("labels", ()),
        pending=reply.pending,
        error=reply.error,
    )


def _is_nowhere(config: TrainConfig) -> bool:
    """Whether it is not known yet where the person's own images are."""
    data = config.data
    return (data.dataset == "folder" and not data.path) or (data.dataset == "image_set" and not data.image_set)


def draw_images(config: TrainConfig, facts: DataFacts, title: str = "") -> None:
    """The card of the data set: its numbers, a strip of samples, and each sample augmented where that is on."""
    spec = config.dataset_spec
    active = [AUGMENTATIONS[name].title.lower() for name in config.augment.active]
    with st.container(border=True, key="waiting_images" if facts.pending else "images", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{plain(title) or spec.title}**", help=f"Source: {spec.source}. License: {spec.license}.")
            if active:
                st.button(
                    "Draw again", key="train_draw_again", icon=":material/casino:", type="tertiary", on_click=_reseed
                )
        st.html(f"<div class='lab-note'>{_counts(config, facts)}</div>")
        if facts.error:
            st.error(f"{facts.error.message} {facts.error.hint}", icon=":material/folder_off:")
        elif why_empty := _why_empty(config, facts):
            st.html(f"<div class='lab-empty'>{html.escape(why_empty)}</div>")
        else:
            _draw_samples(facts)
            if active:
                _draw_augmented(config, active, len(facts.labels) or NUM_IMAGES)


def _reseed() -> None:
    st.session_state[_SEED] = st.session_state.get(_SEED, 0) + 1


def _draw_samples(facts: DataFacts) -> None:
    if facts.images is None:
        st.html(strip(blank(NUM_IMAGES), ["…"] * NUM_IMAGES))
    else:
        st.html(strip(facts.images, [facts.classes[label] for label in facts.labels]))


def _draw_augmented(config: TrainConfig, active: Sequence[str], count: int) -> None:
    """The same images as training will see them, several times."""
    request = {
        "data": config.data.model_dump(mode="json"),
        "augment": config.augment.model_dump(mode="json"),
        "seed": st.session_state.get(_SEED, 0),
        "num_images": count,
        "num_draws": NUM_DRAWS,
    }
    reply = inquire("preview", "preview", request)
    if reply.error:
        st.error(f"{reply.error.message} {reply.error.hint}")
    images = reply.answer.arrays["images"] if reply.answer else None
    draws = [blank(count) if images is None else images[:, 1 + index] for index in range(NUM_DRAWS)]
    rows = "".join(strip(draw) for draw in draws)
    name = f"<div class='lab-strip-name'>With {html.escape(', '.join(active))}</div>"
    with st.container(key="waiting_preview" if reply.pending else "preview"):
        st.html(f"{name}<div class='lab-strips'>{rows}</div>")


def _counts(config: TrainConfig, facts: DataFacts) -> str:
    channels, height, width = stored_shape(config)
    parts = [f"{height}×{width} pixels, {'gray' if channels == 1 else 'color'}"]
    if facts.classes:
        parts.append(f"{len(facts.classes):,} classes")
    names = {"train": "training", "validation": "validation", "test": "test"}
    parts += [f"{facts.num_images[key]:,} {name}" for key, name in names.items() if facts.num_images.get(key)]
    return " · ".join(parts)


def _why_empty(config: TrainConfig, facts: DataFacts) -> str:
    """Why there will be no images; empty where there are, or will be in a moment."""
    spec = config.dataset_spec
    if _is_nowhere(config):
        what = "folder is given" if config.data.dataset == "folder" else "image set is chosen"
        return f"Samples appear here once the {what}."
    if facts.at_hand is False:
        size = bytes_text(sum(file.num_bytes for file in spec.files))
        return f"Not on this machine yet: {size} are downloaded once, when training starts."
    return ""
