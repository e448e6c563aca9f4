"""The edits of one image set: a file of JSON lines, one a version, and the set that the first of them make."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cnncore.errors import DataError
from cnncore.images.edits import Edit, StoredEdit, Undo
from cnncore.images.image_set import ImageSet

KEPT_STATES = 16
"""Versions of a set that stay in memory; each shares the records it has in common with the others."""


class Version(BaseModel):
    """One line: what was done, and when in seconds since 1970."""

    model_config = ConfigDict(frozen=True)

    at: float
    edits: tuple[StoredEdit, ...]


class History:
    """The versions of one set. Any number of threads and processes may read; who appends holds the set's lock.

    Only whole lines count: a process that died while it appended leaves a torn last line, which is ignored and cut off
    by the next one who appends.

    Args:
        path: The file of edits; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ends: list[int] = []
        self._parsed: dict[int, Version] = {}
        self._states: OrderedDict[int, ImageSet] = OrderedDict()
        self._lock = threading.RLock()

    @property
    def num_versions(self) -> int:
        with self._lock:
            return len(self._read_ends())

    def state(self, version: int) -> ImageSet:
        """The set after so many edits, without its id and name.

        Raises:
            DataError: where there is no such version, or the file is damaged.
        """
        with self._lock:
            if version not in self._states:
                if not 0 <= version <= len(self._read_ends()):
                    raise DataError(f"There is no version {version} of this image set.", "Choose a later state of it.")
                self._build(version)
            self._states.move_to_end(version)
            return self._states[version]

    def versions(self) -> tuple[Version, ...]:
        """What made each version, from the first on.

        Raises:
            DataError: where the file is damaged.
        """
        with self._lock:
            last = len(self._read_ends())
            return tuple(self._versions(0, last)) if last else ()

    def append(self, version: Version) -> None:
        """Add a version; it is on the disk when this returns.

        Raises:
            OSError: where it cannot be written; then there is no such version.
        """
        line = version.model_dump_json().encode() + b"\n"
        with self._lock, self._path.open("ab", buffering=0) as stream:
            ends = self._read_ends()
            end = ends[-1] if ends else 0
            stream.truncate(end)
            try:
                while line:
                    line = line[stream.write(line) :]
                os.fsync(stream.fileno())
            except OSError:
                # Whoever is told that it failed must not find it done.
                with contextlib.suppress(OSError):
                    stream.truncate(end)
                raise

    def _read_ends(self) -> list[int]:
        """Where each whole line ends; reads only what was added since the last time."""
        size = self._path.stat().st_size if self._path.exists() else 0
        known = self._ends[-1] if self._ends else 0
        if size > known:
            with self._path.open("rb") as stream:
                stream.seek(known)
                for line in stream:
                    if not line.endswith(b"\n"):
                        break
                    known += len(line)
                    self._ends.append(known)
        return self._ends

    def _versions(self, first: int, last: int) -> list[Version]:
        """The edits that lead from version `first` to version `last`; each line is parsed once."""
        missing = [number for number in range(first, last) if number not in self._parsed]
        if missing:
            starts = [0, *self._ends]
            with self._path.open("rb") as stream:
                stream.seek(starts[missing[0]])
                lines = stream.read(starts[missing[-1] + 1] - starts[missing[0]]).splitlines()
            try:
                for number in missing:
                    self._parsed[number] = Version.model_validate_json(lines[number - missing[0]])
            except ValidationError as error:
                raise DataError(f"The history {self._path} is damaged.", "Restore it from a copy.") from error
        return [self._parsed[number] for number in range(first, last)]

    def _build(self, version: int) -> None:
        """Make a version from the one before, or all from the first where what it needs is no longer in memory."""
        if version == 0:
            self._keep(0, ImageSet(id="", name="", owner="", version=0, created=0.0))
            return
        if version - 1 in self._states:
            edits = self._versions(version - 1, version)[0].edits
            if all(edit.to in self._states for edit in edits if isinstance(edit, Undo)):
                self._keep(version, _next(self._states[version - 1], edits, self._states))
                return
        every = self._versions(0, version)
        wanted = {edit.to for entry in every for edit in entry.edits if isinstance(edit, Undo)}
        state = self.state(0)
        kept = {0: state}
        for entry in every:
            state = _next(state, entry.edits, kept)
            if state.version in wanted:
                kept[state.version] = state
        self._keep(version, state)

    def _keep(self, version: int, state: ImageSet) -> None:
        self._states[version] = state
        while len(self._states) > KEPT_STATES:
            self._states.popitem(last=False)


def apply_edit(state: ImageSet, edit: Edit, earlier: Mapping[int, ImageSet]) -> ImageSet:
    """The set after an edit; an undone state keeps counting keys, so that none is used twice.

    Args:
        state: The set before.
        edit: What is done.
        earlier: The versions that an undo returns to.

    Raises:
        DataError: where the edit is refused.
    """
    if isinstance(edit, Undo):
        return dataclasses.replace(earlier[edit.to], next_key=state.next_key, version=state.version)
    return edit.apply(state)


def _next(state: ImageSet, edits: Sequence[Edit], earlier: Mapping[int, ImageSet]) -> ImageSet:
    for edit in edits:
        state = apply_edit(state, edit, earlier)
    return dataclasses.replace(state, version=state.version + 1)
