"""The form as a link: reading and writing are inverse, and the command line says the same."""

from __future__ import annotations

import shlex

import pytest

from cnncore.catalog import DEFAULT_PRESET, PRESETS
from cnncore.config import command, nearest_preset, preset, replace, with_settings
from pages.components.links import address, link_params, read_link

CHANGED = {
    "model.activation": "tanh",
    "model.dropout": None,
    "data.path": "/a folder/with 'quotes' & more",
    "data.dataset": "folder",
    "schedule.name": "multistep",
    "schedule.milestones": (2.0, 3.5),
    "optimizer.lr": 1e-7,
    "training.compile": True,
}


@pytest.mark.parametrize("key", list(PRESETS))
def test_a_preset_is_its_own_link(key: str):
    assert link_params(preset(key), key) == {"preset": key}
    assert read_link({"preset": key}).config == preset(key)
    assert nearest_preset(preset(key)) == key


@pytest.mark.parametrize("key", ["lenet_20s", "resnet20_paper", "vgg11_cifar10"])
def test_reading_is_the_inverse_of_writing(key: str):
    config = replace(preset(key), CHANGED)
    link = read_link(link_params(config, key))
    assert (link.preset, link.config, link.problems) == (key, config, ())


def test_the_command_line_says_the_same():
    config = replace(preset("cnn3_fast"), CHANGED)
    words = shlex.split(command(config, "cnn3_fast"))
    assert words[:6] == ["python", "-m", "cnncore", "train", "--preset", "cnn3_fast"]
    settings = [tuple(word.split("=", 1)) for word in words[7::2]]
    assert with_settings(preset("cnn3_fast"), [(name, value) for name, value in settings]) == config


def test_a_preset_that_does_not_exist_is_named_and_the_rest_kept():
    link = read_link({"preset": "lenet20", "training.epochs": "2", "run": "x", "from": "y"})
    assert link.preset == DEFAULT_PRESET
    assert link.config.training.epochs == 2
    assert [str(problem)[:31] for problem in link.problems] == ["There is no preset named 'lenet2"[:31]]


def test_the_address_replaces_what_was_there():
    assert address("http://lab/train?old=1", {"data.path": "/a b&c"}) == "http://lab/train?data.path=%2Fa+b%26c"
