"""What came in, taken apart into single pictures: files, folders on this machine and ZIPs, by the same rules."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from cnncore.errors import DataError
from cnncore.images import zip_files
from cnncore.images.class_names import clean_class_name, clean_text, same_class, shortened
from cnncore.images.image_set import SplitName
from cnncore.images.layout import is_junk, places, unread
from cnncore.images.limits import Limits

MAX_DEPTH = 8
"""Folders within folders that are looked into."""
_NO_FOLDER = "It lies in no folder, and the folder is the class. Choose a class for it, or put it into a folder."


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One thing that came in.

    Attributes:
        name: What the person's file is called, with folders where the browser sends them.
        path: Where it lies: a picture, a ZIP or a folder.
        label: The class of all that is in it; None: each picture's innermost folder is its class.
    """

    name: str
    path: Path
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture that may become part of a set; `read` gives its file or its content."""

    name: str
    label: str
    split: SplitName | None
    num_bytes: int
    read: Callable[[], Path | BinaryIO]


@dataclass
class Unpacked:
    """What was found: pictures, and by name why something is none of them. Close `open_files` after use."""

    pictures: list[Picture] = field(default_factory=list[Picture])
    refused: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    open_files: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def refuse(self, name: str, reason: str) -> None:
        self.refused.append((shortened(clean_text(name), 120), reason))


@dataclass(frozen=True)
class _Found:
    name: str
    num_bytes: int
    read: Callable[[], Path | BinaryIO]
    label: str | None = None


def unpack(arrivals: Iterable[Arrival], allowed: Limits) -> Unpacked:
    """Every picture of what came in.

    Raises:
        DataError: where a ZIP or a folder as a whole is impossible, missing or too large.
    """
    out = Unpacked()
    single: list[_Found] = []
    with contextlib.ExitStack() as on_error:
        on_error.callback(out.open_files.close)
        for arrival in arrivals:
            if arrival.path.is_dir():
                _place(out, list(_of_folder(arrival, allowed)), allowed)
            elif _is_zip(arrival):
                _place(out, list(_of_zip(arrival, allowed, out)), allowed)
            elif arrival.label is not None or not is_junk(arrival.name):
                single.append(_file(arrival.name, arrival.path, arrival.label))
        on_error.pop_all()
    _place(out, single, allowed)
    return out


def settle_labels(found: Unpacked, classes: Sequence[str]) -> None:
    """Give every picture a clean class name; those whose class is impossible are refused, once for each class.

    Args:
        found: Changed in place.
        classes: Classes that the set has already.
    """
    known, settled = list(classes), dict[str, str]()
    for label, number in Counter(picture.label for picture in found.pictures).items():
        pictures = "One picture" if number == 1 else f"{number:,} pictures"
        try:
            name = clean_class_name(label)
        except DataError as error:
            found.refuse(label, f"{pictures} not added. {error}")
            continue
        other = same_class(name, known)
        if other not in (None, name):
            found.refuse(
                label,
                f"{pictures} not added: the class “{other}” differs from this name only in upper and lower case or in "
                f"how it is spelled in Unicode. Use “{other}”, or another name.",
            )
            continue
        settled[label] = name
        known += [] if name in known else [name]
    found.pictures = [
        replace(picture, label=settled[picture.label]) for picture in found.pictures if picture.label in settled
    ]


def _place(out: Unpacked, found: Sequence[_Found], allowed: Limits) -> None:
    """Give each picture its class and split; refuse what has no class or too many bytes."""
    where = places([item.name for item in found])
    for item, place in zip(found, where, strict=True):
        label, split = (item.label, None) if item.label is not None else (place.label, place.split)
        if reason := unread(item.name):
            out.refuse(item.name, reason)
        elif label is None:
            out.refuse(item.name, _NO_FOLDER)
        elif item.num_bytes > allowed.image_bytes:
            size = f"It has {item.num_bytes / 1e6:,.1f} MB; at most {allowed.image_mb:,} MB are read."
            out.refuse(item.name, f"{size} Make it smaller.")
        else:
            out.pictures.append(
                Picture(name=item.name, label=label, split=split, num_bytes=item.num_bytes, read=item.read)
            )


def _is_zip(arrival: Arrival) -> bool:
    if "/" in arrival.name and arrival.label is None:
        return False  # inside a folder that a browser sends: a nested one
    if arrival.name.lower().endswith(".zip"):
        return True
    with contextlib.suppress(OSError):
        if not arrival.path.is_file():
            return False
        with arrival.path.open("rb") as stream:
            return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    return False


def _file(name: str, path: Path, label: str | None) -> _Found:
    try:
        num_bytes = path.stat().st_size
    except OSError:
        num_bytes = 0  # decoding will say that it is no longer there
    return _Found(name, num_bytes, lambda: path, label)


def _of_zip(arrival: Arrival, allowed: Limits, out: Unpacked) -> Iterable[_Found]:
    archive = out.open_files.enter_context(zip_files.open_zip(arrival.path, allowed, arrival.name))
    for member in zip_files.usable(archive.infolist()):
        name = zip_files.member_name(member)
        if reason := zip_files.refusal(member, allowed.image_bytes):
            # Names that lead outside must be mentioned even where they look like junk.
            if ".." in name or not is_junk(name):
                out.refuse(name, reason)
        elif not is_junk(name):
            yield _Found(name, member.file_size, _reader(archive, member, allowed), arrival.label)


def _reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo, allowed: Limits) -> Callable[[], BinaryIO]:
    return lambda: io.BytesIO(zip_files.read_member(archive, member, allowed.image_bytes))


def _of_folder(arrival: Arrival, allowed: Limits) -> Iterable[_Found]:
    """The pictures below a folder, by name; links are followed, as `cnncore.data.folder` does, but not in circles."""
    root, number = arrival.path, 0
    for folder, subfolders, files in os.walk(root, followlinks=True):
        below = Path(folder).relative_to(root)
        here = Path(folder)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith(".") and not _leads_up(here / name))
        if len(below.parts) >= MAX_DEPTH:
            subfolders.clear()
        for name in sorted(files):
            number += 1
            if number > allowed.archive_files:
                raise DataError(f"{root} holds more than {allowed.archive_files:,} files.", "Choose a folder in it.")
            shown = (Path(root.name) / below / name).as_posix()
            if not is_junk(f"{below.as_posix()}/{name}" if below.parts else name):
                yield _file(shown, here / name, arrival.label)


def _leads_up(path: Path) -> bool:
    """Whether it is a link to a folder that it lies in itself."""
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())
