"""Weights of others in our networks: every way to name layers, and files of other networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
import torchvision
from safetensors.torch import save_file
from torch import Tensor

from cnncore.catalog import MODELS
from cnncore.config import ModelConfig
from cnncore.errors import WeightsError
from cnncore.models import build_model
from cnncore.models.names import torchvision_layers
from cnncore.models.resnet import Shortcut, zeros_behind
from cnncore.models.weights import Fitted, fit_weights
from cnncore.models.weights_file import WeightsFile, read_weights
from tests.models.members import NAMES
from tests.models.renaming import SPELLINGS, cifar_names, zeros_on_both_sides

NAMED = [name for name in NAMES if MODELS[name].torchvision]
HAS_B = "shortcut" in MODELS["resnet20"].defaults
RESNET20 = ModelConfig(name="resnet20")


def weights(config: ModelConfig = RESNET20, num_classes: int = 10, channels: int = 3) -> dict[str, Tensor]:
    return build_model(config, (channels, 32, 32), num_classes, seed=1).state_dict()


def file(tensors: Mapping[str, Tensor], *, ordered: bool = True) -> WeightsFile:
    return WeightsFile(label="a.pth", tensors=tensors, ordered=ordered)


def fit(
    tensors: Mapping[str, Tensor], config: ModelConfig = RESNET20, num_classes: int | None = None, **more: Any
) -> Fitted:
    return fit_weights(file(tensors), config, (3, 32, 32), num_classes, **more)


def assert_equal(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


def test_our_own_names() -> None:
    fitted = fit(weights())
    assert (fitted.scheme, fitted.num_classes, fitted.num_tensors, fitted.notes) == ("own", 10, len(weights()), ())
    assert_equal(fitted.state, weights())


@pytest.mark.parametrize("wrapper", ["", "module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_cifar_names(spelling: str, wrapper: str) -> None:
    config = RESNET20 if spelling == "akamaster" or not HAS_B else ModelConfig(name="resnet20", shortcut="B")
    named = cifar_names(weights(config, 100), spelling)
    fitted = fit({f"{wrapper}{name}": value for name, value in named.items()}, config)
    assert (fitted.scheme, fitted.num_classes) == ("cifar", 100)
    assert_equal(fitted.state, weights(config, 100))
    assert any("before all names" in note for note in fitted.notes) == bool(wrapper)
    assert any("both sides" in note for note in fitted.notes) == (spelling == "akamaster")


def test_zeros_on_both_sides_of_the_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network whose shortcuts pad on both sides, as akamaster's do, computes what ours does with its weights."""
    ours, theirs = (build_model(RESNET20, (3, 32, 32), 10, seed=1).eval() for _ in range(2))
    ours.load_state_dict(zeros_behind(theirs.state_dict()))
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        found = ours(images)

        def pad(self: Shortcut, x: Tensor) -> Tensor:
            half = self.extra_channels // 2
            return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, half))

        monkeypatch.setattr(Shortcut, "forward", pad)
        torch.testing.assert_close(found, theirs(images))
    assert_equal(zeros_behind(zeros_on_both_sides(weights())), weights())


def test_cifar_names_of_the_wider_networks() -> None:
    config = ModelConfig(name="resnet18", width=0.125)
    fitted = fit(cifar_names(weights(config), "kuangliu"), config)
    assert (fitted.scheme, fitted.num_classes) == ("cifar", 10)
    assert_equal(fitted.state, weights(config))


def test_timms_vgg_has_convolutions_for_its_dense_layers() -> None:
    config = ModelConfig(name="vgg11", width=0.125)
    ours = build_model(config, (3, 224, 224), 10, seed=1).state_dict()
    names = torchvision_layers("vgg11")
    theirs = {f"{names[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": value for name, value in ours.items()}
    for index, layer in ((0, "pre_logits.fc1"), (3, "pre_logits.fc2"), (6, "head.fc")):
        theirs[f"{layer}.bias"] = theirs.pop(f"classifier.{index}.bias")
        value = theirs.pop(f"classifier.{index}.weight")
        kernel = {0: 7, 3: 1}.get(index)
        theirs[f"{layer}.weight"] = value if kernel is None else value.view(len(value), -1, kernel, kernel)
    fitted = fit_weights(file(theirs), config, (3, 224, 224))
    assert (fitted.scheme, fitted.num_classes) == ("timm", 10)
    assert "reshaped" in fitted.notes[0]
    assert_equal(fitted.state, ours)


