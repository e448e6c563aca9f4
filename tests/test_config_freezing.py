"""The ready-made ways of freezing: each is found again in what it sets, on every network; rates and their slowdown."""

from __future__ import annotations

import pytest

from cnncore.catalog import stages_of
from cnncore.catalog.backbones import BACKBONES
from cnncore.config import replace
from cnncore.config.freezing import FREEZINGS, freezing_of, freezing_settings, freezings, slowdown_of, stage_factors
from cnncore.config.transfer import transfer_base

SET = "0123456789ab@1"


@pytest.mark.parametrize("backbone", list(BACKBONES))
def test_every_way_is_possible_and_is_found_again(backbone: str) -> None:
    base = transfer_base(backbone, SET)
    assert freezing_of(base) == "features"
    assert freezing_settings("features", base).items() >= {"transfer.frozen": ("all",)}.items()
    for key in freezings(base.model.name):
        config = replace(base, freezing_settings(key, base))
        assert freezing_of(config) == key
        # From any other way the first one is reached again, rates included.
        assert replace(config, freezing_settings("features", base)) == base


def test_pretrained_stages_learn_in_smaller_steps_than_the_head() -> None:
    base = transfer_base("resnet18", SET)
    rates: dict[str, tuple[float, ...]] = {}
    for key in FREEZINGS:
        config = replace(base, freezing_settings(key, base))
        rates[key] = tuple(config.optimizer.lr * factor for factor in config.transfer.stage_lr or (1.0,))
    small = pytest.approx(0.1 * base.optimizer.lr)
    assert all(rate == small for key in ("last", "last_two", "all", "gradual") for rate in rates[key])


def test_a_network_of_two_stages_has_no_last_two() -> None:
    assert len(stages_of("nin")) == 2
    assert "last_two" not in freezings("nin")


@pytest.mark.parametrize("count", [1, 2, 5, 9])
@pytest.mark.parametrize("last", [1.0, 0.3, 0.1])
@pytest.mark.parametrize("slowdown", [1.0, 1.2, 2.6, 10.0])
def test_factors_tell_their_slowdown(count: int, last: float, slowdown: float) -> None:
    factors = stage_factors(count, last, slowdown)
    expected = (last, slowdown if count > 1 else 1.0)
    assert slowdown_of(factors, count) == pytest.approx(expected)


def test_each_earlier_stage_is_slower() -> None:
    assert stage_factors(3, 1.0, 2.0) == (0.25, 0.5, 1.0)
    assert stage_factors(3, 1.0, 1.0) == ()


@pytest.mark.parametrize("factors", [(0.1, 0.5, 0.1), (1.0, 0.5, 0.1), (0.3, 0.7, 1.0)])
def test_factors_of_one_s_own_have_no_slowdown(factors: tuple[float, ...]) -> None:
    assert slowdown_of(factors, 3) is None
