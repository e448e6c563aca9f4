"""Downloads the files of a data set: over mirrors, with progress, continued after a cut, checked before use."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from cnncore.catalog import DatasetSpec, RemoteFile
from cnncore.data.images import Progress
from cnncore.errors import DataError

TIMEOUT_S = 20.0
ATTEMPTS = 3
PAUSE_S = 0.5
"""Waited before the second attempt, and twice as long before the third."""
CHUNK_BYTES = 1 << 18
SPARE_BYTES = 64 << 20
"""Disk space that must remain after a download."""


def download(spec: DatasetSpec, files: Sequence[RemoteFile], folder: Path, progress: Progress) -> None:
    """Bring those of `files` into `folder` that are not there yet.

    A file appears under its own name only when it is complete and its md5 is right. Two processes that download at
    once wait for each other.

    Raises:
        DataError: where no mirror can be reached, the content is wrong, or the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".download.lock"):
            missing = [file for file in files if not (folder / file.name).is_file()]
            _check_space(spec, sum(file.num_bytes for file in missing), folder)
            for file in missing:
                _from_mirrors(spec, file, folder, progress)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(
            f"{spec.title} could not be saved in {folder}: {reason}.",
            "Make room or choose another data folder with CNNLAB_DATA.",
        ) from error


def _check_space(spec: DatasetSpec, num_bytes: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if num_bytes and free < num_bytes + SPARE_BYTES:
        raise DataError(
            f"{spec.title} needs {num_bytes / 1e6:,.0f} MB in {folder}, where {free / 1e6:,.0f} MB are free.",
            "Make room or choose another data folder with CNNLAB_DATA.",
        )


def _from_mirrors(spec: DatasetSpec, file: RemoteFile, folder: Path, progress: Progress) -> None:
    reasons: list[str] = []
    part = folder / f".{file.name}.part"
    for mirror in spec.mirrors:
        for attempt in range(ATTEMPTS):
            time.sleep(PAUSE_S * 2 ** (attempt - 1) if attempt else 0)
            reason = _attempt(mirror + file.name, file, part, progress)
            if reason is None:
                part.replace(folder / file.name)
                return
            reasons.append(reason)
            if reason.startswith("HTTP 4"):  # asking again will not change the answer
                break
        # What one mirror sent is not continued with another one's bytes.
        part.unlink(missing_ok=True)
    raise DataError(
        f"{spec.title} could not be downloaded: {file.name}: {reasons[-1]}.",
        f"Check the network, or put the file into {folder} by hand; the built-in digits (mnist5k) need no network.",
    )


def _attempt(address: str, file: RemoteFile, part: Path, progress: Progress) -> str | None:
    """Download once, going on where an earlier attempt was cut off; None when all is well, else what went wrong."""
    try:
        _receive(address, file, part, progress)
    except urllib.error.HTTPError as error:
        error.close()
        part.unlink(missing_ok=True)
        return f"HTTP {error.code} {error.reason}"
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        return f"the network could not be reached ({reason})"
    size = part.stat().st_size
    if size < file.num_bytes:
        return f"the connection was cut after {size:,} of {file.num_bytes:,} bytes"
    with part.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != file.md5:
        part.unlink()
        return "the server sent something else (its checksum is wrong)"
    return None


def _receive(address: str, file: RemoteFile, part: Path, progress: Progress) -> None:
    done = part.stat().st_size if part.exists() else 0
    if done >= file.num_bytes:  # left by a process that was killed before it could check; nothing to ask for
        return
    headers = {"User-Agent": "cnnlab"} | ({"Range": f"bytes={done}-"} if done else {})
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        if done and answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            done = 0  # this server starts over
        with part.open("ab" if done else "wb") as stream:
            # One byte more than announced is enough to fail the checksum: an endless answer cannot fill the disk.
            while done <= file.num_bytes and (chunk := answer.read(CHUNK_BYTES)):
                stream.write(chunk)
                done += len(chunk)
                progress(f"Downloading {file.name}", min(done, file.num_bytes), file.num_bytes)
