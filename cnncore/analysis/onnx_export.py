"""The trained network of a run as an ONNX file, offered only after its outputs were compared with PyTorch's.

The graph takes `images`, float32 (N, C, H, W) from 0 to 1 in the size the images are stored at, for any N; it
normalizes and resizes them itself, and gives `logits` and `probabilities`, float32 (N, K). Names of the classes and
what the input is stand in the file's metadata. It is made by `torch.onnx.export` through `torch.export` (the older way
through TorchScript is deprecated and knows no antialiased resizing) and compared by ONNX Runtime on the CPU, in fp32.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper
from torch import Tensor, nn

from cnncore.config import TrainConfig
from cnncore.data import Batches, open_images
from cnncore.errors import DataError, RunError
from cnncore.runs.artifacts import run_dir, write_atomically
from cnncore.runs.onnx_files import ONNX, ONNX_CARD, weights_stamp
from cnncore.runs.store import Run, RunStore
from cnncore.runs.stored_config import parse_stored
from cnncore.training.checkpoint import load_model

TOLERANCE = 1e-4
"""Largest difference of a logit that is accepted, as a share of the largest logit (of 1 where all are smaller)."""
NUM_REAL = 16
NUM_RANDOM = 4


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How far the outputs of two programs for one network lie apart.

    Attributes:
        max_difference: Largest difference of a logit.
        largest_output: Largest logit, either sign.
        same_class: Images for which both name the same class.
        num_real: Images of the run's data set among those compared.
        num_random: Images of random pixels among them.
        tolerance: See `TOLERANCE`.
    """

    max_difference: float
    largest_output: float
    same_class: int
    num_real: int
    num_random: int
    tolerance: float = TOLERANCE

    @property
    def agrees(self) -> bool:
        """Whether the difference is one of rounding; False where an output is not a number."""
        return self.max_difference <= self.tolerance * max(1.0, self.largest_output)


class Deployed(nn.Module):
    """A network with what stands around it: pixels from 0 to 1 in, logits and probabilities out.

    Args:
        model: Normalized images (N, C, H, W) to logits (N, K).
        mean: Of each channel.
        std: Of each channel.
    """

    def __init__(self, model: nn.Module, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))
        self.mean: Tensor
        self.std: Tensor

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.model((images - self.mean) / self.std)
        return logits, logits.softmax(dim=1)


def export_onnx(store: RunStore, artifacts: Path, data_root: Path, run: Run) -> Mapping[str, Any]:
    """Write `model.onnx` and `onnx.json` into the folder of a run.

    Args:
        store: The run store.
        artifacts: Folder with one folder a run.
        data_root: Folder of the data sets; where the run's images are not at hand, random ones are compared only.
        run: A run that has weights.

    Returns:
        What `cnncore.runs.onnx_files.onnx_card` says.

    Raises:
        RunError: if there are no weights, or if ONNX gives other outputs than PyTorch; then no file is left.
    """
    folder = run_dir(artifacts, run.id)
    stamp = weights_stamp(folder)
    model, card = load_model(folder)
    deployed = Deployed(model, card["preprocessing"]["mean"], card["preprocessing"]["std"]).eval()
    shape = tuple(card["in_shape"])
    content, opset = to_onnx(deployed, shape, metadata(run, card))
    real, note = _real_images(parse_stored(TrainConfig, card["config"], run.name), data_root)
    found = compare(content, deployed, torch.cat((real, _random_images(shape))) if len(real) else _random_images(shape))
    found = Comparison(**{**asdict(found), "num_real": len(real), "num_random": NUM_RANDOM})
    (folder / ONNX_CARD).unlink(missing_ok=True)
    if not found.agrees:
        raise RunError(
            "The ONNX file gives other outputs than PyTorch, so it is not offered: logits of up to "
            f"{found.largest_output:.2g} lie up to {found.max_difference:.2g} apart.",
            "Use the weights (safetensors) instead.",
        )
    write_atomically(folder / ONNX, lambda path: path.write_bytes(content))
    facts = {**asdict(found), "opset": opset, "bytes": len(content), "weights": stamp, "note": note}
    text = json.dumps(facts, indent=2)
    write_atomically(folder / ONNX_CARD, lambda path: path.write_text(text, encoding="utf-8"))
    for name in (ONNX, ONNX_CARD):
        store.add_artifact(run.id, name, (folder / name).stat().st_size)
    return facts


