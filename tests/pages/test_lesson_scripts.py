"""A figure's script is one module with those that all share: a name that two of them declare breaks the lesson."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from pages.components import lesson_board

FOLDER = Path(lesson_board.__file__).parent
SHARED = ("board", "plot")
OWN = sorted(name for path in FOLDER.glob("lesson_*.js") if (name := path.stem.removeprefix("lesson_")) not in SHARED)
_DECLARED = re.compile(r"^(?:async )?(?:function\*?|class|const|let|var) (?:(\w+)|[\[{]([^\]}]*)[\]}])", re.MULTILINE)


def declared(name: str) -> list[str]:
    """The names that a script declares at its top."""
    text = (FOLDER / f"lesson_{name}.js").read_text(encoding="utf-8")
    found = [each for single, several in _DECLARED.findall(text) for each in (single or several).split(",")]
    # Several in one statement: `const HIGH = 130, BESIDE = 10;`.
    for line in re.findall(r"^(?:const|let) \w+ = .*;", text, re.MULTILINE):
        found += re.findall(r", ([A-Z_]{2,}) = ", line)
    return [each.split(":")[-1].strip() for each in found]


@pytest.mark.parametrize("name", OWN)
def test_no_name_is_declared_twice(name: str) -> None:
    counts = Counter(each for part in (*SHARED, name) for each in declared(part))
    assert counts["Board"] == counts["Figure"] == 1
    assert [each for each, count in counts.items() if count > 1] == []
