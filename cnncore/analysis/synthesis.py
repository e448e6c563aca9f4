"""An image made by gradient ascent to excite a unit of a network as much as it can.

Erhan et al.: Visualizing higher-layer features of a deep network, 2009: ascent on the pixels. Simonyan et al.: Deep
inside convolutional networks, 2014, section 2: the same for the logit of a class. Olah et al.: Feature visualization,
2017: what makes such images readable: the steps are taken on the image's frequencies, each scaled by its size, and on
colors that are independent in photographs, and the network sees the image shifted, turned and zoomed a little anew
each step, so that the image must hold for all of these. The scales, the matrix of colors, the optimizer (Adam), its
rate 0.05, and that gradients pass activations that are off while the unit is, are those of their code (lucid). Our
deviations: a sigmoid around the color that is 0 for the network (as a rule its images' mean), so that nothing but the
unit decides where it is bright; shift, turn and zoom are one resampling; slopes are divided by their root mean square,
and frequencies with hardly any get smaller steps; steps are fewer, by what the network costs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from cnncore.analysis.subjects import Pixels
from cnncore.analysis.units import Units
from cnncore.errors import DataError

RATE = 0.05
LEAST_SLOPE = 0.01
"""Share of the usual slope from which on a frequency gets whole steps: below it is noise, which Adam would enlarge."""
FIRST_SPREAD = 0.01
"""Standard deviation of the first frequencies: nearly one color."""
COLORS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""Square root of the covariance of red, green and blue in ImageNet's images (lucid)."""
MACS = 80_000_000_000
"""Multiply-accumulates that the steps may take together, forward: some 20 s on one thread."""
FEWEST_STEPS, MOST_STEPS = 64, 512


@dataclass(frozen=True, kw_only=True)
class Shaking:
    """How much the network's view of the image changes each step, at most, in either direction.

    Attributes:
        shift: Share of the image's side.
        turn: Degrees.
        zoom: Share of the size.
    """

    shift: float = 1 / 16
    turn: float = 8.0
    zoom: float = 0.08


STILL = Shaking(shift=0.0, turn=0.0, zoom=0.0)


