"""Image folders: `train/<class>/*.jpg` with `val/` and `test/` beside it, or `<class>/*.jpg`; ImageNet's layout is one.

Hidden files and files without an image's extension are skipped. Links are followed, to files and to class folders:
people link large collections from other disks, and nothing is ever written here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cnncore.data.cache import Decoded
from cnncore.data.images import Files, Progress
from cnncore.data.sources import Request, Source
from cnncore.errors import DataError
from cnncore.images.decode import EXTENSIONS, decode_image
from cnncore.images.layout import SPLIT_NAMES
from cnncore.images.preprocessing import Preprocessing, preprocessing_of

RESIDENT_BYTES = 1 << 30
"""Folders that are larger when decoded are streamed."""
_LAYOUT = "Expected is <class>/*.jpg or train/<class>/*.jpg (with val/<class>/ and test/<class>/ where you have them)."


@dataclass(frozen=True, eq=False)
class Listing:
    """The image files of one split: names below the root, labels, and a hash of names, sizes and times."""

    names: np.ndarray
    labels: np.ndarray
    digest: str

    @property
    def names_digest(self) -> str:
        """A hash of the names alone, which hold the classes."""
        return hashlib.sha256(self.names.tobytes()).hexdigest()


def read_folder(request: Request) -> Source:
    """The folder `data.path`; a relative path is meant below the data folder.

    Raises:
        DataError: where the folder is missing, has no class, only one, or an empty one.
    """
    root = _root(request)
    preprocessing = preprocessing_of(request.config)
    request.progress(f"Listing {root}", 0, 0)
    classes, listings = list_folder(root)
    num_bytes = sum(len(listing.names) for listing in listings.values()) * preprocessing.size**2 * 3
    streams = num_bytes > RESIDENT_BYTES
    # A streamed image that turns out to be broken can be mended and the run resumed; a copy has to be made anew.
    digests = ((name, listing.names_digest if streams else listing.digest) for name, listing in listings.items())
    listed = "".join(f"{name}={digest}" for name, digest in digests)
    # Another folder of the same name must not remove this one's cache, so the place is part of the name.
    place = hashlib.sha256(str(root).encode()).hexdigest()[:12]
    return Source(
        name=f"folder-{place}",
        fingerprint=hashlib.sha256(f"{classes}{listed}{resampling_tag(preprocessing)}".encode()).hexdigest(),
        decode=lambda: decode_listings(root, classes, listings, preprocessing, request.progress),
        streamed=stream_listings(root, listings, preprocessing) if streams else None,
        classes=classes,
        names={name: listing.names for name, listing in listings.items()},
    )


def _root(request: Request) -> Path:
    text = request.config.path
    if not text:
        raise DataError("A folder of images needs its path.", "Give the folder that holds the classes.")
    try:
        root = (request.root / Path(text).expanduser()).resolve()
        if root.is_dir():
            return root
    except (OSError, ValueError, RuntimeError):  # a name that is too long, a null byte, the home of nobody
        pass
    shown = text if len(text) <= 100 else f"{text[:97]}..."
    raise DataError(
        f"There is no folder {shown!r} that can be read.",
        f"Check the path; a relative one is meant below the data folder {request.root}.",
    )


def resampling_tag(preprocessing: Preprocessing) -> str:
    """What a fingerprint says of the resampling: nothing where it is the usual one, of which caches exist."""
    usual = (preprocessing.crop, preprocessing.interpolation) == (1, "bicubic")
    return "" if usual else f"{preprocessing.crop}{preprocessing.interpolation}"


def stream_listings(root: Path, listings: Mapping[str, Listing], preprocessing: Preprocessing) -> dict[str, Files]:
    """The splits as files that are decoded when they are needed."""
    return {
        name: Files(root, part.names, torch.from_numpy(part.labels), preprocessing) for name, part in listings.items()
    }


def list_folder(root: Path) -> tuple[tuple[str, ...], dict[str, Listing]]:
    """Class names, sorted, and the files of each split that is there.

    Raises:
        DataError: where the layout is not one of the two.
    """
    parts = _split_folders(root)
    classes = tuple(_subfolders(parts["train"]))
    _check_classes(parts["train"], classes)
    listings: dict[str, Listing] = {}
    for split, folder in parts.items():
        own = _subfolders(folder)
        if not own:
            raise DataError(f"{folder} holds no folders, one for each class.", _LAYOUT)
        unknown = [name for name in own if name not in classes]
        if unknown:
            raise DataError(
                f"{folder / unknown[0]} is a class that {parts['train']} does not have.",
                "Every class needs training images.",
            )
        listings[split] = _list_split(root, folder, classes, own)
    return classes, listings


def _split_folders(root: Path) -> dict[str, Path]:
    names = _subfolders(root)
    known = {alias for aliases in SPLIT_NAMES.values() for alias in aliases}
    if "train" not in names or not (_subfolders(root / "train") or set(names) <= known):
        return {"train": root}
    found = {split: [root / name for name in aliases if name in names] for split, aliases in SPLIT_NAMES.items()}
    return {split: folders[0] for split, folders in found.items() if folders}


def _check_classes(folder: Path, classes: Sequence[str]) -> None:
    if not classes:
        raise DataError(f"{folder} holds no folders, one for each class.", _LAYOUT)
    if len(classes) == 1:
        raise DataError(f"{folder} holds only one class, {classes[0]}; at least two are needed.", _LAYOUT)


def _subfolders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: Path, error: OSError) -> DataError:
    return DataError(f"The folder {folder} cannot be read: {error.strerror}.", "Check its permissions.")


def _list_split(root: Path, folder: Path, classes: Sequence[str], own: Iterable[str]) -> Listing:
    names: list[str] = []
    labels: list[int] = []
    digest = hashlib.sha256()
    for name in own:
        files = _image_files(folder / name)
        if not files:
            raise DataError(f"The class folder {folder / name} holds no image.", "Add images or remove the folder.")
        prefix = (folder / name).relative_to(root).as_posix()
        names += [f"{prefix}/{file}" for file, _, _ in files]
        labels += [classes.index(name)] * len(files)
        digest.update(f"{name}{files}".encode(errors="surrogateescape"))
    return Listing(np.array(names), np.array(labels, np.int64), digest.hexdigest())


def _image_files(folder: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of change of the images directly in a folder, sorted by name."""
    found: list[tuple[str, int, int]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or os.path.splitext(entry.name)[1].lower() not in EXTENSIONS:  # noqa: PTH122 (fast)
                    continue
                if entry.is_file():
                    status = entry.stat()
                    found.append((entry.name, status.st_size, status.st_mtime_ns))
    except OSError as error:
        raise _unreadable(folder, error) from error
    return sorted(found)


def decode_listings(
    root: Path,
    classes: tuple[str, ...],
    listings: Mapping[str, Listing],
    preprocessing: Preprocessing,
    progress: Progress,
) -> Decoded:
    """The splits decoded."""
    paths = [root / str(name) for listing in listings.values() for name in listing.names]
    pixels = decode_files(paths, preprocessing, progress)
    splits: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    start = 0
    for name, listing in listings.items():
        splits[name] = (pixels[start : start + len(listing.names)], listing.labels)
        start += len(listing.names)
    return Decoded(splits, classes)


def decode_files(paths: Sequence[Path], preprocessing: Preprocessing, progress: Progress) -> np.ndarray:
    """All of the images, uint8 (N, size, size, C), on as many threads as there are cores (decoders run beside Python).

    Raises:
        DataError: naming the first file that cannot be decoded, and how many there are.
    """
    size = preprocessing.size
    pixels = np.empty((len(paths), size, size, preprocessing.channels), np.uint8)
    errors: list[DataError] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, result in enumerate(pool.map(lambda path: _try_decode(path, preprocessing), paths)):
            if isinstance(result, DataError):
                errors.append(result)
            else:
                pixels[done] = result
            if done % 64 == 0:
                progress("Decoding images", done, len(paths))
    if len(errors) > 1:
        raise DataError(f"{errors[0].message} {len(errors) - 1:,} more cannot be decoded either.", errors[0].hint)
    if errors:
        raise errors[0]
    return pixels


def _try_decode(path: Path, preprocessing: Preprocessing) -> np.ndarray | DataError:
    try:
        return decode_image(path, preprocessing)
    except DataError as error:
        return error
