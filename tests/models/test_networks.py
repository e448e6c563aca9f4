"""Every network of the catalog: sizes, options, training, precision."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, partial
from subprocess import run

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor, nn

from cnncore.arithmetic import conv_params, dense_params
from cnncore.catalog import MODELS
from cnncore.config import ModelConfig
from cnncore.errors import ConfigError
from cnncore.models import build_model, resolve
from tests.models.members import LEARNING_RATES, NAMES, TRACED, TRAINED, training_width

SHAPES = ((1, 28, 28), (3, 32, 32), (3, 64, 64))


def published(name: str, **options: object) -> nn.Module:
    """The network at the size its row declares."""
    spec = MODELS[name]
    shape = (spec.in_channels, spec.native_size, spec.native_size)
    return build_model(ModelConfig.model_validate({"name": name, **options}), shape, spec.num_classes)


def modest_shape(name: str) -> tuple[int, int, int]:
    """Of images at the native size where that is small, else of 32 pixels a side."""
    side = MODELS[name].native_size
    side = side if side <= 64 else 32
    return MODELS[name].in_channels, side, side


def lively(name: str) -> dict[str, object]:
    """Kaiming's weights where the published deviation is 0.01: windows of small images make almost nothing of it."""
    return {"init": "kaiming"} if MODELS[name].defaults.get("init") == "normal" else {}


def narrow(name: str, width: float, **options: object) -> ModelConfig:
    """The network with that width, where it has one to be set, and with other options."""
    settings = {} if "width" in MODELS[name].refusals else {"width": width}
    return ModelConfig.model_validate({"name": name, **settings, **options})


def images(shape: tuple[int, int, int], count: int = 2, seed: int = 0) -> Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed))


