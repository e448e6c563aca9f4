"""One setting as the input that fits it: a choice, a slider, a switch, a number or a text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from cnncore.config import TrainConfig, is_optional
from pages.components.form_fields import FORM, SCHEMA

Changed = Callable[[str], None]
"""What is called with a setting's name once a person has changed it; it ends before the page is drawn again."""


def draw_input(
    name: str,
    key: str,
    config: TrainConfig,
    *,
    labels: Mapping[str, str] | None = None,
    on_change: Changed | None = None,
) -> None:
    """Draw the input of the setting `name`; what it holds already lies in the session under `key`.

    Args:
        name: Dotted name.
        key: Key of the widget.
        config: What decides which choices there are.
        labels: Names of the choices by value, where they are not those of the table of fields.
        on_change: Called when it was changed; the page is drawn again in any case.
    """
    row, schema = FORM[name], SCHEMA[name]
    heard: dict[str, Any] = {"on_change": on_change, "args": (name,)} if on_change else {}
    if labels is not None or row.labels:
        _draw_choice(name, key, config, row.labels if labels is None else labels, heard)
    elif row.slider:
        whole = schema["type"] == "integer"
        number = int if whole else float
        high, step = number(schema["maximum"]), number(row.slider)
        form = "%d" if whole else "%g"
        st.slider(row.title, number(0), high, step=step, format=form, key=key, help=row.help, **heard)
    elif schema["type"] == "boolean":
        st.toggle(row.title, key=key, help=row.help, **heard)
    elif schema["type"] in ("integer", "number"):
        _draw_number(name, key, heard)
    else:
        st.text_input(row.title, key=key, help=row.help, placeholder=row.none, **heard)


def _draw_choice(name: str, key: str, config: TrainConfig, labels: Mapping[str, str], heard: Mapping[str, Any]) -> None:
    row, spec = FORM[name], config.model_spec
    section, _, setting = name.partition(".")
    options = [value for value in labels if section != "model" or value in spec.choices.get(setting, labels)]
    current = st.session_state[key]
    if current not in (None, *options):
        # A value the new network refuses stays in view beside the reason, until another one is chosen.
        options.append(current)
    published = str(spec.defaults.get(setting))
    st.selectbox(
        row.title,
        options,
        None if is_optional(name) else 0,
        key=key,
        format_func=lambda value: labels.get(value, value),
        help=row.help,
        placeholder=labels.get(published, row.none) if setting in spec.defaults else row.none,
        **heard,
    )


def _draw_number(name: str, key: str, heard: Mapping[str, Any]) -> None:
    row, schema = FORM[name], SCHEMA[name]
    low, high = _limits(schema)
    # "min" is never used, since the key holds a value; unlike None it leaves no button to empty the input.
    empty = None if is_optional(name) else "min"
    more: dict[str, Any] = {"key": key, "help": row.help, "placeholder": row.none, **heard}
    if schema["type"] == "integer":
        st.number_input(row.title, int(low), int(high), empty, int(row.step) or 1, **more)
    else:
        step = float(row.step) or _tenth(st.session_state[key])
        st.number_input(row.title, low, high, empty, step, "%g", **more)


def _limits(schema: Mapping[str, Any]) -> tuple[float, float]:
    """Smallest and largest number that is allowed; for an open end the nearest number inside."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None:
        low = math.nextafter(schema["exclusiveMinimum"], math.inf)
    if high is None:
        high = math.nextafter(schema["exclusiveMaximum"], -math.inf)
    return float(low), float(high)


def _tenth(value: float | None) -> float:
    """A step that fits numbers that span decades: a tenth of the value's power of ten."""
    return 10.0 ** (math.floor(math.log10(value)) - 1) if value else 0.001
