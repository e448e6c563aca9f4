"""Questions of the lessons: small experiments that are carried out while one looks."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import torch
from pydantic import Field

from cnncore.analysis.dense_or_convolutional import ARMS, BATCH_SIZE, RATE, Splits, Trial, num_params
from cnncore.analysis.scans import Scans, Work
from cnncore.answers import Answer
from cnncore.config import DataConfig, Section
from cnncore.config.requests import parse_request
from cnncore.data import open_images
from cnncore.lessons.dense import LEAST_SEEDS, MOST_EPOCHS, MOST_SEEDS
from cnncore.places import data_dir
from cnncore.training.devices import cpu_name

PIECE_S = 0.25
"""Seconds of work that one question does: others wait behind it."""
MOST_TRIALS = 4
_WORKS = Scans(most=MOST_TRIALS)
_TRIALS: WeakValueDictionary[str, Trial] = WeakValueDictionary()
"""Experiments in progress, as long as the works are kept."""


class DenseRequest(Section):
    """How much is trained."""

    seeds: int = Field(default=5, ge=LEAST_SEEDS, le=MOST_SEEDS)
    epochs: int = Field(default=3, ge=1, le=MOST_EPOCHS)


def dense_or_convolutional(asked: dict[str, Any]) -> Answer:
    """A dense and a convolutional network on digits and on digits with shuffled pixels, in pieces: ask again.

    Returns:
        `pending`, `done` and `total` steps; `arms`: `network`, `shuffled` and `num_params` of each; `num_train`,
        `num_validation`, `num_test` images; `batch_size`, `lr`, `device`, `torch` and `seconds` of work. The arrays
        `curves`, validation accuracy (arms, seeds, epochs), and `test`, (arms, seeds), NaN where not known yet.
    """
    request = parse_request(DenseRequest, asked)
    splits = _splits(data_dir())
    key = request.model_dump_json()

    def begin() -> Work[Trial]:
        _TRIALS[key] = trial = Trial(splits, seeds=request.seeds, epochs=request.epochs)
        return trial.work()

    piece = _WORKS.advance(key, begin, budget_s=PIECE_S)
    whole = piece.result is not None
    # One that has to wait until others are done has nothing to show.
    trial = piece.result or _TRIALS.get(key) or Trial(splits, seeds=request.seeds, epochs=request.epochs)
    facts = {
        "pending": not whole,
        "done": trial.done,
        "total": trial.total,
        "arms": [
            {"network": network, "shuffled": shuffled, "num_params": num_params(network)} for network, shuffled in ARMS
        ],
        "num_train": len(splits.train.labels),
        "num_validation": len(splits.validation.labels),
        "num_test": len(splits.test.labels),
        "batch_size": BATCH_SIZE,
        "lr": RATE,
        "device": cpu_name(),
        "torch": torch.__version__,
        "seconds": round(trial.seconds, 1),
    }
    return Answer(facts, {"curves": trial.curves, "test": trial.test}, lasting=whole)


@cache
def _splits(data_root: Path) -> Splits:
    return Splits.of(open_images(DataConfig(dataset="mnist5k"), data_root, download=False))
