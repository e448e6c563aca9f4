"""Grad-CAM: where in an image a network sees a class.

Selvaraju et al.: Grad-CAM: Visual explanations from deep networks via gradient-based localization, 2017, section 3: the
maps A of a layer, each weighted by the mean gradient of the class's logit with respect to it, are summed, and what
speaks against the class (negative sums) is cut off. The paper takes the last convolution; we take the last layer that
everything passes through and whose maps still have some extent. Only gradients of the maps are computed, none of
weights, so frozen networks need no change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from cnncore.errors import ConfigError, DataError, lookup
from cnncore.models.blocks import PartialConv2d

LEAST_SIDE = 4
"""Positions along a side that maps should have: fewer tell hardly anything about where."""

Shape = tuple[int, int, int]
Maps = npt.NDArray[np.float32]


def grad_cam(model: nn.Module, images: Tensor, classes: Sequence[int] | Tensor, layer: str = "") -> Maps:
    """How much each place of an image speaks for a class, float32 (N, H, W) from 0 to 1.

    Each map is divided by its largest value; where nothing speaks for the class it is 0 everywhere. Between the layer's
    positions it is interpolated bilinearly.

    Args:
        model: In evaluation mode; images (N, C, H, W) to logits (N, K). It is left as it is.
        images: Normalized, (N, C, H, W).
        classes: One for each image.
        layer: Name of a layer with maps; `last_maps` if not given.

    Raises:
        ConfigError: if the network has no such layer or class, or its output has no height and width.
        DataError: if the network has no layer with maps.
    """
    layer = layer or last_maps(model, images[:1])
    module = lookup(dict(model.named_modules()), layer, "layer", "layer")
    chosen = torch.as_tensor(classes, device=images.device)
    maps: list[Tensor] = []

    def cut(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        maps[:] = [output.detach().requires_grad_()]
        # A copy goes on, since layers inside blocks may write over their input.
        return maps[0].clone()

    with torch.enable_grad(), _hooks([module.register_forward_hook(cut)]):
        # With weights that record nothing, the graph begins at the cut.
        weights = {name: value.detach() for name, value in [*model.named_parameters(), *model.named_buffers()]}
        # A copy, since the first layer may write over its input.
        logits = functional_call(model, weights, (images.clone(),)).float()
        _check(logits, chosen, layer, maps)
        scores = logits.gather(1, chosen[:, None]).sum()
        (gradients,) = torch.autograd.grad(scores, maps)
    return _weighted(maps[0].detach(), gradients, images.shape[2:])


def _check(logits: Tensor, classes: Tensor, layer: str, maps: Sequence[Tensor]) -> None:
    wrong = classes[(classes < 0) | (classes >= logits.shape[1])]
    if len(wrong):
        raise ConfigError("classes", f"There is no class {int(wrong[0])}.", f"Allowed: 0 to {logits.shape[1] - 1}.")
    if not maps or maps[0].ndim != 4:
        raise ConfigError("layer", f"The layer {layer} has no maps.", "Choose one before the dense layers.")


def _weighted(maps: Tensor, gradients: Tensor, size: Sequence[int]) -> Maps:
    sums = (gradients.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1, keepdim=True).relu().float()
    # First to the largest value, so that tiny gradients do not vanish on the way.
    sums = sums / sums.amax(dim=(2, 3), keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    found = functional.interpolate(sums, size=tuple(size), mode="bilinear", align_corners=False)
    found = found / found.amax(dim=(2, 3), keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    return found[:, 0].cpu().numpy()


@contextmanager
def _hooks(handles: Sequence[torch.utils.hooks.RemovableHandle]) -> Iterator[None]:
    with ExitStack() as stack:
        for handle in handles:
            stack.callback(handle.remove)
        yield


def layers_with_maps(model: nn.Module, images: Tensor) -> dict[str, Shape]:
    """The layers that leave maps and that everything passes through, with channels, height and width, input side first.

    Branches inside a block are none of them, since a class may be seen by another one. Neither is what stands before
    the first convolution, nor what pools to a fixed size: it may repeat values.

    Args:
        model: In evaluation mode.
        images: Normalized, (N, C, H, W); one suffices.
    """
    found: dict[str, Shape] = {}
    begun = False

    def note(name: str, module: nn.Module, _inputs: object, output: Any) -> None:
        nonlocal begun
        begun = begun or any(isinstance(each, nn.Conv2d | PartialConv2d) for each in module.modules())
        if begun and output.ndim == 4 and not isinstance(module, nn.AdaptiveAvgPool2d):
            found[name] = (output.shape[1], output.shape[2], output.shape[3])

    handles = [module.register_forward_hook(partial(note, name)) for name, module in _links(model)]
    with torch.inference_mode(), _hooks(handles):
        model(images[:1].clone())
    return found


def _links(model: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """What the images pass through one after the other: the network's layers, and in chains their parts too."""
    for name, module in model.named_children():
        if not name.startswith("aux"):
            yield prefix + name, module
            if isinstance(module, nn.Sequential):
                yield from _links(module, f"{prefix}{name}.")


def last_maps(model: nn.Module, images: Tensor) -> str:
    """Name of the last layer whose maps are at least 4 × 4, or if none are, of the last with more than one position.

    Raises:
        DataError: if the network has no such layer.
    """
    found = last_of(layers_with_maps(model, images))
    if not found:
        raise DataError(
            "This network keeps no maps that say where something is, so Grad-CAM cannot show it.",
            "Use a network with convolutions, or larger images.",
        )
    return found


def last_of(layers: Mapping[str, Shape]) -> str:
    """The same of the layers that everything passes through; empty if there is none."""
    large = [name for name, (_, height, width) in layers.items() if min(height, width) >= LEAST_SIDE]
    some = [name for name, (_, height, width) in layers.items() if height * width > 1]
    return (large or some or [""])[-1]
