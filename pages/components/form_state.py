"""The form's values: kept for the session, read from a link or an earlier run, written back into the address.

The values of the inputs live under their widget keys only while they are on the page; `train_values` keeps all of them,
those of settings that have no meaning at the moment too, so that switching forth and back loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from cnncore.catalog import DEFAULT_PRESET
from cnncore.config import (
    FIELDS,
    TrainConfig,
    check,
    flatten,
    format_value,
    is_optional,
    nearest_preset,
    parse_value,
    preset,
    read_settings,
)
from cnncore.errors import ConfigError, LabError, RunError
from cnncore.runs.stored_config import stored_config
from pages.components.form_fields import SCHEMA, relevant
from pages.components.lab import store
from pages.components.links import link_params, read_link, settings_in
from pages.components.own_addresses import is_own, remember

VALUES = "train_values"
PRESET = "train_preset"
NOTICES = "train_notices"
LAST = "train_last_used"
"""Where the session keeps which last settings the form was filled in with, as long as nothing else filled it in."""
_WRITTEN = "train_addresses"
_CHOSEN = "train_chosen_preset"


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the form says.

    Attributes:
        preset: The preset it started from.
        config: Its configuration; settings without a meaning at the moment are as in the preset.
        errors: Why it cannot be trained, by the setting to blame.
        followed: Whether an address filled it in just now.
    """

    preset: str
    config: TrainConfig
    errors: Mapping[str, ConfigError] = field(default_factory=dict[str, ConfigError])
    followed: bool = False


def widget_key(name: str) -> str:
    """Key of the input of the setting `name`."""
    return f"train_{name.replace('.', '_')}"


def _is_text(name: str) -> bool:
    return SCHEMA[name]["type"] == "array" or name in ("data.path", "transfer.backbone")


def to_widget(name: str, value: Any) -> Any:
    """A setting's value as its input holds it."""
    return ("" if value is None or value == () else format_value(value)) if _is_text(name) else value


def from_widget(name: str, raw: Any) -> Any:
    """The value that an input gives the setting `name`.

    Raises:
        ConfigError: where it is not allowed; inputs are checked here again, whatever the browser did.
    """
    return parse_value(name, format_value(raw, name))


def use(config: TrainConfig, key: str) -> None:
    """Fill the form with `config`; only before its inputs are drawn, or in a callback."""
    st.session_state[VALUES] = flatten(config)
    st.session_state.pop(LAST, None)
    st.session_state[_CHOSEN] = key
    st.session_state[PRESET] = key
    for name, value in flatten(config).items():
        st.session_state[widget_key(name)] = to_widget(name, value)


def use_preset() -> None:
    """Callback of the choice of presets."""
    st.session_state.pop(NOTICES, None)
    use(preset(st.session_state[PRESET]), st.session_state[PRESET])


def _use_run(params: Mapping[str, str]) -> None:
    """The settings of an earlier run, changed as the rest of the link says."""
    run = store().get(params["from"])
    try:
        config = stored_config(run)
        check(config)
    except (RunError, ConfigError):
        raise LabError(f"The settings of {run.name} are of another version of the lab.", "Choose a preset.") from None
    config, problems = read_settings(config, settings_in(params))
    use(config, nearest_preset(config))
    st.session_state[NOTICES] = problems


def _use_link(params: Mapping[str, str]) -> None:
    link = read_link(params)
    use(link.config, link.preset)
    st.session_state[NOTICES] = link.problems


def _follow_address() -> bool:
    """Take over what a link says, once: the address that this page wrote itself says nothing new.

    Returns:
        Whether there was something to take over.
    """
    params = st.query_params.to_dict()
    is_link = "from" in params or (bool(params) and not is_own(_WRITTEN, params, edited=is_edited))
    if "from" in params:
        try:
            _use_run(params)
        except LabError as error:
            st.session_state[NOTICES] = (error,)
    elif is_link:
        _use_link(params)
    if VALUES not in st.session_state:
        use(preset(DEFAULT_PRESET), DEFAULT_PRESET)
    return is_link


def is_edited() -> bool:
    """Whether an input was changed since the last run of the page."""
    values = st.session_state.get(VALUES, {})
    return any(
        st.session_state.get(widget_key(name), shown) != shown
        for name, value in values.items()
        for shown in (to_widget(name, value),)
    )


def read_form() -> Form:
    """The form's state at the start of a run of the page, the newest inputs included."""
    followed = _follow_address()
    values: dict[str, Any] = st.session_state[VALUES]
    errors: dict[str, ConfigError] = {}
    for name in FIELDS:
        if widget_key(name) not in st.session_state:
            continue
        try:
            values[name] = from_widget(name, st.session_state[widget_key(name)])
        except ConfigError as error:
            errors[name] = error
    key = st.session_state[_CHOSEN]
    config = _meaningful(as_config(values), preset(key))
    if not errors:
        try:
            check(config)
        except ConfigError as error:
            errors[error.field] = error
    return Form(preset=key, config=config, errors=errors, followed=followed)


def write_address(form: Form) -> None:
    """Let the page's address follow the form."""
    params = link_params(form.config, form.preset)
    remember(_WRITTEN, params)
    if st.query_params.to_dict() != params:
        st.query_params.from_dict(params)


def as_config(values: Mapping[str, Any]) -> TrainConfig:
    """The configuration that all settings by dotted name give; whether they go together is not checked."""
    sections: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        section, _, setting = name.partition(".")
        sections.setdefault(section, {})[setting] = value
    return TrainConfig.model_validate(sections)


def _meaningful(config: TrainConfig, base: TrainConfig) -> TrainConfig:
    """`config` without the settings that have no meaning in it: as in the preset, network options as published."""
    read, neutral = relevant(config), flatten(base)
    neutral |= {name: None for name in neutral if name.startswith("model.") and is_optional(name)}
    neutral["data.path"] = None
    return as_config({name: value if name in read else neutral[name] for name, value in flatten(config).items()})
