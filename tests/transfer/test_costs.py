"""What freezing costs and saves: counts of stages, their sums, and what is measured."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
import torch

from cnncore.catalog import BACKBONES, stages_of
from cnncore.config import ModelConfig, TrainConfig, TransferConfig, replace, transfer_base
from cnncore.models.profile import memory_bytes, profile_model
from cnncore.questions.networks import transfer_costs
from cnncore.transfer.costs import (
    HEAD,
    NetworkCosts,
    StageCost,
    new_head,
    outlook,
    read_costs,
    shipped_costs,
)
from cnncore.transfer.network import build_network, network_config, stage_weights
from cnncore.transfer.stage_profile import backbone_costs, count_stages, measure_stages

SHAPE = (3, 224, 224)
BASE = transfer_base("efficientnet_lite0", "0123456789ab@1")
COSTS = NetworkCosts(
    stages=(
        StageCost(key="stem", num_params=10, norm_statistics=4, macs=100, activations=50, indices=2, widest=70),
        StageCost(key="stage1", num_params=20, macs=200, activations=40, widest=60),
        StageCost(key="stage2", num_params=40, macs=400, activations=30, widest=50),
    ),
    head=StageCost(key=HEAD, num_params=5, macs=4, activations=3, widest=6),
)
STAGES = frozenset({"stem", "stage1", "stage2"})


def small(**settings: object) -> TrainConfig:
    """A network of three stages, SGD in fp32, batches of 10."""
    base = TrainConfig(model=ModelConfig(name="resnet20"), transfer=TransferConfig(head="linear"))
    fixed = {"optimizer.name": "sgd", "training.precision": "fp32", "training.batch_size": 10}
    return replace(base, {**fixed, **settings})


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_lite0", "squeezenet1_1", "googlenet_torchvision", "nin"])
@pytest.mark.parametrize("head", ["linear", "hidden", "network"])
def test_counts_are_those_of_the_network(name: str, head: str) -> None:
    config = TrainConfig(
        model=ModelConfig(name=name), transfer=TransferConfig.model_validate({"head": head, "hidden_units": 32})
    )
    costs = count_stages(config, (3, 64, 64), 7)
    with torch.device("meta"):
        weights = stage_weights(build_network(config, (3, 64, 64), 7), name)
    counted = {part.key: part.num_params for part in costs.parts}
    assert counted == {key: sum(weight.numel() for weight in each) for key, each in weights.items()}
    if head == "network":
        whole = profile_model(network_config(config), (3, 64, 64), 7)
        assert sum(part.macs for part in costs.parts) == whole.macs
        assert sum(part.activations for part in costs.parts) == whole.activations


def test_the_file_is_in_step() -> None:
    """After a change to a backbone's network: `python -m cnncore.transfer.stage_profile`."""
    expected = backbone_costs()
    for key, spec in BACKBONES.items():
        found = shipped_costs(transfer_base(key, "0123456789ab@1"), (3, spec.image_size, spec.image_size), 5)
        assert found is not None
        assert found.stages == expected[spec.network]
        assert found.head.num_params == spec.features * 5 + 5


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({"transfer.head": "network"}, SHAPE),
        ({"data.image_size": 288}, (3, 288, 288)),
        ({"model.input_size": 192}, SHAPE),
        ({"transfer.backbone": None, "model.name": "resnet20"}, SHAPE),
        ({"transfer.backbone": None, "model.name": "resnet18", "model.shortcut": "C"}, SHAPE),
        ({"transfer.backbone": None, "model.name": "resnet18", "model.width": 0.5}, SHAPE),
    ],
)
def test_other_forms_are_left_to_the_service(settings: dict[str, object], shape: tuple[int, int, int]) -> None:
    assert shipped_costs(replace(BASE, {"transfer.stage_lr": (), **settings}), shape, 5) is None


def test_everything_learns() -> None:
    found = outlook(COSTS, small())
    assert (found.trainable_params, found.frozen_params) == (75, 0)
    assert found.step_macs == found.full_step_macs == 10 * 3 * 704
    assert found.memory_bytes == 4 * (75 + 4 + 75) + 10 * (4 * 123 + 8 * 2)
    assert (found.keeps_features, found.first_macs, found.step_s, found.first_s) == (False, 0, None, None)


