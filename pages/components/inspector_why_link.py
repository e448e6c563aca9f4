"""What a link asks of the view Why: class, methods, layer, settings, further networks, and how maps are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnncore.errors import LabError
from cnncore.runs.subjects import parse_subject
from pages.components.inspector_link import Look, change_link, param
from pages.components.inspector_why_methods import DEFAULT_METHODS, METHODS, SETTINGS

SHOWN = {"over": "Over the picture", "map": "Map only", "picture": "Picture only"}
OPACITY = 75
"""Percent of color where a map is strongest."""
MOST_OTHERS = 3
"""Networks beside the chosen one."""
SANITY = "sanity"
_LONGEST = 40


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for.

    Attributes:
        target: Place of the class to explain; None for the most probable one.
        methods: Keys of METHODS, in its order.
        layer: For Grad-CAM; empty for the last one.
        others: Further networks by name.
        settings: By their keys in SETTINGS, where they are not the usual ones.
        show: Key of SHOWN.
        opacity: In percent.
        sanity: Whether the check with random weights is open.
        problems: What could not be taken, a sentence each.
    """

    target: int | None = None
    methods: tuple[str, ...] = DEFAULT_METHODS
    layer: str = ""
    others: tuple[str, ...] = ()
    settings: Mapping[str, float] = field(default_factory=dict[str, float])
    show: str = "over"
    opacity: int = OPACITY
    sanity: bool = False
    problems: tuple[str, ...] = ()

    def request(self, method: str) -> dict[str, Any]:
        """What the question for a method's map has of this, beside network, picture, class and layer."""
        return {
            "method": method,
            **{name: self.settings[name] for name in METHODS[method].settings if name in self.settings},
        }


def read_wish(look: Look) -> Wish:
    """What the address asks for; what cannot be taken is told and left out."""
    problems: list[str] = []
    shown, settings = _settings(param("settings"), problems)
    return Wish(
        target=_target(param("class"), len(look.classes), problems),
        methods=_methods(param("method"), problems),
        layer=param("layer")[:200],
        others=_others(param("with"), look.network, problems),
        settings=settings,
        show=shown.get("show", "over"),
        opacity=int(shown.get("opacity", OPACITY)),
        sanity=param("part") == SANITY,
        problems=tuple(problems),
    )


def write_settings(settings: Mapping[str, float], show: str, opacity: int) -> None:
    """Put settings and the way maps are shown into the address, what is usual left out."""
    parts = [f"{name}:{value:g}" for name, value in settings.items() if value != SETTINGS[name].default]
    if show != "over":
        parts.append(f"show:{show}")
    if opacity != OPACITY:
        parts.append(f"opacity:{opacity}")
    change_link(settings=",".join(parts))


def _target(text: str, count: int, problems: list[str]) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) < count:
        return int(text)
    problems.append(f"This network has no class {_shown(text)}; the most probable one is explained instead.")
    return None


def _methods(text: str, problems: list[str]) -> tuple[str, ...]:
    asked = [name for name in text.split(",") if name]
    unknown = [name for name in asked if name not in METHODS]
    if unknown:
        problems.append(f"There is no method {_shown(unknown[0])}; there are {', '.join(METHODS)}.")
    return tuple(name for name in METHODS if name in asked) or DEFAULT_METHODS


def _others(text: str, network: str, problems: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for name in text.split(","):
        if not name or name == network or name in found:
            continue
        try:
            parse_subject(name)
        except LabError as error:
            problems.append(error.message)
        else:
            found.append(name)
    if len(found) > MOST_OTHERS:
        problems.append(
            f"At most {MOST_OTHERS} further networks stand side by side; the first {MOST_OTHERS} are shown."
        )
    return tuple(found[:MOST_OTHERS])


def _settings(text: str, problems: list[str]) -> tuple[dict[str, str], dict[str, float]]:
    """How maps are shown, and the settings of the methods."""
    shown: dict[str, str] = {}
    settings: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition(":")
        if (name == "show" and value in SHOWN) or (name == "opacity" and value in map(str, range(101))):
            shown[name] = value
        elif name in SETTINGS and (number := SETTINGS[name].number(value)) is not None:
            settings[name] = number
        else:
            problems.append(f"The setting {_shown(part)} cannot be taken; {_allowed(name)}.")
    return shown, settings


def _allowed(name: str) -> str:
    if name in SETTINGS:
        return f"{name} is from {SETTINGS[name].least:g} to {SETTINGS[name].most:g}"
    return {
        "show": f"show is {', '.join(SHOWN)}",
        "opacity": "opacity is from 0 to 100",
    }.get(name, f"there are {', '.join([*SETTINGS, 'show', 'opacity'])}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")
