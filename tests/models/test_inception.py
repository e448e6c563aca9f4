"""GoogLeNet, its successors and timm's networks: the papers' tables, counts, heads, stems for small images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from cnncore.arithmetic import conv_params, dense_params, receptive_field
from cnncore.catalog import MODELS
from cnncore.config import ModelConfig
from cnncore.errors import ConfigError
from cnncore.models import build_model, names
from cnncore.models.googlenet import INCEPTION, Form, Inception
from cnncore.models.options import resolve

TIMM = ("inception_resnet_v2", "xception", "efficientnet_lite0")
OURS = ("googlenet", "googlenet_torchvision", "inception_bn", "inception_v2", "inception_v3")
HEADED = ("googlenet", "googlenet_torchvision", "googlenet_small", "inception_v2", "inception_v3")


def build(name: str, side: int | None = None, classes: int | None = None, **options: object) -> nn.Module:
    """The network for color images of `side` pixels; at its native size for its own classes if not given."""
    spec = MODELS[name]
    side = side or spec.native_size
    return build_model(
        ModelConfig.model_validate({"name": name, **options}), (3, side, side), classes or spec.num_classes
    )


def drawn(name: str, side: int | None = None, **options: object) -> nn.Module:
    """The same without numbers."""
    with torch.device("meta"):
        return build(name, side, None, **options)


def shapes(model: nn.Module, side: int) -> dict[str, tuple[int, ...]]:
    """Shapes of one image after each stage."""
    found: dict[str, tuple[int, ...]] = {}

    def note(name: str) -> Any:
        return lambda _layer, _inputs, output: found.update({name: tuple(output.shape[1:])})

    for name, layer in model.named_children():
        layer.register_forward_hook(note(name))
    model(torch.empty(2, 3, side, side, device="meta"))
    return found


def num_params(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def without_heads(model: nn.Module) -> int:
    return sum(values.numel() for name, values in model.named_parameters() if not name.startswith("aux"))


def gmacs(model: nn.Module, *shape: int) -> float:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.empty(1, *shape, device="meta"))
    return counter.get_total_flops() / 2e9


GOOGLENET_TABLE = {
    "stem": (192, 28), "inception3a": (256, 28), "inception3b": (480, 28), "pool3b": (480, 14),
    "inception4a": (512, 14), "inception4b": (512, 14), "inception4c": (512, 14), "inception4d": (528, 14),
    "inception4e": (832, 14), "pool4e": (832, 7), "inception5a": (832, 7), "inception5b": (1_024, 7),
}  # fmt: skip
TABLES: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "googlenet": GOOGLENET_TABLE,  # Table 1
    "googlenet_torchvision": GOOGLENET_TABLE,
    "inception_bn": {  # Figure 5
        "stem": (192, 28), "inception3a": (256, 28), "inception3b": (320, 28), "inception3c": (576, 14),
        "inception4a": (576, 14), "inception4b": (576, 14), "inception4c": (576, 14), "inception4d": (576, 14),
        "inception4e": (1_024, 7), "inception5a": (1_024, 7), "inception5b": (1_024, 7),
    },
    "inception_v2": {  # Table 1 has what each row receives.
        "stem": (288, 35), **{f"inception5{letter}": (288, 35) for letter in "bcd"},
        **{f"inception6{letter}": (768, 17) for letter in "abcde"},
        "inception7a": (1_280, 8), "inception7b": (2_048, 8), "inception7c": (2_048, 8),
    },
    "inception_v3": {
        "stem": (192, 35), "inception5b": (256, 35), "inception5c": (288, 35), "inception5d": (288, 35),
        **{f"inception6{letter}": (768, 17) for letter in "abcde"},
        "inception7a": (1_280, 8), "inception7b": (2_048, 8), "inception7c": (2_048, 8),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_channels_and_sizes_of_the_papers_tables(name: str) -> None:
    found = shapes(drawn(name), MODELS[name].native_size)
    maps = {stage: shape for stage, shape in found.items() if len(shape) == 3 and stage != "average"}
    assert maps == {stage: (channels, side, side) for stage, (channels, side) in TABLES[name].items()}


def test_stem_of_inception_v2_is_table_1() -> None:
    stem = drawn("inception_v2").get_submodule("stem")
    assert [shape[1:] for shape in shapes(stem, 299).values()] == [
        (side, side) for side in (149, 147, 147, 73, 71, 35, 35)
    ]
    assert [shape[0] for shape in shapes(stem, 299).values()] == [32, 32, 64, 64, 80, 192, 288]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("googlenet", 6_998_552),
        ("googlenet_torchvision", 6_624_904),
        ("inception_v2", 24_078_536),  # the paper: fewer than 25 million
        ("inception_v3", 23_834_568),
    ],
)
def test_counts_without_auxiliary_heads(name: str, count: int) -> None:
    model = drawn(name)
    assert without_heads(model) == count
    assert num_params(drawn(name, aux="off")) == count
    assert num_params(model) == MODELS[name].num_params


def test_keras_counts_statistics_as_parameters() -> None:
    def keras(name: str) -> int:
        model = drawn(name)
        norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
        return num_params(model) + sum(2 * norm.num_features for norm in norms)

    assert keras("xception") == 22_910_480
    # Keras's batch normalization has no scales here: one number less for each of 30,272 maps.
    assert keras("inception_resnet_v2") - 60_544 // 2 == 55_873_736


def test_how_many_times_fewer_parameters_than_alexnet() -> None:
    alexnet = conv_params(3, 96, 11) + conv_params(96, 256, 5, groups=2) + conv_params(256, 384, 3)
    alexnet += conv_params(384, 384, 3, groups=2) + conv_params(384, 256, 3, groups=2)
    alexnet += dense_params(9_216, 4_096) + dense_params(4_096, 4_096) + dense_params(4_096, 1_000)
    said = MODELS["googlenet"].cautions[0]
    model = drawn("googlenet")
    for number in (f"{alexnet:,}", f"{alexnet / without_heads(model):.1f} times", f"{alexnet / num_params(model):.1f}"):
        assert number in said


def test_costs_the_papers_report() -> None:
    """Billions of multiply-accumulates: 2.0 for BN-Inception in Rethinking, Table 3; torchvision's count of v3."""
    costs = {name: gmacs(drawn(name), 3, side, side) for name, side in (("inception_bn", 224), ("inception_v3", 299))}
    assert {name: round(cost, 1) for name, cost in costs.items()} == {"inception_bn": 1.9, "inception_v3": 5.7}


