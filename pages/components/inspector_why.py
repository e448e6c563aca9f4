"""The view 'why' of the Inspector: what in the picture speaks for a class, by several methods and networks at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pages.components.inspector_link import Look
from pages.components.inspector_why_cards import show_row
from pages.components.inspector_why_controls import choose_class, choose_look, choose_methods
from pages.components.inspector_why_link import Wish, read_wish
from pages.components.inspector_why_networks import Explained, explained, explained_beside, map_layers_of, said_of
from pages.components.inspector_why_pictures import STYLE
from pages.components.inspector_why_sanity import show_sanity
from pages.components.waiting import fill_in
from pages.components.wording import plain

_MOST_PROBLEMS = 5


def show_why(look: Look) -> None:
    """Draw this view."""
    fill_in("why", lambda: _draw(look))


def _draw(look: Look) -> None:
    st.html(STYLE)
    wish = read_wish(look)
    said = said_of(look)
    layers = map_layers_of(look) if "gradcam" in wish.methods else ()
    wish, awaited = _with_layer(wish, layers)
    for sentence in wish.problems[:_MOST_PROBLEMS]:
        st.warning(plain(sentence), icon=":material/link_off:")
    if said is None:
        return
    choose_class(look, wish, said)
    choose_methods(look, wish)
    choose_look(wish, layers or ())
    _explain_reading()
    if awaited:
        return
    first = explained(look, wish, said, wish.layer)
    _show_rows(first, wish)
    show_sanity(first, _without_maps(wish, layers))


def _with_layer(wish: Wish, layers: Sequence[str] | None) -> tuple[Wish, bool]:
    """What is asked for with a layer that there is, and whether the layers must be waited for to know."""
    if not wish.layer or layers is None:
        return wish, bool(wish.layer)
    if "gradcam" not in wish.methods or wish.layer in layers:
        return wish, False
    sentence = (
        f"Grad-CAM cannot take the layer {wish.layer[:60]!r}: not everything passes through it, or it leaves no maps. "
        "The last one with some extent is taken."
    )
    return replace(wish, layer="", problems=(*wish.problems, sentence)), False


def _without_maps(wish: Wish, layers: Sequence[str] | None) -> Wish:
    """What is asked for without Grad-CAM, where the network has no layer for it."""
    if layers or layers is None:
        return wish
    return replace(wish, methods=tuple(method for method in wish.methods if method != "gradcam"))


def _explain_reading() -> None:
    st.caption(
        "Each map colors the picture by how much its places count for the class's score, the number (logit) that the "
        "network turns into a probability. Each has its own scale, whose colors end at the value that only one pixel "
        "in a hundred exceeds, so that a few do not leave the rest pale. All is computed in full precision (fp32), "
        "whatever the network was trained in."
    )


def _show_rows(first: Explained, wish: Wish) -> None:
    if wish.others:
        st.markdown(f"**{plain(first.look.title)}**")
        st.caption(plain(f"Says: {first.said}. Explained: {first.name}."))
    show_row(first, wish, words=True)
    for name in wish.others:
        with st.container(key=f"why_beside_{name.replace(':', '_')}"):
            row = explained_beside(first, name)
            if row is not None:
                st.caption(plain(f"Says: {row.said}. Explained: {row.name}. {row.note}".strip()))
                show_row(row, wish, words=False)
