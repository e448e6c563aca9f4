from __future__ import annotations

import numpy as np
import pytest
import torch

from cnncore.errors import ConfigError
from cnncore.lessons.stacks import size_formula
from cnncore.lessons.window_sizes import NO_ROOM, PROBLEM, RANGES, size_tables


def test_the_tables_say_what_torch_does() -> None:
    rng = np.random.default_rng(0)
    tables = size_tables()
    lows = np.array([low for low, _ in RANGES.values()])
    fits = 0
    for place in rng.integers(0, tables.outputs.shape, (400, 5)):
        n, k, p, s, d = (int(value) for value in place + lows)
        outputs, room, left = (int(table[tuple(place)]) for table in (tables.outputs, tables.room, tables.left_over))
        try:
            made = torch.nn.functional.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, k), None, s, p, d).shape[-1]
        except RuntimeError:
            assert outputs == room == left == NO_ROOM
            continue
        fits += 1
        assert outputs == made == room // s + 1
        # What is left over is no longer than a step, and what is covered and what is left over is all there is.
        assert 0 <= left < s
        assert (outputs - 1) * s + d * (k - 1) + 1 + left == n + 2 * p
    assert 200 < fits < 400


def test_the_sentence_is_the_arithmetics() -> None:
    with pytest.raises(ConfigError) as error:
        size_formula(4, 5, 1, 1, 3)
    assert str(error.value) == PROBLEM.format(extent=13, size=4, padding=1)
