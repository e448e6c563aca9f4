from __future__ import annotations

import json

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnncore.arithmetic import conv_macs, receptive_field
from cnncore.catalog import MODELS
from cnncore.catalog.profiles import compact, complete, profile_key, shipped_profile
from cnncore.config import ModelConfig
from cnncore.errors import ConfigError
from cnncore.models import build_model
from cnncore.models.profile import memory_bytes, preset_profiles, profile_model
from cnncore.models.recorder import record
from tests.models.members import NAMES


@pytest.mark.parametrize("name", [name for name in NAMES if name != "vgg11_lrn_bn"])
def test_macs_are_half_the_flops_that_torch_counts(name: str) -> None:
    shape = (3, 32, 32)
    # LRN runs as a convolution, but is not counted.
    options = {"norm": "none"} if MODELS[name].defaults.get("norm") == "lrn" else {}
    config = ModelConfig.model_validate({"name": name, **options})
    profile = profile_model(config, shape, 10)
    with torch.device("meta"):
        model, images = build_model(config, shape, 10), torch.zeros(2, *shape)
    with FlopCounterMode(display=False) as counter:
        model(images)
    assert counter.get_total_flops() == 2 * 2 * profile.macs


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_statistics_add_up(name: str) -> None:
    profile = profile_model(ModelConfig(name=name), (3, 32, 32), 10)
    with torch.device("meta"):
        model = build_model(ModelConfig(name=name), (3, 32, 32), 10)
    assert profile.num_params == sum(parameter.numel() for parameter in model.parameters())
    statistics = sum(2 * layer.num_features for layer in model.modules() if isinstance(layer, nn.BatchNorm2d))
    assert sum(layer.norm_statistics for layer in profile.layers) == statistics
    assert len({layer.name for layer in profile.layers}) == len(profile.layers)


def test_layers_of_a_small_network() -> None:
    layers = {layer.name: layer for layer in profile_model(ModelConfig(name="cnn3"), (1, 28, 28), 10).layers}
    conv, pool = layers["conv2.conv"], layers["conv2.pool"]
    assert (conv.kind, conv.kernel, conv.stride, conv.padding) == ("convolution", (5, 5), (1, 1), (0, 0))
    assert (conv.in_shape, conv.out_shape) == ((16, 24, 24), (32, 20, 20))
    assert (conv.weights, conv.biases) == (12_800, 32)
    assert conv.macs == conv_macs(16, 32, 5, 20, 20)
    assert (pool.kind, pool.out_shape, pool.indices) == ("pooling", (32, 10, 10), 3_200)
    assert layers["fc1.linear"].receptive_field is None


def test_receptive_fields() -> None:
    def seen(name: str, layer: str) -> int | None:
        profile = profile_model(ModelConfig(name=name), (3, 32, 32), 10)
        return next(row.receptive_field for row in profile.layers if row.name == layer)

    assert seen("lenet_tutorial", "conv2.pool") == receptive_field([(5, 1), (2, 2), (5, 1), (2, 2)]).size
    # Residual and Inception branches: the widest one counts.
    assert seen("resnet20", "stage1.block3.conv2.conv") == receptive_field([(3, 1)] * 7).size
    widest = [(3, 1), (3, 2), (1, 1), (3, 1), (3, 2), (5, 1), (5, 1)]
    assert seen("googlenet_small", "inception3b.branch5.conv.conv") == receptive_field(widest).size


def test_activations_are_what_autograd_keeps() -> None:
    profile = profile_model(ModelConfig(name="cnn3"), (1, 28, 28), 10)
    # Image, first maps after ReLU, maps before both poolings, pooled maps twice, hidden units.
    assert profile.activations == 784 + 16 * 576 + 32 * 400 + 32 * 100 + 64 * 36 + 64 * 9 + 100
    assert profile.indices == 32 * 100 + 64 * 9


def test_memory_grows_with_the_batch_and_the_optimizer() -> None:
    profile = profile_model(ModelConfig(name="cnn3"), (1, 28, 28), 10)
    assert memory_bytes(profile, 0, "sgd", 4) == 8 * profile.num_params
    assert memory_bytes(profile, 0, "adam", 4) == 16 * profile.num_params
    one_image = memory_bytes(profile, 1, "sgd", 2) - memory_bytes(profile, 0, "sgd", 2)
    assert one_image == 2 * profile.activations + 8 * profile.indices
    with pytest.raises(ConfigError, match="no optimizer named"):
        memory_bytes(profile, 1, "lion", 2)


