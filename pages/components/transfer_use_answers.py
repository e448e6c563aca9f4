"""What the service answers about pictures and a run's network, as the views of the step Use it show it."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from cnncore.answers import Answer
from cnncore.images.heat_map import overlay
from cnncore.images.preprocessing import Preprocessing
from cnncore.runs.artifacts import run_dir
from cnncore.runs.onnx_files import weights_stamp
from cnncore.runs.outcomes import Outcomes
from cnncore.runs.run import Run
from pages.components.lab import artifacts
from pages.components.transfer_use_given import Given
from pages.components.waiting import Reply, inquire

CHUNK = 40
"""Pictures of one question: some seconds on two slow cores, after which the first rows are there."""
PATIENCE_S = 58.0


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What the network said of one picture.

    Attributes:
        given: The picture.
        top: Most probable classes with their probabilities, at most five.
        distance: To the most similar training image; None where that is not known.
        nearest: What that image is called: its key in an image set.
    """

    given: Given
    top: tuple[tuple[str, float], ...]
    distance: float | None
    nearest: str


@dataclass(frozen=True, kw_only=True)
class Familiar:
    """What counts as familiar: distances up to the threshold; how that came about."""

    threshold: float
    explanation: str


@dataclass(frozen=True, kw_only=True)
class Said:
    """The answers so far.

    Attributes:
        predictions: Of the pictures that were answered, in order.
        problems: What could not be looked at, one sentence each.
        pending: Whether more is on its way.
        classes: Names of the classes.
        familiar: None where the network does not know.
    """

    predictions: tuple[Prediction, ...] = ()
    problems: tuple[str, ...] = ()
    pending: bool = False
    classes: tuple[str, ...] = ()
    familiar: Familiar | None = None

    def is_unfamiliar(self, prediction: Prediction) -> bool:
        """Whether a picture is farther from everything known than the threshold."""
        known = prediction.distance is not None and self.familiar is not None
        return known and prediction.distance > self.familiar.threshold  # pyright: ignore[reportOptionalOperand, reportOptionalMemberAccess]


def ask_predictions(place: str, run: Run, given: Sequence[Given]) -> Said:
    """Ask about pictures, some at a time."""
    predictions: list[Prediction] = []
    problems: list[str] = []
    facts: Mapping[str, Any] = {}
    begun = 0
    while begun < len(given):
        part = given[begun : begun + CHUNK]
        reply = inquire(f"{place}_{begun}", "predict", _request(run, part), timeout_s=PATIENCE_S)
        if reply.error or reply.pending or reply.answer is None:
            problems += [_sentence(reply)] if reply.error else []
            return _said(predictions, problems, facts, pending=not reply.error)
        facts = reply.answer.data
        predictions += _predictions(reply.answer, part)
        problems += facts["refused"].values()
        # What there was no time for comes with the next question; one picture at least was looked at.
        begun += min(facts["left"], default=len(part)) or len(part)
    return _said(predictions, problems, facts, pending=False)


def _request(run: Run, given: Sequence[Given]) -> dict[str, Any]:
    stamp = " ".join(map(str, weights_stamp(run_dir(artifacts(), run.id))))
    request: dict[str, Any] = {"run": run.id, "stamp": stamp}
    uploads = [{"token": each.token, "name": each.name} for each in given if each.token]
    keys = [each.key for each in given if not each.token]
    if uploads:
        request["uploads"] = uploads
    if keys:
        request |= {"image_set": given[0].reference, "keys": keys}
    return request


def _predictions(answer: Answer, given: Sequence[Given]) -> list[Prediction]:
    classes, arrays = answer.data["classes"], answer.arrays
    return [
        Prediction(
            given=given[place],
            top=tuple(
                (classes[int(index)], float(share))
                for index, share in zip(arrays["top"][row], arrays["shares"][row], strict=True)
            ),
            distance=None if math.isnan(arrays["distances"][row]) else float(arrays["distances"][row]),
            nearest=str(answer.data["nearest"][row]),
        )
        for row, place in enumerate(answer.data["places"])
    ]


def _said(
    predictions: Sequence[Prediction], problems: Sequence[str], facts: Mapping[str, Any], *, pending: bool
) -> Said:
    known = facts.get("familiarity")
    return Said(
        predictions=tuple(predictions),
        problems=tuple(problems),
        pending=pending,
        classes=tuple(facts.get("classes", ())),
        familiar=Familiar(threshold=known["threshold"], explanation=known["explanation"]) if known else None,
    )


def _sentence(reply: Reply) -> str:
    return f"{reply.error.message} {reply.error.hint}".strip() if reply.error else ""


# What it saw, and where it looked


@dataclass(frozen=True, kw_only=True, eq=False)
class SeenPicture:
    """What exactly the network got of one picture.

    Attributes:
        pixels: Cut and resized, uint8 (H, W, C).
        tensor: Normalized, float32 (C, H, W).
    """

    pixels: np.ndarray
    tensor: np.ndarray
    preprocessing: Preprocessing


def ask_seen(place: str, run: Run, given: Given) -> tuple[SeenPicture | None, str]:
    """What the network got of a picture, None as long as it is not there; and why it does not come."""
    request = _request(run, [given]) | {"pixels": True, "tensor": True}
    reply = inquire(place, "predict", request, timeout_s=PATIENCE_S)
    if reply.error or reply.pending or reply.answer is None:
        return None, _sentence(reply)
    arrays, facts = reply.answer.arrays, reply.answer.data
    if not facts["places"]:
        return None, " ".join(facts["refused"].values())
    made = Preprocessing.from_dict(facts["preprocessing"])
    return SeenPicture(pixels=arrays["pixels"][0], tensor=arrays["tensor"], preprocessing=made), ""


@dataclass(frozen=True, kw_only=True)
class Heats:
    """Pictures with the heat over them.

    Attributes:
        pictures: Addresses of pictures by place among those asked about.
        problem: Why there are none, or not all.
    """

    pictures: Mapping[int, str] = field(default_factory=dict[int, str])
    problem: str = ""


def ask_heats(place: str, run: Run, given: Sequence[Given], classes: Sequence[int]) -> Heats:
    """Where the network sees a class in each picture; nothing as long as it is not there."""
    request = _request(run, given) | {"classes": list(classes)}
    reply = inquire(place, "grad_cam", request, timeout_s=PATIENCE_S)
    if reply.error or reply.pending or reply.answer is None:
        return Heats(problem=_sentence(reply))
    arrays, facts = reply.answer.arrays, reply.answer.data
    drawn = overlay(arrays["pixels"], arrays["maps"].astype(np.float32) / 255)
    return Heats(
        pictures={place: data_url(image) for place, image in zip(facts["places"], drawn, strict=True)},
        problem=" ".join(facts["refused"].values()),
    )


def data_url(pixels: np.ndarray) -> str:
    """A picture uint8 (H, W, C) as an address that holds it."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


# The old network on the new labels


def ask_outcomes_on(place: str, run: Run, reference: str, split: str) -> tuple[Outcomes | None, str]:
    """What a run's network says of a split of another version of its image set; and why that does not come."""
    stamp = _request(run, ())["stamp"]
    request = {"run": run.id, "image_set": reference, "split": split, "stamp": stamp}
    reply = inquire(place, "outcomes_on", request, timeout_s=PATIENCE_S)
    if reply.error or reply.pending or reply.answer is None:
        return None, _sentence(reply)
    arrays = {name: reply.answer.arrays[name] for name in ("names", "labels", "probabilities")}
    return Outcomes(split=split, classes=tuple(reply.answer.data["classes"]), **arrays), ""
