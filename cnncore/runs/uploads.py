"""Files of weights that a page hands to the service: uploaded ones, kept for a moment, and those in the data folder."""

from __future__ import annotations

import re
import time
import uuid
from contextlib import suppress
from pathlib import Path

from cnncore.errors import WeightsError
from cnncore.runs.artifacts import write_atomically

ENDINGS = ("safetensors", "pth", "pt", "th", "bin", "ckpt")
"""Usual endings of the names of files of weights; what counts is their content."""
KEPT_S = 3_600.0
_TOKEN = re.compile(r"[0-9a-f]{32}")


def keep_upload(artifacts: Path, content: bytes) -> str:
    """Store an upload and return its token; uploads that nobody took within an hour go.

    Raises:
        WeightsError: where it cannot be stored.
    """
    folder = artifacts / "uploads"
    try:
        return _keep(folder, content)
    except OSError as error:
        raise WeightsError(
            f"What was uploaded cannot be stored ({error.strerror or type(error).__name__}).",
            f"Make room on the lab's disk, or let the lab write to {folder}.",
        ) from error


def _keep(folder: Path, content: bytes) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        # Another session may be tidying up as well.
        with suppress(FileNotFoundError):
            if time.time() - old.stat().st_mtime > KEPT_S:
                old.unlink()
    token = uuid.uuid4().hex
    write_atomically(folder / token, lambda path: path.write_bytes(content))
    return token


def upload_file(artifacts: Path, token: str) -> Path:
    """The file of an upload.

    Raises:
        WeightsError: if there is no such upload (any more).
    """
    path = artifacts / "uploads" / token
    if not _TOKEN.fullmatch(token) or not path.is_file():
        raise WeightsError("The uploaded file is not there any more.", "Upload it again.")
    return path


def stored_files(data_root: Path) -> tuple[str, ...]:
    """Names of the files of weights in the data folder's `weights`."""
    folder = data_root / "weights"
    found = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(path.name for path in found if path.suffix[1:] in ENDINGS and path.is_file()))


def stored_file(data_root: Path, name: str) -> Path:
    """A file of the data folder's `weights`.

    Raises:
        WeightsError: if it has no such file.
    """
    if name not in stored_files(data_root):
        raise WeightsError(f"There is no file {name[:60]!r} in the data folder's weights/.", "Upload the file instead.")
    return data_root / "weights" / name