class Depth(TorchFunctionMode):
    """Counts convolutions and dense layers on the longest way to each tensor; depthwise ones belong to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.depths: dict[int, int] = {}
        self.alive: list[object] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            flat = [item for arg in args for item in (arg if isinstance(arg, (list, tuple)) else (arg,))]
            depth = max((self.depths.get(id(item), 0) for item in flat), default=0)
            weighted = func is nn.functional.linear or (func is torch.conv2d and args[6] == 1)
            self.alive.append(result)
            self.depths[id(result)] = depth + weighted
        return result


@pytest.mark.parametrize("name", [*OURS, "googlenet_small", *TIMM])
def test_depth_is_the_longest_way(name: str) -> None:
    # Local response normalization runs as a convolution.
    model = drawn(name, norm="none" if MODELS[name].defaults["norm"] == "lrn" else None).eval()
    side = MODELS[name].native_size
    with torch.no_grad(), Depth() as counter:
        logits = model(torch.empty(1, 3, side, side, device="meta"))
    assert counter.depths[id(logits)] == MODELS[name].depth


def test_two_stacked_3x3_see_what_one_5x5_sees() -> None:
    assert receptive_field([(3, 1), (3, 1)]) == receptive_field([(5, 1)])
    assert 1 - 2 * conv_params(8, 8, 3, bias=False) / conv_params(8, 8, 5, bias=False) == pytest.approx(0.28)
    seen = {}
    for name, branch in (("googlenet", "branch5"), ("inception_bn", "branch3x3dbl"), ("inception_v2", "branch3x3dbl")):
        module = "inception5b" if name == "inception_v2" else "inception3a"
        layer = build(name, 64, 2, width=0.125, activation="tanh").get_submodule(f"{module}.{branch}").eval()
        first = next(one for one in layer.modules() if isinstance(one, nn.Conv2d))
        maps = torch.zeros(1, first.in_channels, 9, 9, requires_grad=True)
        layer(maps)[0, :, 4, 4].sum().backward()
        assert maps.grad is not None
        seen[name] = [index.unique().tolist() for index in maps.grad.abs().sum(dim=(0, 1)).nonzero(as_tuple=True)]
    assert seen == dict.fromkeys(seen, [[2, 3, 4, 5, 6]] * 2)


def test_factorized_7x7_saves_five_sevenths() -> None:
    branch = drawn("inception_v3", 32).get_submodule("inception6c.branch7x7dbl")
    layers = [layer for layer in branch.modules() if isinstance(layer, nn.Conv2d)]
    assert [layer.kernel_size for layer in layers] == [(1, 1), (7, 1), (1, 7), (7, 1), (1, 7)]
    pair = sum(layer.weight.numel() for layer in layers[1:3])
    assert pair / conv_params(160, 160, 7, bias=False) == pytest.approx(2 / 7)


def test_naive_modules_grow_and_cost_more() -> None:
    reduced, naive = drawn("googlenet"), drawn("googlenet", module="naive")
    channels = [shape[0] for stage, shape in shapes(naive, 224).items() if stage.startswith("inception")]
    for filters, before, after in zip(INCEPTION.values(), [192, *channels], channels, strict=False):
        one, _, three, _, five, _ = filters
        assert after == one + three + five + before
    assert gmacs(naive, 3, 224, 224) > 4 * gmacs(reduced, 3, 224, 224)
    assert without_heads(naive) > 3 * without_heads(reduced)


def test_one_naive_module_by_hand() -> None:
    options = resolve(ModelConfig(name="googlenet", module="naive"))
    with torch.device("meta"):
        module = Inception(options, Form(), 192, INCEPTION["3a"])
    count = conv_params(192, 64, 1) + conv_params(192, 128, 3) + conv_params(192, 32, 5)
    assert (num_params(module), module.out_channels) == (count, 64 + 128 + 32 + 192)


@pytest.mark.parametrize("name", HEADED)
def test_auxiliary_heads_answer_while_training_only(name: str) -> None:
    images = torch.zeros(2, 3, 32, 32)
    model = build(name, 32, 5, width=0.125)
    heads = 1 if name in ("inception_v2", "inception_v3") else 2
    assert [tuple(logits.shape) for logits in model(images)] == [(2, 5)] * (1 + heads)
    assert isinstance(model.eval()(images), Tensor)
    off = build(name, 32, 5, width=0.125, aux="off")
    assert isinstance(off(images), Tensor)
    rest = {name for name in model.state_dict() if not name.startswith("aux")}
    assert off.state_dict().keys() == rest


def test_heads_average_as_published_where_the_size_allows() -> None:
    windows = {side: type(drawn("googlenet", side).get_submodule("aux4d.shrink")) for side in (32, 192, 224, 300)}
    assert windows == {
        32: nn.AdaptiveAvgPool2d, 192: nn.AdaptiveAvgPool2d, 224: nn.AvgPool2d, 300: nn.AdaptiveAvgPool2d
    }  # fmt: skip
    assert isinstance(drawn("inception_v3").get_submodule("aux6e.shrink"), nn.AvgPool2d)
    assert isinstance(drawn("inception_v3", 32).get_submodule("aux6e.shrink"), nn.AdaptiveAvgPool2d)


@pytest.mark.parametrize(
    ("name", "pairs", "shape"),
    [
        ("googlenet_torchvision", {"aux4a": "aux1", "aux4d": "aux2"}, (14, 14)),
        ("inception_v3", {"aux6e": "AuxLogits"}, (17, 17)),
    ],
)
def test_auxiliary_heads_are_torchvisions(name: str, pairs: Mapping[str, str], shape: tuple[int, int]) -> None:
    from torchvision import models

    with torch.device("meta"):
        theirs = models.get_model(MODELS[name].torchvision, weights=None, num_classes=7, init_weights=False).eval()
        ours = build(name, classes=7).eval()
    mapped = names.from_torchvision(name, theirs.state_dict())
    assert {key: value.shape for key, value in mapped.items()} == {
        key: value.shape for key, value in ours.state_dict().items()
    }
    for own, other in pairs.items():
        head, reference = (
            model.get_submodule(one).to_empty(device="cpu") for model, one in ((ours, own), (theirs, other))
        )
        torch.manual_seed(0)
        for values in reference.state_dict().values():
            values.copy_(torch.rand(values.shape))
        for layer, source in names.torchvision_layers(name).items():
            if layer.startswith(f"{own}."):
                ours.get_submodule(layer).load_state_dict(theirs.get_submodule(source).state_dict())
        channels = next(one for one in head.modules() if isinstance(one, nn.Conv2d)).in_channels
        maps = torch.randn(2, channels, *shape)
        torch.testing.assert_close(head(maps), reference(maps))


def reference(name: str) -> nn.Module:
    """The network as torchvision or timm builds it, with statistics that are not those of its first day."""
    import timm
    import torchvision

    spec = MODELS[name]
    if spec.torchvision:
        model = torchvision.models.get_model(spec.torchvision, weights=None, num_classes=3, init_weights=False)
    else:
        model = timm.create_model(spec.timm, pretrained=False, num_classes=3)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return model.eval()


@pytest.mark.parametrize("name", ["googlenet_torchvision", "inception_v3", *TIMM])
def test_weights_of_the_reference_give_its_logits(name: str) -> None:
    """At the least size, which is quick; `test_torchvision` does it at the native one."""
    torch.manual_seed(0)
    spec, theirs = MODELS[name], reference(name)
    state = theirs.state_dict()
    side = spec.published_min_size
    ours = build(name, side, 3, stem="published").eval()
    # timm's layers keep their names.
    ours.load_state_dict(names.from_torchvision(name, state) if spec.torchvision else state)
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        expected, found = theirs(images), ours(images)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("name", [*OURS, *TIMM])
def test_small_stem_keeps_every_weights_shape_and_leaves_maps(name: str) -> None:
    small, published = drawn(name, 28), drawn(name)
    assert {key: value.shape for key, value in small.state_dict().items()} == {
        key: value.shape for key, value in published.state_dict().items()
    }
    *_, last, average = (shape for shape in shapes(small, 28).values() if len(shape) == 3)
    assert (last[1:], average[1:]) == ((2, 2), (1, 1))
    assert MODELS[name].small_stem


@pytest.mark.parametrize("name", ["googlenet", "googlenet_torchvision", "inception_v2", "inception_v3"])
def test_published_stem_runs_from_its_least_size(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    least = MODELS[name].published_min_size
    assert shapes(drawn(name, least, stem="published"), least)
    with pytest.raises(ConfigError, match=f"at least {least}×{least}"):
        drawn(name, least - 1, stem="published")
    monkeypatch.setattr("cnncore.models.check_size", lambda *_: None)
    with pytest.raises((ConfigError, RuntimeError)):
        shapes(drawn(name, least - 1, stem="published"), least - 1)


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("xception", {"width": 0.5}, "come as they are"),
        ("inception_resnet_v2", {"activation": "gelu"}, "come as they are"),
        ("xception", {"norm": "none"}, "come as they are"),
        ("inception_resnet_v2", {"aux": "on"}, "no auxiliary heads"),
        ("inception_bn", {"aux": "off"}, "no auxiliary heads"),
        ("inception_v3", {"pool": "max"}, "averages and which maxima"),
        ("inception_v3", {"module": "naive"}, "none of them naive"),
        ("googlenet", {"pool": "overlapping"}, "already overlap"),
    ],
)
def test_impossible_options_say_why(name: str, options: dict[str, object], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        drawn(name, 32, **options)


@pytest.mark.parametrize("name", TIMM)
def test_a_width_of_one_is_no_refusal(name: str) -> None:
    assert resolve(ModelConfig(name=name, width=1)).width == 1
