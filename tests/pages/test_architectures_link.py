"""The Architectures view's link, there and back, and with nonsense in it."""

from __future__ import annotations

import pytest

from cnncore.catalog import MODELS
from pages.components.architectures_link import MOST_NETS, NAMES, Choices, choice_params, defaults, read_choices


def test_an_empty_link_is_the_default():
    choices, problems = read_choices({"view": "architectures", "utm_source": "mail"})
    assert (choices, problems) == (defaults(), ())
    assert choice_params(choices) == {}
    assert choices.nets
    assert choices.protocol == "imagenet-1-crop"


@pytest.mark.parametrize(
    "params",
    [
        {"tab": "cost", "x": "params", "y": "own", "dataset": "cifar10"},
        {"families": "vgg,resnet", "text": "16 & more"},
        {"nets": "vgg16,lenet5", "of": "vgg16", "quantity": "macs", "length": "count"},
        {"nets": ""},
        {"net": "resnet18", "protocol": "imagenet-10-crops"},
    ],
)
def test_there_and_back(params: dict[str, str]):
    choices, problems = read_choices(params)
    assert problems == ()
    assert choice_params(choices) == params
    assert read_choices(choice_params(choices))[0] == choices


def test_an_unknown_name_suggests_the_nearest_and_the_rest_is_kept():
    choices, problems = read_choices({"tab": "cots", "net": "resnet81", "nets": "vgg16,vgg61", "x": "params"})
    assert choices.tab == "table"
    assert choices.net == ""
    assert choices.nets == ("vgg16",)
    assert choices.x == "params"
    said = " ".join(str(problem) for problem in problems)
    assert "There is no network named 'resnet81'." in said
    assert "resnet18" in said
    assert "vgg16" in said
    assert "cost" in said
    assert len(problems) == 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "../../etc/passwd", "x" * 5_000, "💥", "%00", ","])
def test_nonsense_never_breaks_anything(name: str, text: str):
    choices, problems = read_choices({name: text})
    assert isinstance(choices, Choices)
    assert name in ("text", "families", "nets") or len(problems) == 1
    assert all(len(str(problem)) < 1_000 for problem in problems)
    assert len(choices.text) <= 100


def test_too_many_networks():
    choices, problems = read_choices({"nets": ",".join(MODELS)})
    assert len(choices.nets) == MOST_NETS
    assert len(problems) == 1
