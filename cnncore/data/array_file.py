"""Arrays in one memory-mapped file, checked whenever it is opened, that appears only when it is whole.

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
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from cnncore.data.images import Progress

_MAGIC = b"CNNLAB\r\n"
_PREFIX = struct.Struct("<8sII")
_CHUNK_BYTES = 1 << 24
_MAX_HEADER_BYTES = 1 << 24
_POLL_S = 0.5


class Contents(NamedTuple):
    """What a file holds: its arrays by name, and the facts beside them."""

    arrays: dict[str, np.ndarray]
    facts: dict[str, Any]


@contextlib.contextmanager
def locked(path: Path, what: str, progress: Progress) -> Iterator[None]:
    """Hold the lock file `path`; while another process has it, `progress` is told so and may raise to give up."""
    lock = FileLock(path)
    timeout = 0.0
    while True:
        try:
            lock.acquire(timeout=timeout)
            break
        except Timeout:
            progress(f"Waiting for another process that prepares {what}", 0, 0)
            timeout = _POLL_S
    try:
        yield
    finally:
        lock.release()


def _align(offset: int, to: int) -> int:
    return -(-offset // to) * to


def _checksums(payload: np.ndarray) -> list[int]:
    """A CRC-32 for every 16 MiB, on two threads: zlib lets go of the interpreter meanwhile."""
    with ThreadPoolExecutor(2) as pool:
        chunks = (payload[start : start + _CHUNK_BYTES] for start in range(0, len(payload), _CHUNK_BYTES))
        return list(pool.map(zlib.crc32, chunks))


def write(path: Path, key: str, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
    """Write a file that appears under its name only when it is whole and on the disk.

    Args:
        path: The file; its folder exists.
        key: Hash of what the content was made of.
        arrays: By name.
        facts: Further values of the header, for JSON.

    Raises:
        OSError: where it cannot be written; nothing is left behind.
    """
    table: dict[str, dict[str, Any]] = {}
    end = 0
    for name, array in arrays.items():
        start = _align(end, 64)
        table[name] = {"start": start, "shape": array.shape, "type": array.dtype.str}
        end = start + array.nbytes
    header = {**facts, "key": key, "arrays": table, "num_bytes": end}
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w+b") as stream:
            _write_stream(stream, header, arrays)
        temporary.chmod(0o644)  # mkstemp's files are private; the cache may be shared
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write_stream(stream: BinaryIO, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    # How many checksums there will be is known, so the header's room can be kept while the payload is written.
    num_bytes = header["num_bytes"]
    widest = [0xFFFFFFFF] * -(-num_bytes // _CHUNK_BYTES)
    room = len(json.dumps({**header, "crc32": widest}))
    offset = _align(_PREFIX.size + room, mmap.PAGESIZE)
    stream.truncate(offset + num_bytes)
    for name, array in arrays.items():
        stream.seek(offset + header["arrays"][name]["start"])
        stream.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    stream.flush()
    payload = np.memmap(stream, np.uint8, mode="r", offset=offset, shape=(num_bytes,))
    text = json.dumps({**header, "crc32": _checksums(payload)}).ljust(room).encode()
    stream.seek(0)
    stream.write(_PREFIX.pack(_MAGIC, room, zlib.crc32(text)) + text)
    stream.flush()
    os.fsync(stream.fileno())


def read(path: Path, key: str) -> Contents | None:
    """Open a file; None where it is missing, of another content, or damaged anywhere."""
    try:
        with path.open("rb") as stream:
            magic, length, checksum = _PREFIX.unpack(stream.read(_PREFIX.size))
            if magic != _MAGIC or length > _MAX_HEADER_BYTES:
                return None
            text = stream.read(length)
            if zlib.crc32(text) != checksum:
                return None
            header = json.loads(text)
            if header["key"] != key:
                return None
            offset = _align(_PREFIX.size + length, mmap.PAGESIZE)
            if os.fstat(stream.fileno()).st_size != offset + header["num_bytes"]:
                return None
            # Copy on write: torch warns about tensors on read-only memory, and nobody writes.
            payload = np.memmap(stream, np.uint8, mode="c", offset=offset)
        return Contents(_arrays(payload, header), header) if _checksums(payload) == header["crc32"] else None
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return None


def _arrays(payload: np.ndarray, header: Mapping[str, Any]) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for name, place in header["arrays"].items():
        kind, shape = np.dtype(place["type"]), tuple(place["shape"])
        num_bytes = kind.itemsize * int(np.prod(shape))
        flat = payload[place["start"] : place["start"] + num_bytes]
        # A plain array over the mapping: selections of a memmap are slower and stay memmaps.
        arrays[name] = np.asarray(flat).view(kind).reshape(shape)
    return arrays
