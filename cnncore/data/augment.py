"""Random changes of training images: whole batches at once, on the device the images are on, reproducible by seed.

Each function draws one set of numbers for every image from a generator on the CPU and applies them without a loop over
images; drawing on the CPU gives the same images on every device and never waits for one. Images are (N, C, H, W),
floating point from 0 to 1; `crop_and_flip` takes any type, so that bytes can be moved before they are converted.
Which function an augmentation names, and the order, stands in `cnncore.catalog.AUGMENTATIONS`.
"""

from __future__ import annotations

import hashlib
import math
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional

from cnncore.catalog import AUGMENTATIONS
from cnncore.config import AugmentConfig

_LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in gray (ITU-R BT.601)."""


def generator_for(*numbers: int) -> Generator:
    """A generator whose stream is a pure function of the numbers, such as seed, epoch and step.

    The numbers are hashed: torch seeds its generator with 32 bits, and neighboring seeds must not look alike.
    """
    digest = hashlib.blake2b(repr(numbers).encode(), digest_size=4).digest()
    return Generator().manual_seed(int.from_bytes(digest, "little"))


def _uniform(num: int, low: float, high: float, generator: Generator) -> Tensor:
    return torch.rand(num, generator=generator) * (high - low) + low


def _per_image(values: Tensor, images: Tensor) -> Tensor:
    """Values (N,) as (N, 1, 1, 1) on the images' device and in their type."""
    return values.to(images.device, images.dtype).view(-1, 1, 1, 1)


def crop_and_flip(
    images: Tensor,
    generator: Generator,
    *,
    crop_padding: int = 0,
    flip_horizontal: float = 0.0,
    flip_vertical: float = 0.0,
) -> Tensor:
    """Pad with black and cut out a random window of the old size, then mirror.

    Args:
        images: (N, C, H, W) of any type; fastest where channels come last in memory.
        generator: On the CPU.
        crop_padding: Pixels added on every side; all offsets are equally likely.
        flip_horizontal: Probability of mirroring left-right.
        flip_vertical: Probability of mirroring up-down.
    """
    num = len(images)
    if crop_padding:
        offsets = torch.randint(0, 2 * crop_padding + 1, (2, num), generator=generator)
        images = _shift(images, crop_padding, offsets)
    for probability, axis in ((flip_horizontal, 3), (flip_vertical, 2)):
        if probability:
            images = _flip(images, torch.rand(num, generator=generator) < probability, axis)
    return images


def _shift(images: Tensor, padding: int, offsets: Tensor) -> Tensor:
    """Windows of the padded images; `offsets` (2, N) are their top and left edges, from 0 to twice the padding."""
    num, channels, height, width = images.shape
    padded = images.new_zeros((num, height + 2 * padding, width + 2 * padding, channels))
    padded[:, padding : padding + height, padding : padding + width] = images.permute(0, 2, 3, 1)
    # All windows of all images, as a view without copies; a window's row is contiguous, so rows are what is copied.
    per_image, per_row, per_pixel, _ = padded.stride()
    places = 2 * padding + 1
    windows = padded.as_strided(
        (num, places, places, height, width * channels), (per_image, per_row, per_pixel, per_row, 1)
    )
    top, left = offsets.to(images.device)
    chosen = windows[torch.arange(num, device=images.device), top, left]
    return chosen.view(num, height, width, channels).permute(0, 3, 1, 2)


def _flip(images: Tensor, mirrored: Tensor, axis: int) -> Tensor:
    """A copy in which the images where `mirrored` (N,) is true, on the CPU, are reversed along an axis."""
    rows = mirrored.nonzero().squeeze(1).to(images.device)
    last = images.permute(0, 2, 3, 1).contiguous()
    flat = last.view(len(images), -1)
    turned = flat.index_select(0, rows).view(-1, *last.shape[1:]).flip(axis - 1)
    return flat.index_copy(0, rows, turned.flatten(1)).view(last.shape).permute(0, 3, 1, 2)


