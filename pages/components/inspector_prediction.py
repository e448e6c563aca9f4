"""What the network says of the picture, and what exactly it saw of it."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cnncore.answers import Answer
from cnncore.figures import theme
from cnncore.images.preprocessing import Preprocessing
from cnncore.runs.artifacts import file_stem
from pages.components.inspector_answers import PREDICTION, answer_of, ask_prediction
from pages.components.inspector_link import Look
from pages.components.inspector_picture_drawn import live_picture
from pages.components.lab import show_problem
from pages.components.transfer_use_answers import data_url
from pages.components.waiting import fill_in
from pages.components.wording import share_text

_CHANNELS = {1: ("gray",), 3: ("red", "green", "blue")}
_STATISTICS = ("Least", "Mean", "Greatest", "Deviation")
_ROUNDED = {
    "bf16": ", which it rounds to bfloat16, two to three digits, since it computes in that",
    "fp16": ", which it rounds to float16, three digits, since it computes in that",
}
"""What becomes of the numbers, by the precision in which a network computes."""


def show_prediction(look: Look) -> None:
    """Draw the classes, most probable first, and what the network saw; it follows a drawing while one draws."""
    fill_in(PREDICTION, lambda: _draw(look))


def _draw(look: Look) -> None:
    look = replace(look, picture=live_picture(look.picture))
    with st.container(key="inspector_prediction"):
        if not look.picture:
            st.html("<div class='lab-empty'>Draw or choose a picture: what the network makes of it appears here.</div>")
            return
        reply = ask_prediction(look)
        if reply.error is not None:
            show_problem(reply.error)
        elif reply.answer is None:
            st.html("<div class='lab-empty'>Looking at the picture…</div>")
        else:
            with st.container(key="waiting_inspector" if reply.pending else "inspector_said"):
                st.html(_STYLE + prediction_html(look, reply.answer))
            _show_numbers(look)


def prediction_html(look: Look, answer: Answer) -> str:
    """The original, what the network saw, and the most probable classes as bars."""
    facts, arrays = answer.data, answer.arrays
    size, gray = facts["size"], " gray" if facts["channels"] == 1 else ""
    figures = [_figure(arrays["pixels"], f"what it saw, {size} × {size}{gray}", pixelated=True)]
    if not np.array_equal(arrays["original"], arrays["pixels"]):
        figures.insert(0, _figure(arrays["original"], "the picture", pixelated=max(arrays["original"].shape) < 100))
    return f"<div class='lab-look'>{''.join(figures)}<div>{_said(look, facts)}{_bars(answer)}</div></div>"


def _figure(pixels: np.ndarray, caption: str, *, pixelated: bool) -> str:
    kind = " class='is-small'" if pixelated else ""
    return f"<figure><img{kind} alt='{caption}' src='{data_url(pixels)}'><figcaption>{caption}</figcaption></figure>"


def _said(look: Look, facts: Mapping[str, Any]) -> str:
    """The first class and whether it is the true one."""
    first, label = facts["classes"][0], facts["label"]
    notes: list[str] = []
    if label and label in look.classes:
        right = label == first
        color, word = (theme.RIGHT, "right") if right else (theme.WRONG, "wrong")
        truth = "" if right else f", it is <b>{html.escape(label)}</b>"
        notes.append(f"<span style='color:{color}'><b>{word}</b></span>{truth}")
    elif label:
        notes.append(f"its label is <b>{html.escape(label)}</b>, which the network does not know")
    known = facts["familiar"]
    if known and known["distance"] > known["threshold"]:
        title = html.escape(f"Distance {known['distance']:.3f}. {known['explanation']}", quote=True)
        notes.append(f"<span title='{title}'>perhaps <b>none of these</b>: unlike all it was trained on</span>")
    if look.network.startswith("untrained:"):
        notes.append("random weights: the names mean nothing")
    return f"<div class='lab-look-said'>{html.escape(first)}</div><div class='lab-note'>{'; '.join(notes)}</div>"


def _bars(answer: Answer) -> str:
    shares = answer.arrays["shares"]
    if not np.isfinite(shares).all():
        return "<div class='lab-note'>The network's outputs are no numbers: its training diverged.</div>"
    rows = [
        f"<div title='{html.escape(name, quote=True)}'>{html.escape(name)}</div><div class='lab-bar'><i style='width:"
        f"{max(0.5, 100 * share):.1f}%;background:{theme.TRAIN if place == 0 else theme.NEUTRAL}'></i>"
        f"<small>{share_text(share)}</small></div>"
        for place, (name, share) in enumerate(zip(answer.data["classes"], shares.tolist(), strict=True))
    ]
    return f"<div class='lab-bars'>{''.join(rows)}</div>"


# The exact numbers


def _show_numbers(look: Look) -> None:
    exact = st.expander(
        "What exactly the network got", icon=":material/grid_on:", on_change="rerun", key="inspector_numbers"
    )
    if not exact.open:
        return
    with exact:
        request = {**look.request, "tensor": True}
        answer = answer_of("inspector_tensor", "inspect", request, words="Fetching the numbers…")
        if answer is not None:
            _draw_numbers(look, answer)


def _draw_numbers(look: Look, answer: Answer) -> None:
    tensor = answer.arrays["tensor"]
    made = Preprocessing.from_dict(answer.data["preprocessing"])
    shape = " × ".join(str(side) for side in tensor.shape)
    rounded = _ROUNDED.get(answer.data["precision"], "")
    st.markdown(f"A tensor of **{shape}** numbers (channels, height, width), 32-bit floating point{rounded}.")
    st.dataframe(statistics_table(answer.arrays["statistics"], made), hide_index=True, key="inspector_statistics")
    st.caption(preprocessing_words(made))
    stem = file_stem(look.title, "input")
    table = probability_table(look, answer.arrays["probabilities"])
    files = {
        "Tensor (.npy)": (_npy(tensor), f"{stem}.npy"),
        "Tensor (.csv)": (tensor_csv(tensor), f"{stem}.csv"),
        "Probabilities (.csv)": (table.to_csv(index=False).encode(), f"{file_stem(look.title, 'probabilities')}.csv"),
        "What it saw (.png)": (_png(answer.arrays["pixels"]), f"{stem}.png"),
    }
    with st.container(horizontal=True):
        for label, (content, name) in files.items():
            st.download_button(
                label, content, file_name=name, icon=":material/download:", on_click="ignore", key=f"inspector_{label}"
            )


def statistics_table(statistics: np.ndarray, made: Preprocessing) -> pd.DataFrame:
    """What is subtracted from each channel (C, 4) and what it is divided by, and what comes out."""
    columns = {"Subtracted": made.mean, "Divided by": made.std, **dict(zip(_STATISTICS, statistics.T, strict=True))}
    table = pd.DataFrame({name: [f"{value:.4f}" for value in values] for name, values in columns.items()})
    table.insert(0, "Channel", list(_CHANNELS[made.channels]))
    return table


def preprocessing_words(made: Preprocessing) -> str:
    """What happens to a picture before the network gets it."""
    cut = f", of which the middle {made.size} × {made.size} are kept" if made.crop < 1 else " as a square"
    gray = "turned to gray, " if made.channels == 1 else ""
    return (
        f"A picture of another size is resized to {made.resized} pixels on its shorter side ({made.interpolation}, "
        f"antialiased){cut}, {gray}scaled to values from 0 to 1; then each channel's mean is subtracted and the rest "
        "divided by its deviation."
    )


def probability_table(look: Look, probabilities: np.ndarray) -> pd.DataFrame:
    """All classes, the most probable first."""
    table = pd.DataFrame({"class": list(look.classes), "probability": probabilities})
    return table.sort_values("probability", ascending=False, kind="stable")


def tensor_csv(tensor: np.ndarray) -> bytes:
    """A tensor (C, H, W) as a table: one row a pixel row, with its channel and row in front."""
    channels, height, width = tensor.shape
    table = pd.DataFrame(tensor.reshape(channels * height, width), columns=[f"x{column}" for column in range(width)])
    table.insert(0, "row", np.tile(np.arange(height), channels))
    table.insert(0, "channel", np.repeat(np.arange(channels), height))
    return table.to_csv(index=False).encode()


def _npy(tensor: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, tensor, allow_pickle=False)
    return buffer.getvalue()


def _png(pixels: np.ndarray) -> bytes:
    return base64.b64decode(data_url(pixels).partition(",")[2])


_STYLE = """<style>
.lab-look { display: flex; flex-wrap: wrap; gap: .6rem 1.1rem; }
.lab-look > div { flex: 1 1 15rem; min-width: 0; }
.lab-look figure { margin: 0; width: 132px; }
.lab-look img { display: block; width: 132px; height: 132px; object-fit: contain; border-radius: 6px;
  background: rgba(128,128,128,.12); }
.lab-look img.is-small { image-rendering: pixelated; }
.lab-look figcaption { font-size: .75rem; opacity: .75; margin-top: .2rem; }
.lab-look-said { font-size: 1.35rem; font-weight: 650; line-height: 1.25; overflow-wrap: anywhere; }
.lab-look .lab-bars { grid-template-columns: minmax(0, max-content) 1fr; margin-top: .3rem; }
.lab-look .lab-bars > div:nth-child(odd) { max-width: 9rem; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
</style>"""
