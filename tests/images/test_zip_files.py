"""Hostile ZIPs, made here."""

from __future__ import annotations

import stat
import struct
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from cnncore.errors import DataError
from cnncore.images.limits import Limits
from cnncore.images.zip_files import member_name, open_zip, read_member, refusal
from tests.images.pictures import png

LIMITS = Limits()


def written(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content, compress_type=method)
    return path


def refused(path: Path, max_bytes: int = LIMITS.image_bytes) -> list[str]:
    with open_zip(path, LIMITS) as archive:
        return [refusal(member, max_bytes) for member in archive.infolist()]


def test_an_ordinary_zip_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", ("cats/0.png", png(0)), ("cats/1.png", png(1)))
    with open_zip(path, LIMITS) as archive:
        assert [member_name(member) for member in archive.infolist()] == ["cats/0.png", "cats/1.png"]
        assert [read_member(archive, member, 10_000) for member in archive.infolist()] == [png(0), png(1)]
    assert refused(path) == ["", ""]


def test_a_zip_after_other_bytes_and_with_a_comment_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", ("cats/0.png", png(0)))
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"made by somebody"
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    with open_zip(path, LIMITS) as archive:
        assert read_member(archive, archive.infolist()[0], 10_000) == png(0)


@pytest.mark.parametrize("name", ["../0.png", "a/../../0.png", "/etc/0.png", "\\x\\0.png", "c:/0.png", "..\\0.png"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    assert "leads out of the ZIP" in refused(written(tmp_path / "a.zip", (name, png(0))))[0]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    link = zipfile.ZipInfo("cats/0.png")
    link.external_attr = (kind | 0o777) << 16
    assert "link or a device" in refused(written(tmp_path / "a.zip", (link, b"/etc/passwd")))[0]


def changed(path: Path, name: str, **values: int) -> Path:
    """Set fields of a member in the directory and before its content: flags, size."""
    offsets = {"flags": ((8, 6), "<H"), "size": ((24, 22), "<L")}
    content = bytearray(path.read_bytes())
    for start, signature, shift in ((46, b"PK\x01\x02", 0), (30, b"PK\x03\x04", 1)):
        at = content.index(name.encode(), content.index(signature)) - start
        for field, value in values.items():
            places, kind = offsets[field]
            struct.pack_into(kind, content, at + places[shift], value)
    path.write_bytes(content)
    return path


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    path = changed(written(tmp_path / "a.zip", ("0.png", png(0))), "0.png", flags=1)
    assert "is encrypted" in refused(path)[0]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_fill_the_memory_at_once_are_refused(tmp_path: Path, method: int) -> None:
    assert "packed in a way" in refused(written(tmp_path / "a.zip", ("0.png", bytes(10_000)), method=method))[0]


def test_a_bomb_is_refused_by_its_ratio_and_a_large_file_by_its_size(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", ("0.png", bytes(20_000_000)), ("1.png", bytes(900_000)))
    assert [reason.partition(",")[0] for reason in refused(path)] == ["It unpacks to a multiple of its size", ""]
    assert "at most 1 MB" in refused(path, 1_000_000)[0]


@pytest.mark.parametrize("size", [10, 500_000])
def test_a_false_size_is_noticed(tmp_path: Path, size: int) -> None:
    path = changed(written(tmp_path / "a.zip", ("0.png", bytes(100_000))), "0.png", size=size)
    with open_zip(path, LIMITS) as archive, pytest.raises(DataError, match="damaged, or its size is false"):
        read_member(archive, archive.infolist()[0], LIMITS.image_bytes)


def test_damaged_content_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", ("0.png", png(0)))
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(30)
    path.write_bytes(content)
    with open_zip(path, LIMITS) as archive, pytest.raises(DataError, match="damaged, or its size is false"):
        read_member(archive, archive.infolist()[0], LIMITS.image_bytes)


def many_entries(number: int, said: int) -> bytes:
    """A ZIP whose directory has `number` entries for one empty file, and says that there are `said`."""
    local = b"PK\x03\x04" + struct.pack("<5H3L2H", 20, 0, 0, 0, 33, 0, 0, 0, 5, 0) + b"0.png"
    entry = b"PK\x01\x02" + struct.pack("<6H3L5H2L", 20, 20, 0, 0, 0, 33, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0) + b"0.png"
    directory = entry * number
    start, size = len(local), len(directory)
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, said, said, size, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + size, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return local + directory + large + locator + end


@pytest.mark.parametrize("said", [2_000_000, 1])
def test_two_million_entries_are_refused_before_they_are_read(tmp_path: Path, said: int) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(many_entries(2_000_000, said))
    started = time.perf_counter()
    with pytest.raises(DataError, match=r"a\.zip holds more than 100,000 files"):
        open_zip(path, LIMITS)
    assert time.perf_counter() - started < 5  # zipfile itself takes 20 s and a gigabyte


def test_members_that_lie_over_each_other_are_refused(tmp_path: Path) -> None:
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = bytes(100_000)
    data = packed.compress(content) + packed.flush()
    local = b"PK\x03\x04" + struct.pack("<5H3L2H", 20, 0, 8, 0, 33, zlib.crc32(content), len(data), 100_000, 5, 0)
    entry = b"PK\x01\x02" + struct.pack(
        "<6H3L5H2L", 20, 20, 0, 8, 0, 33, zlib.crc32(content), len(data), 100_000, 5, 0, 0, 0, 0, 0, 0
    )
    directory = b"".join(entry + f"{number:05d}".encode() for number in range(1_000))
    start = len(local) + 5 + len(data)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1_000, 1_000, len(directory), start, 0)
    (tmp_path / "a.zip").write_bytes(local + b"00000" + data + directory + end)
    with pytest.raises(DataError, match="lie over each other"):
        open_zip(tmp_path / "a.zip", LIMITS)


def test_too_much_in_all_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", *((f"{number}.png", bytes(600_000)) for number in range(4)))
    with pytest.raises(DataError, match="would unpack to more than 2 MB"):
        open_zip(path, Limits(archive_mb=2))


BROKEN = {
    "text": b"this is no ZIP",
    "empty": b"",
    "only its start": b"PK\x03\x04",
    "end alone": b"PK\x05\x06" + bytes(17),
    "end that points far away": struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, 999_999, 999_999, 0),
    "directory of nonsense": b"x" * 60 + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 60, 0, 0),
    "nonsense before the end": bytes(56) + struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1) + b"PK\x05\x06" + bytes(18),
}


@pytest.mark.parametrize("name", sorted(set(BROKEN) - {"nonsense before the end"}))
def test_a_broken_zip_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.zip").write_bytes(BROKEN[name])
    with pytest.raises(DataError, match=r"a\.zip is not a ZIP, or it is damaged"):
        open_zip(tmp_path / "a.zip", LIMITS)


def test_a_zip_of_a_later_version_is_one_sentence(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("a.png")
    entry.extract_version = 99
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, b"")
    with pytest.raises(DataError, match=r"a\.zip is not a ZIP, or it is damaged"):
        open_zip(tmp_path / "a.zip", LIMITS)


def test_an_empty_zip_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(BROKEN["nonsense before the end"])
    assert refused(tmp_path / "a.zip") == []
    assert refused(written(tmp_path / "b.zip")) == []


def test_names_of_macos_are_utf8_without_saying_so() -> None:
    member = zipfile.ZipInfo("café/0.png".encode().decode("cp437"))
    assert member_name(member) == "café/0.png"
    member.flag_bits = 0x800
    assert member_name(member) == "café/0.png".encode().decode("cp437")
