"""The lab's own training, measured like its peers; `--bare` is its step alone.

    python -m benchmarks.engine --model lenet_tutorial --seconds 5 --rounds 5 [--bare]

Without `--bare` a real run is carried out in a store of its own: log, gradient norms, metrics, checkpoints. There are
no validation images, since the peers have none either. With it, the same network in the same precision and layout
takes the same optimizer steps on gathered and normalized batches: no augmentation, no metrics, no events, no log.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import torch

from benchmarks.peers.clock import BATCH_SIZE, Request, Stopwatch, read_request
from cnncore.config import TrainConfig, replace
from cnncore.data import open_images
from cnncore.runs.events import Event, StepEnd
from cnncore.runs.runner import worker_environment
from cnncore.runs.store import RunStore
from cnncore.training.devices import pick_precision
from cnncore.training.execute import Execution
from cnncore.training.loop import forward_backward, make_loaders
from cnncore.training.state import new_state

_AUGMENTED = {"augment.crop_padding": 4, "augment.flip_horizontal": 0.5}


def configuration(model: str, *, augmented: bool) -> TrainConfig:
    """Adam at batch 256 on all training images, for longer than anybody measures."""
    settings = {
        "model.name": model,
        "data.dataset": "cifar10" if model == "resnet20" else "mnist",
        "data.validation": 0.0,
        "training.batch_size": BATCH_SIZE,
        "training.epochs": 2_000,
        "training.device": "cpu",
    }
    return replace(TrainConfig(), settings | (_AUGMENTED if augmented and model == "resnet20" else {}))


def measure_run(request: Request) -> None:
    """Carry out a real run until the stopwatch has seen enough."""
    stopwatch = Stopwatch("engine", request)
    config = configuration(request.model, augmented=True)
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(f"sqlite:///{Path(folder) / 'lab.db'}")
        run = store.create(config.model_dump(mode="json"), name="Speed", status="starting")

        def listen(event: Event) -> None:
            # The stopwatch counts whole batches; the rest of an epoch takes time and counts for nothing.
            if isinstance(event, StepEnd) and event.images == BATCH_SIZE:
                stopwatch.tick()
            if stopwatch.finished:
                execution.request_stop()

        execution = Execution(store, Path(folder), request.data, run, listen)
        if execution.carry_out() == "failed":
            raise SystemExit(store.get(run.id).error)
        store.engine.dispose()


def measure_bare(request: Request) -> None:
    """Take the engine's optimizer steps and nothing else."""
    stopwatch = Stopwatch("bare", request)
    config = configuration(request.model, augmented=False)
    images = open_images(config.data, request.data)
    device = torch.device("cpu")
    precision = pick_precision("auto", device)
    state = new_state(config, images.in_shape, len(images.classes), device=device, precision=precision)
    batches = make_loaders(images, config, state).train
    state.model.train()
    epoch = 0
    while not stopwatch.finished:
        for batch in batches.epoch(epoch):
            forward_backward(state, batch)
            state.optimizer.step()
            state.optimizer.zero_grad()
            if len(batch.labels) == BATCH_SIZE:
                stopwatch.tick()
            if stopwatch.finished:
                return
        epoch += 1


def main() -> None:
    tuned = worker_environment()
    if tuned != dict(os.environ):
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.engine", *sys.argv[1:]], tuned)
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--bare", action="store_true", help="the step alone")
    own, sys.argv[1:] = parser.parse_known_args()
    (measure_bare if own.bare else measure_run)(read_request(__doc__))


if __name__ == "__main__":
    main()
