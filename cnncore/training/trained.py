"""The trained network of a run, ready to look at images: what it says of them, and the features it says it from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnncore.data import Batches, Split
from cnncore.errors import LabError
from cnncore.images.preprocessing import Preprocessing
from cnncore.training.checkpoint import card_preprocessing, load_model
from cnncore.training.devices import pick_precision
from cnncore.training.familiarity import Familiarity, load_familiarity
from cnncore.training.state import DTYPES, autocast
from cnncore.transfer.network import split_network

BATCH = 64
"""Images that are looked at together."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Look:
    """What a network makes of N images, float32 on the CPU.

    Attributes:
        features: What its head receives, (N, D); maps are averaged over height and width.
        probabilities: Of the classes, (N, K).
    """

    features: Tensor
    probabilities: Tensor

    @staticmethod
    def joined(looks: Iterable[Look]) -> Look:
        """What was made of at least one batch, as one."""
        every = list(looks)
        return Look(
            features=torch.cat([look.features for look in every]),
            probabilities=torch.cat([look.probabilities for look in every]),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainedNetwork:
    """The network of a run in evaluation mode, in the precision it was trained in.

    Attributes:
        model: Normalized images (N, C, H, W) to logits (N, K).
        backbone: Its part up to the features.
        head: The rest of it.
        card: What stands beside the weights.
        familiarity: What it was trained on; None where that is not known.
    """

    model: nn.Module
    backbone: nn.Module
    head: nn.Module
    card: dict[str, Any]
    preprocessing: Preprocessing
    familiarity: Familiarity | None
    device: torch.device
    precision: str

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.card["classes"])

    @property
    def num_bytes(self) -> int:
        """What it takes in memory."""
        weights = sum(value.nbytes for value in self.model.state_dict().values())
        return weights + (self.familiarity.features.nbytes if self.familiarity else 0)

    @torch.inference_mode()
    def look(self, images: Tensor) -> Look:
        """What it says of normalized images (N, C, H, W)."""
        images = images.to(self.device, DTYPES[self.precision]).to(memory_format=torch.channels_last)
        with autocast(self.device, self.precision):
            return self.look_from(self.backbone(images))

    @torch.inference_mode()
    def look_from(self, features: Tensor) -> Look:
        """The same from the backbone's features of the images, (N, D) or maps."""
        with autocast(self.device, self.precision):
            logits = self.head(features.to(self.device))
        flat = features.mean(dim=(2, 3)) if features.ndim == 4 else features
        return Look(features=flat.float().cpu(), probabilities=logits.float().softmax(dim=1).cpu())

    def look_at(self, split: Split) -> Iterator[Look]:
        """What it says of the images of a split, in order, batch by batch."""
        batches = Batches(
            split,
            batch_size=BATCH,
            device=self.device,
            dtype=DTYPES[self.precision],
            mean=self.preprocessing.mean,
            std=self.preprocessing.std,
            num_classes=len(self.classes),
        )
        return (self.look(batch.images) for batch in batches.epoch(0))


def load_trained(folder: Path, device: torch.device, precision: str = "") -> TrainedNetwork:
    """The network of the run in `folder`.

    Args:
        folder: The run's.
        device: Where it computes.
        precision: fp32, bf16 or fp16; what it was trained in if not given and if the device can.

    Raises:
        RunError: if the run has no weights (any more), or they are of another version of the lab.
    """
    model, card = load_model(folder)
    model = model.to(device).to(memory_format=torch.channels_last)
    backbone, head = split_network(model, card["model"]["name"])
    return TrainedNetwork(
        model=model,
        backbone=backbone,
        head=head,
        card=card,
        preprocessing=card_preprocessing(card),
        familiarity=load_familiarity(folder),
        device=device,
        precision=precision or _precision(card, device),
    )


def _precision(card: dict[str, Any], device: torch.device) -> str:
    try:
        return pick_precision(card["config"]["training"]["precision"], device)
    except LabError:
        return pick_precision("auto", device)
