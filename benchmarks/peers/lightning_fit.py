"""Lightning's Trainer on the ordinary DataLoader, in bf16-mixed precision."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import logging
import warnings

import lightning
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.peers.clock import Stopwatch, read_request
from benchmarks.peers.loader import training_loader
from benchmarks.peers.networks import build


class Classifier(lightning.LightningModule):
    def __init__(self, model: str, stopwatch: Stopwatch):
        super().__init__()
        self.network = build(model)
        self._stopwatch = stopwatch

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        images, labels = batch
        return cross_entropy(self.network(images), labels)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters())

    def on_train_batch_end(self, *_: object) -> None:
        self._stopwatch.tick()
        self.trainer.should_stop = self._stopwatch.finished


def main() -> None:
    request = read_request(__doc__)
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    trainer = lightning.Trainer(
        accelerator="cpu",
        precision="bf16-mixed",
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    classifier = Classifier(request.model, Stopwatch("lightning", request))
    trainer.fit(classifier, training_loader(request.model, request.data))


if __name__ == "__main__":
    main()