def test_a_frozen_beginning_is_forward_only() -> None:
    found = outlook(COSTS, small(**{"transfer.frozen": ("stem", "stage1")}))
    assert (found.trainable_params, found.frozen_params) == (45, 30)
    assert found.step_macs == 10 * (100 + 200 + 3 * 400 + 3 * 4)
    assert found.memory_bytes == 4 * (75 + 4 + 45) + 10 * 4 * (30 + 3 + 70)


def test_gradients_pass_through_a_frozen_stage_above_one_that_learns() -> None:
    found = outlook(COSTS, small(), frozenset({"stage2"}))
    assert found.step_macs == 10 * (3 * 100 + 3 * 200 + 2 * 400 + 3 * 4)
    assert found.frozen_params == 40


def test_kept_features_leave_the_head() -> None:
    config = small(**{"transfer.frozen": ("all",), "optimizer.name": "adamw"})
    found = outlook(COSTS, config)
    assert found.keeps_features
    assert (found.step_macs, found.first_macs) == (10 * 3 * 4, 700)
    assert found.memory_bytes == 4 * (75 + 4 + 3 * 5) + 10 * 4 * 3
    views = {"augment.flip_horizontal": 0.5, "transfer.views": 4}
    assert outlook(COSTS, replace(config, views)).first_macs == 4 * 700
    for off in ({"transfer.views": 0}, {"transfer.batch_norm": "adapting"}):
        found = outlook(COSTS, replace(config, off))
        assert (found.keeps_features, found.step_macs, found.first_macs) == (False, 10 * (700 + 12), 0)


def test_time_follows_from_what_was_measured() -> None:
    timed = NetworkCosts(
        stages=tuple(dataclasses.replace(stage, seconds=0.5) for stage in COSTS.stages),
        head=dataclasses.replace(COSTS.head, seconds=0.25),
    )
    assert read_costs(timed.to_dict()) == timed
    assert outlook(timed, small()).step_s == pytest.approx(10 * 3 * 1.75)
    assert outlook(timed, small(), frozenset({"stem", "stage1"})).step_s == pytest.approx(10 * (1 + 1.5 + 0.75))
    kept = outlook(timed, small(), STAGES)
    assert (kept.step_s, kept.first_s) == (pytest.approx(10 * 0.75), pytest.approx(1.5))


def test_memory_is_that_of_the_size_card_when_everything_learns() -> None:
    config = small(**{"transfer.head": "network", "optimizer.name": "adam"})
    costs, whole = count_stages(config, (3, 32, 32), 10), profile_model(config.model, (3, 32, 32), 10)
    statistics = sum(part.norm_statistics for part in costs.parts)
    assert outlook(costs, config).memory_bytes == memory_bytes(whole, 10, "adam", 4) + 4 * statistics


def test_a_new_head_by_hand() -> None:
    hidden = new_head(TransferConfig(head="hidden", hidden_units=16), 8, 3)
    assert (hidden.num_params, hidden.macs) == (8 * 16 + 16 + 16 * 3 + 3, 8 * 16 + 16 * 3)


def test_the_service_measures_every_stage() -> None:
    asked = {
        "model": {"name": "resnet20"},
        "transfer": {"head": "linear"},
        "in_shape": [3, 32, 32],
        "num_classes": 5,
        "device": "cpu",
        "precision": "fp32",
    }
    counted = transfer_costs(asked)
    measured = transfer_costs({**asked, "measure": True})
    assert (counted.lasting, measured.lasting) == (True, False)
    costs = read_costs(measured.data)
    assert [part.key for part in costs.parts] == [*(stage.key for stage in stages_of("resnet20")), HEAD]
    assert all(part.seconds and part.seconds > 0 for part in costs.parts)
    assert (costs.head.seconds or 1) < (costs.stages[1].seconds or 0)
    assert all(part.seconds is None for part in read_costs(counted.data).parts)
    assert torch.get_num_threads() == 1


def test_measuring_leaves_the_number_of_threads_alone() -> None:
    config = small()
    before = torch.get_num_threads()
    costs = count_stages(config, (3, 32, 32), 5, "bf16")
    measured = measure_stages(costs, config, (3, 32, 32), 5, device=torch.device("cpu"), threads=1)
    assert torch.get_num_threads() == before
    assert measured.precision == "bf16"


def test_pages_may_read_costs_without_torch() -> None:
    code = "import sys, cnncore.transfer.costs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
