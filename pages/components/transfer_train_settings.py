"""The settings below the freeze diagram: the few that matter, then augmentation, then all others, folded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cnncore.catalog import AUGMENTATIONS, frozen_stages, stages_of
from cnncore.config import FIELDS, TrainConfig
from cnncore.config.freezing import MAX_SLOWDOWN, slowdown_of, stage_factors
from pages.components.form_fields import GROUPS, relevant
from pages.components.machine_card import device_names
from pages.components.previews import data_facts, draw_images
from pages.components.transfer_form import TransferForm, change, draw_setting, hold, take
from pages.components.waiting import fill_in

_LAST_RATES = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.01)
_SLOWDOWNS = (1.0, 1.2, 1.5, 2.0, 2.6, 3.0, 5.0, MAX_SLOWDOWN)
_LAST, _SLOWDOWN, _STRENGTH = "transfer_last_rate", "transfer_slowdown", "transfer_augment_strength"
_MAIN = ("training.epochs", "optimizer.lr", "training.batch_size")
_CHOSEN_ELSEWHERE = frozenset(
    {
        *_MAIN,
        "model.name",
        "data.dataset",
        "data.image_set",
        "transfer.backbone",
        "training.start_from",
        "transfer.frozen",
        "transfer.stage_lr",
        "transfer.head",
        "transfer.hidden_units",
        "transfer.head_dropout",
        "transfer.batch_norm",
        "transfer.views",
        *(f"augment.{name}" for name in AUGMENTATIONS),
    }
)
"""Settings that have a place of their own in this step or in an earlier one."""


@dataclass(frozen=True, kw_only=True)
class Strength:
    """How much the images are changed; values by the name of the augmentation."""

    title: str
    values: Mapping[str, float]


STRENGTHS: dict[str, Strength] = {
    "off": Strength(title="Off", values={}),
    "gentle": Strength(title="Gentle", values={"flip_horizontal": 0.5, "zoom": 0.1, "brightness": 0.1}),
    "strong": Strength(
        title="Strong",
        values={
            "flip_horizontal": 0.5,
            "rotation": 15,
            "zoom": 0.25,
            "brightness": 0.25,
            "contrast": 0.25,
            "hue": 0.05,
        },
    ),
}
SEVERAL_VIEWS = 4
"""Views of each image that are kept where images are changed and everything is frozen: as many times the work, once."""


def unfreezes(config: TrainConfig) -> bool:
    """Whether stages begin to learn one after the other, so that the diagram asks for the epochs between them."""
    return config.transfer.unfreeze_every > 0 and bool(config.transfer.frozen)


def draw_settings(form: TransferForm, title: str) -> None:
    """Length and rates on the left, augmentation with its preview on the right; `title` is the image set's name."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Training", anchor=False)
        with st.grid(3, min_column_width=120, gap="small", vertical_alignment="bottom"):
            for name in _MAIN:
                draw_setting(name, form)
        _draw_rates(form)
        _draw_batch_norm(form)
    with right:
        _draw_augmentation(form, title)


def _draw_rates(form: TransferForm) -> None:
    """Discriminative rates: the last stage's against the head's, and how fast they fall towards the input."""
    config = form.config
    stages = stages_of(config.model.name)
    padded = _padded(config)
    found = slowdown_of(config.transfer.stage_lr, len(stages))
    last, slowdown = found or (padded[-1], 1.0)
    hold(_LAST, last)
    hold(_SLOWDOWN, slowdown)
    first, second = st.columns(2)
    first.select_slider(
        "Last stage learns",
        sorted({*_LAST_RATES, last}, reverse=True),
        format_func=lambda factor: "as fast as the head" if factor == 1 else f"× {factor:g}",
        key=_LAST,
        on_change=_take_rates,
        args=(len(stages),),
        help="Factor on the learning rate: pretrained weights are to be adjusted, not replaced.",
    )
    second.select_slider(
        "Each earlier stage learns",
        sorted({*_SLOWDOWNS, slowdown}),
        format_func=lambda times: "as fast" if times == 1 else f"{times:g} times slower",
        key=_SLOWDOWN,
        on_change=_take_rates,
        args=(len(stages),),
        help="Early stages see edges and textures that serve any image (discriminative fine-tuning; Howard, Ruder, "
        "2018, use 2.6).",
    )
    with st.expander("Rate of each stage" + ("" if found else " · your own"), key="transfer_fold_rates"):
        with st.grid(3, min_column_width=110, gap="small"):
            for number, (stage, factor) in enumerate(zip(stages, padded, strict=True)):
                hold(_rate_key(number), factor)
                st.number_input(
                    stage.title,
                    1e-9,
                    100.0,
                    step=0.1,
                    format="%g",
                    key=_rate_key(number),
                    on_change=_take_each,
                    args=(len(stages),),
                )
        st.caption("Factors on the learning rate; the head's is 1.")


