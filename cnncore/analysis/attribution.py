"""Why a network says a class: how much each place of an image counts for it, by five methods.

All of them explain the logit of the class, not its probability, which would also change with the other classes.

gradcam               `cnncore.analysis.grad_cam` (Selvaraju et al. 2017). Unsigned: the largest value is 1.
occlusion             Zeiler and Fergus 2014, section 4.2: how far the logit falls when a window is covered. Signed. The
                      paper covers with gray and draws the probability by the place of the window; here a place has the
                      mean over the windows that cover it, as in Captum.
integrated_gradients  Sundararajan, Taly and Yan 2017, section 3: gradients along the straight path from a baseline to
                      the image, times the difference. Signed, summed over the channels; all places together give the
                      logit of the image less that of the baseline (completeness, proposition 1).
gradient              Simonyan, Vedaldi and Zisserman 2014, section 3.1: the largest absolute gradient of the channels.
                      Unsigned.
smoothgrad            Smilkov et al. 2017: the mean gradient of noisy copies, then as above. Unsigned.

What covers and where the path begins is what is 0 after normalization: the images' mean color, or black where pixels
are only scaled to 0 to 1 (`data.normalize` is `unit`); the papers take gray, or black. Gradients and noise are Captum's
(Kokhlikyan et al. 2020): its Saliency and NoiseTunnel. Its Occlusion and IntegratedGradients cannot be divided, so
these two are written out here, with the same results.

Only gradients of the images are computed, none of weights, in fp32; the network is left as it was. Each method is a
generator, so that long ones can be done in pieces (`cnncore.analysis.scans`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call

from cnncore.analysis.grad_cam import grad_cam, last_maps, last_of, layers_with_maps
from cnncore.analysis.scans import Work
from cnncore.config import Section
from cnncore.errors import MOST_NAMED, ConfigError, DataError, lookup

MOST_WINDOWS = 4_000
LEAST_RISE = 1e-3
"""Difference of two logits below which a gap is not told as a share of it."""
MOST_TOGETHER = 32
PIXELS_TOGETHER = 224 * 224
"""Images that go through the network together: as many as have so many pixels, so that a piece of work stays short."""

Map = npt.NDArray[np.float32]


class AttributionSettings(Section):
    """What the methods are told; each takes what it needs."""

    steps: int = Field(default=32, ge=8, le=256, description="points of the path of integrated gradients")
    window: int = Field(default=0, ge=0, le=512, description="pixels along a side that are covered; 0: a seventh")
    stride: int = Field(default=0, ge=0, le=512, description="pixels between windows; 0: half a window")
    samples: int = Field(default=24, ge=2, le=128, description="noisy copies of SmoothGrad")
    noise: float = Field(
        default=0.15, ge=0.01, le=1, description="deviation of the noise, as a share of the image's range of values"
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="seed of the noise")

    def covering(self, size: int) -> tuple[int, int]:
        """Side of the window and stride for images of `size` pixels along a side.

        Raises:
            ConfigError: if places would be left out, or there are too many windows.
        """
        window = self.window or max(2, size // 7)
        stride = self.stride or max(1, window // 2)
        if window > size:
            raise ConfigError("window", f"A window cannot have {window} pixels.", f"The image has {size}.")
        if stride > window:
            raise ConfigError("stride", f"A stride of {stride} leaves places out.", f"Allowed: 1 to {window} pixels.")
        count = len(_starts(size, window, stride)) ** 2
        if count > MOST_WINDOWS:
            raise ConfigError(
                "stride", f"{count:,} windows would be covered; at most {MOST_WINDOWS:,} are.", "Take a larger stride."
            )
        return window, stride


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """Whether integrated gradients explain all of a logit.

    Attributes:
        image: Logit of the image.
        baseline: Logit of the baseline.
        attributed: Sum over all places.
    """

    image: float
    baseline: float
    attributed: float

    @property
    def gap_percent(self) -> float | None:
        """How far the sum is from the difference of the logits, in percent of it; None where there is hardly any."""
        rise = self.image - self.baseline
        return 100 * abs(self.attributed - rise) / abs(rise) if abs(rise) >= LEAST_RISE else None


@dataclass(frozen=True, eq=False, kw_only=True)
class Attribution:
    """What counts for a class in one image.

    Attributes:
        map: Float32 (H, W). Signed ones in units of the logit: positive speaks for the class.
        layer: Whose maps were weighted; empty for all but Grad-CAM.
        completeness: Of integrated gradients.
    """

    map: Map
    layer: str = ""
    completeness: Completeness | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class _Asked:
    model: nn.Module
    image: Tensor
    target: int
    layer: str
    settings: AttributionSettings

    def score(self, images: Tensor) -> Tensor:
        """The logit of the class of each image, (N,); no weight records anything."""
        values = [*self.model.named_parameters(), *self.model.named_buffers()]
        weights = {name: value.detach() for name, value in values}
        # A copy, since the first layer may write over its input.
        copies = images.clone(memory_format=torch.channels_last)
        return functional_call(self.model, weights, (copies,)).float()[:, self.target]

    @torch.inference_mode()
    def scores(self, images: Tensor) -> Tensor:
        """The same where nothing needs gradients."""
        return self.score(images)

    def slopes(self, images: Tensor) -> Tensor:
        """Gradients of the logit with respect to each image, (N, C, H, W)."""
        from captum.attr import Saliency

        return Saliency(self.score).attribute(images.clone().requires_grad_(), abs=False).detach()

    @property
    def together(self) -> int:
        """Images that go through the network together."""
        height, width = self.image.shape[2:]
        return max(1, min(MOST_TOGETHER, PIXELS_TOGETHER // (height * width)))


def _gradcam(asked: _Asked) -> Work[Attribution]:
    through = layers_with_maps(asked.model, asked.image)
    layer = asked.layer or last_of(through) or last_maps(asked.model, asked.image)
    yield 0, 1
    if layer not in through:
        lookup(dict(asked.model.named_modules()), layer, "layer", "layer")
        raise ConfigError(
            "layer",
            f"Grad-CAM cannot take the layer {layer}: it has no maps, or not everything passes through it.",
            f"Choose one of {', '.join(through)}."
            if len(through) <= MOST_NAMED
            else f"Choose one like {[*through][-1]}.",
        )
    return Attribution(map=grad_cam(asked.model, asked.image, [asked.target], layer)[0], layer=layer)


def _occlusion(asked: _Asked) -> Work[Attribution]:
    height, width = asked.image.shape[2:]
    window, stride = asked.settings.covering(min(height, width))
    places = list(product(_starts(height, window, stride), _starts(width, window, stride)))
    whole = asked.scores(asked.image)
    falls, counts = torch.zeros(height, width), torch.zeros(height, width)
    for first in range(0, len(places), asked.together):
        part = places[first : first + asked.together]
        covered = asked.image.repeat(len(part), 1, 1, 1)
        for image, (top, left) in zip(covered, part, strict=True):
            image[:, top : top + window, left : left + window] = 0
        for fall, (top, left) in zip((whole - asked.scores(covered)).tolist(), part, strict=True):
            falls[top : top + window, left : left + window] += fall
            counts[top : top + window, left : left + window] += 1
        yield first + len(part), len(places)
    return Attribution(map=(falls / counts).numpy())


def _starts(size: int, window: int, stride: int) -> range:
    """Where windows begin along a side; the last one may reach beyond the edge, where it is cut off."""
    return range(0, size - window + stride, stride)


def _integrated_gradients(asked: _Asked) -> Work[Attribution]:
    steps = asked.settings.steps
    # Gauss and Legendre's rule, which Captum takes too, here from 0 to 1.
    nodes, weights = (torch.from_numpy(values).to(asked.image) for values in np.polynomial.legendre.leggauss(steps))
    slopes = torch.zeros_like(asked.image)
    for first in range(0, steps, asked.together):
        part = slice(first, first + asked.together)
        points = asked.image * ((1 + nodes[part]) / 2)[:, None, None, None]
        slopes += (asked.slopes(points) * weights[part, None, None, None] / 2).sum(dim=0, keepdim=True)
        yield min(first + asked.together, steps), steps
    found = asked.image * slopes
    image, baseline = asked.scores(torch.cat([asked.image, torch.zeros_like(asked.image)])).tolist()
    completeness = Completeness(image=image, baseline=baseline, attributed=float(found.cpu().double().sum()))
    return Attribution(map=found.sum(dim=1)[0].cpu().numpy(), completeness=completeness)


def _gradient(asked: _Asked) -> Work[Attribution]:
    yield 0, 1
    return _largest(asked.slopes(asked.image))


def _smoothgrad(asked: _Asked) -> Work[Attribution]:
    from captum.attr import NoiseTunnel, Saliency

    method, settings = NoiseTunnel(Saliency(asked.score)), asked.settings
    deviation = settings.noise * float(asked.image.max() - asked.image.min())
    image, found = asked.image.clone().requires_grad_(), torch.zeros_like(asked.image)
    for first in range(0, settings.samples, asked.together):
        count = min(asked.together, settings.samples - first)
        with seeded(settings.seed + first):
            part = method.attribute(image, nt_type="smoothgrad", nt_samples=count, stdevs=deviation, abs=False)
        found += cast("Tensor", part).detach() * (count / settings.samples)
        yield first + count, settings.samples
    return _largest(found)


def _largest(gradients: Tensor) -> Attribution:
    """The largest absolute value of the channels, of gradients (1, C, H, W)."""
    return Attribution(map=gradients.abs().amax(dim=1)[0].cpu().numpy())


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers from a seed; the process's own go on afterwards as if nothing had been drawn."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method.

    Attributes:
        title: As its authors call it.
        signed: Whether places can speak against the class.
        work: Carries it out.
    """

    title: str
    signed: bool
    work: Callable[[_Asked], Work[Attribution]]