def test_shipped_profiles_are_current() -> None:
    """After a change to a network: `python -m cnncore.models.profile`."""
    for key, profile in preset_profiles().items():
        assert shipped_profile(key) == json.loads(json.dumps(profile)), key


def test_json_has_totals_and_layers() -> None:
    data = json.loads(profile_model(ModelConfig(), (1, 28, 28), 10).to_json())
    assert data["num_params"] == 431_080
    assert data["layers"][0]["name"] == "conv1.conv"


def test_keys_ignore_how_a_setting_was_given() -> None:
    key = profile_key(ModelConfig().model_dump(), (1, 28, 28), 10)
    assert key == profile_key(
        {"name": "lenet_tutorial", "activation": "relu", "dropout": 0, "width": 1}, (1, 28, 28), 10
    )
    assert key == profile_key({"name": "lenet_tutorial", "init": "glorot"}, (1, 28, 28), 10)
    assert shipped_profile(key) is not None
    for other in ({"norm": "batch"}, {"width": 0.5}, {"input_size": 32}, {"dropout": 0.5}):
        assert profile_key({"name": "lenet_tutorial", **other}, (1, 28, 28), 10) != key
    assert shipped_profile(profile_key({"name": "cnn3", "width": 0.5}, (1, 28, 28), 10)) is None
    with pytest.raises(ConfigError, match="no network named"):
        profile_key({"name": "lenet"}, (1, 28, 28), 10)


def test_windows_of_the_tutorial_lenet_by_hand() -> None:
    layers = profile_model(ModelConfig(name="lenet_tutorial"), (1, 28, 28), 10).layers
    found = {layer.name: (layer.receptive_field, layer.jump, layer.start) for layer in layers if layer.kernel}
    assert found == {
        "conv1.conv": (5, 1, 2.5),
        "conv1.pool": (6, 2, 3.0),
        "conv2.conv": (14, 2, 7.0),
        "conv2.pool": (16, 4, 8.0),
    }


