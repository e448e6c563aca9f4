"""Decoded data sets in one memory-mapped file each, shared by all runs, checked whenever opened, rebuilt when wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnncore.catalog.presence import CACHE_SUFFIX, cache_dir
from cnncore.data import array_file
from cnncore.data.images import Progress
from cnncore.errors import DataError

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Decoded:
    """A decoded data set.

    Attributes:
        splits: `train`, and where they exist `validation` and `test`: pixels uint8 (N, H, W, C), labels int64 (N,).
        classes: Names of the classes.
    """

    splits: Mapping[str, tuple[np.ndarray, np.ndarray]]
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class StoredSplit:
    """One split in the cache.

    Attributes:
        pixels: uint8 (N, H, W, C).
        labels: int64 (N,).
        sums: Sum of each image's pixel values by channel, int64 (N, C): any selection's mean costs nothing.
        squares: Sum of their squares, int64 (N, C).
    """

    pixels: np.ndarray
    labels: np.ndarray
    sums: np.ndarray
    squares: np.ndarray


@dataclass(frozen=True, eq=False)
class Stored:
    """A decoded data set, memory-mapped where the cache could be written."""

    splits: Mapping[str, StoredSplit]
    classes: tuple[str, ...]


def open_or_build(root: Path, name: str, key: str, build: Callable[[], Decoded], progress: Progress) -> Stored:
    """The data set from its cache file; where that is missing or wrong it is built first.

    Builders in several processes wait for one another, and all but the first find the file ready. Where the cache
    cannot be written (a read-only folder, a full disk) the data set is kept in memory.

    Args:
        root: Data folder.
        name: What the file's name starts with; older files of that name are removed once a new one is there.
        key: Hash of the content; another key is another file.
        build: Decodes the data set; its errors pass through.
        progress: Told when another process is waited for.
    """
    folder = cache_dir(root)
    path = folder / f"{name}-{key[:20]}{CACHE_SUFFIX}"
    if (stored := read(path, key)) is not None:
        return stored
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(array_file.locked(path.with_suffix(".lock"), name, progress))
        except OSError:
            return _in_memory(build())
        if (stored := read(path, key)) is not None:
            return stored
        decoded = _rebuilt(path, build)
        _remove(folder.glob(f".{path.stem}-*.tmp"))  # of a process that was killed while it wrote
        try:
            write(path, key, decoded)
        except OSError:
            return _in_memory(decoded)
        _remove(old for old in folder.glob(f"{name}-*{CACHE_SUFFIX}") if old != path)
        return read(path, key) or _in_memory(decoded)


def _rebuilt(path: Path, build: Callable[[], Decoded]) -> Decoded:
    try:
        return build()
    except DataError as error:
        if not path.exists():
            raise
        raise DataError(
            f"The prepared copy {path} is damaged and cannot be made anew: {error.message}", error.hint
        ) from error


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _statistics(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums and sums of squares by image and channel, int64 (N, C), in blocks that fit the processor's cache."""
    num_images, height, width, channels = pixels.shape
    sums = np.empty((num_images, channels), np.int64)
    squares = np.empty_like(sums)
    block = max(1, (1 << 20) // max(1, height * width * channels))
    for start in range(0, num_images, block):
        part = pixels[start : start + block].reshape(-1, height * width, channels).astype(np.uint32)
        sums[start : start + block] = part.sum(axis=1)
        squares[start : start + block] = (part * part).sum(axis=1)
    return sums, squares


def _in_memory(decoded: Decoded) -> Stored:
    splits = {
        name: StoredSplit(pixels, labels, *_statistics(pixels)) for name, (pixels, labels) in decoded.splits.items()
    }
    return Stored(splits, decoded.classes)


def write(path: Path, key: str, decoded: Decoded) -> None:
    """Write a cache file that appears under its name only when it is whole and on the disk.

    Raises:
        OSError: where it cannot be written; nothing is left behind.
    """
    stored = _in_memory(decoded)
    arrays = {f"{name}/{field}": array for name, split in stored.splits.items() for field, array in vars(split).items()}
    array_file.write(path, key, arrays, {"format": FORMAT, "classes": decoded.classes})


def read(path: Path, key: str) -> Stored | None:
    """Open a cache file; None where it is missing, of another version or content, or damaged anywhere."""
    contents = array_file.read(path, key)
    if contents is None or contents.facts.get("format") != FORMAT:
        return None
    splits: dict[str, dict[str, np.ndarray]] = {}
    for name, array in contents.arrays.items():
        split, field = name.split("/")
        splits.setdefault(split, {})[field] = array
    return Stored({name: StoredSplit(**arrays) for name, arrays in splits.items()}, tuple(contents.facts["classes"]))
