"""Whether an attribution notices what a network has learned: its weights are made random, and the maps are compared.

Adebayo et al.: Sanity checks for saliency maps, 2018, section 3.1, cascading randomization: the output layer gets new
random weights, then the layers before it too, until nothing learned is left. A method whose map stays the same shows
the image rather than the network. Compared as in section 4.1, by Spearman's rank correlation of absolute values.

Ours: PyTorch's default start for every layer, since a new head's own may be 0; at most six depths, so that long
networks take neighboring layers together; the same class and the same layer at every depth; one draw of the weights,
with a fixed seed, and one image. The paper averages over images and calls no value too high; the limit is ours.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.analysis.attribution import AttributionSettings, Map, attribute, seeded
from cnncore.analysis.grad_cam import last_maps
from cnncore.analysis.scans import Work

NOTICES_BELOW = 0.5
"""A method notices if, with all weights random, its map correlates less with the one of the trained network."""
MOST_DEPTHS = 6
SMALL_SIDE = 96
"""Pixels along a side of the maps that are kept."""
SEED = 0

QUICK = AttributionSettings(steps=16, samples=8)
"""Settings that suffice to compare maps; windows do not overlap, see `quick_settings`."""

Verdict = Literal["notices", "hardly notices"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SanityCheck:
    """How similar the maps of M methods stay while D - 1 parts of a network, from its output on, get random weights.

    Attributes:
        depths: What was made random last; the first one is empty, for the network as it is.
        similarity: Of each method's map at each depth with that of the network as it is, from -1 to 1.
        verdicts: Of each method, by `NOTICES_BELOW` at the last depth.
        maps: Absolute values, uint8 (M, D, h, w), each with 255 for its largest one.
    """

    depths: tuple[str, ...]
    similarity: dict[str, list[float]]
    verdicts: dict[str, Verdict]
    maps: npt.NDArray[np.uint8]


def quick_settings(size: int) -> AttributionSettings:
    """Settings for images of `size` pixels along a side: maps are compared, so they may be coarser."""
    window, _ = QUICK.covering(size)
    return QUICK.model_copy(update={"stride": window})


def sanity_check(
    model: nn.Module, image: Tensor, target: int, methods: Sequence[str], *, layer: str = "", seed: int = SEED
) -> Work[SanityCheck]:
    """Compare the maps of methods while a copy of a network loses what it has learned, in pieces.

    Args:
        model: In evaluation mode; it is left as it is.
        image: Normalized, (1, C, H, W).
        target: The class.
        methods: Keys of `cnncore.analysis.attribution.METHODS`.
        layer: For Grad-CAM; the last one that has some extent if not given.
        seed: Of the random weights.

    Raises:
        LabError: as `attribute`.
    """
    names = random_parts(model)
    settings = quick_settings(min(image.shape[2:]))
    if "gradcam" in methods and not layer:
        layer = last_maps(model, image)
    found: dict[str, list[Map]] = {method: [] for method in methods}
    total = len(methods) * (1 + len(names))
    for depth in range(1 + len(names)):
        changed = with_random_weights(model, depth, seed=seed) if depth else model
        for number, method in enumerate(methods):
            work = attribute(changed, image, target, method, layer=layer, settings=settings)
            result = yield from _counted(work, depth * len(methods) + number, total)
            found[method].append(np.abs(result))
    similarity = {
        method: [1.0, *(round(rank_correlation(maps[0], each), 4) for each in maps[1:])]
        for method, maps in found.items()
    }
    return SanityCheck(
        depths=("", *names),
        similarity=similarity,
        verdicts={method: verdict(values) for method, values in similarity.items()},
        maps=np.stack([np.stack([_small(each) for each in maps]) for maps in found.values()]),
    )


def verdict(similarity: Sequence[float]) -> Verdict:
    """Whether a method notices, by the similarities at each depth."""
    return "notices" if similarity[-1] < NOTICES_BELOW else "hardly notices"


def random_parts(model: nn.Module) -> list[str]:
    """What gets random weights at each depth, by name, the output first; neighbors are `first–last`."""
    return [part[0] if len(part) == 1 else f"{part[-1]}–{part[0]}" for part in _parts(model)]


def with_random_weights(model: nn.Module, depth: int, *, seed: int = SEED) -> nn.Module:
    """A copy of a network whose last parts have random weights.

    Args:
        model: It is left as it is.
        depth: How many of `random_parts`.
        seed: With the same one, what is random at a depth is the same at the next one.
    """
    changed = copy.deepcopy(model)
    with seeded(seed), torch.no_grad():
        for part in _parts(model)[:depth]:
            for name in part:
                for module in changed.get_submodule(name).modules():
                    _draw(module)
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


def _parts(model: nn.Module) -> list[list[str]]:
    """Names of layers that lose their weights together: the output alone, then what comes before it, nearly evenly."""
    output, *others = list(_learning(model))[::-1]
    parts = np.array_split(np.array(others, dtype=object), min(len(others), MOST_DEPTHS - 1)) if others else []
    return [[output], *(part.tolist() for part in parts)]


def _learning(model: nn.Module, prefix: str = "") -> Iterator[str]:
    """The layers or blocks that learn, input side first; where there is only one, its parts."""
    names = [
        name
        for name, module in model.named_children()
        if not name.startswith("aux") and any(True for _ in module.parameters())
    ]
    only = model.get_submodule(names[0]) if len(names) == 1 else None
    if only is not None and any(any(True for _ in each.parameters()) for each in only.children()):
        yield from _learning(only, f"{prefix}{names[0]}.")
    else:
        yield from (prefix + name for name in names)


def _draw(module: nn.Module) -> None:
    """New random weights for one layer; statistics of batches begin anew as well."""
    if callable(reset := getattr(module, "reset_parameters", None)):
        reset()
        return
    for values in module.parameters(recurse=False):
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
