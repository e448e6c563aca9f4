"""Does the method notice the weights? Maps while a network's weights become random, after Adebayo et al., 2018."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cnncore.answers import Answer
from cnncore.figures.sanity import sanity_lines
from cnncore.images.heat_map import heat_colors
from cnncore.runs.artifacts import file_stem
from pages.components.inspector_answers import answer_of
from pages.components.inspector_link import change_link
from pages.components.inspector_why_link import SANITY, Wish
from pages.components.inspector_why_methods import METHODS
from pages.components.inspector_why_networks import Explained
from pages.components.inspector_why_pictures import png
from pages.components.live_chart import still_chart
from pages.components.wording import plain

_WHAT = (
    "Random weights know nothing. If a map explains what the network **learned**, it must fall apart when the weights "
    "become random; if it stays as it was, it shows edges of the picture rather than reasons of the network. Here the "
    "layers of a copy get random weights one after the other, from the output on, and each map is compared with that "
    "of the network as it is."
)
_HOW = (
    "Adebayo et al., Sanity checks for saliency maps, 2018: cascading randomization, compared by Spearman's rank "
    "correlation of absolute values: 1 is the same order of places, 0 none in common. One picture; and to be quick, "
    "fewer steps, copies and windows than above. That a method notices below {limit:g} is our limit; the paper names "
    "none."
)


def show_sanity(row: Explained, wish: Wish) -> None:
    """Draw the check, or the button that opens it.

    Args:
        row: The network, and the class that it explains.
        wish: The methods; only such that the network has maps for.
    """
    st.markdown("##### Does the method notice the weights?")
    st.caption(_WHAT)
    if not wish.methods:
        st.caption("None of the chosen methods has a map for this network.")
        return
    if row.look.network.startswith("untrained:"):
        st.caption("The weights of this network are random as they are: choose a trained one for this check.")
        return
    if not wish.sanity:
        st.button(
            "Check these methods",
            key="why_sanity_open",
            icon=":material/shuffle:",
            on_click=lambda: change_link(part=SANITY),
        )
        return
    request: dict[str, Any] = {**row.look.request, "target": row.target, "methods": list(wish.methods)}
    if row.layer:
        request["layer"] = row.layer
    answer = answer_of("why_sanity", "sanity", request, words="Giving layers random weights…")
    if answer is not None:
        _show_answer(row, wish, answer)
    st.button("Close", key="why_sanity_close", type="tertiary", on_click=lambda: change_link(part=""))


def _show_answer(row: Explained, wish: Wish, answer: Answer) -> None:
    facts, maps = answer.data, answer.arrays["maps"]
    depths, methods = facts["depths"], facts["methods"]
    if wish.others:
        st.markdown(f"**{plain(row.look.title)}**")
    blocks = [_block(method, facts, maps[place]) for place, method in enumerate(methods)]
    st.html(f"{_STYLE}{''.join(blocks)}{_names(depths)}")
    titled = {METHODS[method].title: facts["similarity"][method] for method in methods}
    still_chart(sanity_lines(depths, titled, facts["limit"]), key="why_sanity_chart")
    st.caption(_HOW.format(limit=facts["limit"]))
    _offer_files(row, answer)


def _block(method: str, facts: Mapping[str, Any], maps: np.ndarray) -> str:
    """A method's verdict and its maps (D, h, w) in a row, as HTML."""
    title, similarity = METHODS[method].title, facts["similarity"][method]
    cells = [
        f"<figure><img alt='{title}, {place} of {len(maps) - 1} parts random' src='{_address(each)}'>"
        f"<figcaption>{f'{place} random' if place else 'as it is'}<br><b>{_number(similarity[place])}</b></figcaption>"
        "</figure>"
        for place, each in enumerate(maps)
    ]
    sentence = verdict_words(title, similarity, facts["draws"][method], facts["limit"], is_empty=not maps[-1].any())
    return (
        f"<section class='lab-sanity'><div>{html.escape(sentence)}</div>"
        f"<div class='lab-sanity-row' style='--columns:{len(cells)}'>{''.join(cells)}</div></section>"
    )