def _padded(config: TrainConfig) -> tuple[float, ...]:
    """The factor of every stage."""
    given = config.transfer.stage_lr
    return (*given, *([1.0] * (len(stages_of(config.model.name)) - len(given))))


def _rate_key(number: int) -> str:
    return f"transfer_rate_{number}"


def _take_rates(count: int) -> None:
    last, slowdown = st.session_state[_LAST], st.session_state[_SLOWDOWN]
    change({"transfer.stage_lr": stage_factors(count, last, slowdown)})


def _take_each(count: int) -> None:
    factors = tuple(float(st.session_state[_rate_key(number)]) for number in range(count))
    change({"transfer.stage_lr": () if all(factor == 1 for factor in factors) else factors})


def _draw_batch_norm(form: TransferForm) -> None:
    names = {"held": "held", "adapting": "follow the images"}
    key = "transfer_transfer_batch_norm"
    hold(key, form.config.transfer.batch_norm)
    st.segmented_control(
        "Batch norm of frozen stages",
        list(names),
        required=True,
        format_func=names.__getitem__,
        key=key,
        on_change=take,
        args=("transfer.batch_norm",),
    )
    held = form.config.transfer.batch_norm == "held"
    st.caption(
        "Frozen stages keep the means and variances of the images they were trained on, so that they compute the same "
        "as ever; right for small sets."
        if held
        else "Frozen stages measure means and variances anew on these images, while their weights stay; for images "
        "that look very different, in large batches. No features can be kept then."
    )


def _draw_augmentation(form: TransferForm, title: str) -> None:
    config = form.config
    now = {name: getattr(config.augment, name) for name in config.augment.active}
    strength = next((key for key, row in STRENGTHS.items() if dict(row.values) == now), None)
    hold(_STRENGTH, strength)
    st.subheader("Augmentation", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.segmented_control(
            "Random changes of the training images",
            list(STRENGTHS),
            format_func=lambda key: STRENGTHS[key].title,
            key=_STRENGTH,
            on_change=_take_strength,
            args=(config.transfer.views,),
        )
        keeps = frozen_stages(config.model.name, config.transfer.frozen) == frozen_stages(config.model.name, ("all",))
        if keeps:
            draw_setting("transfer.views", form)
    if keeps and now and config.transfer.views == 1:
        st.caption(
            "One view of each image is kept, the image itself: the changes have no effect as long as everything is "
            "frozen. Keep 2 views or more."
        )
    fold = st.expander("Each change" + ("" if strength else " · your own"), key="transfer_fold_augment")
    with fold, st.grid(2, min_column_width=150, gap="small"):
        for name in AUGMENTATIONS:
            draw_setting(f"augment.{name}", form)
    fill_in("transfer_images", lambda: draw_images(config, data_facts(config), title))


def _take_strength(views: int) -> None:
    """Callback; `views` of each image are kept so far, of which a single one would show no change."""
    chosen = st.session_state[_STRENGTH]
    if chosen in STRENGTHS:
        values = STRENGTHS[chosen].values
        change({f"augment.{name}": float(values.get(name, 0.0)) for name in AUGMENTATIONS} | _whole(values))
        if views in (1, SEVERAL_VIEWS):
            change({"transfer.views": SEVERAL_VIEWS if values else 1})


def _whole(values: Mapping[str, Any]) -> dict[str, int]:
    """The augmentations that are counted in whole numbers."""
    names = [name for name in AUGMENTATIONS if FIELDS[f"augment.{name}"].annotation is int]
    return {f"augment.{name}": int(values.get(name, 0)) for name in names}


def draw_all_settings(form: TransferForm) -> None:
    """Every other setting that has a meaning here, folded."""
    shown = relevant(form.config) - _CHOSEN_ELSEWHERE
    if unfreezes(form.config):
        shown -= {"transfer.unfreeze_every"}
    num_set = sum(name in shown for name in form.changes)
    title = "All settings" + (f" · {num_set} changed" if num_set else "")
    with st.expander(title, icon=":material/tune:", key="transfer_fold_all"):
        for group in GROUPS:
            names = [name for name in group.all_fields if name in shown]
            if not names:
                continue
            st.markdown(f"**{group.title}**")
            with st.grid(4, min_column_width=150, gap="small", vertical_alignment="bottom"):
                for name in names:
                    draw_setting(name, form, device_names() if name == "training.device" else None)
