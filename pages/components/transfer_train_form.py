"""The training of the Transfer page before it starts: the freeze diagram, what it means, and the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import streamlit as st

from cnncore.catalog import frozen_stages, stages_of
from cnncore.config import TrainConfig, command, nearest_preset
from cnncore.config.freezing import FREEZINGS, freezing_of, freezing_settings, freezings
from cnncore.transfer.costs import HEAD
from pages.components.clicks import clicked
from pages.components.config_form import show_notices
from pages.components.lab import show_problem, start_run
from pages.components.links import address
from pages.components.transfer_form import (
    NOTICES,
    TransferForm,
    change,
    draw_setting,
    hold,
    read_form,
    value_of,
    write_address,
)
from pages.components.transfer_link import change_link, go_to
from pages.components.transfer_train_costs import draw_cost, draw_outlook
from pages.components.transfer_train_diagram import FROZEN, LEARNING, Tile, draw_diagram, draw_style
from pages.components.transfer_train_settings import draw_all_settings, draw_settings, unfreezes
from pages.components.transfer_train_subject import Subject, read_subject, sample_picture
from pages.components.waiting import fill_in
from pages.components.wording import plain

_STAGE = "transfer_stage"
_WAY = "transfer_way"


def show_form() -> None:
    """The form of what the link names."""
    subject = read_subject()
    draw_style()
    form = read_form(subject.base)
    num_classes, num_train = len(subject.image_set.classes), len(subject.image_set.included("train"))
    show_notices(st.session_state.get(NOTICES, ()))
    _draw_subject(subject, form)
    # Only parts without inputs fill in by themselves: drawn again before a browser has seen it, an input would forget
    # what it was told to hold.
    with st.container(border=True, key="transfer_freezing"):
        _draw_ways(form)
        _draw_network(subject, form)
        fill_in("transfer_outlook", lambda: draw_outlook(form.config, num_classes, num_train))
    draw_settings(form, subject.image_set.name)
    draw_all_settings(form)
    _draw_start(form, subject)
    write_address(form)


def _draw_subject(subject: Subject, form: TransferForm) -> None:
    """What is trained on what, and how to choose another; the link to this form."""
    image_set = subject.image_set
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.button(
                f"{plain(image_set.name)} · {len(image_set.included()):,} images",
                key="transfer_to_images",
                icon=":material/photo_library:",
                on_click=go_to,
                args=("images",),
                help="Back to the images.",
            )
            st.button(
                plain(subject.title),
                key="transfer_to_backbone",
                icon=":material/account_tree:",
                on_click=go_to,
                args=("backbone",),
                help="Choose another backbone.",
            )
        with st.popover("Copy link", icon=":material/link:", type="tertiary"):
            st.caption("Opens this step with these settings; it starts nothing.")
            st.code(address(st.context.url or "", _link(form)), language=None, wrap_lines=True)
            st.caption("The same on the command line:")
            st.code(command(form.config, nearest_preset(form.config)), language="bash", wrap_lines=True)


def _link(form: TransferForm) -> Mapping[str, str]:
    kept = {name: text for name, text in st.query_params.to_dict().items() if "." not in name}
    return {**kept, "step": "train", **form.changes}


def _draw_ways(form: TransferForm) -> None:
    ways = freezings(form.config.model.name)
    now = freezing_of(form.config)
    hold(_WAY, now)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "What learns",
            list(ways),
            format_func=lambda key: ways[key].title,
            wrap=True,
            key=_WAY,
            on_change=_take_way,
            args=(form,),
        )
        if unfreezes(form.config):
            with st.container(width=190, key="transfer_unfreezing"):
                draw_setting("transfer.unfreeze_every", form)
    st.caption(ways[now].summary if now else "A choice of your own.")


def _take_way(form: TransferForm) -> None:
    """Callback of the ways: fill in what one stands for; a click on the present one takes its rates again."""
    key = st.session_state[_WAY] or freezing_of(form.config)
    if key in FREEZINGS:
        change(freezing_settings(key, form.base))


def _draw_network(subject: Subject, form: TransferForm) -> None:
    config, num_classes = form.config, len(subject.image_set.classes)
    size = config.data.image_size
    picture = sample_picture(subject.image_set)

    def draw_head() -> None:
        st.markdown(LEARNING)
        _draw_head(form)
        draw_cost(config, num_classes, HEAD)

    draw_diagram(
        _STAGE,
        stage_tiles(config),
        on_switch=partial(_switch, config.model.name),
        image=f"{picture}<span>{size} × {size}<br>pixels</span>" if size else picture,
        cost=partial(draw_cost, config, num_classes),
        head=draw_head,
    )


def stage_tiles(config: TrainConfig) -> list[Tile]:
    """The stages at the start of a training."""
    stages = stages_of(config.model.name)
    frozen = frozen_stages(config.model.name, config.transfer.frozen)
    waiting = [stage.key for stage in stages if stage.key in frozen]
    every = config.transfer.unfreeze_every
    rates = dict(zip((stage.key for stage in stages), config.transfer.stage_lr, strict=False))
    pretrained = config.transfer.backbone is not None or config.training.start_from is not None
    tiles: list[Tile] = []
    for stage in stages:
        tile = Tile(
            key=stage.key,
            title=stage.title,
            learning=stage.key not in frozen,
            rate=rates.get(stage.key, 1.0),
        )
        if stage.key in frozen and every:
            epochs = every * (len(waiting) - waiting.index(stage.key))
            tile = replace(tile, note=f"{FROZEN} :small[{_until(epochs, config.training.epochs)}]")
        elif stage.key in frozen and not pretrained:
            tile = replace(tile, note=f"{FROZEN} :small[at random]")
        tiles.append(tile)
    return tiles


def _until(epochs: float, total: int) -> str:
    if epochs >= total:
        return "throughout"
    return f"for {epochs:g} {'epoch' if epochs == 1 else 'epochs'}"


def _switch(network: str, stage: str, learns: bool) -> None:
    """Callback of a switch."""
    stages = [each.key for each in stages_of(network)]
    frozen = frozen_stages(network, value_of("transfer.frozen"))
    frozen = frozen - {stage} if learns else frozen | {stage}
    change({"transfer.frozen": ("all",) if len(frozen) == len(stages) else tuple(s for s in stages if s in frozen)})


def _draw_head(form: TransferForm) -> None:
    transfer = form.config.transfer
    names: dict[str, str] = {"linear": "one layer", "hidden": "hidden layer"}
    hold("transfer_head_kind", transfer.head)
    st.segmented_control(
        "Layers of the head",
        list(names),
        required=True,
        format_func=names.__getitem__,
        key="transfer_head_kind",
        on_change=_take_head,
        label_visibility="collapsed",
        help="A linear layer on the features; or a hidden layer with ReLU between them.",
    )
    with st.container(horizontal=True, gap="small", key="transfer_head_numbers"):
        if transfer.head == "hidden":
            draw_setting("transfer.hidden_units", form)
        draw_setting("transfer.head_dropout", form)


def _take_head() -> None:
    change({"transfer.head": st.session_state["transfer_head_kind"]})


def _draw_start(form: TransferForm, subject: Subject) -> None:
    for error in form.errors.values():
        show_problem(error)
    with st.container(key="transfer_start"):
        pressed = clicked(
            "Train",
            key="transfer_train_button",
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            disabled=bool(form.errors),
            help="Something in the form is not possible yet; the reason stands above." if form.errors else None,
        )
    if pressed:
        name = f"{form.config.model_spec.title} on {subject.image_set.name}"
        change_link(step="train", run=start_run(form.config, name=name).id)
        st.rerun()
