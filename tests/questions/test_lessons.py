"""The lessons' experiments as the service answers them: in short pieces, kept when they are whole."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from cnncore.analysis.dense_or_convolutional import ARMS, Digits, Splits
from cnncore.analysis.scans import Scans
from cnncore.errors import ConfigError
from cnncore.questions import QUESTIONS, lessons

SIDE = 28


@pytest.fixture(autouse=True)
def splits(monkeypatch: pytest.MonkeyPatch) -> Splits:
    """A handful of made-up digits."""
    generator = torch.Generator().manual_seed(0)

    def digits(count: int) -> Digits:
        labels = torch.arange(count) % 10
        return Digits(torch.randn(count, SIDE * SIDE, generator=generator) + labels[:, None], labels)

    made = Splits(digits(256), digits(40), digits(50))
    monkeypatch.setattr(lessons, "_splits", lambda data_root: made)
    monkeypatch.setattr(lessons, "_WORKS", Scans(most=lessons.MOST_TRIALS))
    return made


def ask(**asked: int):
    return QUESTIONS["dense_or_convolutional"](asked)


def test_it_comes_in_pieces_and_lasts_when_it_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "PIECE_S", 0.0)
    first = ask(seeds=3, epochs=1)
    assert first.data["pending"]
    assert not first.lasting
    assert first.data["done"] == 1
    assert np.isnan(first.arrays["test"]).all()
    last = first
    while last.data["pending"]:
        before, last = last, ask(seeds=3, epochs=1)
        assert last.data["done"] == before.data["done"] + 1 or not last.data["pending"]
    assert not last.data["pending"]
    assert last.lasting
    assert last.arrays["curves"].shape == (4, 3, 1)
    assert last.arrays["test"].shape == (4, 3)
    assert np.isfinite(last.arrays["test"]).all()
    assert last.data["num_test"] == 50
    assert [(arm["network"], arm["shuffled"]) for arm in last.data["arms"]] == list(ARMS)
    assert last.data["done"] == last.data["total"]


def test_a_piece_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "PIECE_S", 0.05)
    begin = time.process_time()
    assert ask(seeds=10, epochs=10).data["pending"]
    assert time.process_time() - begin < 1.0


def test_two_experiments_go_on_beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "PIECE_S", 0.0)
    assert [ask(seeds=3, epochs=epochs).data["done"] for epochs in (1, 2, 1, 2)] == [1, 1, 2, 2]


def test_where_many_are_asked_for_some_wait_with_nothing_to_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "PIECE_S", 0.0)
    first, second = ([ask(seeds=3, epochs=epochs).data["done"] for epochs in range(1, 8)] for _ in range(2))
    assert max(first) == 1
    assert second == [2] * lessons.MOST_TRIALS + [0] * (7 - lessons.MOST_TRIALS)


@pytest.mark.parametrize("asked", [{"seeds": 2}, {"seeds": 11}, {"epochs": 0}, {"epochs": 11}, {"speed": 1}])
def test_what_cannot_be_asked_is_told(asked: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        ask(**asked)