@pytest.mark.parametrize(
    ("name", "options", "module", "layer", "size"),
    [
        ("resnet20", {"norm": "none"}, "stage2", "stage2.block3.activation", 64),
        ("lenet_tutorial", {"pool": "average"}, "conv2", "conv2.pool", 28),
        ("googlenet_small", {"norm": "none", "pool": "average"}, "inception3b", "inception3b.concat", 60),
    ],
)
def test_what_one_output_sees_has_a_gradient(
    name: str, options: dict[str, str], module: str, layer: str, size: int
) -> None:
    """Smooth activations and averages: every pixel in the field counts, and none outside."""
    config = ModelConfig.model_validate({"name": name, "activation": "silu", **options})
    model = build_model(config, (1, size, size), 10).double().eval()
    outputs: list[torch.Tensor] = []

    def note(_module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        outputs.append(output)

    model.get_submodule(module).register_forward_hook(note)
    image = torch.randn(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    model(image)
    index = outputs[0].shape[-1] // 2
    outputs[0][0, :, index, index].sum().backward()
    assert image.grad is not None
    steps = {step.name: step for step in record(config, (1, size, size), 10).steps}
    for axis, dimension in ((0, 1), (1, 0)):
        fields = steps[layer].fields
        assert fields is not None
        middle = fields[axis].start + index * fields[axis].jump
        expected = range(int(middle - fields[axis].size / 2), int(middle + fields[axis].size / 2))
        assert 0 <= expected.start < expected.stop <= size, "the image must be larger than what is seen"
        seen = image.grad[0, 0].abs().amax(dim=dimension).nonzero().flatten().tolist()
        assert seen == list(expected)


class Odd(nn.Module):
    """What the catalog's networks do not all have: groups, a flat window, a layer used twice, one never used."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 8, (1, 7), stride=(1, 2), padding=(0, 3), groups=4, bias=False)
        self.depthwise = nn.Conv2d(8, 8, 3, padding="same", groups=8, dilation=2)
        self.twice = nn.Conv2d(8, 8, 1)
        self.never = nn.Linear(3, 2)
        self.head = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.twice(torch.relu(self.twice(self.depthwise(self.first(x)))))
        return self.head(x.mean((2, 3)))


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Odd:
    monkeypatch.setattr("cnncore.models.recorder.build_model", lambda *_: Odd())
    return Odd()


def test_layers_of_every_sort(odd: Odd) -> None:
    profile = profile_model(ModelConfig(), (4, 12, 20), 5)
    assert profile.num_params == sum(parameter.numel() for parameter in odd.parameters())
    with FlopCounterMode(display=False) as counter:
        odd(torch.zeros(2, 4, 12, 20))
    assert counter.get_total_flops() == 2 * 2 * profile.macs
    assert [layer.name for layer in profile.layers] == ["first", "depthwise", "twice", "twice#2", "head", "never"]
    layers = {layer.name: layer for layer in profile.layers}
    first, again = layers["first"], layers["twice#2"]
    assert (first.kernel, first.stride, first.padding, first.groups) == ((1, 7), (1, 2), (0, 3), 4)
    assert (first.receptive_field, first.jump) == (7, 2)
    assert layers["depthwise"].receptive_field == 7 + 2 * 2 * 2
    assert (again.num_params, again.macs) == (0, layers["twice"].macs)
    assert (layers["never"].in_shape, layers["never"].macs, layers["never"].num_params) == ((), 0, 8)
    assert layers["head"].receptive_field is None


TORCHVISION = ("alexnet", "vgg11", "googlenet", "inception_v3", "resnet18", "resnet50")


@pytest.mark.parametrize("name", TORCHVISION)
def test_macs_are_what_torchvision_says_of_its_networks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its `_ops` are the multiply-accumulates of convolutions and dense layers in evaluation mode, in units of 1e9."""
    more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name, weights=None, **more)
    monkeypatch.setattr("cnncore.models.recorder.build_model", lambda *_: theirs)
    meta = torchvision.models.get_model_weights(name)["IMAGENET1K_V1"].meta
    size = 299 if name == "inception_v3" else 224
    assert round(profile_model(ModelConfig(), (3, size, size), 1_000, training=False).macs / 1e9, 3) == meta["_ops"]


@pytest.mark.parametrize("name", [name for name, spec in MODELS.items() if spec.torchvision])
def test_macs_are_what_torchvision_says_of_ours(name: str) -> None:
    spec = MODELS[name]
    meta = torchvision.models.get_model_weights(spec.torchvision)["IMAGENET1K_V1"].meta
    shape = (3, spec.native_size, spec.native_size)
    assert round(profile_model(ModelConfig(name=name), shape, 1_000, training=False).macs / 1e9, 3) == meta["_ops"]


def test_auxiliary_heads_rest_in_inference() -> None:
    config = ModelConfig(name="googlenet_small")
    training, inference = (profile_model(config, (3, 32, 32), 10, training=training) for training in (True, False))
    assert training.num_params == inference.num_params
    rest = [layer for layer in inference.layers if not layer.in_shape]
    assert {layer.name.partition(".")[0] for layer in rest} == {"aux4a", "aux4d"}
    assert training.macs - inference.macs == sum(
        layer.macs for layer in training.layers if layer.name.startswith("aux")
    )


@pytest.mark.parametrize("by", ["stage", "block", "kind"])
def test_totals_add_up(by: str) -> None:
    profile = profile_model(ModelConfig(name="resnet20"), (3, 32, 32), 10)
    sums = profile.totals(by)
    for name in ("num_params", "macs", "activations"):
        assert sum(each[name] for each in sums.values()) == getattr(profile, name)
    names = {"stage": "stage2", "block": "stage2.block3", "kind": "convolution"}
    assert names[by] in sums
    assert all(each["flops"] == 2 * each["macs"] for each in sums.values())


def test_files_leave_out_what_follows() -> None:
    for layer in profile_model(ModelConfig(name="resnet20"), (3, 32, 32), 10).to_dict()["layers"]:
        small = compact(layer)
        assert "num_params" not in small
        assert complete(small) == layer


def test_kept_bytes_of_a_batch() -> None:
    profile = profile_model(ModelConfig(name="cnn3"), (1, 28, 28), 10)
    pool = next(layer for layer in profile.layers if layer.name == "conv2.pool")
    assert pool.kept_bytes(8, 2) == 8 * (2 * pool.activations + 8 * pool.indices)
