"""The backbones pretrained on ImageNet: a table to choose from, and what the choice means before anything is loaded."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from cnncore.catalog import MODELS
from cnncore.catalog.backbone_files import backbones_at_hand
from cnncore.catalog.backbones import BACKBONES, DEFAULT_BACKBONE, BackboneSpec
from cnncore.errors import ConfigError, lookup
from cnncore.figures.backbones import backbone_chart, backbone_table, work_of
from pages.components.lab import data_root
from pages.components.live_chart import still_chart
from pages.components.transfer_backbone_choice import choose, choose_and_train
from pages.components.transfer_link import param
from pages.components.wording import bytes_text, compact, plain

_ROWS, _SHOWN, _FILTER = "transfer_backbone_rows", "transfer_backbone_shown", "transfer_backbone_at_hand"
_HEIGHT = 640
_WAYS = {"bicubic": "bicubically", "bilinear": "bilinearly"}
_VALUES = {
    "standardize": "values standardized by the training images",
    "unit": "values from 0 to 1",
    "symmetric": "values from −1 to 1",
    "imagenet": "values by ImageNet's mean and deviation",
}


def show_imagenet() -> None:
    """The table on the left, the chosen one on the right."""
    chosen = _chosen()
    at_hand = backbones_at_hand(data_root())
    st.html(f"<div class='lab-note'>{at_hand_words(at_hand)}</div>")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        only = st.toggle("At hand only", key=_FILTER, help="Leave out what would have to be downloaded first.")
        keys = [key for key in BACKBONES if key in at_hand or not only]
        _draw_table(keys, chosen, at_hand)
    with right:
        _draw_chosen(chosen, chosen in at_hand)
        still_chart(backbone_chart(BACKBONES, chosen, at_hand), key="transfer_backbone_chart")


def _chosen() -> str:
    """The backbone of the link; the default where it names none or one that does not exist."""
    key = param("backbone")
    try:
        lookup(BACKBONES, key or DEFAULT_BACKBONE, "backbone", "backbone")
    except ConfigError as error:
        st.warning(plain(f"{error.message} {error.hint}".strip()), icon=":material/link_off:")
        return DEFAULT_BACKBONE
    return key or DEFAULT_BACKBONE


def at_hand_words(at_hand: Collection[str]) -> str:
    """Which backbones work without a network, in a sentence."""
    if not at_hand:
        return "None of these weights is on this machine yet; the chosen ones are downloaded when training starts."
    titles = [BACKBONES[key].title for key in at_hand]
    listed = titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
    rest = len(BACKBONES) - len(at_hand)
    others = f" The other {rest} are downloaded once, when a training first needs them." if rest else ""
    return f"At hand, also without a network: <b>{listed}</b>.{others}"


def _draw_table(keys: list[str], chosen: str, at_hand: Collection[str]) -> None:
    st.session_state[_SHOWN] = keys
    rows = [keys.index(chosen)] if chosen in keys else []
    st.session_state[_ROWS] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    st.dataframe(
        _shown(backbone_table(keys, at_hand)),
        hide_index=True,
        column_order=list(_COLUMNS),
        column_config=_COLUMNS,
        height="content" if len(keys) < 17 else _HEIGHT,
        placeholder="",
        on_select=_select,
        selection_mode="single-row",
        key=_ROWS,
        alt="The backbones with their accuracy, size and work",
    )
    st.html(
        "<div class='lab-note'>Choose a row; each column sorts by a click on its name. Accuracy is that on ImageNet's "
        "validation images as the source reports it, one crop; work counts multiplications, which is only a rough "
        "guide to time: a network of many thin layers is slower than its count.</div>"
    )


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(here=["✓" if here else "" for here in table["at_hand"]])


def _select() -> None:
    rows = st.session_state[_ROWS]["selection"]["rows"]
    if rows:
        choose(st.session_state[_SHOWN][rows[0]])


def _draw_chosen(key: str, at_hand: bool) -> None:
    spec = BACKBONES[key]
    model = MODELS[spec.network]
    macs = work_of(spec)
    with st.container(border=True, key="transfer_backbone_card"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(spec.title, anchor=False, width="content")
            if at_hand:
                st.badge("At hand", icon=":material/check:", color="green")
            else:
                st.badge(bytes_text(spec.file.num_bytes), icon=":material/download:", color="gray")
        st.caption(f"{model.year} · {model.summary}")
        rows = {
            "ImageNet top-1": f"{spec.result.top1:.1f} % <small>({spec.result.source})</small>",
            "Parameters": f"{model.num_params:,}",
            "Work for one image": f"{compact(macs)} MACs" if macs else "–",
            "Features to the head": f"{spec.features:,}",
            "Sees": preprocessing_words(spec),
            "Source": spec.source,
            "License": spec.license,
        }
        cells = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in rows.items())
        st.html(f"<table class='lab-rows'>{cells}</table>")
        st.html(f"<div class='lab-note'>{' '.join(filter(None, (spec.note, _download_words(spec, at_hand))))}</div>")
        st.button(
            "Next: train",
            key="transfer_to_train",
            type="primary",
            icon=":material/arrow_forward:",
            width="stretch",
            on_click=choose_and_train,
            args=(key,),
        )


def preprocessing_words(spec: BackboneSpec) -> str:
    """What happens to an image before the network sees it."""
    square = "the middle square" if spec.crop == 1 else f"the middle square of {100 * spec.crop:.3g} %"
    size = f"{spec.image_size} × {spec.image_size} pixels"
    return f"{size}: {square}, resized {_WAYS[spec.interpolation]}, {_VALUES[spec.normalize]}"


def _download_words(spec: BackboneSpec, at_hand: bool) -> str:
    if at_hand:
        return ""
    hosts = ", ".join(dict.fromkeys(urlsplit(address).netloc for address in spec.addresses))
    return (
        f"When training starts, {bytes_text(spec.file.num_bytes)} are downloaded from {hosts} into the data folder's "
        "weights/, with progress; a download that is cut off goes on where it ended, and only a whole, checked file is "
        "used."
    )


_number = st.column_config.NumberColumn
_COLUMNS = {
    "title": st.column_config.TextColumn("Backbone", pinned=True, width=180),
    "here": st.column_config.TextColumn("At hand", width=70, help="Whether the weights are on this machine."),
    "top1": _number("Top-1", format="%.1f %%", width=70, help="Accuracy on ImageNet, one crop, as the source reports."),
    "work": _number("Work", format="× %.1f", width=70, help="MACs of one image, as a multiple of the default's."),
    "params": _number("Parameters", format="compact", width=90, help="Of the whole network, its own head included."),
    "macs": _number("MACs", format="compact", width=70, help="Multiply-accumulates of one image."),
    "megabytes": _number("File", format="%.0f MB", width=70, help="Size of the weights, downloaded once."),
    "size": _number("Pixels", format="%d", width=65, help="Height and width of the images it expects."),
    "year": _number("Year", format="%d", width=58),
    "license": st.column_config.TextColumn("License", width=220),
}
