"""Whether an attribution notices what a network has learned: its weights are made random, and the maps are compared.

Adebayo et al.: Sanity checks for saliency maps, 2018, section 3.1, cascading randomization: the output layer gets new
random weights, then the layers before it too, until nothing learned is left. A method whose map stays the same shows
the image rather than the network. One of the paper's measures of similarity is taken: Spearman's rank correlation of
absolute values.

Ours: PyTorch's default start for every layer, since a new head's own may be 0; stage by stage instead of layer by
layer; one image, and fixed seeds. The paper averages over images and calls no value too high; the limit is ours.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.analysis.attribution import AttributionSettings, Map, attribute, seeded
from cnncore.analysis.grad_cam import last_maps
from cnncore.analysis.scans import Work
from cnncore.catalog import stages_of
from cnncore.transfer.network import stage_modules

NOTICES_BELOW = 0.5
"""A method notices if, with all weights random, its maps on average correlate less with that of the trained network."""
DRAWS = 3
"""Times that all weights are drawn: by a single one, a method near the limit might fall on either side of it."""
SMALL_SIDE = 96
"""Pixels along a side of the maps that are kept."""
SEED = 0
OUTPUT = "Output"
"""What is made random first: all that comes after the stages."""

QUICK = AttributionSettings(steps=16, samples=8)
"""Settings that suffice to compare maps; windows do not overlap, see `quick_settings`."""

Verdict = Literal["notices", "hardly notices"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SanityCheck:
    """How similar the maps of M methods stay while D - 1 parts of a network, from its output on, get random weights.

    Attributes:
        depths: What was made random last; the first one is empty, for the network as it is.
        similarity: Of each method's map at each depth with that of the network as it is, from -1 to 1.
        draws: Of each method, the similarity after each draw of all weights; the first one is that of the last depth.
        verdicts: Of each method, by the mean of its draws and `NOTICES_BELOW`.
        maps: Absolute values, uint8 (M, D, h, w), each with 255 for its largest one.
    """

    depths: tuple[str, ...]
    similarity: dict[str, list[float]]
    draws: dict[str, list[float]]
    verdicts: dict[str, Verdict]
    maps: npt.NDArray[np.uint8]


def quick_settings(size: int) -> AttributionSettings:
    """Settings for images of `size` pixels along a side: maps are compared, so they may be coarser."""
    window, _ = QUICK.covering(size)
    return QUICK.model_copy(update={"stride": window})


def sanity_check(
    model: nn.Module,
    network: str,
    image: Tensor,
    target: int,
    methods: Sequence[str],
    *,
    layer: str = "",
    seed: int = SEED,
) -> Work[SanityCheck]:
    """Compare the maps of methods while a copy of a network loses what it has learned, in pieces.

    Args:
        model: Of `build_network`, in evaluation mode; it is left as it is.
        network: Key of `cnncore.catalog.MODELS`.
        image: Normalized, (1, C, H, W).
        target: The class.
        methods: Keys of `cnncore.analysis.attribution.METHODS`.
        layer: For Grad-CAM; the last one that has some extent if not given.
        seed: Of the random weights.

    Raises:
        LabError: as `attribute`.
    """
    settings = quick_settings(min(image.shape[2:]))
    if "gradcam" in methods and not layer:
        layer = last_maps(model, image)
    names = random_parts(network)
    # The draws of all weights come last; the first of them is that of the cascade.
    looks = [(depth, seed) for depth in range(1 + len(names))]
    looks += [(len(names), seed + draw) for draw in range(1, DRAWS)]
    found: dict[str, list[Map]] = {method: [] for method in methods}
    for number, (depth, own_seed) in enumerate(looks):
        changed = with_random_weights(model, network, depth, seed=own_seed) if depth else model
        for place, method in enumerate(methods):
            work = attribute(changed, image, target, method, layer=layer, settings=settings)
            result = yield from _counted(work, number * len(methods) + place, len(looks) * len(methods))
            found[method].append(np.abs(result))
    similar = {method: _similarities(maps) for method, maps in found.items()}
    last = len(names)
    return SanityCheck(
        depths=("", *names),
        similarity={method: values[: last + 1] for method, values in similar.items()},
        draws={method: values[last:] for method, values in similar.items()},
        verdicts={method: verdict(values[last:]) for method, values in similar.items()},
        maps=np.stack([np.stack([_small(each) for each in maps[: last + 1]]) for maps in found.values()]),
    )


def _similarities(maps: Sequence[Map]) -> list[float]:
    return [1.0, *(round(rank_correlation(maps[0], each), 4) for each in maps[1:])]


def verdict(draws: Sequence[float]) -> Verdict:
    """Whether a method notices, by the similarities of several draws of all weights."""
    return "notices" if fmean(draws) < NOTICES_BELOW else "hardly notices"


def random_parts(network: str) -> list[str]:
    """What gets random weights at each depth, as a person reads it: the output first, then stage by stage.

    Args:
        network: Key of `cnncore.catalog.MODELS`.
    """
    return [OUTPUT, *(stage.title for stage in reversed(stages_of(network)))]


def with_random_weights(model: nn.Module, network: str, depth: int, *, seed: int = SEED) -> nn.Module:
    """A copy of a network whose last parts have random weights.

    Args:
        model: Of `build_network`; it is left as it is.
        network: Key of `cnncore.catalog.MODELS`.
        depth: How many of `random_parts`.
        seed: With the same one, what is random at a depth is the same at the next one.
    """
    changed = copy.deepcopy(model)
    parts = list(stage_modules(changed, network).values())[::-1]
    with seeded(seed), torch.no_grad():
        for part in parts[:depth]:
            for layer in part:
                _draw(layer)
    return changed


def rank_correlation(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    """Spearman's rank correlation of two arrays of the same shape; equal values share the mean of their ranks.

    0 where one of them has the same value everywhere, since it then says nothing of the other.
    """
    ranks = [_ranks(values.ravel()) for values in (a, b)]
    centered = [each - each.mean() for each in ranks]
    scale = np.sqrt((centered[0] ** 2).sum() * (centered[1] ** 2).sum())
    return float((centered[0] * centered[1]).sum() / scale) if scale else 0.0


def _ranks(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def _draw(layer: nn.Module) -> None:
    """New random weights for one layer; statistics of batches begin anew as well."""
    if callable(reset := getattr(layer, "reset_parameters", None)):
        reset()
        return
    for values in layer.parameters(recurse=False):
        # Layers of our own have no such function: as many and as large as before, but in no order.
        values.copy_(torch.randn_like(values) * values.std(correction=0) + values.mean())


def _counted(work: Work[object], begun: int, total: int) -> Work[Map]:
    """A part of the work, which gives the map: of `total` equal ones, the one after `begun`."""
    while True:
        try:
            done, steps = next(work)
        except StopIteration as end:
            return end.value.map
        yield 100 * begun + 100 * done // steps, 100 * total


def _small(values: Map) -> npt.NDArray[np.uint8]:
    side = (min(SMALL_SIDE, values.shape[0]), min(SMALL_SIDE, values.shape[1]))
    small = functional.interpolate(torch.from_numpy(values)[None, None], size=side, mode="area")[0, 0].numpy()
    return np.rint(255 * small / max(float(small.max()), np.finfo(np.float32).tiny)).astype(np.uint8)