METHODS: dict[str, Method] = {
    "gradcam": Method(title="Grad-CAM", signed=False, work=_gradcam),
    "occlusion": Method(title="Occlusion", signed=True, work=_occlusion),
    "integrated_gradients": Method(title="Integrated gradients", signed=True, work=_integrated_gradients),
    "smoothgrad": Method(title="SmoothGrad", signed=False, work=_smoothgrad),
    "gradient": Method(title="Gradient", signed=False, work=_gradient),
}
"""The methods by their names in questions and on the command line."""

DEFAULTS = AttributionSettings()


def attribute(
    model: nn.Module,
    image: Tensor,
    target: int,
    method: str,
    *,
    layer: str = "",
    settings: AttributionSettings = DEFAULTS,
) -> Work[Attribution]:
    """What counts for a class in an image, in pieces.

    Args:
        model: In evaluation mode; images (N, C, H, W) to logits (N, K). It is left as it is.
        image: Normalized, (1, C, H, W).
        target: The class.
        method: Key of `METHODS`.
        layer: For Grad-CAM, whose maps are weighted; the last one that has some extent if not given.
        settings: Ranges and numbers.

    Raises:
        ConfigError: if there is no such method, or no such layer for it, or the windows do not fit.
        DataError: if there are no maps for Grad-CAM, or the network's answer is no number.
    """
    chosen = lookup(METHODS, method, "method", "method")
    found = yield from chosen.work(_Asked(model=model, image=image, target=target, layer=layer, settings=settings))
    if not np.isfinite(found.map).all():
        raise DataError("What the network makes of this picture is no number.", "Choose weights that work.")
    return found