def num_params(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def outputs(model: Callable[[Tensor], Tensor | tuple[Tensor, ...]], batch: Tensor) -> tuple[Tensor, ...]:
    result = model(batch)
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", MODELS)
def test_declared_parameters(name: str) -> None:
    with torch.device("meta"):
        assert num_params(published(name)) == MODELS[name].num_params


def test_published_parameters() -> None:
    counts = {name: MODELS[name].num_params for name in ("lenet_tutorial", "lenet5", "cnn3", "resnet20")}
    assert counts == {"lenet_tutorial": 431_080, "lenet5": 60_850, "cnn3": 123_222, "resnet20": 269_722}


def test_lenet5_is_the_one_of_1998() -> None:
    model = build_model(ModelConfig(name="lenet5"), (1, 28, 28), 10)
    layers = {name: num_params(model.get_submodule(name)) for name in ("c1", "s2", "c3", "s4", "c5", "f6")}
    assert layers == {"c1": 156, "s2": 12, "c3": 1_516, "s4": 32, "c5": 48_120, "f6": 10_164}


def test_lenet5_connects_its_third_layer_partly() -> None:
    c3 = build_model(ModelConfig(name="lenet5"), (1, 28, 28), 10).get_submodule("c3.conv")
    reached = []
    for channel in range(6):
        maps = torch.zeros(1, 6, 14, 14)
        maps[0, channel] = 1
        changed = (c3(maps) - c3(torch.zeros_like(maps))).abs().amax(dim=(0, 2, 3)) > 0
        reached.append("".join("X" if one else "." for one in changed))
    assert reached == [  # Table I of the paper
        "X...XXX..XXXX.XX",
        "XX...XXX..XXXX.X",
        "XXX...XXX..X.XXX",
        ".XXX..XXXX..X.XX",
        "..XXX..XXXX.XX.X",
        "...XXX..XXXX.XXX",
    ]


def test_resnet20_by_hand() -> None:
    def convolution(inputs: int, filters: int) -> int:
        return conv_params(inputs, filters, 3, bias=False) + 2 * filters

    count = convolution(3, 16) + 6 * convolution(16, 16)
    count += convolution(16, 32) + 5 * convolution(32, 32)
    count += convolution(32, 64) + 5 * convolution(64, 64) + dense_params(64, 10)
    assert num_params(published("resnet20")) == count


def test_vgg_has_the_convolutions_of_the_reference_implementation() -> None:
    from torchvision.models import vgg11

    with torch.device("meta"):
        reference = [tuple(p.shape) for p in vgg11(weights=None).features.parameters()]
    model = published("vgg11_small")
    stages = [tuple(p.shape) for number in range(1, 6) for p in model.get_submodule(f"stage{number}").parameters()]
    assert stages == reference


def test_googlenet_has_the_channels_of_the_paper() -> None:
    model = published("googlenet_small")
    assert [model.get_submodule(f"inception{name}").out_channels for name in ("3a", "3b", "4a", "4d", "5b")] == [
        256, 480, 512, 528, 1_024,
    ]  # fmt: skip
    five = model.get_submodule("inception3a.branch5.conv.conv")
    assert isinstance(five, nn.Conv2d)
    assert five.kernel_size == (5, 5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_forward_and_backward(name: str, shape: tuple[int, int, int]) -> None:
    model = build_model(narrow(name, 0.5), shape, 7).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        results = outputs(model, images(shape).contiguous(memory_format=torch.channels_last))
    heads = [layer for layer, _ in model.named_children() if layer.startswith("aux")]
    assert len(results) == 1 + len(heads)
    assert bool(heads) == bool(MODELS[name].aux_weight)
    assert all(result.shape == (2, 7) and result.isfinite().all() for result in results)
    torch.stack([result.float() for result in results]).pow(2).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in model.parameters())
    logits = model.eval()(images(shape))
    assert isinstance(logits, Tensor)
    assert logits.shape == (2, 7)


@pytest.mark.parametrize("name", NAMES)
def test_smallest_and_large_images(name: str) -> None:
    size = MODELS[name].min_size
    for shape in ((1, size, size), (3, size + 3, size), (3, 96, 129)):
        model = build_model(narrow(name, 0.125), shape, 2).eval()
        with torch.no_grad():
            assert model(images(shape)).shape == (2, 2)


@pytest.mark.parametrize("name", NAMES)
def test_too_small_images_are_refused(name: str) -> None:
    size = MODELS[name].min_size - 1
    with pytest.raises(ConfigError, match="needs images of at least"):
        build_model(ModelConfig(name=name), (1, size, size), 10)


@pytest.mark.parametrize("name", NAMES)
def test_runs_in_bf16_throughout(name: str) -> None:
    shape = modest_shape(name)
    config = narrow(name, training_width(name))
    model = build_model(config, shape, 10).to(memory_format=torch.channels_last).bfloat16()
    for result in outputs(model, images(shape).bfloat16()):
        assert result.dtype == torch.bfloat16
        assert result.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_taps_hold_what_the_next_layer_receives(name: str) -> None:
    spec, shape = MODELS[name], modest_shape(name)
    model = build_model(narrow(name, training_width(name)), shape, 10)
    seen: dict[str, tuple[Tensor, Tensor]] = {}

    def note(tap: str, _layer: nn.Module, _inputs: object, output: Tensor) -> None:
        seen[tap] = (output, output.detach().clone())

    for tap in spec.taps:
        model.get_submodule(tap).register_forward_hook(partial(note, tap))
    model(images(shape))
    assert tuple(seen) == spec.taps
    assert all(torch.equal(kept, first) for kept, first in seen.values())


OPTION_VALUES = [
    (name, option, value)
    for name, spec in ((name, MODELS[name]) for name in NAMES)
    for option, values in {**spec.choices, **({"dropout": (0.3,)} if "dropout" in spec.defaults else {})}.items()
    for value in values
    if value != spec.defaults[option] and option != "stem"
]


@cache
def logits_with(name: str, *options: tuple[str, object]) -> Tensor:
    """What a narrow network says with these options, of images of 28 pixels; the same images and weights each time."""
    shape = (MODELS[name].in_channels, 28, 28)
    model = build_model(narrow(name, 0.25, **dict(options)), shape, 10)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        return outputs(model, images(shape))[0]


@pytest.mark.parametrize(("name", "option", "value"), OPTION_VALUES)
def test_an_option_changes_the_network(name: str, option: str, value: object) -> None:
    # AlexNet's first weights are so small beside its biases of 1 that all activations give nearly the same.
    start = () if option == "init" or "init" not in MODELS[name].defaults else (("init", "kaiming"),)
    before, after = logits_with(name, *start), logits_with(name, *start, (option, value))
    assert after.isfinite().all()
    assert not torch.allclose(before, after, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in NAMES if "width" not in MODELS[name].refusals])
def test_width_scales_every_layer(name: str) -> None:
    with torch.device("meta"):
        half, whole, twice = (num_params(published(name, width=width)) for width in (0.5, 1, 2))
    assert half < 0.5 * whole < 0.25 * twice


def test_impossible_options_are_refused_with_the_reason() -> None:
    with pytest.raises(ConfigError, match="no pooling but the average"):
        resolve(ModelConfig(name="resnet20", pool="max"))
    with pytest.raises(ConfigError, match="There is no network named"):
        build_model(ModelConfig(name="lenet6"), (1, 28, 28), 10)


