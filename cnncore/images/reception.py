"""Files that a browser sends piece by piece: put together in a folder of their own, then handed to an intake.

Streamlit's own upload keeps every file in memory, checks neither number nor sum, and had not finished with 5,000 files
(98 MB) after eight minutes in Chromium on two busy cores; in pieces they came in 34 s. A piece is written as it comes,
and the limits are counted while it does.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cnncore.errors import DataError
from cnncore.images.intake import Incoming, start_intake
from cnncore.images.limits import Limits, check_room, limits
from cnncore.images.store import ImageSets

KEPT_S = 86_400.0
"""What was never sent completely is removed by the first reception so long afterwards."""


@dataclass(frozen=True)
class Piece:
    """Some bytes of a file.

    Attributes:
        name: The file's, with folders before it where a folder is sent.
        content: The bytes that follow those of the piece before.
        last: Whether the file ends with it.
    """

    name: str
    content: bytes
    last: bool


class Reception:
    """Takes the files of one upload. Nothing else knows of them until `hand_over`.

    Args:
        sets: The image sets they will belong to.

    Attributes:
        number: Of the batch that is taken next, from 0.
        num_files: Files that are complete.
        num_bytes: Bytes taken.
    """

    def __init__(self, sets: ImageSets) -> None:
        self._sets = sets
        self._allowed: Limits = limits()
        self._names: list[str] = []
        self._folder = _new_folder(sets.folder / "incoming")
        self.number = 0
        self.num_bytes = 0

    @property
    def num_files(self) -> int:
        return len(self._names)

    def take(self, number: int, pieces: Sequence[Piece]) -> bool:
        """Take a batch; one that comes out of turn, such as a repeated one, is passed over.

        Returns:
            Whether it was taken.

        Raises:
            DataError: where that is more than a browser may send at once, or cannot be stored.
        """
        if number != self.number:
            return False
        self.num_bytes += sum(len(piece.content) for piece in pieces)
        if self.num_bytes > self._allowed.upload_bytes:
            raise DataError(
                f"That is more than {self._allowed.upload_mb:,} MB at once.",
                "Send fewer files, or give the path of a folder or a ZIP on the machine that the lab runs on.",
            )
        if self.num_files + sum(piece.last for piece in pieces) > self._allowed.archive_files:
            raise DataError(f"That is more than {self._allowed.archive_files:,} files.", "Send fewer files.")
        try:
            check_room(self._folder)
            self._write(pieces)
        except OSError as error:
            raise DataError("What was sent cannot be stored.", f"Make room for it ({error.strerror}).") from error
        self.number += 1
        return True

    def hand_over(self, set_id: str, label: str | None = None) -> str:
        """Begin to add the complete files to a set; returns the token that `intake_progress` takes.

        Args:
            set_id: The set.
            label: The class of all of them; None: each one's innermost folder.

        Raises:
            DataError: as `start_intake` does.
        """
        try:
            return start_intake(self._sets, set_id, self._incoming(label))
        finally:
            self.drop()

    def drop(self) -> None:
        """Forget what was sent."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _incoming(self, label: str | None) -> Iterable[Incoming]:
        for number, name in enumerate(self._names):
            yield Incoming(name=name, content=self._path(number), label=label, moved=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}"

    def _write(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            with self._path(self.num_files).open("ab") as out:
                out.write(piece.content)
            if piece.last:
                self._names.append(piece.name)


def _new_folder(place: Path) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    for old in place.iterdir():
        # Another reception may be tidying up as well.
        with suppress(FileNotFoundError):
            if time.time() - old.stat().st_mtime > KEPT_S:
                shutil.rmtree(old, ignore_errors=True)
    folder = place / secrets.token_hex(6)
    folder.mkdir()
    return folder
