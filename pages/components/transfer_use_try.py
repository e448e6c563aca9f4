"""New pictures: what a classifier says of them, where it looked, whether they are like anything it knows."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cnncore.figures import theme
from cnncore.runs.artifacts import file_stem
from cnncore.runs.run import Run
from pages.components.inspect_link import inspect_picture
from pages.components.transfer_images_edits import image_sets
from pages.components.transfer_images_gallery import image_source
from pages.components.transfer_use_answers import (
    Prediction,
    Said,
    SeenPicture,
    ask_heats,
    ask_predictions,
    ask_seen,
    data_url,
)
from pages.components.transfer_use_given import Given, choose_pictures, picture_name, thumbnail
from pages.components.transfer_use_sources import set_of
from pages.components.waiting import fill_in
from pages.components.wording import plain

_ROW_PX = 56
_TABLE = "transfer_try_table"
_MOST_PROBLEMS = 5


def show_try(run: Run) -> None:
    """Draw this view."""
    given = choose_pictures(run)
    if not given:
        st.html(
            "<div class='lab-empty' style='min-height:9rem'>Give it a picture: the most probable classes appear here, "
            "where it looked, and whether the picture is like anything it was trained on.</div>"
        )
        return
    fill_in("try", lambda: _draw(run, given))


def _draw(run: Run, given: Sequence[Given]) -> None:
    said = ask_predictions("try", run, given)
    for sentence in said.problems[:_MOST_PROBLEMS]:
        st.error(plain(sentence), icon=":material/error:")
    if len(said.problems) > _MOST_PROBLEMS:
        st.caption(f"And {len(said.problems) - _MOST_PROBLEMS:,} more that cannot be looked at.")
    if said.pending:
        done = len(said.predictions)
        st.progress(done / len(given), text=f"Looked at {done:,} of {len(given):,}…")
    if not said.predictions:
        return
    place = _show_table(run, said) if len(given) > 1 else 0
    _show_card(run, said, said.predictions[place])


# Many pictures


def _show_table(run: Run, said: Said) -> int:
    """One row a picture; returns the place of the one that is selected."""
    table = prediction_table(said)
    shown = table.assign(Picture=[thumbnail(each.given) for each in said.predictions])
    st.dataframe(
        shown[["Picture", *table.columns]],
        hide_index=True,
        key=_TABLE,
        on_select="rerun",
        selection_mode="single-row",
        row_height=_ROW_PX,
        height=min(60 + _ROW_PX * len(shown), 460),
        placeholder="–",
        column_config={
            "Picture": st.column_config.ImageColumn(width="small"),
            "Probability": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
            "Second probability": st.column_config.NumberColumn(format="percent"),
            "Distance": st.column_config.NumberColumn(format="%.3f"),
        },
    )
    unfamiliar = sum(said.is_unfamiliar(each) for each in said.predictions)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "This table as CSV",
            table.to_csv(index=False).encode(),
            file_name=f"{file_stem(run.name, run.id)}-predictions.csv",
            icon=":material/table_view:",
            on_click="ignore",
            key="transfer_try_csv",
        )
        words = f"{len(table):,} pictures" + (f", {unfamiliar:,} of them perhaps none of these" if unfamiliar else "")
        st.caption(f"{words}. Select a row to see why.", width="content")
    rows = st.session_state.get(_TABLE, {}).get("selection", {}).get("rows", [])
    return rows[0] if rows and rows[0] < len(table) else 0


def prediction_table(said: Said) -> pd.DataFrame:
    """The answers as a table of text and numbers, probabilities from 0 to 1."""
    rows: list[dict[str, Any]] = []
    for each in said.predictions:
        (first, share), *others = each.top
        second = others[0] if others else (None, None)
        familiar = None if each.distance is None else "none of these?" if said.is_unfamiliar(each) else "yes"
        rows.append(
            {
                "File": each.given.name,
                "Class": first,
                "Probability": share,
                "Second": second[0],
                "Second probability": second[1],
                "Familiar": familiar,
                "Distance": each.distance,
            }
        )
    return pd.DataFrame(rows)


# One picture


def _show_card(run: Run, said: Said, prediction: Prediction) -> None:
    seen, problem = ask_seen("try_seen", run, prediction.given)
    if problem:
        st.caption(plain(problem))
    with st.container(border=True, key="transfer_try_card"):
        left, middle, right = st.columns([3, 4, 3], gap="medium")
        with left:
            st.html(f"{_STYLE}{_figure(data_url(seen.pixels) if seen else '', prediction.given.name)}")
        with middle:
            _show_bars(prediction)
            _show_familiarity(run, said, prediction)
            inspect_picture(run, picture_name(prediction.given))
        with right:
            _show_heat(run, said, prediction)
    if seen:
        with st.expander("What exactly the network saw", icon=":material/grid_on:"):
            _show_tensor(prediction.given, seen)


def _figure(source: str, caption: str) -> str:
    shown = html.escape(caption, quote=True)
    picture = f"<img alt='{shown}' src='{source}'>" if source else "<i></i>"
    return f"<figure class='lab-seen'>{picture}<figcaption>{shown}</figcaption></figure>"


def _show_bars(prediction: Prediction) -> None:
    rows = [
        f"<div title='{html.escape(name, quote=True)}'>{html.escape(name)}</div><div class='lab-bar'><i style='width:"
        f"{max(0.5, 100 * share):.1f}%;background:{theme.TRAIN if place == 0 else theme.NEUTRAL}'></i>"
        f"<small>{100 * share:.1f} %</small></div>"
        for place, (name, share) in enumerate(prediction.top)
    ]
    said = html.escape(prediction.top[0][0])
    st.html(f"<div class='lab-said'>{said}</div><div class='lab-bars lab-bars-said'>{''.join(rows)}</div>")


def _show_familiarity(run: Run, said: Said, prediction: Prediction) -> None:
    if prediction.distance is None or said.familiar is None:
        st.caption("Whether it is like anything seen in training is not known for this network.")
        return
    if said.is_unfamiliar(prediction):
        st.warning("Perhaps **none of these**: unlike everything it was trained on.", icon=":material/help:")
    else:
        st.caption(":material/check: Like images it was trained on.")
    with st.popover("How this is determined", type="tertiary", icon=":material/info:"):
        st.markdown(
            "Its features, the numbers that the head gets, are compared with those of the training images: the "
            "distance to the most similar one is 1 minus the cosine of the angle between them."
        )
        st.markdown(f"Distance **{prediction.distance:.3f}**, limit **{said.familiar.threshold:.3f}**.")
        st.caption(plain(said.familiar.explanation))
        _show_nearest(run, prediction)


def _show_nearest(run: Run, prediction: Prediction) -> None:
    image_set = set_of(run)
    if image_set is None or not prediction.nearest.isdigit():
        return
    record = image_set.images.get(int(prediction.nearest))
    if record is not None:
        source = image_source(image_sets(), image_set.id, record)
        st.html(_figure(source, f"The most similar one: {record.name}, {record.label}"))


def _show_heat(run: Run, said: Said, prediction: Prediction) -> None:
    names = [name for name, _ in prediction.top]
    given = prediction.given
    chosen = st.selectbox("Where it saw", names, key=f"transfer_try_why_{given.token or given.key}", help=_GRAD_CAM)
    heats = ask_heats("try_heat", run, [prediction.given], [said.classes.index(chosen or names[0])])
    if heats.problem:
        st.caption(plain(heats.problem))
    else:
        st.html(_figure(heats.pictures.get(0, ""), f"Bright: speaks for {chosen}"))


_GRAD_CAM = (
    "Grad-CAM (Selvaraju et al., 2017): how much each place of the last maps speaks for the class. It tells where the "
    "network looked, not whether that is a good reason."
)


def _show_tensor(given: Given, seen: SeenPicture) -> None:
    shape = " × ".join(str(size) for size in seen.tensor.shape)
    st.markdown(f"A tensor of **{shape}** numbers (channels, height, width), 32-bit floating point.")
    st.dataframe(channel_table(seen), hide_index=True, key="transfer_try_tensor")
    made = seen.preprocessing
    cut = f", the middle {made.size} × {made.size} cut out" if made.crop < 1 else ""
    st.caption(
        f"The shorter side was resized to {made.resized} pixels ({made.interpolation}, antialiased){cut}; values from "
        "0 to 1, then normalized. The picture on the left above shows the same before normalizing."
    )
    st.download_button(
        "The tensor (.npy)",
        _npy(seen.tensor),
        file_name=f"{file_stem(given.name, 'tensor')}.npy",
        icon=":material/download:",
        on_click="ignore",
        key="transfer_try_npy",
    )


def channel_table(seen: SeenPicture) -> pd.DataFrame:
    """What was subtracted from each channel and what it was divided by, and what came out."""
    names = ("gray",) if len(seen.tensor) == 1 else ("red", "green", "blue")
    return pd.DataFrame(
        {
            "Channel": names[: len(seen.tensor)],
            "Subtracted": [f"{value:.4f}" for value in seen.preprocessing.mean],
            "Divided by": [f"{value:.4f}" for value in seen.preprocessing.std],
            "Least": [f"{channel.min():.3f}" for channel in seen.tensor],
            "Mean": [f"{channel.mean():.3f}" for channel in seen.tensor],
            "Greatest": [f"{channel.max():.3f}" for channel in seen.tensor],
        }
    )


def _npy(tensor: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, tensor, allow_pickle=False)
    return buffer.getvalue()


_STYLE = """<style>
.lab-seen { margin: 0; max-width: 320px; }
.lab-seen img, .lab-seen i { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 8px; }
.lab-seen i { background: rgba(128,128,128,.15); }
.lab-seen figcaption { font-size: .78rem; opacity: .75; margin-top: .25rem; overflow-wrap: anywhere; }
.lab-said { font-size: 1.5rem; font-weight: 650; margin-bottom: .4rem; overflow-wrap: anywhere; }
.lab-bars-said { grid-template-columns: minmax(0, max-content) 1fr; }
.lab-bars-said > div:nth-child(odd) { max-width: 9rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
</style>"""
