"""Whether a network is as often right as it says: reliability by confidence, and the expected calibration error.

M. P. Naeini, G. F. Cooper, M. Hauskrecht: Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015
(the error). C. Guo et al.: On calibration of modern neural networks, ICML 2017 (section 2: 15 bins of equal width, each
closed on the right; section 4.2: temperature scaling). J. Bröcker, L. A. Smith: Increasing the reliability of
reliability diagrams, 2007 (what chance alone makes of a calibrated network). Our deviations: bins may also hold equally
many images, and the temperature is found by bisection, from probabilities instead of logits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NUM_BINS = 15
FEW = 10
"""A bin with fewer images says hardly anything."""
_DRAWS, _SEED = 200, 0
_LEAST_SHARE = 1e-30
"""Probabilities are taken as at least this before their logarithm; in float32 some are 0."""
_COLDEST, _HOTTEST, _HALVINGS = 0.05, 20.0, 14

Numbers = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Bins:
    """Images in B groups by confidence.

    Attributes:
        edges: Where the groups begin and end, float64 (B + 1,), from 0 to 1; a group has its upper end, not its lower.
        counts: Images of each, int64 (B,).
        right: Of those, how many were told right, int64 (B,).
        confidence: Mean confidence of each, float64 (B,); NaN where there is no image.
    """

    edges: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]

    @property
    def accuracy(self) -> npt.NDArray[np.float64]:
        """Share of each group that was told right, (B,); NaN where there is no image."""
        return _shares(self.right, self.counts)

    @property
    def error(self) -> float:
        """The expected calibration error: the mean of |accuracy - confidence| over the images, from 0 to 1."""
        gaps = np.nan_to_num(np.abs(self.accuracy - self.confidence))
        return float((gaps * self.counts).sum() / max(1, self.counts.sum()))


def reliability(confidence: Numbers, right: Flags, num_bins: int = NUM_BINS, *, equal_mass: bool = False) -> Bins:
    """Group images by confidence.

    Args:
        confidence: Probability of the class that was told, (N,).
        right: Whether it was the true one, (N,).
        num_bins: How many groups; with equal mass fewer where many images have the very same confidence.
        equal_mass: Whether the groups hold equally many images, instead of being equally wide.
    """
    wide = confidence.astype(np.float64)
    edges = np.linspace(0, 1, num_bins + 1)
    if equal_mass and len(wide):
        ends = -(-np.arange(1, num_bins) * len(wide) // num_bins)
        inner = np.sort(wide)[ends - 1]
        edges = np.unique(np.concatenate(([0.0], inner, [1.0])))
    places = _places(wide, edges)
    counts = np.bincount(places, minlength=len(edges) - 1)
    return Bins(
        edges=edges,
        counts=counts,
        right=np.bincount(places, weights=right, minlength=len(counts)).astype(np.int64),
        confidence=_shares(np.bincount(places, weights=wide, minlength=len(counts)), counts),
    )


def error_by_chance(confidence: Numbers, num_bins: int = NUM_BINS) -> float:
    """The calibration error (equal widths) below which 95 of 100 networks stay that are calibrated and as confident.

    Of few images it is far from 0: each bin's accuracy is off by chance.
    """
    wide = confidence.astype(np.float64)
    if not len(wide):
        return 0.0
    places = _places(wide, np.linspace(0, 1, num_bins + 1))
    random = np.random.default_rng(_SEED)
    errors: list[float] = []
    for _ in range(_DRAWS):
        gaps = (random.random(len(wide)) < wide) - wide
        errors.append(np.abs(np.bincount(places, weights=gaps, minlength=num_bins)).sum() / len(wide))
    return float(np.quantile(errors, 0.95))


def fit_temperature(probabilities: Numbers, labels: npt.NDArray[np.int64]) -> float | None:
    """The temperature T for which softmax(logits / T) gives the true classes the greatest likelihood.

    Above 1 the network is too sure of itself. The order of the classes, and so the accuracy, stays.

    Args:
        probabilities: (N, K).
        labels: True classes, (N,).

    Returns:
        T, or None where no T from 0.05 to 20 is best: without a mistake every network should be surer still.
    """
    if not len(labels):
        return None
    logs = _logs(probabilities)
    # The slope of the loss in 1 / T, which rises with it, as the loss is convex there.
    low, high = 1 / _HOTTEST, 1 / _COLDEST
    if _slope(logs, labels, low) >= 0 or _slope(logs, labels, high) <= 0:
        return None
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if _slope(logs, labels, middle) < 0 else (low, middle)
    return 1 / low


def tempered(probabilities: Numbers, temperature: float) -> npt.NDArray[np.float64]:
    """The probabilities (N, K) of softmax(logits / T)."""
    scaled = _logs(probabilities) / temperature
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def error_with_temperature(probabilities: Numbers, labels: npt.NDArray[np.int64]) -> float | None:
    """The calibration error with a temperature that was fitted on other images.

    Fitted on every second image and measured on the others, and the other way round: measured on the very images it was
    fitted on, it would look better than it is. None where one half has no best temperature.
    """
    confidence, right = np.zeros(len(labels)), np.zeros(len(labels), bool)
    for half in (slice(0, None, 2), slice(1, None, 2)):
        rest = slice(1 - (half.start or 0), None, 2)
        temperature = fit_temperature(probabilities[half], labels[half])
        if temperature is None:
            return None
        shares = tempered(probabilities[rest], temperature)
        confidence[rest], right[rest] = shares.max(axis=1), shares.argmax(axis=1) == labels[rest]
    return reliability(confidence, right).error


def _places(confidence: Numbers, edges: Numbers) -> npt.NDArray[np.int64]:
    """In which bin each image is, (N,)."""
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, len(edges) - 2)


def _shares(sums: npt.NDArray, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)


def _logs(probabilities: Numbers) -> npt.NDArray[np.float64]:
    return np.log(np.maximum(probabilities.astype(np.float64), _LEAST_SHARE))


def _slope(logs: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], sharpness: float) -> float:
    """How the mean loss changes with 1 / T: the expected logarithm minus that of the true class."""
    scaled = logs * sharpness
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return float(((shares * logs).sum(axis=1) - logs[np.arange(len(labels)), labels]).mean())
