"""Where maps become a row of numbers: layers whose gradient lies in memory as the maps do.

torch returns the gradients of a flattening and of a global average as (N, C, H, W), whatever the layout of the maps.
The layer before, which works on channels last, then reads one layout and writes the other, several times as slowly.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Flatten(nn.Flatten):
    """torch's layer; the gradient of maps with channels last comes back with channels last."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(_kept(input))


class AdaptiveAvgPool2d(nn.AdaptiveAvgPool2d):
    """torch's layer; the gradient of maps with channels last comes back with channels last."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(_kept(input))


def _kept(maps: Tensor) -> Tensor:
    # A hook on what a caller made, not on what a layer computed, would stay with it.
    if torch.compiler.is_compiling() or maps.grad_fn is None:
        return maps
    if maps.ndim == 4 and maps.is_contiguous(memory_format=torch.channels_last):
        maps.register_hook(_with_channels_last)
    return maps


def _with_channels_last(gradient: Tensor) -> Tensor:
    return gradient.contiguous(memory_format=torch.channels_last)
