"""fastai's Learner on the ordinary DataLoader, in fp32: its mixed precision is for GPUs only."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from fastai.callback.core import Callback, CancelFitException
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat
from fastai.optimizer import Adam

from benchmarks.peers.clock import Stopwatch, read_request
from benchmarks.peers.loader import training_loader
from benchmarks.peers.networks import build


class Ticker(Callback):
    def __init__(self, stopwatch: Stopwatch):
        self._stopwatch = stopwatch

    def after_batch(self) -> None:
        self._stopwatch.tick()
        if self._stopwatch.finished:
            raise CancelFitException


def main() -> None:
    request = read_request(__doc__)
    loader = training_loader(request.model, request.data)
    learner = Learner(
        DataLoaders(loader, loader, device="cpu"),
        build(request.model),
        loss_func=CrossEntropyLossFlat(),
        opt_func=Adam,
        cbs=Ticker(Stopwatch("fastai", request)),
        train_bn=True,
    )
    with learner.no_logging():
        learner.fit(1000, 1e-3)


if __name__ == "__main__":
    main()
