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
from pages.components.transfer_images_gallery import image_source
from pages.components.transfer_images_edits import image_sets
from pages.components.transfer_use_answers import Prediction, ask_heat_of, ask_predictions
from pages.components.transfer_use_given import Given, choose_pictures
from pages.components.transfer_use_sources import newest_of, set_of
from pages.components.waiting import fill_in
from pages.components.wording import plain

_ROW_PX = 56
_TABLE = "transfer_try_table"
_UNFAMILIAR = "none of these?"


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
    for sentence in said.problems:
        st.error(plain(sentence), icon=":material/error:")
    if said.pending:
        st.progress(len(said.predictions) / len(given), text=f"Looked at {len(said.predictions):,} of {len(given):,}…")
    if not said.predictions:
        return
    if len(given) == 1:
        _show_card(run, said.predictions[0])
        return
    place = _show_table(run, said.predictions)
    _show_card(run, said.predictions[place])


# Many pictures


def _show_table(run: Run, predictions: Sequence[Prediction]) -> int:
    """One row a picture; returns the place of the one that is selected."""
    table = prediction_table(predictions)
    shown = table.assign(Picture=[each.picture_source for each in predictions])
    st.dataframe(
        shown[["Picture", *table.columns]],
        hide_index=True,
        key=_TABLE,
        on_select="rerun",
        selection_mode="single-row",
        row_height=_ROW_PX,
        height=min(60 + _ROW_PX * len(shown), 460),
        column_config={
            "Picture": st.column_config.ImageColumn(width="small"),
            "Probability": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
            "Second probability": st.column_config.NumberColumn(format="percent"),
            "Distance": st.column_config.NumberColumn(format="%.3f"),
        },
    )
    unfamiliar = sum(each.is_unfamiliar for each in predictions)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "This table as CSV",
            table.to_csv(index=False).encode(),
            file_name=f"{file_stem(run.name, run.id)}-predictions.csv",
            icon=":material/table_view:",
            on_click="ignore",
            key="transfer_try_csv",
        )
        words = f"{len(predictions):,} pictures" + (f", {unfamiliar:,} perhaps none of these" if unfamiliar else "")
        st.caption(f"{words}. Select a row to see why.", width="content")
    rows = st.session_state.get(_TABLE, {}).get("selection", {}).get("rows", [])
    return rows[0] if rows and rows[0] < len(predictions) else 0


def prediction_table(predictions: Sequence[Prediction]) -> pd.DataFrame:
    """The answers as a table of text and numbers, probabilities from 0 to 1."""
    rows: list[dict[str, Any]] = []
    for each in predictions:
        (first, share), *others = each.top
        second = others[0] if others else ("", float("nan"))
        rows.append(
            {
                "File": each.name,
                "Class": first,
                "Probability": share,
                "Second": second[0],
                "Second probability": second[1],
                "Familiar": "" if each.distance is None else _UNFAMILIAR if each.is_unfamiliar else "yes",
                "Distance": each.distance,
            }
        )
    return pd.DataFrame(rows)


# One picture


def _show_card(run: Run, prediction: Prediction) -> None:
    with st.container(border=True, key="transfer_try_card"):
        left, middle, right = st.columns([3, 4, 3], gap="medium")
        with left:
            st.html(f"{_STYLE}{_figure(prediction.picture_source, prediction.name)}")
        with middle:
            _show_bars(prediction)
            _show_familiarity(run, prediction)
        with right:
            _show_heat(run, prediction)
    with st.expander("What exactly the network saw", icon=":material/grid_on:"):
        _show_tensor(run, prediction)


def _figure(source: str, caption: str) -> str:
    shown = html.escape(caption, quote=True)
    return f"<figure class='lab-seen'><img alt='{shown}' src='{source}'><figcaption>{shown}</figcaption></figure>"


def _show_bars(prediction: Prediction) -> None:
    rows = [
        f"<div title='{html.escape(name, quote=True)}'>{html.escape(name)}</div><div class='lab-bar'><i style='width:"
        f"{max(0.5, 100 * share):.1f}%;background:{theme.TRAIN if place == 0 else theme.NEUTRAL}'></i>"
        f"<small>{100 * share:.1f} %</small></div>"
        for place, (name, share) in enumerate(prediction.top)
    ]
    st.html(f"<div class='lab-said'>{html.escape(prediction.top[0][0])}</div><div class='lab-bars'>{''.join(rows)}</div>")