@pytest.mark.parametrize("name", NAMED)
def test_torchvisions_names(name: str) -> None:
    spec = MODELS[name]
    theirs = torchvision.models.get_model(spec.torchvision, weights=None, num_classes=7).state_dict()
    side = spec.native_size
    fitted = fit_weights(file(theirs), ModelConfig(name=name), (3, side, side))
    assert (fitted.scheme, fitted.num_classes) == ("torchvision", 7)
    found, expected = (sum(float(value.sum()) for value in each.values()) for each in (fitted.state, theirs))
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("ordered", [True, False])
def test_unknown_names_go_by_order_and_shape(tmp_path: Path, ordered: bool) -> None:
    strange = {
        f"part{index}.{name.rpartition('.')[2]}": value
        for index, (name, value) in enumerate(weights(num_classes=12).items())
        if not name.endswith("num_batches_tracked")
    }
    path = tmp_path / "strange.pth"
    torch.save(strange, path) if ordered else save_file(strange, path)
    fitted = fit_weights(read_weights(path), RESNET20, (3, 32, 32))
    assert (fitted.scheme, fitted.num_classes) == ("order", 12)
    assert "order and shape" in " ".join(fitted.notes)
    assert_equal(fitted.state, weights(num_classes=12))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_converted(kind: torch.dtype) -> None:
    tensors = {name: value.to(kind) if value.is_floating_point() else value for name, value in weights().items()}
    fitted = fit(tensors)
    assert all(value.dtype in (torch.float32, torch.int64) for value in fitted.state.values())
    assert torch.equal(fitted.state["output.weight"], weights()["output.weight"].to(kind).float())
    assert fitted.notes == (f"Converted from {str(kind)[6:]} to float32.",)


def test_values_that_are_no_numbers() -> None:
    tensors = weights()
    tensors["stem.conv.weight"][0, 0, 0, :2] = torch.nan
    with pytest.raises(WeightsError, match=r"stem.conv.weight .* 2 values .*NaN"):
        fit(tensors)
    with pytest.raises(WeightsError, match="type int8"):
        fit({**weights(), "output.weight": torch.zeros(10, 64, dtype=torch.int8)})


def test_a_tensor_of_a_trillion_zeros_in_a_few_bytes(tmp_path: Path) -> None:
    torch.save({**weights(), "stem.conv.weight": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="1000000×1000000 in the file and 16×3×3×3 in the network"):
        fit_weights(read_weights(tmp_path / "a.pth"), RESNET20, (3, 32, 32))


def test_the_last_layer() -> None:
    headless = {name: value for name, value in weights().items() if not name.startswith("output")}
    fitted = fit(headless, num_classes=5)
    assert "no last layer" in fitted.notes[-1]
    assert fitted.state["output.weight"].shape == (5, 64)
    with pytest.raises(WeightsError, match="knows 10 classes, the images have 5"):
        fit(weights(), num_classes=5)
    fitted = fit(weights(), num_classes=5, new_classifier=True, seed=3)
    assert "it had 10 classes, now there are 5" in fitted.notes[-1]
    assert torch.equal(fitted.state["stage3.block3.conv2.conv.weight"], weights()["stage3.block3.conv2.conv.weight"])
    fresh = build_model(RESNET20, (3, 32, 32), 5, seed=3).state_dict()
    assert torch.equal(fitted.state["output.weight"], fresh["output.weight"])


def test_fixed_bitmaps_are_no_missing_last_layer() -> None:
    config = ModelConfig(name="lenet5", output="rbf")
    fitted = fit(weights(config), config)
    assert (fitted.num_classes, fitted.notes) == (10, ())


def test_auxiliary_heads_may_be_missing_and_counters() -> None:
    config = ModelConfig(name="googlenet_small", norm="batch")
    tensors = {
        name: value
        for name, value in weights(config).items()
        if not name.startswith("aux") and "num_batches" not in name
    }
    fitted = fit(tensors, config)
    assert fitted.scheme == "own"
    assert "auxiliary heads" in fitted.notes[0]
    assert list(fitted.state) == list(weights(config))


def test_the_first_layer_that_differs_is_named() -> None:
    other = cifar_names(weights(ModelConfig(name="resnet20", width=2)), "akamaster")
    with pytest.raises(WeightsError, match=r"stem.conv.weight \(conv1.weight in the file\), which is 32×3×3×3 in the"):
        fit(other)
    with pytest.raises(WeightsError, match="for images with 1 channels, these have 3"):
        fit(cifar_names(weights(channels=1), "akamaster"))
    # SqueezeNet 1.1 begins so.
    squeeze = {"features.0.weight": torch.zeros(64, 3, 3, 3), "features.0.bias": torch.zeros(64)}
    with pytest.raises(WeightsError, match="64×3×3×3 in the file and 16×3×3×3 in the network"):
        fit(squeeze)
    with pytest.raises(WeightsError, match=r"ends before stem.norm.weight \(16\)"):
        fit({"a.weight": weights()["stem.conv.weight"]})


def test_a_deeper_network_is_not_taken_for_a_smaller_one() -> None:
    named = cifar_names(weights(), "akamaster")
    deeper = {**named, "layer3.3.conv1.weight": torch.zeros(64, 64, 3, 3)}
    with pytest.raises(WeightsError, match=r"no place for layer3.3.conv1.weight"):
        fit(deeper)
    lacking = {name: value for name, value in named.items() if not name.startswith("layer2.1.")}
    with pytest.raises(WeightsError, match=r"lacks stage2.block2.conv1.conv.weight"):
        fit(lacking)


def test_the_network_it_is_of_is_suggested() -> None:
    with pytest.raises(WeightsError, match="as many parameters as resnet20"):
        fit(cifar_names(weights(), "akamaster"), ModelConfig(name="vgg11_small"))
