"""The shipped summaries of the networks are in step with the code."""

from __future__ import annotations

import pytest

from cnncore.arithmetic import receptive_field
from cnncore.catalog import MODELS
from cnncore.catalog.zoo import AUXILIARY, ZOO_FILE, read_summary, zoo
from cnncore.models.zoo import summarize
from tests.models.members import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_in_step(name: str) -> None:
    """After a change to a network: `python -m cnncore.models.zoo`."""
    assert summarize(name) == zoo()[name]


def test_every_network_is_in_the_file_with_its_declared_parameters() -> None:
    """After a new network: `python -m cnncore.models.zoo`."""
    assert {key: summary.num_params for key, summary in zoo().items()} == {
        key: spec.num_params for key, spec in MODELS.items()
    }
    assert ZOO_FILE.stat().st_size < 300_000


def test_stages_add_up() -> None:
    for key, summary in zoo().items():
        assert sum(cost.num_params for cost in summary.costs) == summary.num_params, key
        assert sum(cost.macs for cost in summary.costs) == summary.macs + summary.aux_macs, key


def test_auxiliary_heads_are_told_apart() -> None:
    summary = zoo()["googlenet_small"]
    heads = [cost for cost in summary.costs if cost.kind == AUXILIARY]
    assert [cost.stage for cost in heads] == ["aux4a", "aux4d"]
    assert summary.aux_params == sum(cost.num_params for cost in heads) > 4_000_000
    assert not zoo()["resnet20"].aux_params


def test_numbers_by_hand() -> None:
    summary = zoo()["cnn3"]
    assert summary.activation_bytes() == 4 * summary.activations + 8 * summary.indices
    assert summary.receptive_field == receptive_field([(5, 1), (5, 1), (2, 2), (5, 1)]).size
    assert summary.dataset_macs["mnist"] == summary.macs == 7_252_200
    # Of three channels instead of one; and 32 pixels leave 28, 24, 12, 8 and 4 instead of 24, 20, 10, 6 and 3.
    assert (
        summary.dataset_macs["cifar10"]
        == 25 * (3 * 16 * 28**2 + 16 * 32 * 24**2 + 32 * 64 * 8**2) + 16 * 64 * 100 + 1_000
    )
    assert summary.dataset_macs["cifar100"] - summary.dataset_macs["cifar10"] == 90 * 100


def test_a_summary_survives_json() -> None:
    summary = zoo()["googlenet_small"]
    assert read_summary(summary.to_dict()) == summary
