"""Features that were computed once, in files shared by all runs: one row an image, whichever split or set it is in.

A file belongs to one backbone and one way of looking at the images, and it grows: an image that comes to a set later is
computed alone, and one that changes its class or its split not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from cnncore.data import Progress, array_file

SUFFIX = ".features"
CAP_BYTES = 4 << 30
"""Size of all files together; beyond it those that were not used for longest go."""
SAVE_EVERY_S = 60.0
"""How much computing an interruption costs at most, while saving is quick."""
_SAVING_SHARE = 0.05
_ID_BYTES = 32
_DTYPES = {str(dtype): dtype for dtype in (torch.float32, torch.float16, torch.bfloat16)}

Portion = tuple[np.ndarray, Tensor]
"""Ids (n,) and their features (n, ...)."""
Compute = Callable[[np.ndarray], Iterator[Portion]]
"""From the ids that are missing to portions of them."""


class Rows(NamedTuple):
    """Features by image.

    Attributes:
        ids: What each image is known by, sorted, (U,) bytes.
        features: (U, ...) on the CPU, in the type the backbone gave.
    """

    ids: np.ndarray
    features: Tensor

    def places(self, wanted: np.ndarray) -> np.ndarray:
        """The row of each of the `wanted` ids, int64; -1 where it is missing."""
        places = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        return np.where(self.ids[places] == wanted, places, -1)


def image_id(content: bytes | memoryview) -> bytes:
    """What an image with this content is known by."""
    return hashlib.sha256(content).hexdigest()[:_ID_BYTES].encode()


def open_rows(folder: Path, key: str, wanted: np.ndarray, compute: Compute, progress: Progress) -> Rows:
    """Rows for at least the `wanted` images; those that no earlier run has left are computed.

    Several processes wait for one another. What was computed is kept when `compute` raises. Where the folder cannot be
    written the rows are kept in memory.

    Args:
        folder: Where the files lie.
        key: Hash of everything that the features depend on besides the image.
        wanted: Ids, sorted and each once; at least one.
        compute: Computes missing ones.
        progress: Told when another process is waited for.
    """
    path = folder / f"{key[:32]}{SUFFIX}"
    rows = _read(path, key)
    if rows is not None and (rows.places(wanted) >= 0).all():
        return rows
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(array_file.locked(path.with_suffix(".lock"), "these features", progress))
        except OSError:
            return _complete(None, key, rows, wanted, compute)
        for leftover in folder.glob(f".{path.stem}-*.tmp"):  # of a process that was killed while it wrote
            leftover.unlink(missing_ok=True)
        return _complete(path, key, _read(path, key), wanted, compute)


def _complete(path: Path | None, key: str, rows: Rows | None, wanted: np.ndarray, compute: Compute) -> Rows:
    """The rows with those that are missing, which are written to `path` every now and then and at the end."""
    missing = wanted if rows is None else wanted[rows.places(wanted) < 0]
    fresh: list[Portion] = []
    due = time.monotonic() + SAVE_EVERY_S
    try:
        for portion in compute(missing) if len(missing) else ():
            fresh.append(portion)
            begin = time.monotonic()
            if begin > due:
                rows, fresh = _saved(path, key, _joined(rows, fresh)), []
                now = time.monotonic()
                due = now + max(SAVE_EVERY_S, (now - begin) / _SAVING_SHARE)
    finally:
        if fresh:
            rows = _saved(path, key, _joined(rows, fresh))
    assert rows is not None
    return rows


def _joined(rows: Rows | None, fresh: list[Portion]) -> Rows:
    portions = [*([rows] if rows is not None else []), *fresh]
    ids = np.concatenate([ids for ids, _ in portions])
    order = np.argsort(ids)
    return Rows(ids[order], torch.cat([features for _, features in portions])[torch.from_numpy(order)])


def _saved(path: Path | None, key: str, rows: Rows) -> Rows:
    """The rows as they lie in their file; as they are where it cannot be written."""
    if path is None:
        return rows
    # numpy has no bf16: bytes.
    arrays = {
        "ids": rows.ids.view(np.uint8).reshape(len(rows.ids), _ID_BYTES),
        "features": rows.features.contiguous().view(torch.uint8).numpy(),
    }
    try:
        array_file.write(path, key, arrays, {"type": str(rows.features.dtype)})
    except OSError:
        return rows
    _make_room(path)
    return _read(path, key) or rows


def _read(path: Path, key: str) -> Rows | None:
    """The rows of a file, noting its use; None where it is missing, damaged or of something else."""
    contents = array_file.read(path, key)
    if contents is None:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    ids, features = contents.arrays["ids"], torch.from_numpy(contents.arrays["features"])
    return Rows(ids.view(f"S{_ID_BYTES}").reshape(len(ids)), features.view(_DTYPES[contents.facts["type"]]))


def _make_room(newest: Path) -> None:
    """Remove the files that were not used for longest while all together take too much."""
    used: list[tuple[float, int, Path]] = []
    for path in newest.parent.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError):  # another process may be removing it
            status = path.stat()
            used.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in used)
    for _, size, path in sorted(used):
        if total <= CAP_BYTES or path == newest:
            continue
        with contextlib.suppress(OSError):  # where an open file cannot be removed it stays until the next time
            path.unlink(missing_ok=True)
            total -= size
