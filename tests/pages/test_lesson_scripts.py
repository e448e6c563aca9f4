"""A figure's script is one module with those that all share: a name that two of them declare breaks the lesson."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from pages.components import lesson_board

FOLDER = Path(lesson_board.__file__).parent
OWN = sorted({path.stem.removeprefix("lesson_") for path in FOLDER.glob("lesson_*.js")} - set(lesson_board.SHARED))
_DECLARED = re.compile(r"(?:function\*?|class|const|let|var) (?:(\w+)|[\[{](.*?)[\]}])")


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
