"""What the inspector's questions have in common: which network, which picture, and answers that come in pieces."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field

from cnncore.analysis.scans import Scans, Work
from cnncore.analysis.subjects import Shown, Subjects
from cnncore.answers import Answer
from cnncore.config import Section
from cnncore.data import ImageData
from cnncore.images.picture_reference import LONGEST, parse_picture
from cnncore.places import artifacts_dir, data_dir
from cnncore.training.trained import TrainedNetwork

T = TypeVar("T")

SCANS = Scans()


def subjects() -> Subjects:
    """Networks and data sets that were asked for last."""
    return _subjects(artifacts_dir(), data_dir())


@cache
def _subjects(artifacts: Path, data_root: Path) -> Subjects:
    return Subjects(artifacts, data_root)


class SubjectRequest(Section):
    """A network by `cnncore.runs.subjects`; `stamp` is its `subject_stamp`, so that kept answers are of its weights."""

    network: str = Field(max_length=80)
    stamp: str = Field(default="", max_length=200)

    def trained(self) -> TrainedNetwork:
        """The network.

        Raises:
            LabError: if there is none (any more).
        """
        return subjects().network(self.network)

    @property
    def lasts(self) -> bool:
        """Whether the answer stays what it is: not where the weights became others after they were asked for."""
        return bool(self.stamp) and self.stamp == subjects().stamp(self.network)


class PictureRequest(SubjectRequest):
    """A network and a picture by `cnncore.images.picture_reference`."""

    picture: str = Field(max_length=LONGEST)

    def shown(self, network: TrainedNetwork) -> Shown:
        """The picture as the network gets it.

        Raises:
            LabError: if there is none (any more).
        """
        return subjects().shown(network, self.picture)

    @property
    def lasts(self) -> bool:
        """Images of a folder may change at any time."""
        reference = parse_picture(self.picture)
        return super().lasts and (reference.kind != "sample" or _last(f"run:{reference.source}"))


class ImagesRequest(SubjectRequest):
    """A network and images for it by `cnncore.images.picture_reference.parse_images`; its own where none are named."""

    images: str = Field(default="", max_length=80)
    split: Literal["train", "validation", "test"] = "validation"

    def named(self) -> str:
        """The images by name."""
        return self.images or self.network

    def opened(self, network: TrainedNetwork) -> ImageData:
        """The images, of the shape that the network takes where they come from files of any size.

        Raises:
            LabError: if they are not at hand (any more).
        """
        return subjects().images_named(network, self.named())

    @property
    def lasts(self) -> bool:
        """Images of a folder may change at any time."""
        return super().lasts and _last(self.named())


def _last(images: str) -> bool:
    return not images.startswith("run:") or subjects().data_config(images).dataset != "folder"


def in_pieces(name: str, request: SubjectRequest, start: Callable[[], Work[T]], told: Callable[[T], Answer]) -> Answer:
    """The answer to a question that takes long; until it is there, `pending` with `done` and `total`: ask again.

    Args:
        name: Of the question.
        request: What is asked for.
        start: Begins the work.
        told: The answer for its result; `pending` is added.
    """
    piece = SCANS.advance(f"{name} {request.model_dump_json()}", start)
    if piece.result is None:
        return Answer({"pending": True, "done": piece.done, "total": piece.total}, lasting=False)
    answer = told(piece.result)
    facts: dict[str, Any] = {"pending": False, **answer.data}
    return Answer(facts, answer.arrays, lasting=answer.lasting and request.lasts)
