"""Scores the trained network of a run on a split of its images, or of another data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cnncore.catalog import DATASETS
from cnncore.config import TrainConfig, replace
from cnncore.data import Batches, Split, open_images
from cnncore.errors import DataError, RunError, lookup
from cnncore.runs.artifacts import TEST, run_dir, save_evaluation
from cnncore.runs.events import Evaluation
from cnncore.runs.store import Run, RunStore
from cnncore.runs.stored_config import stored_config
from cnncore.training.checkpoint import load_model
from cnncore.training.devices import pick_device, pick_precision
from cnncore.training.loop import EVALUATION_BATCH
from cnncore.training.metrics import Forward, evaluate
from cnncore.training.state import DTYPES, autocast

SPLITS = ("train", "validation", "test")
_RESULT = ("accuracy", "top5", "loss", "correct", "count")


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The network of a run, ready for a split of its images.

    Attributes:
        forward: Normalized images (N, C, H, W) to logits (N, K), in the precision the run was trained in.
        split: The images.
        classes: Names of the K classes.
    """

    forward: Forward
    split: Split
    classes: tuple[str, ...]
    device: torch.device
    dtype: torch.dtype
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def batches(self, split: Split | None = None, batch_size: int = EVALUATION_BATCH) -> Batches:
        """The images in order, or others of the same kind, as the network gets them."""
        return Batches(
            self.split if split is None else split,
            batch_size=batch_size,
            device=self.device,
            dtype=self.dtype,
            mean=self.mean,
            std=self.std,
            num_classes=len(self.classes),
        )


def prepare(
    artifacts: Path, data_root: Path, run_id: str, config: TrainConfig, split: str, *, download: bool = True
) -> Prepared:
    """Load the network of a run and open a split for it.

    Args:
        artifacts: Folder with one folder a run.
        data_root: Folder of the data sets.
        run_id: A run that has weights.
        config: Its configuration, maybe with other images.
        split: train, validation or test.
        download: Whether missing images may be downloaded.

    Raises:
        LabError: if there are no weights, no such images or split, or if the classes differ.
    """
    if config.data.dataset == "folder" and not config.data.path:
        raise DataError(
            "These weights were imported without a data set, so there are no images to score them on.",
            "Import them again with a data set, or name one with the same classes.",
        )
    model, card = load_model(run_dir(artifacts, run_id))
    images = open_images(config.data, data_root, download=download)
    if list(images.classes) != card["classes"]:
        raise DataError("These images have other classes than the run was trained on.", "Choose a matching data set.")
    chosen = {"train": images.train, "validation": images.validation, "test": images.test}[split]
    if chosen is None:
        raise RunError(f"There are no {split} images.", f"Splits: {', '.join(SPLITS)}.")
    device = pick_device(config.training.device)
    precision = pick_precision(config.training.precision, device)
    model = model.to(device).to(memory_format=torch.channels_last)

    def forward(batch: Tensor) -> Tensor:
        with autocast(device, precision):
            return model(batch)

    return Prepared(
        forward=forward,
        split=chosen,
        classes=images.classes,
        device=device,
        dtype=DTYPES[precision],
        mean=tuple(card["preprocessing"]["mean"]),
        std=tuple(card["preprocessing"]["std"]),
    )


def evaluate_run(
    store: RunStore, artifacts: Path, data_root: Path, run: Run, split: str, dataset: str | None = None
) -> Evaluation:
    """Evaluate in the precision the run was trained in; scoring the test split is counted in the run's summary.

    Args:
        store: The run store.
        artifacts: Folder with one folder a run.
        data_root: Folder of the data sets.
        run: A run that has weights.
        split: train, validation or test.
        dataset: Another data set with the same classes; the run's own by default.

    Raises:
        LabError: if there are no weights or no such split, or if the network was trained on these very images.
    """
    config = stored_config(run)
    if dataset is not None:
        _refuse_training_images(config, dataset)
        config = replace(config, {"data.dataset": dataset, "data.train_images": None})
    prepared = prepare(artifacts, data_root, run.id, config, split)
    steps = evaluate(prepared.forward, prepared.batches(), split=split, num_classes=len(prepared.classes))
    try:
        while True:
            next(steps)
    except StopIteration as end:
        evaluation: Evaluation = end.value
    if split == "test" and dataset is None:
        _note_score(store, artifacts, run, evaluation)
    return evaluation


def _note_score(store: RunStore, artifacts: Path, run: Run, evaluation: Evaluation) -> None:
    summary = store.get(run.id).summary
    noted = {"test_scored": summary.get("test_scored", 0) + 1}
    if run.kind == "import":
        # A trained run's result is that of its finish; imported weights have none until they are scored.
        save_evaluation(run_dir(artifacts, run.id) / TEST, evaluation)
        noted |= {f"test_{name}": getattr(evaluation, name) for name in _RESULT}
    store.set_summary(run.id, {**summary, **noted})


def _refuse_training_images(config: TrainConfig, dataset: str) -> None:
    spec = lookup(DATASETS, dataset, "data set", "data.dataset")
    if config.data.dataset in spec.drawn_from:
        raise DataError(
            f"{spec.title} is drawn from the training images of {config.dataset_spec.title}, on which this network was "
            "trained; its score there would be flattering.",
            "Use the data set's own test split.",
        )
