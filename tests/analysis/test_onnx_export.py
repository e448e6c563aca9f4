"""Networks as ONNX give the outputs that PyTorch gives; a file that does not is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from cnncore.analysis import onnx_export
from cnncore.analysis.onnx_export import Deployed, compare, export_onnx, to_onnx
from cnncore.catalog import MODELS
from cnncore.config import ModelConfig, TrainConfig, replace
from cnncore.errors import RunError
from cnncore.models import build_model
from cnncore.runs.artifacts import run_dir
from cnncore.runs.onnx_files import ONNX, ONNX_CARD, onnx_card
from cnncore.runs.store import Run, RunStore
from cnncore.training.api import carry_out

SMALL = ("lenet_tutorial", "lenet5", "cnn3", "alexnet_small", "vgg11_small", "googlenet_small", "resnet20")
"""One of each family: torch.export takes seconds, and minutes for the deepest networks."""
NETWORKS = tuple(MODELS) if os.environ.get("CNNLAB_ZOO") == "1" else SMALL


def small(name: str) -> tuple[ModelConfig, tuple[int, int, int]]:
    """A network as narrow and its images as small as they may be."""
    side = max(32, MODELS[name].min_size)
    return ModelConfig(name=name, width=0.25), (3, side, side)


VARIANTS: dict[str, tuple[ModelConfig, tuple[int, int, int]]] = {
    **{name: small(name) for name in NETWORKS},
    "enlarged": (ModelConfig(name="lenet5", input_size=32), (1, 28, 28)),
    "shrunk, antialiased": (ModelConfig(name="lenet_tutorial", input_size=28), (3, 61, 61)),
    "four channels": (ModelConfig(name="cnn3", norm="batch", activation="silu", width=0.25), (4, 28, 28)),
}


def settle(model: nn.Module) -> nn.Module:
    """Batch normalization with the statistics of an untrained network would let the outputs explode or vanish."""
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
            module.running_var.uniform_(0.5, 2.0, generator=generator)
    return model.eval()


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", VARIANTS)
def test_networks_agree_with_pytorch(name: str):
    config, shape = VARIANTS[name]
    torch.manual_seed(0)
    model = Deployed(settle(build_model(config, shape, 7)), [0.4] * shape[0], [0.3] * shape[0]).eval()
    content, _ = to_onnx(model, shape, {})
    found = compare(content, model, torch.rand(5, *shape))
    assert found.agrees, found
    assert found.largest_output > 1e-3
    assert found.same_class == 5


@pytest.fixture
def trained(store: RunStore, tiny: TrainConfig) -> Run:
    config = replace(tiny, {"training.epochs": 1})
    return carry_out(store, store.create(config.model_dump(mode="json"), name="Tiny", status="starting"))[0]


def test_a_run_becomes_a_file_that_explains_itself_until_it_has_other_weights(
    store: RunStore, artifacts: Path, data_root: Path, trained: Run
):
    folder = run_dir(artifacts, trained.id)
    assert onnx_card(folder) is None
    card = export_onnx(store, artifacts, data_root, trained)
    assert onnx_card(folder) == json.loads(json.dumps(card))
    assert 0 <= card["max_difference"] <= card["tolerance"] * max(1.0, card["largest_output"])
    assert (card["num_real"], card["num_random"], card["same_class"]) == (16, 4, 20)
    model = onnx.load(folder / ONNX)
    onnx.checker.check_model(model)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(properties["classes"]) == [str(digit) for digit in range(10)]
    assert "(N, 1, 28, 28)" in properties["input"]
    session = onnxruntime.InferenceSession(folder / ONNX, providers=["CPUExecutionProvider"])
    probabilities = np.asarray(session.run(["probabilities"], {"images": np.zeros((3, 1, 28, 28), np.float32)})[0])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert {ONNX, ONNX_CARD} <= store.artifacts(trained.id).keys()
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    assert onnx_card(folder) is None, "the file is that of other weights"


def test_a_file_with_other_outputs_is_refused(
    store: RunStore, artifacts: Path, data_root: Path, trained: Run, monkeypatch: pytest.MonkeyPatch
):
    def export_another(model: Deployed, *rest: object) -> tuple[bytes, int]:
        model.model[-1].bias.data += 0.01  # type: ignore[index]
        content = to_onnx(model, *rest)  # type: ignore[arg-type]
        model.model[-1].bias.data -= 0.01  # type: ignore[index]
        return content

    monkeypatch.setattr(onnx_export, "to_onnx", export_another)
    with pytest.raises(RunError, match="other outputs than PyTorch"):
        export_onnx(store, artifacts, data_root, trained)
    assert not (run_dir(artifacts, trained.id) / ONNX).exists()


def test_without_the_images_random_ones_are_compared(
    store: RunStore, artifacts: Path, data_root: Path, trained: Run, tmp_path: Path
):
    folder = run_dir(artifacts, trained.id)
    card = json.loads((folder / "model.json").read_text())
    card["config"]["data"] |= {"dataset": "folder", "path": str(tmp_path / "gone")}
    (folder / "model.json").write_text(json.dumps(card))
    found = export_onnx(store, artifacts, data_root, trained)
    assert (found["num_real"], found["num_random"]) == (0, 4)
    assert "not at hand" in found["note"]


def test_a_run_without_weights_is_refused(store: RunStore, artifacts: Path, data_root: Path):
    run = store.create(TrainConfig().model_dump(mode="json"), name="New")
    with pytest.raises(RunError, match="no trained weights"):
        export_onnx(store, artifacts, data_root, run)
    assert onnx_card(run_dir(artifacts, run.id)) is None
