from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnncore.catalog import DATASETS, RemoteFile
from cnncore.config import DataConfig
from cnncore.data import download as downloading
from cnncore.data import open_images
from cnncore.errors import DataError
from tests.data import tiny
from tests.file_server import Server, serving

CONTENT = bytes(range(256)) * 4_000
FILE = RemoteFile(name="file.bin", md5=tiny.md5(CONTENT), num_bytes=len(CONTENT))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({FILE.name: CONTENT}) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "PAUSE_S", 0.0)


def offer(*mirrors: str) -> downloading.Offer:
    return downloading.dataset_offer(tiny.idx_spec(mirrors), [FILE])


def fetch(folder: Path, *mirrors: str, progress: Callable[[str, int, int], None] = lambda *_: None) -> bytes:
    downloading.download(offer(*mirrors), folder, progress)
    assert sorted(path.name for path in folder.iterdir() if path.name != ".download.lock") == [FILE.name]
    return (folder / FILE.name).read_bytes()


def test_a_file_arrives_with_progress(server: Server, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    assert fetch(tmp_path / "new", server.address, progress=lambda *what: told.append(what)) == CONTENT
    assert told[-1] == (f"Downloading {FILE.name}", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_a_cut_download_is_continued(server: Server, tmp_path: Path) -> None:
    server.cuts = [300_000, 700_000]
    assert fetch(tmp_path, server.address) == CONTENT
    assert server.ranges == [None, "bytes=300000-", "bytes=700000-"]


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.cuts, server.knows_ranges = [300_000], False
    assert fetch(tmp_path, server.address) == CONTENT


@pytest.mark.parametrize("left", [CONTENT, CONTENT[:1_000], b"x" * 1_000, b"x" * len(CONTENT), CONTENT + b"x"])
def test_what_a_killed_download_left_is_continued_or_dropped(server: Server, tmp_path: Path, left: bytes) -> None:
    (tmp_path / f".{FILE.name}.part").write_bytes(left)
    assert fetch(tmp_path, server.address) == CONTENT


def test_the_next_mirror_is_tried(server: Server, tmp_path: Path) -> None:
    assert fetch(tmp_path, f"{server.address}nowhere/", "http://127.0.0.1:1/", server.address) == CONTENT


def test_a_file_address_works(tmp_path: Path) -> None:
    source = tmp_path / "mirror"
    source.mkdir()
    (source / FILE.name).write_bytes(CONTENT)
    assert fetch(tmp_path / "out", source.as_uri() + "/") == CONTENT


def test_a_rounded_size_and_the_first_digits_of_a_sha256_are_enough(server: Server, tmp_path: Path) -> None:
    digits = hashlib.sha256(CONTENT).hexdigest()[:8]
    file = RemoteFile(name=FILE.name, sha256=digits, num_bytes=len(CONTENT) - 700, rounding=1_000)
    server.cuts = [len(CONTENT) - 300, 0]
    wanted = downloading.Offer(title="Weights", files=[(file, [server.address + FILE.name])], otherwise="none")
    downloading.download(wanted, tmp_path, lambda *_: None)
    assert (tmp_path / FILE.name).read_bytes() == CONTENT
    assert len(server.ranges) > 1
    other = RemoteFile(name="other.bin", sha256="0" * 8, num_bytes=file.num_bytes, rounding=1_000)
    wanted = downloading.Offer(title="Weights", files=[(other, [server.address + FILE.name])], otherwise="none")
    with pytest.raises(DataError, match="checksum is wrong"):
        downloading.download(wanted, tmp_path, lambda *_: None)


FAILURES = {
    "missing": ({}, [], "HTTP 404"),
    "wrong": ({FILE.name: b"x" * len(CONTENT)}, [], "checksum is wrong"),
    "endless": ({FILE.name: CONTENT * 3}, [], "checksum is wrong"),
    "cut": ({FILE.name: CONTENT}, [1_000] * 3, "cut after 1,000 of 1,024,000 bytes"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_one_sentence_and_leaves_nothing(server: Server, tmp_path: Path, failure: str) -> None:
    server.contents, server.cuts, reason = FAILURES[failure]
    with pytest.raises(DataError, match=reason) as caught:
        downloading.download(offer(server.address), tmp_path, lambda *_: None)
    assert caught.value.message.startswith(f"Tiny could not be downloaded: {FILE.name}: ")
    assert str(tmp_path) in caught.value.hint
    assert "mnist5k" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == [".download.lock"]


def test_no_network_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the network could not be reached"):
        downloading.download(offer("http://127.0.0.1:1/"), tmp_path, lambda *_: None)


def test_a_full_disk_is_said_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DataError, match=r"needs 1 MB in .*, where 1 MB are free"):
        fetch(tmp_path, "http://127.0.0.1:1/")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="could not be saved in"):
        fetch(tmp_path / "file" / "below", "http://127.0.0.1:1/")


def test_opening_downloads_what_is_missing(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.contents = {name: tiny.pack(content) for name, content in tiny.idx_contents().items()}
    monkeypatch.setitem(DATASETS, "tiny", tiny.idx_spec((server.address,)))
    config = DataConfig(dataset="tiny")
    assert len(open_images(config, tmp_path).train) == 54
    asked = len(server.ranges)
    assert asked == 4
    shutil.rmtree(tmp_path / "Tiny")
    assert len(open_images(config, tmp_path).train) == 54, "the prepared copy is enough"
    assert len(server.ranges) == asked


def test_opening_downloads_an_archive(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = tiny.cifar_members()
    archive = tiny.cifar_archive(members)
    server.contents = {"tiny.tar.gz": archive}
    monkeypatch.setitem(DATASETS, "tiny", tiny.cifar_spec(members, archive, (server.address,)))
    assert len(open_images(DataConfig(dataset="tiny", validation=0), tmp_path).train) == 20
