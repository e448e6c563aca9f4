"""Stacks of layers as short text, which links carry: `c6k5-m2s2-f-d10`, read and written.

A layer is a letter and a number, then more of both in any order; between layers stand hyphens, which addresses leave
as they are (commas are read too):

    c6      convolution with 6 filters; k kernel (1 if not given), s stride, p padding, d dilation, g groups
    m2      pooling with windows of 2 × 2; s stride (that of the window if not given, as in torch), p padding
    f       flatten
    d120    dense layer with 120 outputs
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cnncore.errors import ConfigError
from cnncore.lessons.stacks import MOST_LAYERS, MOST_UNITS, Kind, Layer

RANGES: dict[str, tuple[int, int]] = {
    "units": (1, MOST_UNITS),
    "kernel": (1, 31),
    "stride": (1, 16),
    "padding": (0, 15),
    "dilation": (1, 16),
    "groups": (1, MOST_UNITS),
}
"""Least and largest number of each of a layer's fields."""


@dataclass(frozen=True, kw_only=True)
class _Spelling:
    """How a kind of layer is written: the field of its first number ("" for none), and the letters of the others."""

    kind: Kind
    first: str
    letters: Mapping[str, str]


_SPELLINGS: dict[str, _Spelling] = {
    "c": _Spelling(
        kind="conv",
        first="units",
        letters={"k": "kernel", "s": "stride", "p": "padding", "d": "dilation", "g": "groups"},
    ),
    "m": _Spelling(kind="pool", first="kernel", letters={"s": "stride", "p": "padding"}),
    "f": _Spelling(kind="flatten", first="", letters={}),
    "d": _Spelling(kind="dense", first="units", letters={}),
}
FIELDS: dict[Kind, tuple[str, ...]] = {
    each.kind: (*filter(None, [each.first]), *each.letters.values()) for each in _SPELLINGS.values()
}
"""The fields that each kind of layer has."""
_ALWAYS_WRITTEN = {"conv": ("kernel",), "pool": ("stride",)}
_PART = re.compile(r"([a-z])(\d*)", re.ASCII)
_BETWEEN = re.compile(r"\s*[,-]\s*")
_EXAMPLE = "As an example: c6k5-m2s2-f-d10."
_LONGEST_SHOWN = 20


def parse_stack(text: str) -> tuple[Layer, ...]:
    """The layers of a stack; none for an empty text.

    Raises:
        ConfigError: if a layer is unknown or written wrongly, a number is out of range, or there are too many layers.
    """
    words = _BETWEEN.split(text.strip().lower()) if text.strip() else []
    if len(words) > MOST_LAYERS:
        raise ConfigError("stack", f"It has {len(words)} layers.", f"At most {MOST_LAYERS} are possible.")
    return tuple(_layer(word, place) for place, word in enumerate(words, start=1))


def stack_text(layers: Sequence[Layer]) -> str:
    """The layers as `parse_stack` reads them, without what is usual."""
    return "-".join(map(_word, layers))


def _layer(word: str, place: int) -> Layer:
    parts = [(found[1], found[2]) for found in _PART.finditer(word)]
    if not parts or "".join(letter + digits for letter, digits in parts) != word:
        raise _unreadable(word, place)
    (letter, digits), others = parts[0], parts[1:]
    spelling = _SPELLINGS.get(letter)
    if spelling is None:
        raise _unreadable(word, place)
    fields = [(spelling.first, digits)] if spelling.first else []
    fields += [(spelling.letters.get(each, ""), digits) for each, digits in others]
    names = [name for name, _ in fields]
    if "" in names or len(set(names)) < len(names) or (not spelling.first and digits):
        raise _unreadable(word, place)
    values = {name: _number(name, digits, word, place) for name, digits in fields}
    if spelling.kind == "pool":
        values.setdefault("stride", min(values["kernel"], RANGES["stride"][1]))
    return Layer(kind=spelling.kind, **values)


def _number(name: str, digits: str, word: str, place: int) -> int:
    least, most = RANGES[name]
    if not digits:
        raise _unreadable(word, place)
    # Python refuses to read numbers of thousands of digits.
    if len(digits) > 9 or not least <= int(digits) <= most:
        raise ConfigError(
            "stack",
            f"Layer {place}, {_short(word)!r}, has an impossible {name}.",
            f"Take {least} to {most:,}.",
        )
    return int(digits)


def _word(layer: Layer) -> str:
    letter, spelling = next((key, each) for key, each in _SPELLINGS.items() if each.kind == layer.kind)
    usual = Layer(kind=layer.kind)
    always = _ALWAYS_WRITTEN.get(layer.kind, ())
    others = [
        f"{sign}{getattr(layer, name)}"
        for sign, name in spelling.letters.items()
        if name in always or getattr(layer, name) != getattr(usual, name)
    ]
    return "".join([letter, str(getattr(layer, spelling.first)) if spelling.first else "", *others])


def _unreadable(word: str, place: int) -> ConfigError:
    return ConfigError(
        "stack",
        f"Layer {place}, {_short(word)!r}, is none that this lesson knows.",
        f"Known are c (convolution), m (pooling), f (flatten) and d (dense), each with its numbers. {_EXAMPLE}",
    )


def _short(word: str) -> str:
    return word if len(word) <= _LONGEST_SHOWN else f"{word[: _LONGEST_SHOWN - 1]}…"