def random_affine(
    images: Tensor, generator: Generator, *, rotation: float = 0.0, translation: float = 0.0, zoom: float = 0.0
) -> Tensor:
    """Turn, shift and enlarge or shrink in one bilinear sampling; black comes in from outside.

    Args:
        images: (N, C, H, W), floating point.
        generator: On the CPU.
        rotation: Largest angle in degrees to either side.
        translation: Largest shift as a share of the width and of the height.
        zoom: Factors lie from 1 - zoom to 1 + zoom.
    """
    num, _, height, width = images.shape
    angle = _uniform(num, -rotation, rotation, generator) * (math.pi / 180)
    scale = 1 / _uniform(num, 1 - zoom, 1 + zoom, generator)
    right = _uniform(num, -translation, translation, generator)
    down = _uniform(num, -translation, translation, generator)
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    # Where each output pixel comes from: shifted back, then turned back. Coordinates run from -1 to 1 in both
    # directions, so that a rotation must take the shape of the image out and in again.
    aspect = height / width
    grid = torch.stack(
        (
            _affine_coordinate(images, cosine, sine * aspect, -2 * (right * cosine + down * sine * aspect)),
            _affine_coordinate(images, -sine / aspect, cosine, -2 * (down * cosine - right * sine / aspect)),
        ),
        dim=3,
    )
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _affine_coordinate(images: Tensor, by_x: Tensor, by_y: Tensor, offset: Tensor) -> Tensor:
    """`by_x` x + `by_y` y + `offset` at every pixel, (N, H, W), for (N,) factors; x and y run from -1 to 1.

    One addition a pixel; `affine_grid` multiplies matrices instead and takes longer than the sampling itself.
    """
    height, width = images.shape[2:]
    by_x, by_y, offset = (values.to(images.device, images.dtype).view(-1, 1) for values in (by_x, by_y, offset))
    x = (torch.arange(width, device=images.device, dtype=images.dtype) * 2 + 1) / width - 1
    y = (torch.arange(height, device=images.device, dtype=images.dtype) * 2 + 1) / height - 1
    return (by_x * x).unsqueeze(1) + (by_y * y + offset).unsqueeze(2)


def color_jitter(
    images: Tensor,
    generator: Generator,
    *,
    brightness: float = 0.0,
    contrast: float = 0.0,
    saturation: float = 0.0,
    hue: float = 0.0,
) -> Tensor:
    """Brightness, contrast, saturation and hue, each with a random strength for every image.

    The four together are one linear map of a pixel's color, clamped once at the end. Hue turns the color plane of the
    YIQ space, which keeps the brightness and leaves gray alone (torchvision turns the hue of HSV, at a higher cost).

    Args:
        images: (N, C, H, W) from 0 to 1; with C other than 3, saturation and hue do nothing.
        generator: On the CPU.
        brightness: Factors lie from 1 - brightness to 1 + brightness.
        contrast: Likewise, about the mean gray of the image.
        saturation: Likewise, about the gray of the pixel.
        hue: Largest turn to either side; 1 is the whole color wheel.
    """
    num, channels = images.shape[:2]
    light = _uniform(num, 1 - brightness, 1 + brightness, generator)
    spread = _uniform(num, 1 - contrast, 1 + contrast, generator)
    strength = _uniform(num, 1 - saturation, 1 + saturation, generator)
    turn = _uniform(num, -hue, hue, generator) * (2 * math.pi)
    gray = torch.tensor(_LUMA if channels == 3 else [1 / channels] * channels).to(images.device, images.dtype)
    mean_gray = (images.mean(dim=(2, 3)) @ gray).view(-1, 1, 1, 1)
    light, spread = _per_image(light, images), _per_image(spread, images)
    if channels == 3 and (saturation or hue):
        matrix = _color_matrix(strength, turn).to(images.device, images.dtype)
        images = torch.einsum("nij,njhw->nihw", matrix, images)
    return torch.addcmul((1 - spread) * light * mean_gray, images, light * spread).clamp(0, 1)


