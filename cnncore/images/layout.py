"""What the folders around a picture say of it: its class, and the split where `train`, `val` or `test` lie above.

The same rules hold for folders on disk, for ZIPs and for folders that a browser sends: the innermost folder is the
class, and a folder named like a split directly above it is the split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from cnncore.images.decode import EXTENSIONS
from cnncore.images.image_set import SplitName

SPLIT_NAMES: dict[SplitName, tuple[str, ...]] = {
    "train": ("train",),
    "validation": ("val", "valid", "validation"),
    "test": ("test",),
}
"""What folders of the splits are called."""
_SPLITS: dict[str, SplitName] = {alias: split for split, aliases in SPLIT_NAMES.items() for alias in aliases}
_ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"})
_UNREAD_PICTURES = frozenset(
    {".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".psd", ".raw", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf"}
)


@dataclass(frozen=True)
class Place:
    """Class and split of a picture; None where its folders do not say."""

    label: str | None
    split: SplitName | None


def places(names: Sequence[str]) -> list[Place]:
    """Class and split of pictures that came together.

    Where some validate, the others keep the split of their folder. Where none does, those of `train` are left to be
    divided, or nothing would validate.

    Args:
        names: Paths with `/` between folders.
    """
    folders = [PurePosixPath(name).parts[:-1] for name in names]
    found = [Place(parts[-1] if parts else None, _split(parts)) for parts in folders]
    if all(place.split is None and (place.label is None or place.label.lower() in _SPLITS) for place in found):
        return [Place(None, None)] * len(found)
    if all(place.split != "validation" for place in found):
        return [Place(place.label, None if place.split == "train" else place.split) for place in found]
    return found


def _split(folders: Sequence[str]) -> SplitName | None:
    return _SPLITS.get(folders[-2].lower()) if len(folders) > 1 else None


def is_junk(name: str) -> bool:
    """Whether a file is passed over without a word: hidden ones, what macOS and Windows leave behind, notes."""
    parts = PurePosixPath(name).parts
    if any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return True
    return PurePosixPath(name).suffix.lower() not in EXTENSIONS | _ARCHIVES | _UNREAD_PICTURES


def unread(name: str) -> str:
    """Why a file that is no junk is not even opened; empty if it is."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _ARCHIVES:
        return "It is an archive inside another one or a folder. Unpack it first."
    if suffix in _UNREAD_PICTURES:
        return f"Pictures of the kind {suffix[1:].upper()} are not read. Convert it to JPEG or PNG."
    return ""
