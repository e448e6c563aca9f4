"""Images of a data set or an image set as the picture: of a class, at random, or one that the network gets wrong."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from cnncore.answers import Answer
from cnncore.catalog import at_hand
from cnncore.catalog.datasets import DATASETS
from cnncore.images.picture_reference import ImagesReference, parse_images, parse_picture
from cnncore.runs.run import Run
from cnncore.runs.subjects import parse_subject
from pages.components.inspector_answers import answer_of
from pages.components.inspector_images import SPLITS
from pages.components.inspector_link import Look, change_link
from pages.components.lab import data_root, images_title, show_problem, store
from pages.components.picture_choice import Choice, choose_picture_of
from pages.components.run_words import read_config
from pages.components.transfer_images_edits import image_sets
from pages.components.transfer_use_answers import data_url
from pages.components.waiting import fill_in, inquire

COUNT = 12
"""Pictures of one strip."""
_ANY = -1
"""All classes."""
_PATIENCE_S = 60.0
_IMAGES, _SPLIT, _CLASS = "inspector_images", "inspector_images_split", "inspector_images_class"
_WRONG, _FIRST, _SEED = "inspector_images_wrong", "inspector_images_first", "inspector_images_seed"
_TAKE, _SHOWN = "inspector_images_take", "inspector_images_shown"
_SPLITS = ("test", "validation", "train")
_KINDS = {"sample": "run", "data": "data", "set": "set"}


def first_image(look: Look) -> str:
    """The first image of a run that it has not learned from; empty where it has no images of its own at hand."""
    run = _run_of(look)
    if run is None or f"run:{run.id}" not in _collections(look):
        return ""
    return str(ImagesReference(kind="run", source=run.id).picture(_first_split(run), 0))


def choose_image(look: Look, asked: str) -> str:
    """The choice; returns the picture's reference.

    Args:
        look: The network.
        asked: The picture of the link.
    """
    titles = _collections(look)
    if not titles:
        st.caption("No images are at hand: train something on a data set, or make an image set on the Transfer page.")
        return asked
    current = _collection_of(asked)
    if current and current not in titles:
        titles = {current: f"Images of {current}", **titles}
    _begin_with(asked, titles)
    st.selectbox("Taken from", list(titles), format_func=titles.__getitem__, key=_IMAGES, on_change=_start_over)
    fill_in("inspector_images", lambda: _draw(look, asked))
    return asked


def _run_of(look: Look) -> Run | None:
    subject = parse_subject(look.network)
    return store().get(subject.key) if subject.kind == "run" else None


def _first_split(run: Run) -> str:
    return next((split for split in _SPLITS if run.summary.get(f"num_{split}")), "train")


def _collections(look: Look) -> dict[str, str]:
    """Titles of the images that can be chosen from, by reference: the network's own, then those of as many channels."""
    found: dict[str, str] = {}
    run = _run_of(look)
    if run is not None and (config := read_config(run)) is not None:
        data = config.data
        own = data.dataset in ("folder", "image_set") or at_hand(data.dataset, data_root())
        if own and (data.dataset != "folder" or data.path):
            found[f"run:{run.id}"] = f"{images_title(config)}, as the run divided it"
    if look.channels == 3:
        for each in image_sets().all():
            if each.version and each.included():
                found[f"set:{each.reference}"] = f"Image set {each.name}, version {each.version:,}"
    at_hand_here = [key for key in DATASETS if key not in ("folder", "image_set") and at_hand(key, data_root())]
    for key in sorted(at_hand_here, key=lambda key: DATASETS[key].in_shape[0] != look.channels):
        found[f"data:{key}"] = DATASETS[key].title
    return found


def _collection_of(asked: str) -> str:
    """The images that a picture is one of, by reference; empty where it is none of any."""
    reference = parse_picture(asked) if asked else None
    if reference is None or reference.kind not in _KINDS:
        return ""
    return f"{_KINDS[reference.kind]}:{reference.source}"


def _begin_with(asked: str, titles: dict[str, str]) -> None:
    """Let the widgets show the picture that a link or another view named; otherwise they are as a person left them."""
    collection = _collection_of(asked)
    if st.session_state.get(_IMAGES) in titles and (not collection or asked == st.session_state.get(_SHOWN)):
        return
    _start_over()
    st.session_state[_SHOWN] = asked
    st.session_state[_IMAGES] = collection or next(iter(titles))
    reference = parse_picture(asked) if collection else None
    st.session_state[_SPLIT] = reference.split if reference and reference.split else _SPLITS[0]
    if reference and reference.split:
        st.session_state[_FIRST] = reference.place - reference.place % COUNT


def _start_over() -> None:
    for name in (_FIRST, _SEED, _CLASS, _WRONG):
        st.session_state.pop(name, None)


# The strip


