"""Tiny data sets in the official formats, and catalog rows that describe them."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np

from cnncore.catalog import DatasetSpec, RemoteFile

NUM_TRAIN, NUM_TEST, NUM_CLASSES = 60, 20, 5
NAMES = ("train-images.gz", "train-labels.gz", "test-images.gz", "test-labels.gz")
CLASSES = ("a", "b", "c", "d", "e")


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def gray_pixels(num: int, seed: int) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, (num, 6, 6), np.uint8)


def labels(num: int) -> np.ndarray:
    return (np.arange(num) % NUM_CLASSES).astype(np.uint8)


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def idx_contents() -> dict[str, bytes]:
    arrays = (gray_pixels(NUM_TRAIN, 1), labels(NUM_TRAIN), gray_pixels(NUM_TEST, 2), labels(NUM_TEST))
    return {name: idx(array) for name, array in zip(NAMES, arrays, strict=True)}


def idx_spec(mirrors: tuple[str, ...] = (), folder: str = "Tiny/raw") -> DatasetSpec:
    files = tuple(
        RemoteFile(name=name, md5=md5(pack(content)), num_bytes=len(pack(content)), content_md5=md5(content))
        for name, content in idx_contents().items()
    )
    return DatasetSpec(
        title="Tiny",
        summary="",
        source="",
        license="",
        reader="cnncore.data.sources:read_idx",
        folder=folder,
        mirrors=mirrors,
        files=files,
        classes=CLASSES,
        num_train=NUM_TRAIN,
        num_test=NUM_TEST,
        in_shape=(1, 6, 6),
    )


def pack(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def write_idx(folder: Path, packed: bool = True) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in idx_contents().items():
        if packed:
            (folder / name).write_bytes(pack(content))
        else:
            (folder / name.removesuffix(".gz")).write_bytes(content)


def color_pixels(num: int, seed: int) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, (num, 3, 4, 4), np.uint8)


def cifar_members(fine: bool = False) -> dict[str, bytes]:
    """Batches as the official ones, which Python 2 pickled: all texts are bytes."""
    key = b"fine_labels" if fine else b"labels"
    numbers = [int(label) for label in labels(10)]
    batches: dict[str, object] = {
        name: {b"data": color_pixels(10, seed).reshape(10, -1), key: numbers}
        for seed, name in enumerate(("data_batch_1", "data_batch_2", "test_batch"))
    }
    batches["batches.meta"] = {b"fine_label_names": [b"sea_lion", b"b", b"c", b"d", b"e"]} if fine else {b"x": 1}
    return {name: pickle.dumps(batch, protocol=2) for name, batch in batches.items()}


def cifar_archive(members: dict[str, bytes], prefix: str = "tiny-batches/") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def cifar_spec(members: dict[str, bytes], archive: bytes = b"", mirrors: tuple[str, ...] = ()) -> DatasetSpec:
    return DatasetSpec(
        title="Tiny colors",
        summary="",
        source="",
        license="",
        reader="cnncore.data.sources:read_cifar",
        folder="tiny-batches",
        mirrors=mirrors,
        files=(RemoteFile(name="tiny.tar.gz", md5=md5(archive), num_bytes=len(archive)),),
        members={name: md5(content) for name, content in members.items()},
        num_train=20,
        num_test=10,
        in_shape=(3, 4, 4),
    )
