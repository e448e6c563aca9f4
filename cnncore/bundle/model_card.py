"""The model card of a bundle: what the network is, how good it is and how sure that is, what it is for, how to run it.

Its questions are those of Mitchell et al., "Model cards for model reporting", FAT* 2019, as far as the lab knows the
answers. Every number is measured; where one is not known the card says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnncore.bundle.record import Record
from cnncore.catalog.backbones import BACKBONES
from cnncore.config import TrainConfig
from cnncore.figures.intervals import wilson
from cnncore.images.preprocessing import Preprocessing
from cnncore.runs.bundle_files import CONTENTS, SCRIPT

_MOST_NAMED = 20
_SPLITS = {"train": "training", "validation": "validation", "test": "test"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Score:
    """What a network told right of a split's images.

    Attributes:
        confusion: (K, K): rows are true classes, columns predicted ones; None where only the sums are known.
    """

    split: str
    correct: int
    count: int
    confusion: np.ndarray | None = None


def model_card(
    record: Record,
    config: TrainConfig,
    classes: Sequence[str],
    preprocessing: Preprocessing,
    scored: Score | None,
    files: Sequence[str],
) -> str:
    """The card as Markdown.

    Args:
        record: What the bundle tells of the training.
        config: Its settings.
        classes: Names of the classes.
        preprocessing: What is done to images.
        scored: What it told right, of test images or else of validation images.
        files: Names of the files in the bundle.
    """
    named = [_plain(name) for name in classes[:_MOST_NAMED]]
    more = f" and {len(classes) - _MOST_NAMED:,} more" if len(classes) > _MOST_NAMED else ""
    parts = [
        f"# {_plain(record.name)}",
        f"A classifier of images into {len(classes):,} classes: {', '.join(named)}{more}. Trained with CNN Lab; this "
        f"bundle was made on {record.made[:10]}.",
        "## How good it is",
        _quality(record, scored),
        *_per_class(classes, scored),
        "## Images",
        _images(record, classes),
        "## Network",
        _network(record, config),
        _input(preprocessing),
        "## What it is for, and its limits",
        _limits(record, len(classes)),
        "## How to run it",
        f"    pip install onnxruntime pillow numpy\n    python {SCRIPT} photograph.jpg",
        "It prints the five most probable classes. `model.onnx` takes `images`, float32 (N, C, H, W) from 0 to 1, and "
        "gives `logits` and `probabilities`; it normalizes by itself.",
        _verified(record),
        "CNN Lab opens this ZIP again: Transfer, Use it, or `python -m cnncore unbundle FILE`.",
        "## Files",
        _table(("file", "what it is"), [(f"`{name}`", CONTENTS[name]) for name in files]),
    ]
    return "\n\n".join(parts) + "\n"


def _quality(record: Record, scored: Score | None) -> str:
    if scored is None or not scored.count:
        return "It was not measured: there were neither test nor validation images."
    low, high = wilson(scored.correct, scored.count)
    words = (
        f"**{scored.correct / scored.count:.1%}** of {scored.count:,} {_SPLITS[scored.split]} images were told right "
        f"({scored.correct:,}; 95 % interval {low:.1%} to {high:.1%}, Wilson)."
    )
    if scored.split == "test":
        return f"{words} None of them had a part in the training."
    return (
        f"{words} The network was not trained on them, but they decided which epoch's weights were kept, so the figure "
        "is a little too good. There were no test images."
    )


def _per_class(classes: Sequence[str], scored: Score | None) -> list[str]:
    if scored is None or scored.confusion is None or len(classes) > _MOST_NAMED:
        return []
    rows: list[tuple[str, ...]] = []
    matrix = scored.confusion
    for name, right, total in zip(classes, matrix.diagonal(), matrix.sum(axis=1), strict=True):
        low, high = wilson(int(right), int(total))
        share = f"{right / total:.0%} ({low:.0%} to {high:.0%})" if total else "no images"
        rows.append((_plain(name), f"{int(right):,} of {int(total):,}", share))
    return [_table(("class", "told right", "share (95 % interval)"), rows)]


def _images(record: Record, classes: Sequence[str]) -> str:
    note = record.results.split_note
    if record.counts is None:
        results = record.results
        numbers = {"training": results.num_train, "validation": results.num_validation, "test": results.num_test}
        said = ", ".join(f"{count:,} {name}" for name, count in numbers.items() if count)
        return f"{said or 'An unknown number of'} images. {note or ''}".strip()
    splits = [split for split in _SPLITS if split in record.counts]
    totals = [sum(record.counts[split]) for split in splits]
    rows = [
        (_plain(name), *(f"{record.counts[split][index]:,}" for split in splits))
        for index, name in enumerate(classes[:_MOST_NAMED])
    ]
    if len(classes) > _MOST_NAMED:
        rows.append(("…", *("" for _ in splits)))
    rows.append(("all", *(f"{total:,}" for total in totals)))
    return "\n\n".join([_table(("class", *(_SPLITS[split] for split in splits)), rows), *([note] if note else [])])


def _network(record: Record, config: TrainConfig) -> str:
    spec = config.model_spec
    number = record.results.num_params
    size = f", {number:,} parameters" if number else ""
    said = [f"{spec.title}{size}, in fp32."]
    backbone = BACKBONES.get(config.transfer.backbone or "")
    if backbone is not None:
        said.append(
            f"It began with pretrained weights, {backbone.title} ({backbone.source}). License of these weights: "
            f"{backbone.license}."
        )
    elif config.training.start_from is not None:
        said.append(f"It began with the weights of another run of the lab, {config.training.start_from}.")
    else:
        said.append("It was trained from random weights.")
    if config.transfer.frozen:
        said.append(f"Frozen at the start: {', '.join(config.transfer.frozen)}.")
    if config.transfer.head == "hidden":
        said.append(f"Its head has a hidden layer of {config.transfer.hidden_units:,} units.")
    return " ".join(said)


def _input(preprocessing: Preprocessing) -> str:
    colors = "gray" if preprocessing.channels == 1 else "RGB"
    side = preprocessing.size
    return (
        f"Input: the shorter side is resized to {preprocessing.resized} pixels ({preprocessing.interpolation}), the "
        f"middle square of {side}×{side} pixels is kept, {colors}. Mean {_numbers(preprocessing.mean)}, deviation "
        f"{_numbers(preprocessing.std)} on the scale from 0 to 1."
    )


def _limits(record: Record, num_classes: int) -> str:
    number = record.results.num_train
    few = f" It learned from {number:,} images." if number else ""
    return "\n".join(
        (
            "- For images like those it was trained on: similar things, cameras, light and backgrounds." + few,
            f"- It knows {num_classes:,} classes and nothing else: whatever it is shown gets one of their names, and a "
            "high probability does not mean that the image is of any of them.",
            "- The figures above hold for images that were collected in the same way; measure again on your own.",
            "- Not tested for fairness, safety or medicine; do not let it decide about people.",
        )
    )


def _verified(record: Record) -> str:
    found = record.onnx
    return (
        f"Its logits and those of PyTorch lie at most {found.max_difference:.2g} apart (the largest is "
        f"{found.largest_output:.3g}), on {found.num_real} images of the data set and {found.num_random} random ones."
    )


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """A name from a person on one line, that Markdown takes for nothing but text."""
    return re.sub(r"([\\`*_{}\[\]()#+|<>~!])", r"\\\1", " ".join(text.split()))
