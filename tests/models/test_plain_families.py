"""LeNet, AlexNet, VGG and Network in Network against their papers: counts, sizes of maps, receptive fields."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest
import torch
import torchvision
from torch import Tensor, nn

from cnncore.arithmetic import conv_params, dense_params
from cnncore.catalog import MODELS
from cnncore.config import ModelConfig
from cnncore.errors import ConfigError
from cnncore.models import build_model
from cnncore.models.lenet import Bitmaps, digit_bitmaps
from cnncore.models.names import from_torchvision
from cnncore.models.profile import profile_model

FAMILIES = ("lenet", "cnn", "alexnet", "vgg", "nin")
PLAIN = tuple(name for name, spec in MODELS.items() if spec.family in FAMILIES)
ADAPTED = tuple(name for name in PLAIN if "stem" in MODELS[name].defaults)
NAMED = tuple(name for name in PLAIN if MODELS[name].torchvision)

PARAMETERS = {
    "lenet_tutorial": 431_080,
    "lenet5": 60_850,
    "cnn3": 123_222,
    "alexnet_grouped": 60_965_224,
    "alexnet_ungrouped": 62_378_344,
    "alexnet": 61_100_840,
    "vgg11": 132_863_336,
    "vgg11_lrn": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16_1x1": 133_638_952,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840,
    "vgg11_lrn_bn": 132_868_840,
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
    "nin": 966_986,
}
"""As published, or as torchvision counts; test_networks compares the rows with the built networks."""


def meta(name: str, side: int | None = None, **options: object) -> nn.Module:
    """The network at `side` pixels, or its native size, without numbers."""
    spec = MODELS[name]
    side = side or spec.native_size
    with torch.device("meta"):
        config = ModelConfig.model_validate({"name": name, **options})
        return build_model(config, (spec.in_channels, side, side), spec.num_classes)


def sides(name: str, layers: tuple[str, ...]) -> list[int]:
    """Height of the maps after the layers, at the native size."""
    spec = MODELS[name]
    profile = profile_model(ModelConfig(name=name), (3, spec.native_size, spec.native_size), 10)
    found = {row.name: row.out_shape[1] for row in profile.layers if len(row.out_shape) == 3}
    return [found[layer] for layer in layers]


def inputs_of_first_dense_layer(name: str) -> int:
    layer = meta(name).get_submodule("fc1.linear")
    assert isinstance(layer, nn.Linear)
    return layer.in_features


def receptive_fields(name: str) -> list[int | None]:
    """Pixels that the end of each stage of a VGG sees."""
    layers = profile_model(ModelConfig(name=name), (3, 224, 224), 10).layers
    return [row.receptive_field for row in layers if row.name.endswith(".pool")]


def weights(shapes: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in shapes.items()}


def test_published_counts() -> None:
    assert {name: MODELS[name].num_params for name in PARAMETERS} == PARAMETERS


def test_counts_without_a_source_by_hand() -> None:
    filters = (3, 64, 128, 256, 512, 512)
    five = sum(conv_params(a, b, 5) for a, b in pairwise(filters))
    head = dense_params(512 * 49, 4_096) + dense_params(4_096, 4_096) + dense_params(4_096, 1_000)
    assert MODELS["vgg13_5x5"].num_params == five + head
    assert MODELS["vgg13_5x5_bn"].num_params == five + head + 2 * sum(filters[1:])
    statistics = 2 * (96 + 256 + 384 + 384 + 256)
    ungrouped = MODELS["alexnet_ungrouped"].num_params
    assert MODELS["alexnet_bn_227"].num_params == ungrouped + statistics
    assert MODELS["alexnet_bn"].num_params == ungrouped + statistics - (9_216 - 6_400) * 4_096


@pytest.mark.parametrize(
    ("name", "after_first_layers", "inputs"),
    [
        ("alexnet_grouped", [55, 27, 13, 6], 9_216),
        ("alexnet_ungrouped", [55, 27, 13, 6], 9_216),
        ("alexnet", [55, 27, 13, 6], 9_216),
        ("alexnet_bn", [54, 26, 12, 5], 6_400),
        ("alexnet_bn_227", [55, 27, 13, 6], 9_216),
    ],
)
def test_maps_of_alexnet(name: str, after_first_layers: list[int], inputs: int) -> None:
    assert sides(name, ("conv1.conv", "conv1.pool", "conv2.pool", "conv5.pool")) == after_first_layers
    assert inputs_of_first_dense_layer(name) == inputs
    assert "shrink" not in dict(meta(name).named_children())


def test_two_towers_are_groups() -> None:
    model = meta("alexnet_grouped")
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert [layer.groups for layer in convolutions] == [1, 2, 1, 2, 2]
    assert [layer.weight.shape[1] for layer in convolutions] == [3, 48, 256, 192, 192]
    odd = meta("alexnet_grouped", width=0.13)
    assert all(layer.out_channels % 2 == 0 for layer in odd.modules() if isinstance(layer, nn.Conv2d))


def test_a_tower_sees_only_its_own_maps() -> None:
    second = build_model(ModelConfig(name="alexnet_grouped", width=0.125), (3, 32, 32), 10).get_submodule("conv2.conv")
    maps = torch.zeros(1, 12, 5, 5)
    maps[:, :6] = 1
    changed = (second(maps) - second(torch.zeros_like(maps))).abs().amax(dim=(0, 2, 3)) > 0
    assert changed.tolist() == [True] * 16 + [False] * 16


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("alexnet_grouped", ["conv", "activation", "norm", "pool"]),
        ("alexnet_bn", ["conv", "activation", "norm", "pool"]),
        ("alexnet", ["conv", "pool", "activation"]),  # maxima before a ReLU: the same result, sooner
        ("alexnet_small", ["conv", "pool", "activation", "norm"]),
    ],
)
def test_order_inside_the_first_layer_of_alexnet(name: str, order: list[str]) -> None:
    assert list(dict(meta(name).get_submodule("conv1").named_children())) == order


def test_lrn_of_column_a_stands_before_the_pooling() -> None:
    stages = {name: list(dict(meta("vgg11_lrn").get_submodule(name).named_children())) for name in
              ("stage1.conv1", "stage2.conv1")}  # fmt: skip
    assert stages == {
        "stage1.conv1": ["conv", "activation", "norm", "pool"],
        "stage2.conv1": ["conv", "pool", "activation"],
    }
    with pytest.raises(ConfigError, match="it is vgg11_bn, with both vgg11_lrn_bn"):
        meta("vgg11_lrn", norm="batch")


def test_column_a_lrn_with_batch_norm_has_both() -> None:
    block = dict(meta("vgg11_lrn_bn").get_submodule("stage1.conv1").named_children())
    assert [type(layer).__name__ for layer in block.values()] == [
        "Conv2d", "BatchNorm2d", "ReLU", "LocalResponseNorm", "MaxPool2d"
    ]  # fmt: skip
    assert sum(type(layer).__name__ == "LocalResponseNorm" for layer in meta("vgg11_lrn_bn").modules()) == 1
    assert weights(meta("vgg11_lrn_bn").state_dict()) == weights(meta("vgg11_bn").state_dict())


@pytest.mark.parametrize(("name", "depth"), [(name, MODELS[name].depth) for name in PLAIN])
def test_depth_counts_the_layers_with_weights(name: str, depth: int) -> None:
    kinds = [row.kind for row in profile_model(ModelConfig(name=name), (3, 32, 32), 10).layers]
    assert kinds.count("convolution") + kinds.count("dense") == depth


@pytest.mark.parametrize("name", ["vgg11", "vgg13", "vgg16_1x1", "vgg16", "vgg19"])
def test_vgg_halves_the_maps_five_times(name: str) -> None:
    last = {layer.rpartition(".")[0]: layer for layer, _ in meta(name).named_modules() if layer.count(".") == 1}
    last_of_stage = tuple(f"{layer}.pool" for stage, layer in last.items() if stage.startswith("stage"))
    assert sides(name, last_of_stage) == [112, 56, 28, 14, 7]
    assert inputs_of_first_dense_layer(name) == 25_088


def test_two_small_windows_see_what_one_large_window_sees() -> None:
    assert receptive_fields("vgg13") == receptive_fields("vgg13_5x5") == [6, 16, 36, 76, 156]
    # Column C's 1×1 windows add layers, but no view.
    assert receptive_fields("vgg16_1x1") == receptive_fields("vgg13")
    assert receptive_fields("vgg16")[-1] == 212


@pytest.mark.parametrize("name", NAMED)
def test_every_tensor_of_torchvision_has_its_place(name: str) -> None:
    with torch.device("meta"):
        theirs = torchvision.models.get_model(MODELS[name].torchvision, weights=None).state_dict()
    found = from_torchvision(name, theirs)
    assert len(found) == len(theirs)
    assert weights(found) == weights(meta(name).state_dict())


@pytest.mark.parametrize("name", NAMED)
def test_accuracies_of_torchvisions_weights_are_those_it_states(name: str) -> None:
    stated = torchvision.models.get_model_weights(MODELS[name].torchvision)["IMAGENET1K_V1"]
    accuracies = stated.meta["_metrics"]["ImageNet-1K"]
    (ours,) = (row for row in MODELS[name].results if row.source.startswith("torchvision"))
    assert (ours.protocol, ours.top1, ours.top5) == ("1 crop", accuracies["acc@1"], accuracies["acc@5"])
    assert MODELS[name].num_params == stated.meta["num_params"]
    assert MODELS[name].published_min_size <= stated.meta["min_size"][0]


@pytest.mark.parametrize("name", ADAPTED)
def test_published_weights_fit_images_of_any_size(name: str) -> None:
    least = MODELS[name].published_min_size
    native = weights(meta(name).state_dict())
    for side in (least, 96, 300):
        assert weights(meta(name, side, stem="published").state_dict()) == native
    with pytest.raises(ConfigError, match=f"at least {least}×{least}"):
        meta(name, least - 1, stem="published")


@pytest.mark.parametrize("name", ADAPTED)
def test_small_stem_is_much_smaller(name: str) -> None:
    small = sum(parameter.numel() for parameter in meta(name, 32).parameters())
    assert small < 0.2 * MODELS[name].num_params
    assert MODELS[name].small_stem
    maps = [row for row in profile_model(ModelConfig(name=name), (3, 32, 32), 10).layers if len(row.out_shape) == 3]
    assert all(min(row.out_shape[1:]) >= 1 for row in maps)


@pytest.mark.parametrize(("name", "side"), [("alexnet", 63), ("vgg11_bn", 32)])
def test_published_stem_runs_at_its_least_size(name: str, side: int) -> None:
    config = ModelConfig(name=name, stem="published", width=0.125)
    with torch.no_grad():
        logits = build_model(config, (1, side, side), 3).eval()(torch.randn(2, 1, side, side))
    assert logits.shape == (2, 3)
    assert logits.isfinite().all()


def test_lenet5_with_bitmaps_has_60_000_trainable_parameters() -> None:
    assert sum(parameter.numel() for parameter in meta("lenet5", output="rbf").parameters()) == 60_000
    wide = meta("lenet5", output="rbf", width=2).get_submodule("f6.linear")
    assert isinstance(wide, nn.Linear)
    assert wide.out_features == 84


def test_bitmaps_are_ten_different_digits() -> None:
    bitmaps = digit_bitmaps()
    assert bitmaps.shape == (10, 84)
    assert set(bitmaps.unique().tolist()) == {-1.0, 1.0}
    differing = (bitmaps[:, None] != bitmaps).sum(dim=2) + 84 * torch.eye(10, dtype=torch.long)
    assert differing.min() >= 9
    ink = (bitmaps.view(10, 12, 7) > 0).long()
    assert torch.equal(ink[0].flip(1), ink[0]), "a 0 is symmetric"
    assert torch.equal(ink[8].flip(0), ink[8]), "an 8 is, upside down too"


def test_logits_are_minus_the_squared_distances() -> None:
    bitmaps = digit_bitmaps()
    logits = Bitmaps(10)(bitmaps[3:4])
    assert logits.argmax() == 3
    assert logits[0, 3] == 0
    assert logits[0, 8] == -4 * (bitmaps[3] != bitmaps[8]).sum()
    assert torch.equal(Bitmaps(10)(bitmaps.bfloat16()), Bitmaps(10)(bitmaps))


def test_bitmaps_can_be_learned() -> None:
    model = build_model(ModelConfig(name="lenet5", output="rbf"), (1, 28, 28), 10)
    images = torch.randn(16, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(16) % 10
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    losses: list[float] = []
    for _ in range(80):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses) < 0.05 < losses[0]


def test_bitmaps_are_for_up_to_ten_classes() -> None:
    config = ModelConfig(name="lenet5", output="rbf")
    assert build_model(config, (1, 32, 32), 4)(torch.zeros(1, 1, 32, 32)).shape == (1, 4)
    with pytest.raises(ConfigError, match="bitmaps of 10 digits; these images are of 11 classes") as caught:
        build_model(config, (1, 32, 32), 11)
    assert caught.value.field == "model.output"


def test_network_in_network_is_the_published_one() -> None:
    model = meta("nin")
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [192, 160, 96, 192, 192, 192, 192, 192, 10]
    assert [layer.kernel_size[0] for layer in convolutions] == [5, 1, 1, 5, 1, 1, 3, 1, 1]
    assert sides("nin", ("mlpconv1.conv3.pool", "mlpconv2.conv3.pool", "mlpconv3.conv3.conv")) == [16, 8, 8]
    poolings = [model.get_submodule(f"mlpconv{number}.conv3.pool") for number in (1, 2)]
    assert [type(layer) for layer in poolings] == [nn.MaxPool2d, nn.AvgPool2d]
    assert sum(isinstance(layer, nn.Dropout) for layer in model.modules()) == 2
    assert not any(isinstance(layer, nn.Linear) for layer in model.modules())
