"""Where weights are found, without reading them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnncore.catalog import BACKBONES, backbones_at_hand, weights_file
from cnncore.errors import ConfigError


def make(path: Path, num_bytes: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(num_bytes)
    return path


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    return tmp_path


def test_the_default_comes_with_a_package(tmp_path: Path) -> None:
    found = weights_file("efficientnet_lite0", tmp_path)
    assert found is not None
    assert found.parent.name == "models"
    assert backbones_at_hand(tmp_path) == ("efficientnet_lite0",)


def test_the_data_folder_comes_first_then_torchs_cache(tmp_path: Path) -> None:
    file = BACKBONES["resnet18"].file
    cached = make(tmp_path / "torch/hub/checkpoints" / file.name, file.num_bytes + 100)
    assert weights_file("resnet18", tmp_path) == cached
    own = make(tmp_path / "weights" / file.name, file.num_bytes)
    assert weights_file("resnet18", tmp_path) == own
    assert backbones_at_hand(tmp_path) == ("efficientnet_lite0", "resnet18")


def test_another_name_of_the_same_weights(tmp_path: Path) -> None:
    path = make(tmp_path / "weights/squeezenet1_1-in1k-fp16.pth", 2_496_231)
    assert weights_file("squeezenet1_1", tmp_path) == path


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_timms_cache(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "hf/hub/models--timm--inception_resnet_v2.tf_in1k"
    blob = make(folder / "blobs/dbea", 223_900_000)
    make(folder / "snapshots/8985/config.json", 600)
    (folder / "snapshots/8985" / name).symlink_to(blob)
    assert weights_file("inception_resnet_v2", tmp_path) == folder / "snapshots/8985" / name


def test_a_part_of_a_file_is_none(tmp_path: Path) -> None:
    file = BACKBONES["resnet18"].file
    make(tmp_path / "weights" / file.name, file.num_bytes // 2)
    make(tmp_path / "weights" / f".{file.name}.part", file.num_bytes)
    assert weights_file("resnet18", tmp_path) is None


def test_an_unknown_backbone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="resnet19"):
        weights_file("resnet19", tmp_path)
