"""Scores the trained network of a run on a split of its images, or of another data set."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from cnncore.catalog import DATASETS
from cnncore.config import TrainConfig, replace
from cnncore.data import Batches, open_images
from cnncore.errors import DataError, RunError, lookup
from cnncore.runs.artifacts import run_dir
from cnncore.runs.events import Evaluation
from cnncore.runs.store import Run, RunStore
from cnncore.training.checkpoint import load_model
from cnncore.training.devices import pick_device, pick_precision
from cnncore.training.loop import EVALUATION_BATCH
from cnncore.training.metrics import evaluate
from cnncore.training.state import DTYPES, autocast

SPLITS = ("train", "validation", "test")


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
    config = _trained_config(run)
    if dataset is not None:
        _refuse_training_images(config, dataset)
        config = replace(config, {"data.dataset": dataset, "data.train_images": None})
    model, card = load_model(run_dir(artifacts, run.id))
    images = open_images(config.data, data_root)
    if list(images.classes) != card["classes"]:
        raise DataError("These images have other classes than the run was trained on.", "Choose a matching data set.")
    chosen = {"train": images.train, "validation": images.validation, "test": images.test}[split]
    if chosen is None:
        raise RunError(f"There are no {split} images.", f"Splits: {', '.join(SPLITS)}.")
    device = pick_device(config.training.device)
    model = model.to(device).to(memory_format=torch.channels_last)
    precision = pick_precision(config.training.precision, device)
    preprocessing = card["preprocessing"]
    batches = Batches(
        chosen,
        batch_size=EVALUATION_BATCH,
        device=device,
        dtype=DTYPES[precision],
        mean=tuple(preprocessing["mean"]),
        std=tuple(preprocessing["std"]),
        num_classes=len(images.classes),
    )

    def forward(batch: Tensor) -> Tensor:
        with autocast(device, precision):
            return model(batch)

    steps = evaluate(forward, batches, split=split, num_classes=len(images.classes))
    try:
        while True:
            next(steps)
    except StopIteration as end:
        evaluation: Evaluation = end.value
    if split == "test" and dataset is None:
        summary = store.get(run.id).summary
        store.set_summary(run.id, {**summary, "test_scored": summary.get("test_scored", 0) + 1})
    return evaluation


def _trained_config(run: Run) -> TrainConfig:
    if run.kind != "train":
        raise RunError("This run trained no network that could be scored.", "Choose a training.")
    return TrainConfig.model_validate(run.config)


def _refuse_training_images(config: TrainConfig, dataset: str) -> None:
    spec = lookup(DATASETS, dataset, "data set", "data.dataset")
    if config.data.dataset in spec.drawn_from:
        raise DataError(
            f"{spec.title} is drawn from the training images of {config.dataset_spec.title}, on which this network was "
            "trained; its score there would be flattering.",
            "Use the data set's own test split.",
        )
