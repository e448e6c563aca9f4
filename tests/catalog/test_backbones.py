"""The backbones' rows say what the installed torchvision and timm say."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torchvision.models import get_model_weights

from cnncore.catalog import BACKBONES, DEFAULT_BACKBONE, MODELS, head_of
from cnncore.catalog.backbones import BackboneSpec
from cnncore.config import ModelConfig
from cnncore.models import build_model

TORCHVISION = [key for key, spec in BACKBONES.items() if spec.source.startswith("torchvision")]
TIMM = [key for key, spec in BACKBONES.items() if MODELS[spec.network].timm]
STATISTICS = {
    "imagenet": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    "symmetric": ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
}
TRANSFORMED_INPUT = ("googlenet", "inception_v3")
"""Networks of torchvision that normalize once more, from ImageNet's values to those between -1 and 1."""


def test_every_wanted_network_has_weights() -> None:
    vgg = {f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")}
    resnet = {f"resnet{depth}" for depth in (18, 34, 50, 101, 152)}
    others = {
        "alexnet", "googlenet_torchvision", "inception_v3", "squeezenet1_1", "inception_resnet_v2", "xception",
        "efficientnet_lite0",
    }  # fmt: skip
    assert {spec.network for spec in BACKBONES.values()} == vgg | resnet | others
    assert next(iter(BACKBONES)) == DEFAULT_BACKBONE
    sizes = [spec.file.num_bytes for spec in BACKBONES.values()][1:]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("key", TORCHVISION)
def test_torchvision_says_the_same(key: str) -> None:
    spec = BACKBONES[key]
    weights = get_model_weights(MODELS[spec.network].torchvision)[spec.source.rpartition(" ")[2]]
    facts, transforms = weights.meta, weights.transforms()
    assert spec.addresses == (weights.url,)
    assert spec.file.name == weights.url.rpartition("/")[2]
    assert spec.file.sha256 in spec.file.name
    assert math.isclose(spec.file.num_bytes, facts["_file_size"] * 2**20, abs_tol=1)
    assert {"acc@1": spec.result.top1, "acc@5": spec.result.top5} == facts["_metrics"]["ImageNet-1K"]
    assert [spec.image_size] == transforms.crop_size
    assert [round(spec.image_size / spec.crop)] == transforms.resize_size
    assert spec.interpolation == transforms.interpolation.value
    assert (transforms.mean, transforms.std) == STATISTICS["imagenet"]
    assert spec.normalize == ("symmetric" if key in TRANSFORMED_INPUT else "imagenet")


@pytest.mark.parametrize("key", TRANSFORMED_INPUT)
def test_transformed_input_is_symmetric(key: str) -> None:
    from torchvision.models import get_model

    with torch.device("meta"):
        model = get_model(MODELS[BACKBONES[key].network].torchvision, init_weights=False, transform_input=True)
    pixels = torch.rand(2, 3, 4, 4)
    mean, std = (torch.tensor(values)[:, None, None] for values in STATISTICS["imagenet"])
    transform = getattr(model, "_transform_input")  # noqa: B009
    torch.testing.assert_close(transform((pixels - mean) / std), (pixels - 0.5) / 0.5)


@pytest.mark.parametrize("key", TIMM)
def test_timm_says_the_same(key: str) -> None:
    from timm.models import get_pretrained_cfg

    spec = BACKBONES[key]
    cfg = get_pretrained_cfg(MODELS[spec.network].timm)
    assert cfg is not None
    assert (3, spec.image_size, spec.image_size) == cfg.input_size
    assert (spec.crop, spec.interpolation) == (cfg.crop_pct, cfg.interpolation)
    assert (list(cfg.mean), list(cfg.std)) == STATISTICS[spec.normalize]
    # timm cuts off where torchvision's Resize gets a rounded number.
    assert round(spec.image_size / spec.crop) == math.floor(spec.image_size / spec.crop)
    if not spec.package:
        assert spec.hub == (cfg.hf_hub_id or "")
        assert cfg.url in (None, *spec.addresses)
        assert all(spec.hub in address for address in spec.addresses)


@pytest.mark.parametrize("key", BACKBONES)
def test_the_head_receives_as_many_numbers(key: str) -> None:
    spec = BACKBONES[key]
    side = MODELS[spec.network].native_size
    with torch.device("meta"):
        model = build_model(ModelConfig(name=spec.network), (3, side, side), 1_000)
    last = next(layer for layer in model.get_submodule(head_of(spec.network)).modules() if hasattr(layer, "weight"))
    assert spec.features == (last.in_channels if isinstance(last, nn.Conv2d) else getattr(last, "in_features", None))


def test_rows_are_complete() -> None:
    for key, spec in BACKBONES.items():
        assert isinstance(spec, BackboneSpec)
        assert spec.result.dataset == "ImageNet", key
        assert bool(spec.addresses) != bool(spec.package), key
        assert all(file.sha256 and file.num_bytes for file in spec.files), key
        assert MODELS[spec.network].native_size == spec.image_size, key
