"""The view 'embedding' of the Inspector: the images as the network's features lay them out."""

from __future__ import annotations

import html
from dataclasses import dataclass

import streamlit as st

from cnncore.answers import Answer
from cnncore.figures.embedding import COLORINGS, FEW_COLORED, MOST_COLORED, confused_classes
from pages.components.inspector_answers import answer_of
from pages.components.inspector_embedding_board import draw_board, table_of
from pages.components.inspector_images import ChosenImages, choose_images
from pages.components.inspector_link import Look, change_link, param
from pages.components.run_words import percent
from pages.components.waiting import fill_in
from pages.components.wording import plain

_LARGE_PX = 128
"""From this size on a network takes long for each image, so that fewer are looked at first."""
_MOST = (300, 1_000, 3_000)


@dataclass(frozen=True, kw_only=True)
class Projection:
    """A way down to two dimensions, and how to read what comes out.

    Attributes:
        title: On its button.
        words: How to read it; HTML.
        axes: Titles of the axes, where the shares of the variance are not told.
    """

    title: str
    words: str
    axes: tuple[str, str] = ("", "")


PROJECTIONS: dict[str, Projection] = {
    "pca": Projection(
        title="PCA",
        words="PCA shows the plane along which the features differ most. Distances are those of that plane; images that"
        " lie together here may be apart in a direction it leaves out (Hotelling, 1933).",
    ),
    "tsne": Projection(
        title="t-SNE",
        words="t-SNE keeps near what is near. How large a cluster is, and how far it lies from others, means little"
        " (van der Maaten and Hinton, 2008; Wattenberg, Viégas and Johnson, 2016).",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the link says."""

    projection: str
    color: str
    images: ChosenImages
    most: int


def show_embedding(look: Look) -> None:
    """Draw this view."""
    st.caption(
        "Each point is an image. Images lie together where the numbers that the network's last layer judges by, its "
        "features, are alike: well-separated classes are easy for it, an image among those of another class is not."
    )
    choice = _choose(look)
    fill_in("embedding", lambda: _draw(look, choice))


def _choose(look: Look) -> Choice:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        images = choose_images(look, "inspector_embedding")
        most = _choose_most(look)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        projection = _pick("projection", "Projection", {key: each.title for key, each in PROJECTIONS.items()})
        color = _pick("color", "Color", {key: each.title for key, each in COLORINGS.items()})
    return Choice(projection=projection, color=color, images=images, most=most)


def _choose_most(look: Look) -> int:
    titles = {str(each): f"{each:,}" for each in _MOST}
    first = _MOST[0] if look.size >= _LARGE_PX else _MOST[1]
    return int(_pick("points", "At most", titles, start=str(first)))


def _pick(name: str, label: str, titles: dict[str, str], *, start: str = "") -> str:
    """A choice that stands in the link under its name."""
    start = start or next(iter(titles))
    asked = param(name)
    current = asked if asked in titles else start
    if asked and asked != current:
        st.warning(f"{label}: {plain(asked[:40])} is none of {', '.join(titles)}; this is {titles[current]}.")
    key = f"inspector_embedding_{name}"
    st.session_state[key] = current
    st.segmented_control(
        label,
        list(titles),
        required=True,
        format_func=lambda each: titles[each],
        key=key,
        on_change=lambda: change_link(**{name: st.session_state[key]}),
    )
    return current


def _draw(look: Look, choice: Choice) -> None:
    request = {
        **look.subject,
        **choice.images.request,
        "method": choice.projection,
        "most_images": choice.most,
    }
    answer = answer_of("embedding", "embedding", request, words="Looking at the images, then laying them out…")
    if answer is None:
        return
    table = table_of(answer)
    color = choice.color
    if COLORINGS[color].needs_truth and not answer.data["comparable"]:
        st.info("The network has other classes than these images, so it can be neither right nor wrong: by class.")
        color = "class"
    classes = tuple(dict.fromkeys(table["class"]))
    marked = _marked(answer, confused_classes(table, FEW_COLORED)) if color == "class" else list(classes)
    _tell(choice, answer)
    draw_board(look, choice.images, answer, table, color=color, marked=marked, axes=_axes(choice.projection, answer))


def _marked(answer: Answer, first: list[str]) -> list[str]:
    """The classes in color: all where that is possible, else those of the link, else the most confused ones."""
    classes: list[str] = answer.data["classes"]
    if len(classes) <= MOST_COLORED:
        return classes
    places = [int(text) for text in param("marked").split(",") if text.isdecimal() and len(text) < 6]
    asked = list(dict.fromkeys(classes[place] for place in places if place < len(classes)))[:MOST_COLORED]
    key = "inspector_embedding_marked"
    st.session_state[key] = asked or first
    st.multiselect(
        "Classes in color",
        classes,
        max_selections=MOST_COLORED,
        key=key,
        help="At first those with the most mistakes.",
        on_change=lambda: change_link(marked=",".join(str(classes.index(name)) for name in st.session_state[key])),
    )
    return list(st.session_state[key])


def _axes(projection: str, answer: Answer) -> tuple[str, str]:
    variance = answer.data["variance"]
    if variance is None:
        return PROJECTIONS[projection].axes
    first, second = (f"{percent(share, 0)} of the variance" for share in variance)
    return f"first component: {first}", f"second component: {second}"


def _tell(choice: Choice, answer: Answer) -> None:
    """What is seen, how far it can be trusted, and how to read it."""
    count, total = len(answer.arrays["places"]), answer.data["total"]
    part = f"{count:,} of {total:,}" if count < total else f"All {count:,}"
    spread = ", of each class its share, evenly spread" if count < total else ""
    split = {"validation": "validation", "test": "test", "train": "training"}[choice.images.split]
    near, same = answer.data["judged"], answer.data["same_class"]
    sentences = (
        f"{part} {split} images{spread}, by {answer.data['num_features']:,} features.",
        f"Of the {near} nearest in the features, {percent(same, 0)} are of an image's own class.",
        html.escape(answer.data["note"]),
        PROJECTIONS[choice.projection].words,
    )
    st.html(f"<div class='lab-note'>{' '.join(sentences)}</div>")
