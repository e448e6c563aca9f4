from __future__ import annotations

import pytest

from cnncore.lessons.stack_mends import mends
from cnncore.lessons.stack_presets import STACK_PRESETS
from cnncore.lessons.stack_text import parse_stack
from cnncore.lessons.stacks import build_stack
from tests.lessons.test_stacks import random_layers


def test_every_mend_mends() -> None:
    found = 0
    for seed in range(200):
        (channels, size, _), layers = random_layers(seed)
        broken_at = build_stack((channels, size, size), layers).broken_at
        offered = mends(channels, size, layers)
        assert bool(offered) == (broken_at >= 0)
        for mend in offered:
            now = build_stack((channels, mend.size, mend.size), mend.layers).broken_at
            assert now < 0 or now > broken_at
            found += 1
    assert found > 50


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        ("c4k3,c4k30", "a window of 14 × 14"),
        ("c4k3,c4k20", "a padding of 3"),
        ("c4k3,c4k3g3", "2 groups"),
        ("d10", "a flatten in front of it"),
        ("f,m2s2", "leaving it out"),
        ("m2s2p2", "a padding of 1"),
    ],
)
def test_what_would_mend_it(stack: str, words: str) -> None:
    assert words in [mend.words for mend in mends(2, 16, parse_stack(stack))]


def test_the_input_is_made_large_enough_for_all_layers() -> None:
    preset = STACK_PRESETS["breaks"]
    layers = parse_stack(preset.stack)
    larger = next(mend for mend in mends(preset.channels, preset.size, layers) if "input" in mend.words)
    assert larger.size == 67
    assert build_stack((preset.channels, 67, 67), layers).broken_at == -1
    assert build_stack((preset.channels, 66, 66), layers).broken_at >= 0
