"""The question how much of a task can be read off each stage of a network."""

from __future__ import annotations

import dataclasses
from typing import Any

from pydantic import Field

from cnncore.analysis.probe_by_depth import FOLDS, MOST_PER_CLASS, ProbedDepths, probe_by_depth
from cnncore.analysis.scans import Work
from cnncore.answers import Answer
from cnncore.config.requests import parse_request
from cnncore.questions.looking import ImagesRequest, in_pieces


class ProbeRequest(ImagesRequest):
    """A network, images for it, and how many of them."""

    per_class: int = Field(default=MOST_PER_CLASS, ge=10, le=MOST_PER_CLASS)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)


def probes(asked: dict[str, Any]) -> Answer:
    """How well linear classifiers do on what each stage leaves, see `cnncore.analysis.probe_by_depth`.

    Returns:
        `probes`, from the pixels to the last stage: `key`, `num_features` and `correct`; `classes`, `num_images`,
        `folds`, `split` and `seed`. Until they are there, `pending`.
    """
    request = parse_request(ProbeRequest, asked)

    def start() -> Work[ProbedDepths]:
        network = request.trained()
        return probe_by_depth(
            network, request.opened(network), request.split, per_class=request.per_class, seed=request.seed
        )

    return in_pieces(
        "probe_by_depth",
        request,
        start,
        lambda found: Answer(
            {**dataclasses.asdict(found), "folds": FOLDS, "split": request.split, "seed": request.seed}
        ),
    )