def default_steps(macs: int) -> int:
    """Steps that a network of that many multiply-accumulates an image gets."""
    return min(max(MACS // max(macs, 1), FEWEST_STEPS), MOST_STEPS)


class Synthesis:
    """An image that grows; the same arguments give the same image, in pieces of any length.

    Args:
        units: Those of the layer, or the classes.
        unit: Number of the unit.
        steps: Of the ascent.
        seed: Of the first image and of the shaking.
        middle: Whether the middle position of the map counts, not the mean of all.
        shaking: How much the view changes.

    Attributes:
        done: Steps taken.
        total: Steps in all.
        before: `value` of the first image.
    """

    def __init__(
        self,
        units: Units,
        unit: int,
        *,
        steps: int,
        seed: int = 0,
        middle: bool = False,
        shaking: Shaking = Shaking(),
    ) -> None:
        made = units.network.preprocessing
        self.units, self.unit, self.middle, self.shaking = units, unit, middle, shaking
        self.done, self.total = 0, steps
        self._random = torch.Generator().manual_seed(seed)
        device = units.network.device
        self._mean, self._std = (torch.tensor(each, device=device)[:, None, None] for each in (made.mean, made.std))
        size, channels = made.size, made.channels
        across = torch.fft.rfftfreq(size)
        distance = torch.hypot(torch.fft.fftfreq(size)[:, None], across[None])
        # The constant part gets the scale of the lowest frequency.
        self._scale = (size / distance.clamp_min(1 / size)).to(device)[..., None]
        mixing = torch.tensor(COLORS, device=device)
        self._mixing = mixing / mixing.norm(dim=0).max() if channels == 3 else None
        self._level = torch.logit(self._mean.clamp(0.02, 0.98))
        first = FIRST_SPREAD * torch.randn(channels, size, len(across), 2, generator=self._random)
        self._waves = first.to(device).requires_grad_()
        self._optimizer = torch.optim.Adam([self._waves], lr=RATE, eps=LEAST_SLOPE)
        self.before = self.value

    def advance(self, budget_s: float = math.inf) -> None:
        """Take steps for some time; at least one where any is left.

        Raises:
            DataError: if nothing in the image changes the unit.
        """
        end = time.monotonic() + budget_s
        while self.done < self.total:
            self._step()
            if time.monotonic() >= end:
                return

    def _step(self) -> None:
        slope = self._slope(nullcontext())
        if not slope.any():
            # The unit is off, which leaves nothing to climb, so the way to where it is on is taken.
            slope = self._slope(_Unblocked())
        if not slope.any():
            raise DataError(f"No image changes unit {self.unit}: it is dead.", "Choose another one.")
        self._waves.grad = -slope / slope.square().mean().sqrt()
        self._optimizer.step()
        self.done += 1

    def _slope(self, way: AbstractContextManager[Any]) -> Tensor:
        """In which direction the frequencies excite the unit more, as the network sees the image now."""
        with torch.enable_grad(), way:
            unit_map = self.units.maps(self._shaken(self._normalized())[None])[0, self.unit]
            return torch.autograd.grad(self._aim(unit_map), [self._waves])[0]

    def _aim(self, unit_map: Tensor) -> Tensor:
        if not self.middle:
            return unit_map.mean()
        height, width = unit_map.shape
        return unit_map[height // 2, width // 2]

    def _painted(self) -> Tensor:
        """The image, (C, H, W) from 0 to 1."""
        size = self._waves.shape[1]
        image = torch.fft.irfft2(torch.view_as_complex(self._waves * self._scale), s=(size, size)) / 4
        if self._mixing is not None:
            image = torch.einsum("oc,chw->ohw", self._mixing, image)
        return torch.sigmoid(image + self._level)

    def _normalized(self) -> Tensor:
        return (self._painted() - self._mean) / self._std

    def _shaken(self, image: Tensor) -> Tensor:
        """The image shifted, turned and zoomed by chance; what comes in from outside is 0 for the network."""
        if self.shaking == STILL:
            return image
        draws = (2 * torch.rand(4, generator=self._random) - 1).tolist()
        down, right = (2 * self.shaking.shift * draw for draw in draws[:2])
        turn, zoom = math.radians(self.shaking.turn * draws[2]), 1 + self.shaking.zoom * draws[3]
        cosine, sine = math.cos(turn) / zoom, math.sin(turn) / zoom
        view = torch.tensor([[[cosine, -sine, right], [sine, cosine, down]]], device=image.device)
        grid = functional.affine_grid(view, [1, *image.shape], align_corners=False)
        return functional.grid_sample(image[None], grid, mode="bilinear", align_corners=False)[0]

    @property
    def picture(self) -> Pixels:
        """The image so far, uint8 (H, W, C)."""
        with torch.inference_mode():
            levels = (255 * self._painted()).round().byte()
        return np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy())

    @property
    def value(self) -> float:
        """The unit's largest value anywhere in its map of `picture`, unshaken and with its colors rounded."""
        shown = torch.from_numpy(self.units.network.preprocessing.normalized(self.picture))
        with torch.inference_mode():
            return float(self.units.maps(shown[None])[0, self.unit].max())


_CLIPPING = {functional.relu, functional.relu6, functional.hardtanh, torch.relu, torch.relu_, Tensor.relu}


class _Unblocked(TorchFunctionMode):
    """Lets gradients pass activations that are off or at their limit; values stay what they are."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func not in _CLIPPING:
            return func(*args, **(kwargs or {}))
        values, *others = args
        # A copy, since it may be told to write over its input.
        clipped = func(values.clone(), *others, **(kwargs or {}))
        rest = values - clipped
        return clipped + (rest - rest.detach())
