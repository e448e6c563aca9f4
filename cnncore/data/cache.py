"""Decoded data sets in one memory-mapped file each, shared by all runs, checked whenever opened, rebuilt when wrong.

Layout: magic, length and CRC-32 of the header, the header (JSON), padding to a page, then the arrays one after
another, each aligned to 64 bytes. The header holds the place, type and shape of every array and a CRC-32 for every
16 MiB of them. Nothing here is executable: no pickle.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from filelock import FileLock, Timeout

from cnncore.catalog.presence import CACHE_SUFFIX, cache_dir
from cnncore.data.images import Progress
from cnncore.errors import DataError

FORMAT = 1
_MAGIC = b"CNNLAB\r\n"
_PREFIX = struct.Struct("<8sII")
_CHUNK_BYTES = 1 << 24
_MAX_HEADER_BYTES = 1 << 24


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
            stack.enter_context(_locked(path.with_suffix(".lock"), name, progress))
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


@contextlib.contextmanager
def _locked(path: Path, name: str, progress: Progress) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress(f"Waiting for another process that prepares {name}", 0, 0)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


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


def _align(offset: int, to: int) -> int:
    return -(-offset // to) * to


def _checksums(payload: np.ndarray) -> list[int]:
    """A CRC-32 for every 16 MiB, on two threads: zlib lets go of the interpreter meanwhile."""
    with ThreadPoolExecutor(2) as pool:
        chunks = (payload[start : start + _CHUNK_BYTES] for start in range(0, len(payload), _CHUNK_BYTES))
        return list(pool.map(zlib.crc32, chunks))


def write(path: Path, key: str, decoded: Decoded) -> None:
    """Write a cache file that appears under its name only when it is whole and on the disk.

    Raises:
        OSError: where it cannot be written; nothing is left behind.
    """
    stored = _in_memory(decoded)
    arrays = {f"{name}/{field}": array for name, split in stored.splits.items() for field, array in vars(split).items()}
    table: dict[str, dict[str, Any]] = {}
    end = 0
    for name, array in arrays.items():
        start = _align(end, 64)
        table[name] = {"start": start, "shape": array.shape, "type": array.dtype.str}
        end = start + array.nbytes
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w+b") as stream:
            _write_stream(stream, key, decoded.classes, arrays, table, end)
        temporary.chmod(0o644)  # mkstemp's files are private; the cache may be shared
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write_stream(
    stream: BinaryIO,
    key: str,
    classes: tuple[str, ...],
    arrays: Mapping[str, np.ndarray],
    table: Mapping[str, Mapping[str, Any]],
    num_bytes: int,
) -> None:
    # How many checksums there will be is known, so the header's room can be kept while the payload is written.
    header = {"format": FORMAT, "key": key, "classes": classes, "arrays": table, "num_bytes": num_bytes}
    widest = [0xFFFFFFFF] * -(-num_bytes // _CHUNK_BYTES)
    room = len(json.dumps(header | {"crc32": widest}))
    offset = _align(_PREFIX.size + room, mmap.PAGESIZE)
    stream.truncate(offset + num_bytes)
    for name, array in arrays.items():
        stream.seek(offset + table[name]["start"])
        stream.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    stream.flush()
    payload = np.memmap(stream, np.uint8, mode="r", offset=offset, shape=(num_bytes,))
    text = json.dumps(header | {"crc32": _checksums(payload)}).ljust(room).encode()
    stream.seek(0)
    stream.write(_PREFIX.pack(_MAGIC, room, zlib.crc32(text)) + text)
    stream.flush()
    os.fsync(stream.fileno())


def read(path: Path, key: str) -> Stored | None:
    """Open a cache file; None where it is missing, of another version or content, or damaged anywhere."""
    try:
        with path.open("rb") as stream:
            magic, length, checksum = _PREFIX.unpack(stream.read(_PREFIX.size))
            if magic != _MAGIC or length > _MAX_HEADER_BYTES:
                return None
            text = stream.read(length)
            if zlib.crc32(text) != checksum:
                return None
            header = json.loads(text)
            if header["format"] != FORMAT or header["key"] != key:
                return None
            offset = _align(_PREFIX.size + length, mmap.PAGESIZE)
            if os.fstat(stream.fileno()).st_size != offset + header["num_bytes"]:
                return None
            # Copy on write: torch warns about tensors on read-only memory, and nobody writes.
            payload = np.memmap(stream, np.uint8, mode="c", offset=offset)
        return _from_payload(payload, header) if _checksums(payload) == header["crc32"] else None
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return None


def _from_payload(payload: np.ndarray, header: Mapping[str, Any]) -> Stored:
    splits: dict[str, dict[str, np.ndarray]] = {}
    for name, place in header["arrays"].items():
        split, field = name.split("/")
        kind, shape = np.dtype(place["type"]), tuple(place["shape"])
        num_bytes = kind.itemsize * int(np.prod(shape))
        flat = payload[place["start"] : place["start"] + num_bytes]
        # A plain array over the mapping: selections of a memmap are slower and stay memmaps.
        splits.setdefault(split, {})[field] = np.asarray(flat).view(kind).reshape(shape)
    return Stored({name: StoredSplit(**arrays) for name, arrays in splits.items()}, tuple(header["classes"]))