def _color_matrix(strength: Tensor, turn: Tensor) -> Tensor:
    """Matrices (N, 3, 3) that turn the color plane of YIQ by `turn` radians and stretch it by `strength`, both (N,)."""
    to_yiq = torch.tensor((_LUMA, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112)))
    cosine, sine, zero = strength * turn.cos(), strength * turn.sin(), torch.zeros_like(turn)
    plane = torch.stack((zero + 1, zero, zero, zero, cosine, -sine, zero, sine, cosine), dim=1).view(-1, 3, 3)
    return torch.linalg.inv(to_yiq) @ plane @ to_yiq


def random_erasing(images: Tensor, generator: Generator, *, erasing: float = 0.0) -> Tensor:
    """Cover a random rectangle of some images with noise from 0 to 1 (Zhong et al., 2017).

    The rectangle takes 2 % to 33 % of the image, with sides 0.3 to 3.3 to 1, as in the paper; one that is longer than
    the image is cut to its length where the paper draws again.

    Args:
        images: (N, C, H, W).
        generator: On the CPU.
        erasing: Probability that an image is changed.
    """
    num, _, height, width = images.shape
    chosen = torch.rand(num, generator=generator) < erasing
    area = _uniform(num, 0.02, 0.33, generator) * (height * width)
    aspect = _uniform(num, math.log(0.3), math.log(1 / 0.3), generator).exp()
    tall, wide = (area * aspect).sqrt().clamp(1, height), (area / aspect).sqrt().clamp(1, width)
    top = torch.rand(num, generator=generator) * (height - tall.floor() + 1)
    left = torch.rand(num, generator=generator) * (width - wide.floor() + 1)
    # Only where it is needed, and not on the CPU for a GPU: a batch has many pixels.
    noise_seed = int(torch.randint(2**31 - 1, (), generator=generator))
    rows = chosen.nonzero().squeeze(1)
    inside = _rectangles(images, *(edge[rows].floor() for edge in (top, left, tall, wide)))
    rows = rows.to(images.device)
    noise = torch.rand(
        (len(rows), *images.shape[1:]),
        generator=Generator(images.device).manual_seed(noise_seed),
        device=images.device,
        dtype=images.dtype,
    )
    return images.index_copy(0, rows, torch.where(inside, noise, images[rows]))


