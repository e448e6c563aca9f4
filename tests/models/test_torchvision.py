"""Our networks compute what torchvision's do, with torchvision's weights."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import nn

from cnncore.catalog import MODELS
from cnncore.config import ModelConfig
from cnncore.models import build_model
from cnncore.models.names import from_torchvision
from tests.models.members import NAMES

NAMED = [name for name, spec in MODELS.items() if spec.torchvision and name in (*NAMES, "resnet50")]


@pytest.mark.parametrize("name", NAMED)
def test_same_outputs_with_the_same_weights(name: str) -> None:
    spec = MODELS[name]
    torch.manual_seed(0)
    # The networks with auxiliary heads take minutes to draw their own first weights, and warn of it.
    plain = {"init_weights": False} if spec.aux_weight else {}
    theirs = torchvision.models.get_model(spec.torchvision, weights=None, **plain)
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d):
            # Statistics of images, unlike the first ones of 0 and 1, show whether they are in the right place.
            assert layer.running_mean is not None
            assert layer.running_var is not None
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    ours = build_model(ModelConfig(name=name), (3, spec.native_size, spec.native_size), 1_000)
    ours.load_state_dict(from_torchvision(name, theirs.state_dict()))
    images = torch.randn(2, 3, spec.native_size, spec.native_size)
    with torch.no_grad():
        expected, found = theirs.eval()(images), ours.eval()(images)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
