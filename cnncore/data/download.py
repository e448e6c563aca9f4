"""Downloads files: over mirrors, with progress, continued after a cut, checked before use."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from cnncore.catalog import DatasetSpec, RemoteFile
from cnncore.data.images import Progress
from cnncore.errors import DataError, LabError

TIMEOUT_S = 20.0
ATTEMPTS = 3
PAUSE_S = 0.5
"""Waited before the second attempt, and twice as long before the third."""
CHUNK_BYTES = 1 << 18
SPARE_BYTES = 64 << 20
"""Disk space that must remain after a download."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Files that belong together, and who offers them.

    Attributes:
        title: How a person calls them.
        files: Each with the addresses that it is tried at, in order.
        otherwise: What to do without them, the second half of a sentence.
        error: What a failure is raised as.
    """

    title: str
    files: Sequence[tuple[RemoteFile, Sequence[str]]]
    otherwise: str
    error: type[LabError] = DataError


def dataset_offer(spec: DatasetSpec, files: Sequence[RemoteFile]) -> Offer:
    """Those of a data set's files that are wanted."""
    return Offer(
        title=spec.title,
        files=[(file, [mirror + file.name for mirror in spec.mirrors]) for file in files],
        otherwise="the built-in digits (mnist5k) need no network",
    )


def download(offer: Offer, folder: Path, progress: Progress) -> None:
    """Bring those of the files into `folder` that are not there yet.

    A file appears under its own name only when it is complete and its checksum is right. Two processes that download
    at once wait for each other.

    Raises:
        LabError: of the kind `offer.error` where no mirror can be reached, the content is wrong, or the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".download.lock"):
            missing = [(file, addresses) for file, addresses in offer.files if not (folder / file.name).is_file()]
            _check_space(offer, sum(file.num_bytes for file, _ in missing), folder)
            for file, addresses in missing:
                _from_mirrors(offer, file, addresses, folder, progress)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise offer.error(
            f"{offer.title} could not be saved in {folder}: {reason}.",
            "Make room or choose another data folder with CNNLAB_DATA.",
        ) from error


def is_whole(path: Path, file: RemoteFile) -> bool:
    """Whether what lies at `path` is the file, by its size and its checksum."""
    if not file.has_size(path.stat().st_size):
        return False
    with path.open("rb") as stream:
        if file.md5:
            return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == file.md5
        return hashlib.file_digest(stream, "sha256").hexdigest().startswith(file.sha256)


def _check_space(offer: Offer, num_bytes: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if num_bytes and free < num_bytes + SPARE_BYTES:
        raise offer.error(
            f"{offer.title} needs {num_bytes / 1e6:,.0f} MB in {folder}, where {free / 1e6:,.0f} MB are free.",
            "Make room or choose another data folder with CNNLAB_DATA.",
        )


def _from_mirrors(offer: Offer, file: RemoteFile, addresses: Sequence[str], folder: Path, progress: Progress) -> None:
    reasons: list[str] = []
    part = folder / f".{file.name}.part"
    for address in addresses:
        for attempt in range(ATTEMPTS):
            time.sleep(PAUSE_S * 2 ** (attempt - 1) if attempt else 0)
            reason = _attempt(address, file, part, progress)
            if reason is None:
                part.replace(folder / file.name)
                return
            reasons.append(reason)
            if reason.startswith("HTTP 4"):  # asking again will not change the answer
                break
        # What one mirror sent is not continued with another one's bytes.
        part.unlink(missing_ok=True)
    raise offer.error(
        f"{offer.title} could not be downloaded: {file.name}: {reasons[-1]}.",
        f"Check the network, or put the file into {folder} by hand; {offer.otherwise}.",
    )


def _attempt(address: str, file: RemoteFile, part: Path, progress: Progress) -> str | None:
    """Download once, going on where an earlier attempt was cut off; None when all is well, else what went wrong."""
    # Left by a process that was killed before it could check: nothing to ask for.
    if part.exists() and is_whole(part, file):
        return None
    try:
        announced = _receive(address, file, part, progress)
    except urllib.error.HTTPError as error:
        error.close()
        part.unlink(missing_ok=True)
        return f"HTTP {error.code} {error.reason}"
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        return f"the network could not be reached ({reason})"
    size = part.stat().st_size
    if size < announced:
        return f"the connection was cut after {size:,} of {announced:,} bytes"
    if not is_whole(part, file):
        part.unlink()
        return "the server sent something else (its checksum is wrong)"
    return None


def _receive(address: str, file: RemoteFile, part: Path, progress: Progress) -> int:
    """Append what is missing to `part`; returns the size in bytes that the server announced for the whole file."""
    done = part.stat().st_size if part.exists() else 0
    most = file.num_bytes + file.rounding
    if done >= file.num_bytes - file.rounding:  # long enough, but it was found not to be this file
        part.unlink()
        done = 0
    headers = {"User-Agent": "cnnlab"} | ({"Range": f"bytes={done}-"} if done else {})
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        if done and answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            done = 0  # this server starts over
        length = answer.headers.get("Content-Length")
        announced = done + int(length) if length else file.num_bytes - file.rounding
        with part.open("ab" if done else "wb") as stream:
            # One byte more than announced is enough to fail the checksum: an endless answer cannot fill the disk.
            while done <= most and (chunk := answer.read(CHUNK_BYTES)):
                stream.write(chunk)
                done += len(chunk)
                progress(f"Downloading {file.name}", min(done, file.num_bytes), file.num_bytes)
    return min(announced, most)
