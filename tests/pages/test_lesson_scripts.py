"""What the figures' scripts and the server must agree on, and names that two scripts of a figure must not share."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from cnncore.errors import ConfigError
from pages.components import lesson_board
from pages.components.lessons import STATES

FOLDER = Path(lesson_board.__file__).parent
OWN = sorted({path.stem.removeprefix("lesson_") for path in FOLDER.glob("lesson_*.js")} - set(lesson_board.SHARED))
_DECLARED = re.compile(r"(?:function\*?|class|const|let|var) (?:(\w+)|[\[{](.*?)[\]}])")


_SLIDER = re.compile(r"slider\(\{[^}]*?name: '(\w+)'([^}]*)")
_OPTION = re.compile(r"\b(min|max|step): (-?[\d.]+)\b")


def declared(name: str) -> list[str]:
    """The names that a script declares outside of all braces; one line is one statement there."""
    found: list[str] = []
    depth = 0
    for line in (FOLDER / f"lesson_{name}.js").read_text(encoding="utf-8").splitlines():
        if depth == 0 and (here := _DECLARED.match(line)):
            found += here[1].split() if here[1] else [each.split(":")[-1].strip() for each in here[2].split(",")]
            # Several in one statement: `const HIGH = 130, BESIDE = 10;`.
            found += re.findall(r", ([A-Z_]{2,}) = ", line)
        depth += line.count("{") - line.count("}")
    assert depth == 0
    return found


@pytest.mark.parametrize("name", OWN)
def test_no_name_is_declared_twice(name: str) -> None:
    counts = Counter(each for part in (*lesson_board.SHARED, name) for each in declared(part))
    assert counts["Board"] == counts["Figure"] == 1
    assert [each for each, count in counts.items() if count > 1] == []


def sliders() -> list[tuple[str, str, float, float, float]]:
    """Script, field, and the ends and the step of every slider whose script says them as numbers."""
    found: list[tuple[str, str, float, float, float]] = []
    for name in OWN:
        script = (FOLDER / f"lesson_{name}.js").read_text(encoding="utf-8")
        for call in _SLIDER.finditer(script):
            options = dict(_OPTION.findall(call[2]))
            # Others get their ends from the server.
            if "max" in options and ".limit(" not in script:
                low, high, step = (
                    float(options.get(each, usual)) for each, usual in (("min", 0), ("max", 0), ("step", 1))
                )
                found.append((name, call[1], low, high, step))
    return found


@pytest.mark.parametrize(("script", "field", "low", "high", "step"), sliders())
def test_sliders_have_the_places_that_links_take(script: str, field: str, low: float, high: float, step: float) -> None:
    model = STATES[script.partition("_")[0]]

    def is_taken(place: float) -> bool:
        try:
            model(**{field: round(place, 6)})
        except (ValidationError, ConfigError):
            return False
        return True

    count = round((high - low) / step)
    assert all(is_taken(low + step * at) for at in range(count + 1))
    assert not is_taken(low - step)
    assert not is_taken(high + step)