def _draw(look: Look, asked: str) -> None:
    images = parse_images(st.session_state[_IMAGES])
    places = _mistakes(look, images) if st.session_state.get(_WRONG) else None
    reply = inquire("inspector_images", "browse", _request(look, images, places), timeout_s=_PATIENCE_S)
    if reply.error is not None:
        show_problem(reply.error)
        return
    if reply.answer is None:
        st.caption("Opening the images…")
        return
    facts = reply.answer.data
    _draw_filters(look, facts)
    if places is not None and not places:
        return
    total = facts["total"] if places is None else len(places)
    _draw_turning(total)
    choices = _choices(images, reply.answer)
    with st.container(key="waiting_inspector_images" if reply.pending else "inspector_images_strip"):
        picked = choose_picture_of(choices, asked, key="inspector_strip", label="Images to look at")
    if not choices:
        st.caption("There is no such image.")
    elif st.session_state.get(_TAKE) and not reply.pending:
        picked = choices[0].name
    if picked:
        st.session_state.pop(_TAKE, None)
        st.session_state[_SHOWN] = picked
        change_link(picture=picked)
        st.rerun()


def _request(look: Look, images: ImagesReference, places: Sequence[int] | None) -> dict[str, Any]:
    first, seed = st.session_state.get(_FIRST, 0), st.session_state.get(_SEED, 0)
    wanted = {"images": str(images), "split": st.session_state[_SPLIT], "count": COUNT}
    if places is not None:
        return {**look.subject, **wanted, "places": list(places[first : first + COUNT])}
    return {**look.subject, **wanted, "label": st.session_state.get(_CLASS, _ANY), "first": first, "seed": seed}


def _mistakes(look: Look, images: ImagesReference) -> tuple[int, ...]:
    """Places of the images that the network gets wrong, those first where it is surest; says what is going on."""
    request = {**look.subject, "images": str(images), "split": st.session_state[_SPLIT]}
    answer = answer_of("inspector_mistakes", "split_outcomes", request, words="Looking for mistakes…")
    if answer is None:
        return ()
    labels, probabilities = answer.arrays["labels"], answer.arrays["probabilities"]
    wrong = labels != probabilities.argmax(axis=1)
    wanted = st.session_state.get(_CLASS, _ANY)
    places = np.flatnonzero(wrong & ((labels == wanted) | (wanted == _ANY)))
    if seed := st.session_state.get(_SEED, 0):
        places = np.random.default_rng(seed).permutation(places)
    else:
        places = places[np.argsort(-probabilities[places].max(axis=1), kind="stable")]
    if not len(places):
        st.caption("It gets none of these wrong.")
    # Of a large split only some images are looked at, so a row is not a position.
    return tuple(int(place) for place in answer.arrays["places"][places])


def _draw_filters(look: Look, facts: Mapping[str, Any]) -> None:
    classes, counts = facts["classes"], facts["num_images"]
    splits = [name for name in _SPLITS if counts[name]]
    if st.session_state.get(_SPLIT) not in splits:
        st.session_state[_SPLIT] = facts["split"]
    if st.session_state.get(_CLASS, _ANY) not in range(-1, len(classes)):
        st.session_state.pop(_CLASS, None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Split",
            splits,
            required=True,
            format_func=lambda name: SPLITS[name],
            key=_SPLIT,
            on_change=_to_the_first,
            label_visibility="collapsed",
            wrap=True,
        )
        st.selectbox(
            "Class",
            range(_ANY, len(classes)),
            format_func=lambda place: "Any class" if place == _ANY else classes[place],
            key=_CLASS,
            on_change=_to_the_first,
            label_visibility="collapsed",
            width=150,
        )
        if list(classes) == list(look.classes):
            why = "Only images that this network gets wrong, those first where it is surest."
            st.toggle("Mistakes", key=_WRONG, on_change=_to_the_first, help=why)


def _draw_turning(total: int) -> None:
    first = st.session_state.get(_FIRST, 0)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _turn_button("Previous", ":material/chevron_left:", first - COUNT, enabled=first > 0)
        _turn_button("Next", ":material/chevron_right:", first + COUNT, enabled=first + COUNT < total)
        st.button(
            "Random",
            icon=":material/casino:",
            key="inspector_images_random",
            disabled=not total,
            on_click=_take_any,
            help="Takes one of these at random.",
        )
        last = min(first + COUNT, total)
        st.caption(f"{first + 1:,} to {last:,} of {total:,}" if total else "none", width="content")


def _turn_button(words: str, icon: str, first: int, *, enabled: bool) -> None:
    st.button(
        "",
        icon=icon,
        help=f"{words} images",
        key=f"inspector_images_{words}",
        disabled=not enabled,
        on_click=lambda: st.session_state.update({_FIRST: max(first, 0)}),
    )


def _to_the_first() -> None:
    st.session_state[_FIRST] = 0


def _take_any() -> None:
    st.session_state.update({_SEED: random.randrange(1, 2**31), _FIRST: 0, _TAKE: True})


def _choices(images: ImagesReference, answer: Answer) -> list[Choice]:
    facts = answer.data
    split, classes = facts["split"], facts["classes"]
    return [
        Choice(
            name=str(images.picture(split, place, name)),
            source=data_url(answer.arrays[f"picture_{row}"]),
            label=classes[label],
            words=f"{split} image {name}: {classes[label]}",
        )
        for row, (place, label, name) in enumerate(zip(facts["places"], facts["labels"], facts["names"], strict=True))
    ]
