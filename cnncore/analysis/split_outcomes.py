"""What a network says of every image of a split, in steps, so that it can be told how far it is and put off.

Only images whose true class the network knows can be judged, and only those that it has not learned, unless they are
asked for as its training images.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnncore.analysis.scans import Work
from cnncore.analysis.subjects import Subjects, shown, split_of
from cnncore.catalog import DATASETS
from cnncore.config import DataConfig
from cnncore.data import ImageData, Split
from cnncore.data.batches import Normalization, stored_pixels
from cnncore.errors import DataError, RunError
from cnncore.images.picture_reference import parse_images
from cnncore.runs.artifacts import WEIGHTS, run_dir
from cnncore.runs.outcomes import OUTCOMES, Outcomes, load_outcomes
from cnncore.runs.subjects import parse_subject
from cnncore.training.outcomes import image_names
from cnncore.training.trained import TrainedNetwork

MOST_IMAGES = 10_000
MOST_NUMBERS = 2_000_000
"""Probabilities in one answer: 8 MB. Of a network with 1,000 classes that is 2,000 images."""
_DIVISION = ("train_images", "validation", "seed")
"""Settings that decide which images train and which validate."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Judged:
    """A split of images whose true classes a network knows.

    Attributes:
        images: The data set.
        name: train, validation or test.
        split: Its images.
        labels: Their true classes as the network counts them, int64 (N,).
        own: Whether they are the network's own.
    """

    images: ImageData
    name: str
    split: Split
    labels: npt.NDArray[np.int64]
    own: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class SplitOutcomes:
    """What a network says of some or all images of a split.

    Attributes:
        outcomes: Of n images.
        places: Their positions in the split, int64 (n,), rising.
        total: Images of the split.
    """

    outcomes: Outcomes
    places: Places
    total: int


