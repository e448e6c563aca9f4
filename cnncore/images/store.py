"""The image sets of this lab, on disk: every change is a new version, and none is ever lost.

<folder>/<id>/set.json       name, owner, when it was made and deleted
<folder>/<id>/edits.jsonl    one line a version
<folder>/<id>/images/        pictures under names of our own, made of the hash of their pixels
<folder>/<id>/thumbnails/    small ones, made when they are first shown
<folder>/<id>/staging/       what is being added
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from cnncore.errors import DataError
from cnncore.images.class_names import clean_text, shortened
from cnncore.images.decode import open_rgb
from cnncore.images.edits import Edit, Undo
from cnncore.images.history import History, Version, apply_edit
from cnncore.images.image_set import ImageRecord, ImageSet
from cnncore.images.limits import MAX_CLASSES, limits

LOCK_TIMEOUT_S = 60.0
KEPT_DELETED_S = 30 * 86_400.0
"""How long the files of a deleted set stay."""
_GONE = re.compile(r"\.[0-9a-f]{12}")
_ID = re.compile(r"[0-9a-f]{12}")
_FILE = re.compile(r"[0-9a-f]{32}\.(?:png|jpg)")
_UNKNOWN = "Choose one from the list of image sets."


class SetCard(BaseModel):
    """What `set.json` holds; times are seconds since 1970."""

    model_config = ConfigDict(frozen=True)

    name: str
    owner: str = ""
    created: float
    deleted: float | None = None


class ImageSets:
    """The image sets below one folder. Threads and processes may share it.

    Args:
        folder: Need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._histories: dict[str, History] = {}
        self._guard = threading.Lock()

    def create(self, name: str, owner: str = "") -> ImageSet:
        """A new, empty set.

        Raises:
            DataError: where the name is empty, or the disk cannot be written.
        """
        card = SetCard(name=_clean_name(name), owner=owner, created=time.time())
        set_id = secrets.token_hex(6)
        try:
            (self.folder / set_id).mkdir(parents=True)
            replace_file(self._card_path(set_id), card.model_dump_json().encode())
        except OSError as error:
            shutil.rmtree(self.folder / set_id, ignore_errors=True)
            raise _unwritable(error) from error
        return self.get(set_id)

    def all(self, deleted: bool = False) -> tuple[ImageSet, ...]:
        """The sets that are there, or those that were deleted; newest first."""
        if not self.folder.is_dir():
            return ()
        found: list[ImageSet] = []
        for path in self.folder.iterdir():
            # A set that is damaged, or just being made, must not hide the others.
            with contextlib.suppress(DataError):
                if _ID.fullmatch(path.name) and (self.card(path.name).deleted is not None) == deleted:
                    found.append(self.get(path.name))
        return tuple(sorted(found, key=lambda image_set: (-image_set.created, image_set.id)))

    def get(self, set_id: str, version: int | None = None) -> ImageSet:
        """A set at a version, the latest if not given.

        Raises:
            DataError: where there is no such set or version.
        """
        card = self.card(set_id)
        history = self._history(set_id)
        state = history.state(history.num_versions if version is None else version)
        return dataclasses.replace(state, id=set_id, name=card.name, owner=card.owner, created=card.created)

    def at(self, reference: str) -> ImageSet:
        """The set that `data.image_set` names: id@version.

        Raises:
            DataError: where there is no such set or version.
        """
        set_id, _, version = reference.partition("@")
        if not (version.isascii() and version.isdigit() and len(version) < 10):
            raise DataError(f"{shortened(reference)!r} is no image set with its version.", "Expected is id@version.")
        return self.get(set_id, int(version))

    def apply(self, set_id: str, *edits: Edit) -> ImageSet:
        """Make one new version; where an edit is refused nothing changes, and where they change nothing neither.

        Raises:
            DataError: saying which edit is impossible, or that a limit would be passed.
        """
        return self.change(set_id, lambda _: edits)

    def change(self, set_id: str, edits_for: Callable[[ImageSet], Sequence[Edit]]) -> ImageSet:
        """Make one new version of edits that depend on the set as it is when nobody else can change it."""
        with self._locked(set_id):
            before = self.get(set_id)
            history = self._history(set_id)
            state, settled = before, list[Edit]()
            for edit in edits_for(before):
                edit = edit if isinstance(edit, Undo) else edit.settled(state)
                earlier = {edit.to: history.state(edit.to)} if isinstance(edit, Undo) else {}
                state = apply_edit(state, edit, earlier)
                settled.append(edit)
            if _content(state) == _content(before):
                return before
            _check_quotas(before, state)
            history.append(Version(at=time.time(), edits=tuple(settled)))
            return self.get(set_id)

    def undo(self, set_id: str, to: int | None = None) -> ImageSet:
        """A new version that equals an earlier one: the one before if not given, so that undoing twice is redoing.

        Raises:
            DataError: where nothing was changed yet.
        """

        def edits_for(current: ImageSet) -> Sequence[Edit]:
            if current.version == 0:
                raise DataError("There is nothing to undo.", "This set was not changed yet.")
            return (Undo(to=current.version - 1 if to is None else to),)

        return self.change(set_id, edits_for)

    def versions(self, set_id: str) -> tuple[Version, ...]:
        """What made each version of a set, from the first on.

        Raises:
            DataError: where there is no such set, or its history is damaged.
        """
        self.card(set_id)
        return self._history(set_id).versions()

    def changed(self, set_id: str) -> float:
        """When the images of a set were last changed, in seconds since 1970.

        Raises:
            DataError: where there is no such set.
        """
        created = self.card(set_id).created
        edits = self.folder / set_id / "edits.jsonl"
        return edits.stat().st_mtime if edits.exists() else created

    def rename(self, set_id: str, name: str) -> None:
        """Give a set another name.

        Raises:
            DataError: where the name is empty, or the set was deleted.
        """
        self._rewrite(set_id, name=_clean_name(name))

    def delete(self, set_id: str) -> None:
        """Take a set off the list; its files stay for `KEPT_DELETED_S`, for running trainings and for `restore`."""
        self._rewrite(set_id, deleted=time.time())

    def restore(self, set_id: str) -> None:
        """Put a deleted set back on the list."""
        self._rewrite(set_id, deleted=None)

    def purge(self) -> None:
        """Remove the files of the sets that were deleted long ago."""
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if _GONE.fullmatch(path.name):  # left by a process that was killed while it removed them
                shutil.rmtree(path, ignore_errors=True)
            # Somebody may be restoring or removing it at this moment.
            with contextlib.suppress(DataError, OSError):
                if _ID.fullmatch(path.name) and self._is_over(path.name):
                    with self._lock(path.name):
                        gone = path.rename(path.with_name(f".{path.name}")) if self._is_over(path.name) else None
                    if gone is not None:
                        shutil.rmtree(gone, ignore_errors=True)

    def _is_over(self, set_id: str) -> bool:
        deleted = self.card(set_id).deleted
        return deleted is not None and time.time() - deleted > KEPT_DELETED_S

    def card(self, set_id: str) -> SetCard:
        """Name, owner and times of a set.

        Raises:
            DataError: where there is no such set; ids come from links, so they must never become other paths.
        """
        if not _ID.fullmatch(set_id):
            raise DataError(f"{shortened(set_id)!r} is not the id of an image set.", _UNKNOWN)
        try:
            return SetCard.model_validate_json(self._card_path(set_id).read_bytes())
        except FileNotFoundError:
            raise DataError(f"There is no image set {set_id} here.", _UNKNOWN) from None
        except (OSError, ValidationError) as error:
            raise DataError(f"The image set {set_id} cannot be read.", "Restore its set.json from a copy.") from error

    def check_kept(self, set_id: str) -> None:
        """Refuse a set that was deleted.

        Raises:
            DataError: where it was, or there is none.
        """
        if self.card(set_id).deleted is not None:
            raise DataError("This image set was deleted.", "Restore it first.")

    def path(self, set_id: str, record: ImageRecord) -> Path:
        """The stored picture of a record."""
        return self._checked_folder(set_id, "images") / _file_of(record)

    def set_folder(self, set_id: str) -> Path:
        """The folder of a set."""
        return self._checked_folder(set_id, "")

    def thumbnail(self, set_id: str, record: ImageRecord, side: int = 160) -> bytes:
        """A JPEG of at most `side` pixels in both directions, kept on disk.

        Raises:
            DataError: where the picture is gone or damaged.
        """
        path = self._checked_folder(set_id, "thumbnails") / f"{side}" / f"{Path(_file_of(record)).stem}.jpg"
        with contextlib.suppress(FileNotFoundError):
            return path.read_bytes()
        image = open_rgb(self.path(set_id, record), at_least=2 * side)
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=88)
        # Where it cannot be kept, it is made anew the next time.
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, stream.getvalue())
        return stream.getvalue()

    def _history(self, set_id: str) -> History:
        with self._guard:
            if set_id not in self._histories:
                self._histories[set_id] = History(self.folder / set_id / "edits.jsonl")
            return self._histories[set_id]

    def _checked_folder(self, set_id: str, name: str) -> Path:
        if not _ID.fullmatch(set_id):
            raise DataError(f"{shortened(set_id)!r} is not the id of an image set.", _UNKNOWN)
        return self.folder / set_id / name

    def _card_path(self, set_id: str) -> Path:
        return self.folder / set_id / "set.json"

    @contextlib.contextmanager
    def _locked(self, set_id: str) -> Iterator[None]:
        self.card(set_id)
        with self._lock(set_id):
            self.check_kept(set_id)
            yield

    @contextlib.contextmanager
    def _lock(self, set_id: str) -> Iterator[None]:
        try:
            with FileLock(self.folder / set_id / "lock").acquire(timeout=LOCK_TIMEOUT_S):
                yield
        except Timeout:
            raise DataError("Somebody else is changing this image set.", "Try again in a minute.") from None
        except OSError as error:
            raise _unwritable(error) from error

    def _rewrite(self, set_id: str, **values: object) -> None:
        self.card(set_id)
        with self._lock(set_id):
            card = self.card(set_id).model_copy(update=values)
            replace_file(self._card_path(set_id), card.model_dump_json().encode())