def verdict_words(
    title: str, similarity: Sequence[float], draws: Sequence[float], limit: float, *, is_empty: bool
) -> str:
    """Whether a method notices, in words.

    Args:
        title: Of the method.
        similarity: At each depth, from the network as it is, where it is 1, to the one of random weights only.
        draws: With all weights random, for each time they were drawn.
        limit: A mean of the draws below it counts as noticing.
        is_empty: Whether no place counts in the last map.
    """
    mean = _number(fmean(draws))
    spread = f"{_number(min(draws))} to {_number(max(draws))} in {len(draws)} draws" if len(draws) > 1 else "one draw"
    if fmean(draws) >= limit:
        return (
            f"{title} hardly notices: with all weights random the correlation is still {mean} ({spread}). Much of its "
            "map comes from the picture and the way the network is wired, not from what was learned."
        )
    told = f"{title} notices: with all weights random the correlation is only {mean} ({spread})"
    told += ", its map is empty" if is_empty else ""
    since = _since(similarity, limit)
    if not 0 < since < len(similarity) - 1:
        return f"{told}."
    return f"{told}; below {limit:g} from {since} random {'part' if since == 1 else 'parts'} on."


def _since(similarity: Sequence[float], limit: float) -> int:
    """The first depth from which on all similarities are below the limit; 0 where there is none."""
    above = [depth for depth, value in enumerate(similarity) if value >= limit]
    return above[-1] + 1 if above[-1] + 1 < len(similarity) else 0


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


@st.cache_data(max_entries=300, show_spinner=False)
def _address(values: np.ndarray) -> str:
    picture = np.rint(heat_colors(values.astype(np.float32) / 255)).astype(np.uint8)
    return f"data:image/png;base64,{base64.b64encode(png(picture, least=1)).decode()}"


def _names(depths: Sequence[str]) -> str:
    """Which parts get random weights, as HTML."""
    told = "; ".join(f"<b>{place}</b> {html.escape(name)}" for place, name in enumerate(depths) if place)
    return f"<div class='lab-note'>Random at each step, and all before it: {told}. Bright: counts much.</div>"


def similarity_table(depths: Sequence[str], similarity: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """One row a depth: what got random weights last, and the correlation of each method, by its title."""
    columns = {METHODS[method].title: list(values) for method, values in similarity.items()}
    return pd.DataFrame({"random up to": [name or "nothing" for name in depths], **columns})


def contact_sheet(maps: np.ndarray) -> np.ndarray:
    """Maps uint8 (M, D, h, w) as one picture, a row a method, uint8 (H, W, 3)."""
    framed = np.pad(maps, ((0, 0), (0, 0), (0, 2), (0, 2)))
    rows, columns, height, width = framed.shape
    sheet = framed.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
    return np.rint(heat_colors(sheet.astype(np.float32) / 255)).astype(np.uint8)


def _offer_files(row: Explained, answer: Answer) -> None:
    stem = file_stem(f"{row.name}-{row.look.title}", "random_weights")
    table = similarity_table(answer.data["depths"], answer.data["similarity"])
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Maps as PNG",
            lambda: png(contact_sheet(answer.arrays["maps"])),
            file_name=f"{stem}.png",
            mime="image/png",
            icon=":material/download:",
            on_click="ignore",
            key="why_sanity_png",
        )
        st.download_button(
            "Correlations as CSV",
            table.to_csv(index=False).encode(),
            file_name=f"{stem}.csv",
            mime="text/csv",
            icon=":material/table_view:",
            on_click="ignore",
            key="why_sanity_csv",
        )


_STYLE = """<style>
.lab-sanity { margin-bottom: .9rem; }
.lab-sanity-row { display: grid; gap: .35rem; max-width: 56rem; margin-top: .35rem;
  grid-template-columns: repeat(auto-fill, minmax(max(3.4rem, 100% / var(--columns) - .35rem), 1fr)); }
.lab-sanity figure { margin: 0; min-width: 0; }
.lab-sanity img { display: block; width: 100%; border-radius: 4px; image-rendering: pixelated; }
.lab-sanity figcaption { font-size: .72rem; line-height: 1.35; margin-top: .2rem; font-variant-numeric: tabular-nums;
  color: color-mix(in srgb, currentColor 75%, transparent); }
</style>"""
