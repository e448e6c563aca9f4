"""Questions to the service and their answers: how they travel, where answers are kept, and where the service listens.

An answer is a JSON object and named arrays, both in one npz file, on the wire as on disk; nothing is ever pickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from cnncore.array_files import open_npz
from cnncore.errors import (
    ConfigError,
    DataError,
    DeviceError,
    LabError,
    RunError,
    StoreError,
    TrainingError,
    WeightsError,
)
from cnncore.places import PROJECT_ROOT, artifacts_dir, data_dir

CACHE_BYTES = 256 << 20
"""What kept answers may take on disk together."""
LOG = "service.log"

_JSON = "__json__"
_MAX_TEMP_PATH = 60
"""A Unix socket's path may have about 100 characters, of which we add 40."""


@dataclass(frozen=True)
class Answer:
    """What the service answers.

    Attributes:
        data: Values that JSON can hold.
        arrays: Arrays of numbers, by name.
        lasting: Whether the same question has this answer until the code changes, so that it may be kept.
    """

    data: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    lasting: bool = True


def pack(answer: Answer) -> bytes:
    """The answer as an npz file."""
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(answer.data).encode(), dtype=np.uint8)
    np.savez(buffer, allow_pickle=False, **{_JSON: text}, **answer.arrays)
    return buffer.getvalue()


def unpack(content: bytes) -> Answer:
    """The answer in an npz file.

    Raises:
        ValueError: if the content is damaged or no answer.
    """
    try:
        with open_npz(io.BytesIO(content)) as file:
            arrays = {name: file[name] for name in file.files if name != _JSON}
            return Answer(json.loads(file[_JSON].tobytes()), arrays)
    # numpy and zipfile tell damage in many ways; RuntimeError is of flags that no answer has.
    except (KeyError, OSError, EOFError, AttributeError, RuntimeError, MemoryError, zipfile.BadZipFile) as problem:
        raise ValueError(f"damaged answer: {problem}") from problem


_ERRORS = {
    kind.__name__: kind
    for kind in (LabError, DataError, RunError, StoreError, DeviceError, TrainingError, WeightsError)
}


def pack_error(error: LabError) -> bytes:
    """A person's mistake as JSON."""
    facts = {"type": type(error).__name__, "message": error.message, "hint": error.hint}
    return json.dumps({**facts, "field": getattr(error, "field", "")}).encode()


def unpack_error(content: bytes) -> LabError:
    """The error that `pack_error` wrote, of the class it had."""
    facts = json.loads(content)
    if facts["type"] == ConfigError.__name__:
        return ConfigError(facts["field"], facts["message"], facts["hint"])
    return _ERRORS.get(facts["type"], LabError)(facts["message"], facts["hint"])


def question_text(name: str, request: Mapping[str, Any]) -> str:
    """A question as JSON, the same text for the same question.

    Raises:
        LabError: if the request holds what JSON cannot.
    """
    try:
        return json.dumps({"name": name, "request": request}, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as problem:
        raise LabError(f"The request {name!r} cannot be sent: {problem}.") from None


def code_version(root: Path = PROJECT_ROOT) -> str:
    """A hash that changes whenever a file of `cnncore` or the installed PyTorch does.

    It reads times and sizes only, about a millisecond, so that a server that is on for weeks notices an update.
    """
    digest = hashlib.sha256(_torch_version().encode())
    for path, size, changed in sorted(_source_files(root / "cnncore")):
        digest.update(f"{path}\0{size}\0{changed}\0".encode())
    return digest.hexdigest()[:16]


def _source_files(folder: str | Path) -> Iterator[tuple[str, int, int]]:
    # os.scandir, since Path.rglob takes several times as long and this runs with every question. An update may take a
    # file away at any moment.
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _source_files(entry.path)
            elif entry.name.endswith(".py"):
                facts = entry.stat()
                yield entry.path, facts.st_size, facts.st_mtime_ns


@cache
def _torch_version() -> str:
    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.version("torch")
    return ""


@dataclass
class Cache:
    """Answers kept on disk; what was not read for longest goes first.

    Attributes:
        version: Of the code that answers; what other code answered is not found.
        max_bytes: What they may take together, and a sixteenth of it more until the next tidying.
    """

    folder: Path
    version: str
    max_bytes: int = CACHE_BYTES
    _untidied: float = field(default=math.inf, init=False, repr=False)
    """Bytes written since the last tidying, which takes a third of a second with tens of thousands of small answers."""

    def path(self, question: str) -> Path:
        """The file of a question's answer, another one for each data folder."""
        digest = hashlib.sha256(f"{self.version}\0{data_dir()}\0{question}".encode())
        return self.folder / f"{digest.hexdigest()[:40]}.npz"

    def read(self, question: str) -> bytes | None:
        """The kept answer, packed and whole; None if there is none. A damaged file is removed."""
        path = self.path(question)
        try:
            content = path.read_bytes()
            unpack(content)
            os.utime(path)
        except ValueError:
            path.unlink(missing_ok=True)
            return None
        except OSError:
            return None
        return content

    def write(self, question: str, content: bytes) -> None:
        """Keep an answer; where the disk is full or read-only, nothing is kept."""
        path = self.path(question)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(content)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            self._untidied += len(content)
            if self._untidied > self.max_bytes / 16:
                self._shrink()
                self._untidied = 0

    def _shrink(self) -> None:
        files = sorted(((file.stat(), file) for file in self.folder.iterdir()), key=lambda pair: -pair[0].st_mtime_ns)
        total = 0
        for facts, file in files:
            total += facts.st_size
            if total > self.max_bytes:
                file.unlink(missing_ok=True)


def answer_cache() -> Cache:
    """The kept answers of this installation."""
    return Cache(artifacts_dir() / "cache" / "service", code_version())


def socket_path() -> Path:
    """Where the service of this code, with these folders, listens: a path in a folder that only this user can enter.

    Raises:
        LabError: if somebody else has made that folder.
    """
    temp = tempfile.gettempdir()
    folder = Path(temp if len(temp) <= _MAX_TEMP_PATH else "/tmp") / f"cnnlab-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise LabError(f"{folder} is not a private folder of this user.", "Remove it, or set TMPDIR to another folder.")
    identity = f"{PROJECT_ROOT}\0{artifacts_dir()}\0{data_dir()}\0{code_version()}"
    return folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.sock"