@functools.cache
def open_sets(data_root: Path) -> ImageSets:
    """The image sets below a data folder; the same object in all of this process, for what it keeps in memory."""
    return ImageSets(data_root / "image_sets")


def replace_file(path: Path, content: bytes) -> None:
    """Write a file that appears under its name only when it is whole and on the disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(error: OSError) -> DataError:
    reason = error.strerror or type(error).__name__
    return DataError(
        f"The folder of the image sets cannot be written ({reason}); nothing was changed.",
        "Make room for it, or let the lab write there.",
    )


def _clean_name(text: str) -> str:
    name = shortened(clean_text(text), 80)
    if not name:
        raise DataError("An image set needs a name.", "Allowed: 1 to 80 characters.")
    return name


def _file_of(record: ImageRecord) -> str:
    if not _FILE.fullmatch(record.file):
        raise DataError(f"{shortened(record.file)!r} is no stored picture.", "Add the image again.")
    return record.file


def _content(state: ImageSet) -> tuple[object, ...]:
    return state.classes, state.images, state.division


def _check_quotas(before: ImageSet, after: ImageSet) -> None:
    allowed = limits().set_images
    if len(after.images) > max(allowed, len(before.images)):
        raise DataError(
            f"That would be {len(after.images):,} images; a set holds at most {allowed:,}.",
            "Add fewer, or make another set.",
        )
    if len(after.classes) > max(MAX_CLASSES, len(before.classes)):
        raise DataError(
            f"That would be {len(after.classes):,} classes; a set has at most {MAX_CLASSES:,}.",
            "Merge or remove some, or make another set.",
        )
