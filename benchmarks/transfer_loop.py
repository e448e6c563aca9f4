"""Epochs of a new head on a frozen backbone, with kept features or with the backbone run in every epoch.

    python -m benchmarks.transfer_loop --way kept --data FOLDER --image-set ID@VERSION --seed 0 --epochs 10

Prints one JSON line. Kept features are computed first, in a folder that is thrown away, and the rest is the lab's own
loop with its events, evaluation and examples. The other way is the bare work: image batches through the backbone in the
same precision without gradients, the same step of the head, and one evaluation of the validation images an epoch.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from cnncore.config import TrainConfig, replace
from cnncore.config.transfer import transfer_base
from cnncore.data import Batch, ImageData, open_images
from cnncore.runs.events import EpochEnd
from cnncore.training.devices import pick_device, pick_precision
from cnncore.training.imports import take_backbone
from cnncore.training.loop import Loaders, fit, make_loaders, train_step, with_features
from cnncore.training.metrics import hits
from cnncore.training.state import TrainState, new_state


def configuration(image_set: str, *, seed: int, epochs: int, device: str) -> TrainConfig:
    """What the Transfer page begins with, on the default backbone."""
    settings = {"training.seed": seed, "training.epochs": epochs, "training.device": device}
    return replace(transfer_base("efficientnet_lite0", image_set), settings)


def prepared(config: TrainConfig, data: Path) -> tuple[ImageData, TrainState, Loaders]:
    """Everything before the first look at an image: it counts for neither way."""
    images = open_images(config.data, data)
    device = pick_device(config.training.device)
    precision = pick_precision(config.training.precision, device)
    state = new_state(config, images.in_shape, len(images.classes), device=device, precision=precision)
    take_backbone(state, data, images, lambda text, done, total: None)
    return images, state, make_loaders(images, config, state)


def kept(images: ImageData, state: TrainState, loaders: Loaders) -> Iterator[float]:
    """The first pass, then the lab's loop; gives the validation accuracy of each epoch when it ends."""
    with tempfile.TemporaryDirectory() as folder:
        ready = with_features(loaders, images, state, Path(folder), lambda text, done, total: None)
        for event in fit(state, ready):
            if isinstance(event, EpochEnd):
                assert event.validation is not None
                yield event.validation.accuracy


def anew(images: ImageData, state: TrainState, loaders: Loaders) -> Iterator[float]:
    """The backbone for every batch of every epoch; gives the validation accuracy of each epoch when it ends."""
    steps = loaders.steps_per_epoch
    state.begin_freezing(steps)
    assert loaders.validation is not None
    for epoch in range(state.config.training.epochs):
        for batch in loaders.train.epoch(epoch):
            with torch.no_grad(), state.autocast():
                features = state.backbone(batch.images)
            rate = state.next_learning_rate(steps)
            train_step(state, Batch(features, batch.targets, batch.labels), rate, steps, from_features=True)
        with torch.inference_mode():
            right = [
                hits(state.predict(batch.images), batch.labels)[:, 0].sum() for batch in loaders.validation.epoch(0)
            ]
            yield float(torch.stack(right).sum()) / loaders.validation.num_images


WAYS = {"kept": kept, "anew": anew}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--way", choices=list(WAYS), required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--image-set", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    config = configuration(arguments.image_set, seed=arguments.seed, epochs=arguments.epochs, device=arguments.device)
    images, state, loaders = prepared(config, arguments.data)
    begin = time.perf_counter()
    ends: list[float] = []
    accuracies: list[float] = []
    for accuracy in WAYS[arguments.way](images, state, loaders):
        ends.append(time.perf_counter() - begin)
        accuracies.append(accuracy)
    facts = {"device": str(state.device), "precision": state.precision}
    print(json.dumps({"ends_s": ends, "accuracies": accuracies, **facts}))


if __name__ == "__main__":
    main()