def test_resolve_keeps_what_the_source_has() -> None:
    options = resolve(ModelConfig(name="lenet5", dropout=0.25))
    assert (options.activation, options.pool, options.dropout) == ("tanh", "subsample", 0.25)
    assert resolve(ModelConfig(name="resnet20")).pool is None


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "tanh", "sigmoid"])
def test_pooling_before_the_activation_changes_nothing(activation: str) -> None:
    model = build_model(ModelConfig.model_validate({"name": "cnn3", "activation": activation}), (1, 28, 28), 10)
    block = model.get_submodule("conv2")
    maps = images((16, 12, 12))
    conv, pool, act = (block.get_submodule(name) for name in ("conv", "pool", "activation"))
    torch.testing.assert_close(block(maps), pool(act(conv(maps))))


def test_local_response_normalization_is_the_usual_one() -> None:
    from cnncore.models.blocks import LocalResponseNorm

    maps = 30 * images((7, 4, 4))
    expected = F.local_response_norm(maps, size=5, alpha=5e-4, beta=0.75, k=2)
    torch.testing.assert_close(LocalResponseNorm(7)(maps), expected)


@pytest.mark.parametrize("name", NAMES)
def test_input_size_resizes_inside_the_network(name: str) -> None:
    spec = MODELS[name]
    width = training_width(name)
    model = build_model(narrow(name, width, input_size=32), (1, 20, 24), 10).eval()
    plain = build_model(narrow(name, width), (1, 32, 32), 10).eval()
    batch = images((1, 20, 24))
    resized = F.interpolate(batch, (32, 32), mode="bilinear", antialias=True)
    with torch.no_grad():
        torch.testing.assert_close(model(batch), plain(resized))
        assert model(batch.bfloat16().float()).shape == (2, 10)
    assert all(model.get_submodule(tap) is not None for tap in spec.taps)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_weights_and_the_global_state_untouched(name: str) -> None:
    before = torch.get_rng_state()
    shape = (1, 28, 28)
    config = narrow(name, training_width(name))
    first, second, other = (build_model(config, shape, 10, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(next(first.parameters()), next(other.parameters()))


@pytest.mark.parametrize(
    ("init", "deviation"),
    [("kaiming", (2 / 200) ** 0.5), ("glorot", (2 / 700) ** 0.5), ("lecun", (1 / 200) ** 0.5), ("normal", 0.01)],
)
def test_initializations(init: str, deviation: float) -> None:
    from cnncore.models.blocks import initialize

    layer = nn.Linear(200, 500)
    initialize(layer, init)
    assert layer.weight.std().item() == pytest.approx(deviation, rel=0.02)
    assert not layer.bias.any()


def test_alexnets_bias_rule() -> None:
    model = published("alexnet_small", init="normal")
    ones = [name.split(".")[0] for name, values in model.named_parameters() if name.endswith("bias") and values.all()]
    assert ones == ["conv2", "conv4", "conv5", "fc1", "fc2"]


@pytest.mark.parametrize("name", TRAINED)
def test_overfits_sixteen_images(name: str) -> None:
    torch.manual_seed(0)
    # Network in Network averages over positions: with fewer of them it needs fewer steps.
    shape = (1, 16, 16) if name == "nin" else (1, 28, 28)
    plain = {"dropout": 0.0} if "dropout" in MODELS[name].defaults else {}
    config = narrow(name, training_width(name), **lively(name), **plain)
    model = build_model(config, shape, 10).to(memory_format=torch.channels_last)
    batch, labels = images(shape, 16), torch.arange(16) % 10
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATES.get(name, 2e-3))
    lowest = float("inf")
    for _ in range(120):
        optimizer.zero_grad()
        loss = F.cross_entropy(outputs(model, batch)[0], labels)
        loss.backward()
        optimizer.step()
        lowest = min(lowest, loss.item())
        if lowest < 0.05:
            break
    assert lowest < 0.05


@pytest.mark.parametrize("name", TRACED)
def test_traces_without_graph_breaks(name: str) -> None:
    shape = (1, 28, 28)
    model = build_model(narrow(name, training_width(name)), shape, 10)
    torch.compiler.reset()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        expected = outputs(model, images(shape))[0]
        torch.manual_seed(0)
        torch.testing.assert_close(outputs(compiled, images(shape))[0], expected)


def test_networks_written_here_need_no_slow_imports() -> None:
    code = "import sys, cnncore.models as m; from cnncore.config import ModelConfig as C\n"
    code += "[m.build_model(C(name=name), (1, 28, 28), 10) for name in ('nin', 'googlenet', 'resnet20')]\n"
    code += "sys.exit(', '.join({'torchvision', 'timm', 'torch._dynamo'} & sys.modules.keys()) or 0)"
    found = run([sys.executable, "-c", code], check=False, timeout=60, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")
