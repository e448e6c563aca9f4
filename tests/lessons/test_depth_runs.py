"""The recorded trainings are those that the command makes, and the command still makes them."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import torch

from benchmarks.lesson_depth import ARMS, BATCH, CHANNELS, RATE, SIDE, Stack, train
from cnncore.lessons.depth_runs import FILE, depth_runs


def test_what_was_recorded_are_the_arms_of_the_command() -> None:
    record = json.loads(FILE.read_text(encoding="utf-8"))
    settings = {
        name: {key: value for key, value in arm.items() if key != "runs"} for name, arm in record["arms"].items()
    }
    assert settings == {name: dataclasses.asdict(arm) for name, arm in ARMS.items()}
    assert record["settings"] == {"batch": BATCH, "learning rate": RATE, "channels": CHANNELS, "side": SIDE}
    assert {len(arm["runs"]) for arm in record["arms"].values()} == {record["seeds"]}


def test_recorded_curves_have_an_epoch_each() -> None:
    for name, arm in depth_runs().arms.items():
        assert arm.train.shape == arm.test.shape == arm.ratio.shape == (3, ARMS[name].epochs)
        assert np.isfinite(arm.ratio).all()
        assert ((arm.train >= 0) & (arm.train <= 100)).all()


def test_the_command_trains_plain_and_residual_stacks() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(40) % 10
    images = torch.randn(40, 1, SIDE, SIDE, generator=generator) + labels[:, None, None, None]
    for residual in (False, True):
        arm = dataclasses.replace(ARMS["plain8"], residual=residual, epochs=2)
        found = train(arm, {"train": (images, labels), "test": (images, labels)}, seed=0)
        assert [len(values) for values in found.values()] == [2, 2, 2, 2]
        assert min(found["first"] + found["last"]) > 0


def test_a_residual_stack_hands_its_input_on_where_its_weights_are_zero() -> None:
    arm = dataclasses.replace(ARMS["residual8"], depth=4, normalized=False)
    network = Stack(arm)
    images = torch.randn(2, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    for layer in (network.convolutions[1], network.convolutions[2]):
        for parameter in layer.parameters():
            torch.nn.init.zeros_(parameter)
    stem = torch.nn.functional.max_pool2d(torch.relu(network.convolutions[0](images)), 2).mean(dim=(2, 3))
    torch.testing.assert_close(network(images), network.output(stem))