def _rectangles(images: Tensor, top: Tensor, left: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """Masks (N, 1, H, W) of rectangles given in pixels, each edge (N,)."""
    device = images.device
    rows = torch.arange(images.shape[2], device=device).view(1, 1, -1, 1)
    columns = torch.arange(images.shape[3], device=device).view(1, 1, 1, -1)
    top, left, height, width = (edge.to(device).view(-1, 1, 1, 1) for edge in (top, left, height, width))
    return (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)


def _shares(num: int, alpha: float, generator: Generator) -> Tensor:
    """Draws from Beta(alpha, alpha), (N,); torch's distributions take no generator."""
    concentration = torch.full((num, 2), alpha, dtype=torch.float64)
    return torch._sample_dirichlet(concentration, generator)[:, 0].float()  # pyright: ignore[reportPrivateImportUsage]


def _blend_targets(targets: Tensor, partners: Tensor, share: Tensor) -> Tensor:
    share = share.to(targets.device, targets.dtype).view(-1, 1)
    return targets * share + targets[partners] * (1 - share)


def mixup(images: Tensor, targets: Tensor, generator: Generator, *, mixup: float) -> tuple[Tensor, Tensor]:
    """Blend each image, and its target, with another one of the batch (Zhang et al., 2017).

    The share is drawn for every image; the paper draws one for the batch.

    Args:
        images: (N, C, H, W).
        targets: Probabilities of the classes, (N, K).
        generator: On the CPU.
        mixup: The share follows Beta(mixup, mixup).
    """
    partners = torch.randperm(len(images), generator=generator).to(images.device)
    share = _shares(len(images), mixup, generator)
    return torch.lerp(images[partners], images, _per_image(share, images)), _blend_targets(targets, partners, share)


def cutmix(images: Tensor, targets: Tensor, generator: Generator, *, cutmix: float) -> tuple[Tensor, Tensor]:
    """Paste a rectangle of another image of the batch into each; targets mix by area (Yun et al., 2019).

    Args:
        images: (N, C, H, W).
        targets: Probabilities of the classes, (N, K).
        generator: On the CPU.
        cutmix: The share of the image that stays follows Beta(cutmix, cutmix), before the rectangle is cut at the edge.
    """
    num, _, height, width = images.shape
    partners = torch.randperm(num, generator=generator).to(images.device)
    side = (1 - _shares(num, cutmix, generator)).sqrt()
    middle_y = (torch.rand(num, generator=generator) * height).floor()
    middle_x = (torch.rand(num, generator=generator) * width).floor()
    tall, wide = (side * height).floor(), (side * width).floor()
    inside = _rectangles(images, middle_y - (tall / 2).floor(), middle_x - (wide / 2).floor(), tall, wide)
    kept = 1 - inside.to(targets.dtype).mean(dim=(1, 2, 3))
    return torch.where(inside, images[partners], images), _blend_targets(targets, partners, kept)


def _steps(config: AugmentConfig) -> Mapping[str, dict[str, Any]]:
    """Functions that are active, in the catalog's order, each with its strengths by name."""
    steps: dict[str, dict[str, Any]] = {}
    for name in config.active:
        steps.setdefault(AUGMENTATIONS[name].function, {})[name] = getattr(config, name)
    return steps


_MOVES_PIXELS = "cnncore.data.augment:crop_and_flip"


def augment_bytes(pixels: Tensor, config: AugmentConfig, generator: Generator) -> Tensor:
    """The part of the augmentation that only moves pixels, done on bytes (N, C, H, W): first in order, and cheapest."""
    strengths = _steps(config).get(_MOVES_PIXELS)
    return crop_and_flip(pixels, generator, **strengths) if strengths else pixels


def needs_floats(config: AugmentConfig) -> bool:
    """Whether `augment_floats` has anything to do."""
    return any(function != _MOVES_PIXELS for function in _steps(config))


def augment_floats(
    images: Tensor, labels: Tensor, config: AugmentConfig, num_classes: int, generator: Generator
) -> tuple[Tensor, Tensor]:
    """What `augment_bytes` left to do, on images from 0 to 1; see `augment_batch`."""
    mixing = {AUGMENTATIONS[name].function for name in config.active if AUGMENTATIONS[name].mixes}
    targets = functional.one_hot(labels, num_classes).float() if mixing else labels
    for path, strengths in _steps(config).items():
        if path == _MOVES_PIXELS:
            continue
        function: Callable[..., Any] = pkgutil.resolve_name(path)
        if path in mixing:
            images, targets = function(images, targets, generator, **strengths)
        else:
            images = function(images, generator, **strengths)
    return images, targets


def augment_batch(
    images: Tensor, labels: Tensor, config: AugmentConfig, num_classes: int, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Apply what is on in `config`, in the order of the catalog.

    Args:
        images: (N, C, H, W) from 0 to 1.
        labels: Class indices, int64 (N,).
        config: Strengths; all 0 changes nothing.
        num_classes: K.
        generator: On the CPU; the same state gives the same result.

    Returns:
        Images (N, C, H, W) from 0 to 1, and targets: the labels, or probabilities float (N, K) where labels are mixed.
    """
    return augment_floats(augment_bytes(images, config, generator), labels, config, num_classes, generator)
