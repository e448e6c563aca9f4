"""By which images a network is judged: its own, or others whose classes it all knows; and what it says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from cnncore.catalog import at_hand
from cnncore.catalog.datasets import DATASETS
from cnncore.images.picture_reference import parse_images
from cnncore.runs.artifacts import file_stem, run_dir
from cnncore.runs.outcomes import OUTCOMES, Outcomes, load_outcomes
from cnncore.runs.run import Run
from cnncore.runs.subjects import parse_subject
from pages.components.inspector_answers import answer_of
from pages.components.inspector_link import Look, change_link, param
from pages.components.lab import artifacts, data_root, images_title, store
from pages.components.navigation import TRANSFER
from pages.components.run_words import read_config
from pages.components.transfer_images_edits import image_sets
from pages.components.wording import plain

SPLITS = {"validation": "Validation", "test": "Test", "train": "Training"}
_OWN = ""
_IMAGES, _SPLIT = "inspector_errors_images", "inspector_errors_split"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A network and images by which it is judged.

    Attributes:
        images: By `cnncore.images.picture_reference.parse_images`.
        title: What the images are called.
        split: train, validation or test.
        run: Whose own images they are; None where they are nobody's.
    """

    look: Look
    images: str
    title: str
    split: str
    run: Run | None = None

    @property
    def request(self) -> dict[str, Any]:
        """Both, as questions have them."""
        return {**self.look.subject, "images": self.images, "split": self.split}

    def stem(self, what: str) -> str:
        """Name of a file about them, without its ending."""
        return f"{file_stem(self.look.title, self.split)}-{what}"

    def picture(self, place: int, name: str) -> str:
        """One of the images, for a link."""
        return str(parse_images(self.images).picture(self.split, place, name))


@dataclass(frozen=True, eq=False, kw_only=True)
class Found:
    """What the network says of them.

    Attributes:
        outcomes: Of n images.
        places: Their positions in the split, (n,).
        total: Images of the split.
        calibration: As the question `split_outcomes` tells it.
    """

    outcomes: Outcomes
    places: npt.NDArray[np.int64]
    total: int
    calibration: Mapping[str, float | None]


def outcomes_of(judged: Judged) -> Found | None:
    """What the network says of every image; None, with a bar or an error drawn, until it is known."""
    words = f"The network looks at the {SPLITS[judged.split].lower()} images…"
    answer = answer_of("inspector_errors", "split_outcomes", judged.request, words=words)
    if answer is None:
        return None
    arrays, facts = answer.arrays, answer.data
    outcomes = Outcomes(
        split=facts["split"],
        classes=tuple(facts["classes"]),
        names=arrays["names"],
        labels=arrays["labels"],
        probabilities=arrays["probabilities"],
    )
    return Found(outcomes=outcomes, places=arrays["places"], total=facts["total"], calibration=facts["calibration"])


def choose_judged(look: Look) -> Judged | None:
    """Draw the choice of the images and their split; None, with a sentence, where there are none."""
    run = _run_of(look)
    titles = _titles(look, run)
    if not titles:
        _show_none(look)
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = _choose_images(look, titles)
        own = run if chosen == _OWN else None
        split = _choose_split(own)
    if own is not None:
        st.caption(_split_words(own, split))
    return Judged(look=look, images=chosen or look.network, title=titles[chosen], split=split, run=own)


def _run_of(look: Look) -> Run | None:
    subject = parse_subject(look.network)
    return store().get(subject.key) if subject.kind == "run" else None


# Which images


def _titles(look: Look, run: Run | None) -> dict[str, str]:
    """What the network can be judged by, by name; its own images first."""
    titles: dict[str, str] = {}
    config = read_config(run) if run is not None else None
    if config is not None and (config.data.dataset != "folder" or config.data.path):
        titles[_OWN] = f"Its own: {images_title(config)}"
    known = {name for name in look.classes if look.classes.count(name) == 1}
    for key, spec in DATASETS.items():
        learned = config is not None and config.data.dataset in (key, *spec.drawn_from)
        if spec.classes and known.issuperset(spec.classes) and not learned and at_hand(key, data_root()):
            titles[f"data:{key}"] = spec.title
    learned_set = (config.data.image_set or "").partition("@")[0] if config is not None else ""
    for each in image_sets().all() if look.channels == 3 else ():
        if each.version and each.included() and each.id != learned_set and known.issuperset(each.classes):
            titles[f"set:{each.reference}"] = f"Image set {each.name}, version {each.version:,}"
    return titles


def _show_none(look: Look) -> None:
    if parse_subject(look.network).kind == "run":
        st.info(
            "These weights were imported without images, and no images at hand have only classes that it knows, so "
            "nothing says what would be right. Import them again with a data set.",
            icon=":material/image_not_supported:",
        )
        return
    st.info(
        f"This network knows {len(look.classes):,} classes, and no images at hand have only classes of these names, so "
        "nothing says what would be right. Train a head for your images on it, then look where that one errs.",
        icon=":material/image_not_supported:",
    )
    st.page_link(TRANSFER, label="Train a head on it", icon=":material/add_photo_alternate:")


def _choose_images(look: Look, titles: Mapping[str, str]) -> str:
    asked = param("images")
    asked = _OWN if asked == look.network else asked
    current = asked if asked in titles else next(iter(titles))
    if asked != current and asked:
        st.warning(
            f"The network cannot be judged by the images {plain(repr(asked[:60]))}; these are {plain(titles[current])}."
        )
    if len(titles) > 1:
        st.session_state[_IMAGES] = current
        st.selectbox(
            "Images",
            list(titles),
            format_func=titles.__getitem__,
            key=_IMAGES,
            width=300,
            on_change=lambda: change_link(images=st.session_state[_IMAGES], split="", cell=""),
        )
    return current


# Which split


def _choose_split(run: Run | None) -> str:
    splits = list(SPLITS) if run is None else _splits_of(run)
    asked = param("split")
    split = asked if asked in splits else splits[0]
    if asked and asked != split:
        st.warning(_refusal(run, asked))
    st.session_state[_SPLIT] = split
    st.segmented_control(
        "Split",
        splits,
        required=True,
        format_func=SPLITS.__getitem__,
        key=_SPLIT,
        label_visibility="collapsed",
        on_change=lambda: change_link(split=st.session_state[_SPLIT], cell=""),
    )
    return split


def _splits_of(run: Run) -> list[str]:
    """Those that the run has, the test images only once they have been scored: that is for the end of a training."""
    found = [split for split in SPLITS if run.summary.get(f"num_{split}") != 0]
    if "test" in found and not run.summary.get("test_scored") and not _kept_test(run):
        found.remove("test")
    return found or ["train"]


def _kept_test(run: Run) -> bool:
    return "test" in load_outcomes(run_dir(artifacts(), run.id) / OUTCOMES)


def _refusal(run: Run | None, asked: str) -> str:
    if run is not None and asked == "test" and run.summary.get("num_test") != 0:
        return (
            "The test images of this run have not been scored yet, so they are left alone here. Let the training end, "
            f"or use `python -m cnncore evaluate {run.id}`."
        )
    return f"There are no {plain(asked[:40])} images here."


def _split_words(run: Run, split: str) -> str:
    if split == "train":
        return "It has learned these very images: this tells how well it remembers, not how well it does on new ones."
    if split == "test":
        scored = run.summary.get("test_scored", 1)
        times = "once" if scored == 1 else f"{scored} times"
        return (
            f"The test images were scored {times}; to look at them again with the same weights is not counted as "
            "another score. To choose between networks by them would flatter the winner: use the validation images."
        )
    return "Validation images: not trained on, but used to choose the best epoch."