class Pace:
    """How many images to put through a network at once, so that a step takes about a tenth of a second.

    Args:
        most: At most so many.
    """

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self.size = 4

    def took(self, seconds: float) -> None:
        """Tell how long the last step took."""
        if seconds < 0.06:
            self.size = min(self._most, 2 * self.size)
        elif seconds > 0.2:
            self.size = max(1, self.size // 2)


class Eye:
    """Shows a network pixels.

    Args:
        network: The network.
    """

    def __init__(self, network: TrainedNetwork) -> None:
        made = network.preprocessing
        self.network = network
        self._shape = (made.size, made.size, made.channels)
        self._normalized = Normalization(made.mean, made.std, device=network.device, dtype=torch.float32)

    def pixels(self, split: Split, places: Places) -> npt.NDArray[np.uint8]:
        """Images of a split in the shape that the network takes, (n, H, W, C)."""
        stored = stored_pixels(split, torch.from_numpy(places))
        if stored.shape[1:] == self._shape:
            return stored
        return np.stack([shown(self.network, each).pixels for each in stored])

    def probabilities(self, pixels: npt.NDArray[np.uint8] | Tensor) -> npt.NDArray[np.float32]:
        """Of the classes, (n, K), for pixels (n, H, W, C) from 0 to 255, whole numbers or not.

        Raises:
            RunError: if they are no numbers.
        """
        tensor = torch.as_tensor(pixels).to(self.network.device)
        found = self.network.look(self._normalized(tensor)).probabilities.numpy()
        if not np.isfinite(found).all():
            raise RunError("The network's outputs are no numbers: its training diverged.", "Choose another network.")
        return found


def evenly_spread(total: int, most: int) -> Places:
    """At most `most` of the positions 0 to total - 1, at even distances, rising."""
    count = min(total, most)
    return np.arange(count, dtype=np.int64) * total // max(1, count)


def judged(subjects: Subjects, network: TrainedNetwork, subject: str, images: str, split: str) -> Judged:
    """The images of a split, once it is clear that the network can be judged by them.

    Args:
        subjects: Where networks and images are.
        network: The network.
        subject: Its name.
        images: Name of the images; the network's own where it is the same as `subject`.
        split: train, validation or test.

    Raises:
        LabError: if they are not at hand, are of classes that the network does not know, or it may have learned them.
    """
    own = images == subject
    data = subjects.images_named(network, images)
    if not own:
        _check_unlearned(subjects, subject, images, split)
    found = split_of(data, split)
    labels = _places_of(network, data)[found.labels.cpu().numpy()]
    return Judged(images=data, name=split, split=found, labels=labels, own=own)


def kept_outcomes(subjects: Subjects, subject: str, found: Judged) -> SplitOutcomes | None:
    """What was kept when the training ended; None where nothing was, or it is of other weights or images."""
    if not found.own:
        return None
    folder = run_dir(subjects.artifacts, parse_subject(subject).key)
    kept = load_outcomes(folder / OUTCOMES).get(found.name)
    if kept is None or (folder / OUTCOMES).stat().st_mtime_ns < (folder / WEIGHTS).stat().st_mtime_ns:
        return None
    same = kept.classes == found.images.classes and np.array_equal(kept.labels, found.labels)
    if not same or not np.array_equal(kept.names, image_names(found.images, found.name)):
        return None
    return SplitOutcomes(
        outcomes=kept, places=evenly_spread(len(found.labels), len(found.labels)), total=len(kept.labels)
    )


def scan_outcomes(network: TrainedNetwork, found: Judged, most: int = MOST_IMAGES) -> Work[SplitOutcomes]:
    """Put the images through the network; of more than `most`, that many at even distances.

    Args:
        network: Its probabilities must fit in an answer, so with many classes fewer images are taken.
        found: The images.
        most: At least 1.
    """
    total = len(found.labels)
    places = evenly_spread(total, min(most, max(1, MOST_NUMBERS // len(network.classes))))
    eye, pace, done = Eye(network), Pace(), 0
    parts: list[npt.NDArray[np.float32]] = []
    while done < len(places):
        part, begin = places[done : done + pace.size], time.monotonic()
        parts.append(eye.probabilities(eye.pixels(found.split, part)))
        pace.took(time.monotonic() - begin)
        done += len(part)
        yield done, len(places)
    outcomes = Outcomes(
        split=found.name,
        classes=network.classes,
        names=image_names(found.images, found.name)[places],
        labels=found.labels[places],
        probabilities=np.concatenate(parts),
    )
    return SplitOutcomes(outcomes=outcomes, places=places, total=total)


def _check_unlearned(subjects: Subjects, subject: str, images: str, split: str) -> None:
    """Refuse images that the network may have learned.

    Raises:
        DataError: where some of them may be among those it was trained on.
    """
    learned = _learned(subjects, subject)
    if learned is None:
        return
    if _overlaps(learned, _config(subjects, images), split):
        raise DataError(
            "The network may have learned some of these images, and what it says of those would be flattering.",
            "Take its own validation images, or test images.",
        )


def _learned(subjects: Subjects, subject: str) -> DataConfig | None:
    """What the network was trained on; None where that is not known, or was ImageNet."""
    if parse_subject(subject).kind != "run":
        return None
    try:
        return subjects.data_config(subject)
    except DataError:
        return None


def _config(subjects: Subjects, images: str) -> DataConfig:
    reference = parse_images(images)
    if reference.kind == "run":
        return subjects.data_config(images)
    if reference.kind == "set":
        return DataConfig.model_validate({"dataset": "image_set", "image_set": reference.source})
    return DataConfig.model_validate({"dataset": reference.source})


def _overlaps(learned: DataConfig, asked: DataConfig, split: str) -> bool:
    """Whether images of a split may be among those that were learned."""
    if learned.dataset in DATASETS[asked.dataset].drawn_from:
        return True
    if asked.dataset in DATASETS[learned.dataset].drawn_from:
        return split != "test"
    (here, _, version), (there, _, other) = ((each.image_set or "").partition("@") for each in (learned, asked))
    if (learned.dataset, learned.path, here) != (asked.dataset, asked.path, there):
        return False
    if version != other:
        return True
    return split != "test" and any(getattr(learned, name) != getattr(asked, name) for name in _DIVISION)


def _places_of(network: TrainedNetwork, data: ImageData) -> npt.NDArray[np.int64]:
    """Where the network has each class of a data set.

    Raises:
        DataError: if it has one of them not at all, or under a name that several classes have.
    """
    classes = network.classes
    if classes == data.classes:
        return np.arange(len(classes), dtype=np.int64)
    unknown = [name for name in data.classes if classes.count(name) != 1]
    if unknown:
        raise DataError(
            f"The network knows no class {unknown[0]!r}, which these images have.",
            "Choose images of its classes, or train a network on these.",
        )
    return np.array([classes.index(name) for name in data.classes], np.int64)
