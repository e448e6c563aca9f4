"""Draws the form of a training run: the preset, then the groups of settings, generated from their table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from cnncore.catalog import AUGMENTATIONS, DATASETS, MODELS, OPTIMIZERS, PRESETS, SCHEDULES
from cnncore.config import FIELDS, differences, preset
from cnncore.errors import ConfigError
from pages.components.clicks import clicked
from pages.components.form_fields import FORM, GROUPS, Group, relevant
from pages.components.form_input import draw_input
from pages.components.form_state import PRESET, VALUES, Form, to_widget, use_preset, widget_key
from pages.components.lab import show_problem, start_run
from pages.components.last_settings import keep_started
from pages.components.navigation import TRANSFER, open_run
from pages.components.run_list import trained_runs
from pages.components.transfer_images_choice import image_set_choices
from pages.components.wording import plain


def draw_form(form: Form, devices: Mapping[str, str]) -> None:
    """The whole form; what is entered is read by `read_form` in the next run of the page.

    Args:
        form: Its present state.
        devices: Names of the devices of this machine, by the value `training.device` takes.
    """
    with st.container(key="train_settings", gap="small"):
        _draw_preset(form)
        shown = relevant(form.config)
        for group in GROUPS:
            _draw_group(group, form, shown, devices)


def _draw_preset(form: Form) -> None:
    st.selectbox(
        "Preset",
        list(PRESETS),
        key=PRESET,
        format_func=lambda key: PRESETS[key].title,
        on_change=use_preset,
        help="A ready-made configuration. Choosing one fills the whole form; everything can be changed afterwards.",
    )
    st.caption(PRESETS[form.preset].summary)
    changed = differences(form.config, preset(form.preset))
    if changed:
        names = ", ".join(FORM[name].title.lower() for name in list(changed)[:4]) + (", …" if len(changed) > 4 else "")
        st.button(
            f"Changed: {names}. Back to the preset",
            key="train_back_to_preset",
            type="tertiary",
            icon=":material/undo:",
            on_click=use_preset,
        )


def _draw_group(group: Group, form: Form, shown: frozenset[str], devices: Mapping[str, str]) -> None:
    if group.fields:
        st.subheader(group.title, anchor=False)
        _draw_fields([name for name in group.fields if name in shown], form, devices)
    if shown.intersection(group.folded):
        fold = st.expander(_fold_title(group, form), key=f"train_fold_{group.title.lower()}")
        with fold:
            _draw_fields([name for name in group.folded if name in shown], form, devices)
    if "augment.flip_horizontal" in group.folded:
        _warn_of_mirroring(form)
    for name, error in form.errors.items():
        if name in group.all_fields:
            show_problem(error)


def _fold_title(group: Group, form: Form) -> str:
    """The fold's name with how much in it is not as in the plain configuration, so that nothing hides in there."""
    defaults = {name: FIELDS[name].get_default() for name in group.folded}
    num_set = sum(_value(form, name) != default for name, default in defaults.items())
    return f"{group.more} · {num_set} set" if num_set else group.more


def _value(form: Form, name: str) -> Any:
    section, _, setting = name.partition(".")
    return getattr(getattr(form.config, section), setting)


def _draw_fields(names: Sequence[str], form: Form, devices: Mapping[str, str]) -> None:
    """Wide inputs one below the other, the others side by side where there is room."""
    narrow: list[str] = []
    for name in (*names, ""):
        if name and not FORM[name].wide:
            narrow.append(name)
            continue
        if narrow:
            with st.grid(2, min_column_width=150, gap="small", vertical_alignment="bottom"):
                for one in narrow:
                    _draw_field(one, form, devices)
                    if one == "optimizer.lr":
                        _draw_search(form)
            narrow = []
        if name:
            _draw_field(name, form, devices)
            _draw_remark(name, form)


def _draw_field(name: str, form: Form, devices: Mapping[str, str]) -> None:
    key = widget_key(name)
    if key not in st.session_state:
        st.session_state[key] = to_widget(name, st.session_state[VALUES][name])
    draw_input(name, key, form.config, labels=_labels(name, form, devices))


def _labels(name: str, form: Form, devices: Mapping[str, str]) -> Mapping[str, str] | None:
    """Names of choices that depend on this machine."""
    if name == "training.start_from":
        return trained_runs(form.config.model.name)
    if name == "data.image_set":
        return image_set_choices()
    return {**FORM[name].labels, **devices} if name == "training.device" else None


def _draw_search(form: Form) -> None:
    if clicked(
        "Find a rate",
        key="train_find_lr",
        icon=":material/search:",
        width="stretch",
        disabled=bool(form.errors),
        help="Starts a run of 120 steps in which the rate rises from tiny to far too large, and suggests the one at "
        "which the loss falls fastest (learning rate range test; Smith, 2017).",
    ):
        keep_started(form)
        open_run(start_run(form.config, "find_lr"))


def _draw_remark(name: str, form: Form) -> None:
    """One line below a choice that says what was chosen."""
    config = form.config
    if name == "model.name":
        spec = MODELS[config.model.name]
        st.caption(f"{spec.year} · {spec.summary}", help="\n\n".join((*spec.facts, f"Source: {spec.source}")))
    elif name == "data.dataset":
        st.caption(DATASETS[config.data.dataset].summary)
    elif name == "data.image_set":
        st.page_link(TRANSFER, label="Make or change image sets", icon=":material/photo_library:")
    elif name == "optimizer.name":
        row = OPTIMIZERS[config.optimizer.name]
        st.caption(f"{row.summary} Usual learning rate: {row.typical_lr:g}.", help=f"Source: {row.source}")
    elif name == "schedule.name":
        st.caption(SCHEDULES[config.schedule.name].summary)


def _warn_of_mirroring(form: Form) -> None:
    dataset = form.config.dataset_spec
    flips = [key for key in ("flip_horizontal", "flip_vertical") if getattr(form.config.augment, key) > 0]
    if flips and not dataset.mirror_safe:
        names = " and ".join(AUGMENTATIONS[key].title.lower() for key in flips)
        st.warning(
            f"{names.capitalize()}: a mirrored image of {dataset.title} may show another class, or none.",
            icon=":material/flip:",
        )


def show_notices(errors: Iterable[ConfigError]) -> None:
    """One warning that names everything a link asked for and did not get."""
    lines = [plain(f"{error.message} {error.hint}".strip()) for error in errors]
    if lines:
        listed = "\n".join(f"- {line}" for line in lines)
        st.warning(f"Not everything in the link could be taken; the rest is filled in.\n{listed}")
