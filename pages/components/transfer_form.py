"""The training of the Transfer page as a form: what differs from the recommended training, in the session and the link.

The session keeps the differences only, so that a newer version of the image set or another recommendation moves below
them. The address says the same by dotted names beside `set`, `backbone` and `from`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from cnncore.config import TrainConfig, check, differences, flatten, read_settings
from cnncore.errors import ConfigError
from pages.components.form_input import draw_input
from pages.components.form_state import as_config, from_widget, to_widget
from pages.components.own_addresses import is_own, remember

NOTICES = "transfer_notices"
_CHANGES, _BASE = "transfer_changes", "transfer_base"
_REFUSED = "transfer_refused"
_WRITTEN = "transfer_addresses"
_EDITED = "transfer_edited"
_SUBJECT = ("set", "backbone", "from")


@dataclass(frozen=True, kw_only=True)
class TransferForm:
    """What the form says.

    Attributes:
        base: The recommended training of this backbone on this image set.
        config: The training as it was changed.
        errors: Why it is not possible, by the setting to blame.
    """

    base: TrainConfig
    config: TrainConfig
    errors: Mapping[str, ConfigError] = field(default_factory=dict[str, ConfigError])

    @property
    def changes(self) -> dict[str, str]:
        """What differs from the recommendation, as text."""
        return differences(self.config, self.base)


def widget_key(name: str) -> str:
    """Key of the input of the setting `name`."""
    return f"transfer_{name.replace('.', '_')}"


def settings_of(params: Mapping[str, str]) -> dict[str, str]:
    """The settings among an address's query parameters."""
    return {name: text for name, text in params.items() if "." in name}


def read_form(base: TrainConfig) -> TransferForm:
    """The form at the start of a run of the page; a link that was opened is followed once."""
    params = _said(st.query_params.to_dict())
    if _CHANGES not in st.session_state or not is_own(_WRITTEN, params, edited=_is_edited):
        config, problems = read_settings(base, settings_of(params).items())
        changed, plain = flatten(config), flatten(base)
        st.session_state[_CHANGES] = {name: value for name, value in changed.items() if value != plain[name]}
        st.session_state[_REFUSED] = {}
        st.session_state[NOTICES] = problems
    st.session_state[_BASE] = flatten(base)
    st.session_state[_EDITED] = False
    config = as_config(flatten(base) | st.session_state[_CHANGES])
    errors: dict[str, ConfigError] = dict(st.session_state[_REFUSED])
    if not errors:
        try:
            check(config)
        except ConfigError as error:
            errors[error.field] = error
    return TransferForm(base=base, config=config, errors=errors)


def _said(params: Mapping[str, str]) -> dict[str, str]:
    """What of an address concerns the form, in one order."""
    return {name: text for name, text in sorted(params.items()) if name in _SUBJECT or "." in name}


def _is_edited() -> bool:
    return st.session_state.get(_EDITED, False)


def change(values: Mapping[str, Any]) -> None:
    """Change settings in a callback, by dotted name."""
    st.session_state[_CHANGES] = {**st.session_state.get(_CHANGES, {}), **values}
    for name in values:
        st.session_state.get(_REFUSED, {}).pop(name, None)
    st.session_state[_EDITED] = True


def value_of(name: str) -> Any:
    """What the form says of a setting at this moment, in a callback, where several may follow each other."""
    return st.session_state[_CHANGES].get(name, st.session_state[_BASE][name])


def take(name: str) -> None:
    """Callback of the input of a setting: the form follows what it holds, or says why not."""
    try:
        change({name: from_widget(name, st.session_state[widget_key(name)])})
    except ConfigError as error:
        st.session_state[_REFUSED] = {**st.session_state.get(_REFUSED, {}), name: error}
        st.session_state[_EDITED] = True


def draw_setting(name: str, form: TransferForm, labels: Mapping[str, str] | None = None) -> None:
    """The input of a setting, which holds what the form says."""
    section, _, setting = name.partition(".")
    held = to_widget(name, getattr(getattr(form.config, section), setting))
    # What was refused stays in view beside the reason.
    if name not in st.session_state.get(_REFUSED, {}):
        hold(widget_key(name), held)
    draw_input(name, widget_key(name), form.config, labels=labels, on_change=take)


def hold(key: str, value: object) -> None:
    """Let the widget that is drawn next show this value."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def write_address(form: TransferForm) -> None:
    """Let the page's address follow the form."""
    present = st.query_params.to_dict()
    wanted = {name: text for name, text in present.items() if "." not in name} | form.changes
    remember(_WRITTEN, _said(wanted))
    if wanted != present:
        st.query_params.from_dict(wanted)
