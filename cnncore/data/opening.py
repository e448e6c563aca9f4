"""Opens a data set: finds or downloads it, decodes it once, divides it, measures mean and deviation."""

from __future__ import annotations

import hashlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cnncore.catalog import DATASETS, DatasetSpec
from cnncore.config import DataConfig
from cnncore.data.cache import FORMAT, Decoded, Stored, StoredSplit, open_or_build
from cnncore.data.folder import RESIDENT_BYTES, decode_files
from cnncore.data.images import Files, ImageData, Images, Progress, Split
from cnncore.data.sources import Request, Source
from cnncore.data.splits import Division, choose, divide
from cnncore.errors import ConfigError, lookup
from cnncore.images.preprocessing import fixed_statistics

SAMPLED_FOR_STATISTICS = 512
"""Training images of a streamed folder that mean and deviation are taken from, evenly spaced."""
MIN_STD = 1 / 255
"""Images of a single color have no deviation to divide by."""


def _silent(what: str, done: int, total: int) -> None:
    pass


def open_images(
    config: DataConfig, root: Path, *, progress: Progress | None = None, download: bool = True
) -> ImageData:
    """The data set `config` names, divided as it says.

    Args:
        config: Data set, division, size and normalization.
        root: Data folder: searched first, downloaded into, and the place of the cache.
        progress: Told what is going on whenever it takes long.
        download: Whether missing files may be downloaded.

    Raises:
        DataError: where files are missing, damaged or wrongly laid out, or a download failed.
        ConfigError: where there are fewer images than asked for, or they would not fit in memory.
    """
    spec = lookup(DATASETS, config.dataset, "data set", "data.dataset")
    request = Request(
        key=config.dataset, spec=spec, config=config, root=root, progress=progress or _silent, may_download=download
    )
    source: Source = pkgutil.resolve_name(spec.reader)(request)
    if source.streamed is not None:
        return _divided(config, source, source.streamed, source.classes, None)
    stored = open_or_build(
        root,
        _cache_name(config, source),
        _cache_key(config, source),
        lambda: _decoded(request, source),
        request.progress,
    )
    splits = {name: _images(split) for name, split in stored.splits.items()}
    return _divided(config, source, splits, stored.classes, stored)


def _cache_name(config: DataConfig, source: Source) -> str:
    return f"{source.name}-{config.image_size or 'native'}"


def _cache_key(config: DataConfig, source: Source) -> str:
    content = f"{FORMAT}/{source.name}/{source.fingerprint}/{config.image_size}"
    return hashlib.sha256(content.encode()).hexdigest()


def _decoded(request: Request, source: Source) -> Decoded:
    spec, size = request.spec, request.config.image_size
    if not spec.num_train or not size or (size, size) == spec.in_shape[1:]:
        return source.decode()
    _check_size(spec, size)
    decoded = source.decode()
    request.progress(f"Resizing the images to {size}×{size}", 0, 0)
    return Decoded(
        {name: (_resized(pixels, size), labels) for name, (pixels, labels) in decoded.splits.items()}, decoded.classes
    )


def _check_size(spec: DatasetSpec, size: int) -> None:
    num_images = spec.num_train + spec.num_validation + spec.num_test
    num_bytes = num_images * size * size * spec.in_shape[0]
    if num_bytes > RESIDENT_BYTES:
        largest = int((RESIDENT_BYTES / (num_images * spec.in_shape[0])) ** 0.5)
        raise ConfigError(
            "data.image_size",
            f"{spec.title} at {size}×{size} pixels would take {num_bytes / 1e9:,.1f} GB.",
            f"Allowed: up to {largest}; or leave the size as it is and set model.input_size.",
        )


def _resized(pixels: np.ndarray, size: int) -> np.ndarray:
    out = np.empty((len(pixels), size, size, pixels.shape[-1]), np.uint8)
    for start in range(0, len(pixels), 1_024):
        images = torch.from_numpy(pixels[start : start + 1_024]).permute(0, 3, 1, 2).float()
        resized = functional.interpolate(images, size=(size, size), mode="bicubic", antialias=True)
        out[start : start + 1_024] = resized.round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return out


def _images(split: StoredSplit) -> Images:
    return Images(torch.from_numpy(split.pixels), torch.from_numpy(split.labels))


def _divided(
    config: DataConfig, source: Source, splits: Mapping[str, Split], classes: tuple[str, ...], stored: Stored | None
) -> ImageData:
    pool = splits["train"]
    labels = pool.labels.numpy()
    if config.train_images and config.train_images > len(pool):
        raise ConfigError(
            "data.train_images",
            f"There are {len(pool):,} training images, not {config.train_images:,}.",
            f"Allowed: from 1 up to {len(pool):,}.",
        )
    own = splits.get("validation")
    if own is not None:
        chosen = choose(labels, len(classes), num_train=config.train_images, seed=config.seed)
        division = Division(chosen, None, f"Validation: the data set's own {len(own):,} validation images.")
    else:
        division = divide(
            labels, len(classes), num_train=config.train_images, share=config.validation, seed=config.seed
        )
    train = pool.select(torch.from_numpy(division.train))
    rows = division.validation
    mean, std = _mean_std(config, train, stored, division.train)
    return ImageData(
        train=train,
        validation=own if own is not None else pool.select(torch.from_numpy(rows)) if rows is not None else None,
        test=splits.get("test"),
        classes=classes,
        in_shape=_in_shape(pool),
        mean=mean,
        std=std,
        split_note=division.note,
        fingerprint=_fingerprint(config, source, division),
        names=_names(source, division),
    )


def _names(source: Source, division: Division) -> dict[str, np.ndarray] | None:
    """The names of the source's images, as the images are divided."""
    if source.names is None:
        return None
    names = dict(source.names)
    if division.validation is not None:
        names["validation"] = names["train"][division.validation]
    return names | {"train": names["train"][division.train]}


def _in_shape(split: Split) -> tuple[int, int, int]:
    if isinstance(split, Files):
        made = split.preprocessing
        return made.channels, made.size, made.size
    _, height, width, channels = split.stored.shape
    return channels, height, width


def _fingerprint(config: DataConfig, source: Source, division: Division) -> str:
    digest = hashlib.sha256(_cache_key(config, source).encode())
    for rows in (division.train, division.validation):
        digest.update(b"none" if rows is None else rows.astype("<i8").tobytes())
    return digest.hexdigest()


def _mean_std(
    config: DataConfig, train: Split, stored: Stored | None, rows: np.ndarray
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation per channel of the training images, on the scale from 0 to 1."""
    channels, height, width = _in_shape(train)
    if config.normalize != "standardize":
        return fixed_statistics(config.normalize, channels)
    if stored is not None:
        split = stored.splits["train"]
        sums, squares, num_images = split.sums[rows].sum(axis=0), split.squares[rows].sum(axis=0), len(rows)
    else:
        assert isinstance(train, Files)
        pixels = _sampled(train).long()
        sums, squares = pixels.sum(dim=(0, 1, 2)).numpy(), pixels.square().sum(dim=(0, 1, 2)).numpy()
        num_images = len(pixels)
    count = num_images * height * width
    mean = sums / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return tuple((mean / 255).tolist()), tuple(np.maximum(std / 255, MIN_STD).tolist())


def _sampled(split: Files) -> Tensor:
    positions = np.unique(np.linspace(0, len(split) - 1, SAMPLED_FOR_STATISTICS).round().astype(int))
    paths = [split.path(int(position)) for position in positions]
    return torch.from_numpy(decode_files(paths, split.preprocessing, _silent))
