from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnncore.catalog.presence import cache_dir
from cnncore.data import array_file, cache
from cnncore.data.cache import Decoded, open_or_build, read, write
from cnncore.errors import DataError

KEY = "0123456789abcdef0123456789abcdef"


def decoded() -> Decoded:
    random = np.random.RandomState(0)
    return Decoded(
        {
            "train": (random.randint(0, 256, (50, 5, 4, 3), np.uint8), np.arange(50)),
            "test": (random.randint(0, 256, (7, 5, 4, 3), np.uint8), np.arange(7)),
        },
        ("α", "b"),
    )


def silent(what: str, done: int, total: int) -> None:
    pass


class Builder:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Decoded:
        self.calls += 1
        return decoded()


def cache_file(root: Path) -> Path:
    (path,) = cache_dir(root).glob("*.images")
    return path


def test_it_is_built_once_and_then_mapped(tmp_path: Path) -> None:
    build = Builder()
    for _ in range(3):
        stored = open_or_build(tmp_path, "tiny", KEY, build, silent)
        for name, (pixels, labels) in decoded().splits.items():
            split = stored.splits[name]
            assert np.array_equal(split.pixels, pixels)
            assert np.array_equal(split.labels, labels)
            assert np.array_equal(split.sums, pixels.sum(axis=(1, 2), dtype=np.int64))
            assert np.array_equal(split.squares, (pixels.astype(np.int64) ** 2).sum(axis=(1, 2)))
        assert stored.classes == ("α", "b")
    assert build.calls == 1
    assert not list(cache_dir(tmp_path).glob(".*.tmp"))


HARMS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut in the header": lambda data: data[:40],
    "cut in the payload": lambda data: data[:-1],
    "longer": lambda data: data + b"x",
    "other magic": lambda data: b"X" + data[1:],
    "flipped in the header": lambda data: data[:30] + bytes((data[30] ^ 1,)) + data[31:],
    "flipped in the payload": lambda data: data[:5_000] + bytes((data[5_000] ^ 1,)) + data[5_001:],
    "flipped at the end": lambda data: data[:-1] + bytes((data[-1] ^ 128,)),
    "zeros": lambda data: bytes(len(data)),
    "half written": lambda data: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_file_is_rebuilt(tmp_path: Path, harm: str) -> None:
    build = Builder()
    open_or_build(tmp_path, "tiny", KEY, build, silent)
    path = cache_file(tmp_path)
    path.write_bytes(HARMS[harm](path.read_bytes()))
    assert read(path, KEY) is None
    stored = open_or_build(tmp_path, "tiny", KEY, build, silent)
    assert build.calls == 2
    assert np.array_equal(stored.splits["train"].pixels, decoded().splits["train"][0])
    assert read(path, KEY) is not None


def test_another_version_is_rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = Builder()
    open_or_build(tmp_path, "tiny", KEY, build, silent)
    monkeypatch.setattr(cache, "FORMAT", cache.FORMAT + 1)
    open_or_build(tmp_path, "tiny", KEY, build, silent)
    assert build.calls == 2


def test_new_content_replaces_the_old_file(tmp_path: Path) -> None:
    build = Builder()
    open_or_build(tmp_path, "tiny", KEY, build, silent)
    other = open_or_build(tmp_path, "tiny-64", KEY, build, silent)
    open_or_build(tmp_path, "tiny", "f" * 32, build, silent)
    assert {path.name for path in cache_dir(tmp_path).glob("*.images")} >= {f"tiny-{'f' * 20}.images"}
    assert not (cache_dir(tmp_path) / f"tiny-{KEY[:20]}.images").exists()
    assert other.splits["train"].pixels.sum() > 0, "an open mapping outlives its file"


def test_leftovers_of_a_killed_writer_are_removed(tmp_path: Path) -> None:
    cache_dir(tmp_path).mkdir()
    leftover = cache_dir(tmp_path) / f".tiny-{KEY[:20]}-abc.tmp"
    leftover.write_bytes(b"x")
    open_or_build(tmp_path, "tiny", KEY, Builder(), silent)
    assert not leftover.exists()


def test_a_damaged_file_without_sources_is_named(tmp_path: Path) -> None:
    def fail() -> Decoded:
        raise DataError("Tiny is not here.", "Download it.")

    with pytest.raises(DataError, match=r"^Tiny is not here\."):
        open_or_build(tmp_path, "tiny", KEY, fail, silent)
    open_or_build(tmp_path, "tiny", KEY, Builder(), silent)
    path = cache_file(tmp_path)
    path.write_bytes(b"x")
    with pytest.raises(DataError, match=f"{path.name} is damaged and cannot be made anew: Tiny is not here"):
        open_or_build(tmp_path, "tiny", KEY, fail, silent)


def test_a_folder_that_cannot_be_written_means_working_from_memory(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    build = Builder()
    stored = open_or_build(tmp_path, "tiny", KEY, build, silent)
    assert np.array_equal(stored.splits["test"].pixels, decoded().splits["test"][0])


def test_a_full_disk_means_working_from_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(array_file, "_write_stream", full)
    stored = open_or_build(tmp_path, "tiny", KEY, Builder(), silent)
    assert len(stored.splits["train"].labels) == 50
    assert not list(cache_dir(tmp_path).glob("*.images"))
    assert not list(cache_dir(tmp_path).glob(".*.tmp"))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.images"
    write(path, KEY, decoded())

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(array_file, "_write_stream", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(path, KEY, decoded())
    assert read(path, KEY) is not None
    assert [file.name for file in tmp_path.iterdir()] == ["a.images"]


def _slow_build() -> Decoded:
    time.sleep(0.3)
    return decoded()


def _open_in_process(root: Path, answers: multiprocessing.Queue[tuple[int, bool]]) -> None:
    built: list[bool] = []

    def build() -> Decoded:
        built.append(True)
        return _slow_build()

    stored = open_or_build(root, "tiny", KEY, build, silent)
    answers.put((int(stored.splits["train"].pixels.sum()), bool(built)))


@pytest.mark.slow
def test_two_processes_build_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    processes = [context.Process(target=_open_in_process, args=(tmp_path, answers)) for _ in range(2)]
    for process in processes:
        process.start()
    found = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert len({total for total, _ in found}) == 1
    assert sum(built for _, built in found) == 1