def to_onnx(model: nn.Module, in_shape: tuple[int, int, int], properties: Mapping[str, str]) -> tuple[bytes, int]:
    """The ONNX file of a network (N, C, H, W) → (logits, probabilities), and the version of its operators.

    Args:
        model: In evaluation mode, on the CPU.
        in_shape: Channels, height and width.
        properties: Metadata of the file.
    """
    # Two images: torch.export takes an axis of length 1 for a constant.
    example = torch.zeros(2, *in_shape)
    with warnings.catch_warnings():
        # They concern the insides of PyTorch and ONNX Script, whose results are compared afterwards anyway.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model,
            (example,),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("N")},),
            input_names=["images"],
            output_names=["logits", "probabilities"],
            verbose=False,
        )
    assert program is not None
    proto: onnx.ModelProto = program.model_proto
    proto.producer_name = "CNN Lab"
    for node in (*proto.graph.node, *(inner for function in proto.functions for inner in function.node)):
        # The stack trace of each layer: paths of this machine, and as many bytes as a small network has.
        node.ClearField("metadata_props")
    helper.set_model_props(proto, dict(properties))
    return proto.SerializeToString(), max(entry.version for entry in proto.opset_import if not entry.domain)


def metadata(run: Run, card: Mapping[str, Any]) -> dict[str, str]:
    """What the user of a file needs to know, as texts; lists are JSON."""
    channels, height, width = card["in_shape"]
    kind = {1: "gray", 3: "RGB"}.get(channels, f"{channels} channels")
    return {
        "title": run.name,
        "run": run.id,
        "network": card["model"]["name"],
        "classes": json.dumps(card["classes"], ensure_ascii=False),
        "input": f"images: float32 (N, {channels}, {height}, {width}), {kind}, pixel values divided by 255 (0 to 1)",
        "output": "logits, probabilities: float32 (N, classes)",
        "normalization": json.dumps({"inside": True, **{k: card["preprocessing"][k] for k in ("mean", "std")}}),
        # Without the place of the images on this machine: the file is given away.
        "config": json.dumps({**card["config"], "data": {**card["config"]["data"], "path": None}}),
    }


@torch.inference_mode()
def compare(content: bytes, model: nn.Module, images: Tensor) -> Comparison:
    """Run both on images (N, C, H, W) from 0 to 1, the first one also by itself.

    Args:
        content: The ONNX file.
        model: What it was made of.
        images: float32.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    ours = torch.cat((model(images)[0], model(images[:1])[0])).numpy()
    batches = (images.numpy(), images[:1].numpy())
    theirs = np.concatenate([np.asarray(session.run(["logits"], {"images": batch})[0]) for batch in batches])
    return Comparison(
        max_difference=float(np.abs(ours - theirs).max()),
        largest_output=float(np.abs(ours).max()),
        same_class=int((ours.argmax(axis=1) == theirs.argmax(axis=1))[: len(images)].sum()),
        num_real=0,
        num_random=len(images),
    )


def _random_images(shape: tuple[int, int, int]) -> Tensor:
    return torch.rand(NUM_RANDOM, *shape, generator=torch.Generator().manual_seed(0))


def _real_images(config: TrainConfig, data_root: Path) -> tuple[Tensor, str]:
    """A few images the network was not trained on where there are any, from 0 to 1; or why there are none."""
    try:
        images = open_images(config.data, data_root, download=False)
    except DataError:
        return torch.empty(0), "The images of the run are not at hand; compared on random ones only."
    split = images.test or images.validation or images.train
    chosen = split.select(torch.linspace(0, len(split) - 1, min(NUM_REAL, len(split))).round().long())
    channels = images.in_shape[0]
    batches = Batches(
        chosen,
        batch_size=NUM_REAL,
        device=torch.device("cpu"),
        dtype=torch.float32,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        num_classes=len(images.classes),
    )
    return torch.cat([batch.images for batch in batches.epoch(0)]).contiguous(), ""