def _show_familiarity(run: Run, prediction: Prediction) -> None:
    if prediction.distance is None or prediction.threshold is None:
        st.caption("Whether it is like anything seen in training is not known for this network.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if prediction.is_unfamiliar:
            st.warning("Perhaps none of these: unlike everything it was trained on.", icon=":material/help:")
        else:
            st.caption(":material/check: Similar to images it was trained on.", width="content")
        with st.popover("How this is determined", type="tertiary"):
            st.markdown(
                "Its features, the numbers the head gets, are compared with those of the training images: the distance "
                "to the most similar one is 1 minus the cosine of the angle between them."
            )
            st.markdown(f"Distance **{prediction.distance:.3f}**, limit **{prediction.threshold:.3f}**.")
            st.caption(plain(prediction.explained))
            _show_nearest(run, prediction)


def _show_nearest(run: Run, prediction: Prediction) -> None:
    image_set = set_of(run)
    if image_set is None or prediction.nearest is None:
        return
    record = newest_of(image_set).images.get(prediction.nearest)
    if record is not None:
        source = image_source(image_sets(), image_set.id, record)
        st.html(_figure(source, f"The most similar one: {record.name}, {record.label}"))


def _show_heat(run: Run, prediction: Prediction) -> None:
    names = [name for name, _ in prediction.top]
    chosen = st.selectbox("Where it saw", names, key=f"transfer_try_why_{prediction.name}", help=_GRAD_CAM)
    heat = ask_heat_of("try_heat", run, prediction, chosen or names[0])
    if heat.problem:
        st.caption(plain(heat.problem))
    elif heat.picture:
        st.html(_figure(heat.picture, f"Bright: speaks for {chosen}"))
    else:
        st.html("<div class='lab-empty lab-seen' style='aspect-ratio:1'></div>")


_GRAD_CAM = (
    "Grad-CAM (Selvaraju et al., 2017): how much each place of the last maps speaks for the class. It tells where the "
    "network looked, not whether that is a good reason."
)


def _show_tensor(run: Run, prediction: Prediction) -> None:
    left, right = st.columns([2, 5], gap="medium")
    with left:
        st.html(_figure(prediction.picture_source, "cut and resized, before normalizing"))
    with right:
        shape = " × ".join(str(size) for size in prediction.tensor.shape)
        st.markdown(f"A tensor of **{shape}** (channels, height, width), 32-bit floating point.")
        st.dataframe(channel_table(prediction), hide_index=True, key="transfer_try_tensor")
        st.caption(plain(prediction.preprocessing_words))
        st.download_button(
            "The tensor (.npy)",
            _npy(prediction.tensor),
            file_name=f"{file_stem(prediction.name, run.id)}.npy",
            icon=":material/download:",
            on_click="ignore",
            key="transfer_try_npy",
        )


def channel_table(prediction: Prediction) -> pd.DataFrame:
    """What was subtracted and divided by in each channel, and what came out."""
    names = ("gray",) if len(prediction.tensor) == 1 else ("red", "green", "blue")
    return pd.DataFrame(
        {
            "Channel": names[: len(prediction.tensor)],
            "Subtracted": [f"{value:.4f}" for value in prediction.mean],
            "Divided by": [f"{value:.4f}" for value in prediction.std],
            "Least": [f"{channel.min():.3f}" for channel in prediction.tensor],
            "Mean": [f"{channel.mean():.3f}" for channel in prediction.tensor],
            "Greatest": [f"{channel.max():.3f}" for channel in prediction.tensor],
        }
    )


def _npy(tensor: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, tensor, allow_pickle=False)
    return buffer.getvalue()


_STYLE = """<style>
.lab-seen { margin: 0; max-width: 320px; }
.lab-seen img { display: block; width: 100%; border-radius: 8px; image-rendering: auto; }
.lab-seen figcaption { font-size: .78rem; opacity: .75; margin-top: .25rem; overflow-wrap: anywhere; }
.lab-said { font-size: 1.5rem; font-weight: 650; margin-bottom: .4rem; overflow-wrap: anywhere; }
.lab-bars > div:first-child, .lab-bars > div:nth-child(odd) { max-width: 9rem; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
</style>"""
