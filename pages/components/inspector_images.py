"""Which images a view of the Inspector looks at: the network's own, a data set, or an image set; and which split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from cnncore.catalog import at_hand
from cnncore.catalog.datasets import DATASETS
from cnncore.errors import LabError
from cnncore.images.picture_reference import ImagesReference, parse_images
from cnncore.runs.subjects import parse_subject
from pages.components.inspector_link import Look, change_link, param
from pages.components.lab import data_root, images_title, store
from pages.components.run_words import read_config
from pages.components.transfer_images_choice import image_set_choices
from pages.components.wording import plain

SPLITS = {"validation": "Validation", "test": "Test", "train": "Training"}
_OWN = ""
_COLOR = 3
_SETS = ("folder", "image_set")
"""Data sets that are what a person chose."""


@dataclass(frozen=True, kw_only=True)
class ChosenImages:
    """Images by name, and a split of them."""

    reference: ImagesReference
    title: str
    split: str

    @property
    def request(self) -> dict[str, Any]:
        """As questions have them."""
        return {"images": str(self.reference), "split": self.split}


def choose_images(look: Look, key: str) -> ChosenImages:
    """Draw the choice of the images and of the split, as the link has it; call it inside a horizontal container.

    Args:
        look: The network.
        key: Start of the widgets' names on the page.
    """
    titles = _titles(look)
    asked = param("images")
    if asked not in titles and _is_images(asked):
        titles[asked] = asked
    current = asked if asked in titles else next(iter(titles))
    if asked and asked != current:
        st.warning(f"There are no images named {plain(asked[:60])}; these are {plain(titles[current])}.")
    splits, wanted = list(SPLITS), param("split")
    split = wanted if wanted in SPLITS else splits[0]
    if wanted and wanted != split:
        st.warning(f"There is no split {plain(wanted[:40])}; allowed: {', '.join(splits)}.")
    images_key, split_key = f"{key}_images", f"{key}_split"
    st.session_state[images_key], st.session_state[split_key] = current, split
    st.selectbox(
        "Images",
        list(titles),
        format_func=lambda name: titles[name],
        key=images_key,
        width=300,
        on_change=lambda: change_link(images=st.session_state[images_key]),
    )
    st.segmented_control(
        "Split",
        splits,
        required=True,
        format_func=lambda name: SPLITS[name],
        key=split_key,
        on_change=lambda: change_link(split=st.session_state[split_key]),
    )
    return ChosenImages(reference=parse_images(current or look.network), title=titles[current], split=split)


def _titles(look: Look) -> dict[str, str]:
    """What can be chosen, by name; the network's own first, where it has any, then what has as many channels."""
    own = _own_title(look)
    titles = {_OWN: own} if own else {}
    if look.channels == _COLOR:
        titles |= {f"set:{reference}": title for reference, title in image_set_choices().items()}
    here = {f"data:{key}": DATASETS[key] for key in DATASETS if key not in _SETS and at_hand(key, data_root())}
    alike = {name: spec.title for name, spec in here.items() if spec.in_shape[0] == look.channels}
    return titles | alike | {name: spec.title for name, spec in here.items()}


def _own_title(look: Look) -> str:
    """What the images that a run learned from are called; empty where it has none."""
    subject = parse_subject(look.network)
    if subject.kind != "run":
        return ""
    config = read_config(store().get(subject.key))
    if config is None or (config.data.dataset == "folder" and not config.data.path):
        return ""
    return f"Its own: {images_title(config)}"


def _is_images(text: str) -> bool:
    try:
        parse_images(text)
    except LabError:
        return False
    return True
