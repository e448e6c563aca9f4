"""Whether an image is like anything a network was trained on, so that it can be told: none of these.

An image's distance is 1 minus the cosine between its features (what the head receives) and those of the most similar
training image: the nearest-neighbor score of Sun et al.: Out-of-distribution detection with deep nearest neighbors,
ICML 2022, with k = 1. What is farther than most held-out images is called unfamiliar.

Chosen by measuring (`benchmarks/familiarity.py`: EfficientNet-Lite0's features, 600 flower photographs of five classes;
area under the ROC curve against 300 CIFAR-10 images | 300 digits | photographs of a flower left out, mean over the
five): nearest neighbor 0.995 | 0.999 | 0.755, tenth neighbor 0.994 | 1.000 | 0.697, Mahalanobis distance with shrunk
covariance (Lee et al., 2018) on normalized features 0.994 | 0.998 | 0.705. With 40 photographs instead of 600: 0.988 |
0.997 | 0.678, 0.981 | 0.998 | 0.612, 0.988 | 0.997 | 0.685. Things of another kind are found out, a fifth flower among
flowers often is not. The limit called 4 to 7 % of further flower photographs unfamiliar, and 94 to 100 % of the others.
"""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cnncore.runs.artifacts import write_atomically

FAMILIARITY = "familiarity.npz"
MAX_IMAGES = 2_000
"""Training images whose features are kept, and held-out ones that the threshold is taken from."""
FALSE_ALARMS = 0.05
"""Share of the images of the same kind that are to be called unfamiliar nevertheless."""

Features = npt.NDArray[np.floating]
Keys = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Familiarity:
    """What a network was trained on, as features.

    Attributes:
        features: Of training images, float16 (M, D), each of length 1 but for rounding.
        keys: Which images they are, (M,).
        threshold: Distance above which an image is unfamiliar, from 0 to 2.
        false_alarms: Share of images of the same kind that lie above it, as far as so few tell.
        held_out: Images the threshold was taken from.
        own: Whether training images are among those, each compared with the others: there were too few held-out ones.
    """

    features: npt.NDArray[np.float16]
    keys: Keys
    threshold: float
    false_alarms: float
    held_out: int
    own: bool

    def distances(self, features: Features) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Distance of images to the most similar training image, (N,), and which row of `features` that is, (N,).

        Args:
            features: (N, D), as the head receives them.
        """
        return _nearest(_unit(features) @ _unit(self.features).T)

    def explain(self) -> str:
        """How the threshold came about, in a sentence."""
        which = "images not used in training"
        if self.own:
            which = "images, those used in training compared with the others,"
        return (
            f"Of {self.held_out:,} {which} {1 - self.false_alarms:.0%} are at most {self.threshold:.3g} away from the "
            f"most similar training image, so about {self.false_alarms:.0%} of images like them are called unfamiliar."
        )

    def to_dict(self) -> dict[str, Any]:
        """What people are told of it, as plain values."""
        told = {name: getattr(self, name) for name in ("threshold", "false_alarms", "held_out")}
        return {**told, "explanation": self.explain()}


def measure_familiarity(features: Features, keys: Keys, held_out: Features) -> Familiarity:
    """What is familiar, from at least two training images.

    The threshold is the quantile of the held-out distances above which one of 20 further images is expected (with n of
    them the ceil(0.95 · (n + 1))-th, as in conformal prediction). Fewer than 19 cannot tell that; then training images
    are taken too, each compared with the others, which a network that has learned them by heart finds too similar.

    Args:
        features: Of training images, (M, D).
        keys: Which images they are, (M,).
        held_out: Features of images that were not trained on, (N, D); there may be none.
    """
    kept = _unit(features).astype(np.float16)
    known = _unit(kept)
    distances = _nearest(_unit(held_out) @ known.T)[0] if len(held_out) else np.zeros(0, np.float32)
    own = len(distances) + 1 < 1 / FALSE_ALARMS
    if own:
        products = known @ known.T
        np.fill_diagonal(products, -np.inf)
        distances = np.concatenate((distances, _nearest(products)[0]))
    count = len(distances)
    rank = min(count, math.ceil((1 - FALSE_ALARMS) * (count + 1)))
    return Familiarity(
        features=kept,
        keys=keys,
        threshold=float(np.sort(distances)[rank - 1]),
        false_alarms=(count + 1 - rank) / (count + 1),
        held_out=count,
        own=own,
    )


def _unit(features: Features) -> npt.NDArray[np.float32]:
    wide = features.astype(np.float32)
    return wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)


def _nearest(cosines: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    return np.maximum(1 - cosines.max(axis=1), 0), cosines.argmax(axis=1)


def save_familiarity(folder: Path, familiarity: Familiarity) -> int:
    """Write `familiarity.npz` into a run's folder; returns its size in bytes."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **vars(familiarity))

    return write_atomically(folder / FAMILIARITY, write)


def load_familiarity(folder: Path) -> Familiarity | None:
    """What `save_familiarity` wrote; None where there is no such file, or it is damaged: the network needs none."""
    try:
        with (folder / FAMILIARITY).open("rb") as content, np.load(content, allow_pickle=False) as file:
            return Familiarity(
                features=file["features"],
                keys=file["keys"],
                threshold=float(file["threshold"]),
                false_alarms=float(file["false_alarms"]),
                held_out=int(file["held_out"]),
                own=bool(file["own"]),
            )
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
