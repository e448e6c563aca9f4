from __future__ import annotations

import numpy as np
import pytest

from cnncore.errors import ConfigError
from cnncore.lessons.stack_text import FIELDS, RANGES, parse_stack, stack_text
from cnncore.lessons.stacks import MOST_LAYERS, Kind, Layer

KINDS: tuple[Kind, ...] = ("conv", "pool", "flatten", "dense")


def random_layer(rng: np.random.Generator) -> Layer:
    kind = KINDS[rng.integers(len(KINDS))]
    values = {name: int(rng.integers(RANGES[name][0], RANGES[name][1] + 1)) for name in FIELDS[kind]}
    usual = {name: value for name, value in values.items() if rng.random() < 0.7}
    return Layer(kind=kind, **usual)


def test_what_is_written_is_read_again() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        layers = tuple(random_layer(rng) for _ in range(rng.integers(0, MOST_LAYERS + 1)))
        assert parse_stack(stack_text(layers)) == layers


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("", ()),
        ("c6k5", (Layer(kind="conv", units=6, kernel=5),)),
        ("C6P2K5", (Layer(kind="conv", units=6, kernel=5, padding=2),)),
        ("c6", (Layer(kind="conv", units=6),)),
        ("m3", (Layer(kind="pool", kernel=3, stride=3),)),
        ("m31", (Layer(kind="pool", kernel=31, stride=16),)),
        ("m3s2p1, f - d10", (Layer(kind="pool", kernel=3, stride=2, padding=1), Layer(kind="flatten"),
                            Layer(kind="dense", units=10))),
        ("c8k3s2p1d2g4", (Layer(kind="conv", units=8, kernel=3, stride=2, padding=1, dilation=2, groups=4),)),
    ],
)  # fmt: skip
def test_texts_are_read(text: str, layers: tuple[Layer, ...]) -> None:
    assert parse_stack(text) == layers


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("c6k5,x3", "Layer 2, 'x3', is none that this lesson knows"),
        ("c6k5,,m2", "Layer 2, ''"),
        ("c6k5-", "Layer 2, ''"),
        ("c", "Layer 1, 'c'"),
        ("f3", "Layer 1, 'f3'"),
        ("d10k3", "Layer 1, 'd10k3'"),
        ("c6k5k3", "Layer 1, 'c6k5k3'"),
        ("c6k5!", "Layer 1, 'c6k5!'"),
        ("c٣", "Layer 1"),
        ("c0k5", "impossible units. Take 1 to 4,096."),
        ("c6k99", "impossible kernel. Take 1 to 31."),
        ("m2s0", "impossible stride"),
        ("d" + "9" * 5_000, "impossible units"),
        (",".join(["f"] * 41), "It has 41 layers. At most 40 are possible."),
    ],
)
def test_what_cannot_be_read_is_told(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_stack(text)
    assert says in str(error.value)
    assert len(str(error.value)) < 250
    assert error.value.field == "stack"
