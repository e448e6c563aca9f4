"""Two trained networks on the same images: who is right where, and the images on which they disagree."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnncore.analysis.evaluation import Prepared, prepare
from cnncore.errors import DataError, RunError
from cnncore.runs.pairing import check_comparable
from cnncore.runs.run import Run
from cnncore.runs.stored_config import stored_config

KINDS = ("a_only", "b_only", "both_wrong")
"""Only A right, only B right, both wrong with different answers."""
MOST_EXAMPLES = 24
BUDGET_S = 25.0
"""Seconds after which the images looked at so far are enough; the service gives up after 60."""
_FIRST_BATCH, _BATCH = 10, 250
"""Images between two looks at the clock, at first and at most: a large network takes a second for each."""
_SHOWN_GUESSES = 3
_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """What two networks say of the same images.

    Attributes:
        classes: Names of the classes.
        total: Images of the split.
        counts: Images by `both_right`, `a_only`, `b_only`, `same_mistake` and `both_wrong` (different mistakes).
        examples: Arrays named `KIND_images`, uint8 (M, H, W, C), `KIND_labels` (M,), and for each network X of a and b
            `KIND_X_top` (M, T) with the most probable classes and `KIND_X_shares` with their probabilities.
    """

    classes: tuple[str, ...]
    total: int
    counts: dict[str, int]
    examples: dict[str, npt.NDArray[Any]]

    @property
    def count(self) -> int:
        """Images that were looked at."""
        return sum(self.counts.values())


def disagree(
    artifacts: Path, data_root: Path, a: Run, b: Run, split: str, *, budget_s: float = BUDGET_S
) -> Disagreement:
    """Put the images of a split through the networks of two runs, each in the precision it was trained in.

    The images come in a random order that is always the same. Where the time does not suffice for all, those looked at
    are a random sample.

    Args:
        artifacts: Folder with one folder a run.
        data_root: Folder of the data sets; nothing is downloaded.
        a: A run with weights.
        b: Another one, with the same images.
        split: validation or test.
        budget_s: Seconds after which no further images are looked at.

    Raises:
        LabError: if the two have no images in common, or one has no weights.
    """
    check_comparable(a, b, split)
    pair = [_prepared(artifacts, data_root, run, split) for run in (a, b)]
    labels = pair[0].split.labels.cpu()
    if pair[0].classes != pair[1].classes or not torch.equal(labels, pair[1].split.labels.cpu()):
        raise DataError("The images have changed since one of the runs.", "Train it again.")
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(_SEED))
    shares = _shares(pair, order, budget_s)
    seen = order[: len(shares[0])]
    truth = labels[seen]
    said = [each.argmax(dim=1) for each in shares]
    right = [each == truth for each in said]
    masks = {
        "both_right": right[0] & right[1],
        "a_only": right[0] & ~right[1],
        "b_only": ~right[0] & right[1],
        "same_mistake": ~right[0] & ~right[1] & (said[0] == said[1]),
        "both_wrong": ~right[0] & ~right[1] & (said[0] != said[1]),
    }
    examples: dict[str, npt.NDArray[Any]] = {}
    for kind in KINDS:
        examples |= _examples(kind, masks[kind], pair[0], seen, truth, shares)
    return Disagreement(
        classes=pair[0].classes,
        total=len(labels),
        counts={name: int(mask.sum()) for name, mask in masks.items()},
        examples=examples,
    )


def _prepared(artifacts: Path, data_root: Path, run: Run, split: str) -> Prepared:
    try:
        return prepare(artifacts, data_root, run.id, stored_config(run), split, download=False)
    except RunError as problem:
        raise RunError(f"{run.name}: {problem.message}", problem.hint) from None


@torch.inference_mode()
def _shares(pair: list[Prepared], order: Tensor, budget_s: float) -> tuple[Tensor, Tensor]:
    """Probabilities (N, K) of both networks for the first images of `order`, as many as the time allows."""
    end = time.monotonic() + budget_s
    found: tuple[list[Tensor], list[Tensor]] = ([], [])
    done, size = 0, _FIRST_BATCH
    while done < len(order) and (not done or time.monotonic() < end):
        part = order[done : done + size]
        for network, kept in zip(pair, found, strict=True):
            for batch in network.batches(network.split.select(part), _BATCH).epoch(0):
                kept.append(network.forward(batch.images).float().softmax(dim=1).cpu())
        done, size = done + size, min(2 * size, _BATCH)
    return torch.cat(found[0]), torch.cat(found[1])


def _examples(
    kind: str, mask: Tensor, network: Prepared, seen: Tensor, truth: Tensor, shares: tuple[Tensor, Tensor]
) -> dict[str, npt.NDArray[Any]]:
    """The images of a kind on which the networks are surest of their answers."""
    places = mask.nonzero().flatten()
    sure = shares[0][places].amax(dim=1) + shares[1][places].amax(dim=1)
    places = places[sure.argsort(descending=True, stable=True)][:MOST_EXAMPLES]
    found: dict[str, npt.NDArray[Any]] = {f"{kind}_labels": truth[places].numpy()}
    for name, each in zip("ab", shares, strict=True):
        top = each[places].topk(min(_SHOWN_GUESSES, each.shape[1]), dim=1)
        found |= {f"{kind}_{name}_top": top.indices.numpy(), f"{kind}_{name}_shares": top.values.numpy()}
    if len(places):
        found[f"{kind}_images"] = network.batches(network.split).pixels_at(seen[places])
    else:
        found[f"{kind}_images"] = np.zeros((0, 1, 1, 1), np.uint8)
    return found
