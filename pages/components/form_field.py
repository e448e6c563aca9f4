"""One input of the Train form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class FormField:
    """One input of the form.

    Attributes:
        title: Its label.
        help: Its tooltip; names the term papers use.
        none: What an empty input means.
        labels: Names of the choices, by value; also makes a text setting a choice.
        slider: Step of a slider; 0 for a number box.
        step: Step of a number box; 0 follows the value's magnitude.
        wide: Whether it takes the whole width.
    """

    title: str
    help: str
    none: str = "off"
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    slider: float = 0.0
    step: float = 0.0
    wide: bool = False
