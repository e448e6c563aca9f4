"""ZIP files from anywhere: looked at before they are opened, and read member by member.

No name in a ZIP becomes a path here. Links, encrypted members, names that lead outside, members that unpack to a
multiple of their size and overlapping ones are refused; so are ZIPs with too many entries, before any memory is spent
on them.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from cnncore.errors import DataError
from cnncore.images.class_names import clean_text, shortened
from cnncore.images.limits import Limits

MAX_RATIO = 200
"""How many times its packed size a member may have; photographs have about one."""
_RATIO_MATTERS_FROM = 1_000_000
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_HINT = "Pack the pictures again into an ordinary ZIP."
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Only these unpack bit by bit; a few bytes of the others can fill the memory at once."""


def open_zip(path: Path, allowed: Limits, name: str = "") -> zipfile.ZipFile:
    """A ZIP whose directory is sound and not too large; close it after use.

    Args:
        path: The file.
        allowed: Its `archive_files` and `archive_mb` count.
        name: What messages call it; the name of the file if not given.

    Raises:
        DataError: naming what is wrong with it as a whole.
    """
    name = shortened(clean_text(name or path.name))
    try:
        with path.open("rb") as stream:
            if _count_entries(stream, allowed.archive_files) > allowed.archive_files:
                raise DataError(
                    f"{name} holds more than {allowed.archive_files:,} files.", "Pack the pictures into several ZIPs."
                )
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise DataError(f"{name} is no longer there.", "Send it again.") from None
    # zipfile raises NotImplementedError for versions of the format that it cannot read.
    except (zipfile.BadZipFile, struct.error, OSError, ValueError, NotImplementedError):
        raise DataError(f"{name} is not a ZIP, or it is damaged or cut off.", _HINT) from None
    try:
        _check_sizes(archive, name, path.stat().st_size, allowed)
    except DataError:
        archive.close()
        raise
    return archive


def _check_sizes(archive: zipfile.ZipFile, name: str, num_bytes: int, allowed: Limits) -> None:
    members = archive.infolist()
    if sum(member.compress_size for member in members) > num_bytes:
        raise DataError(f"The members of {name} lie over each other, as in a ZIP bomb.", _HINT)
    if sum(member.file_size for member in members) > allowed.archive_bytes:
        raise DataError(
            f"{name} would unpack to more than {allowed.archive_mb:,} MB.", "Pack the pictures into several ZIPs."
        )


def member_name(member: zipfile.ZipInfo) -> str:
    """The name of a member with `/` between folders; macOS writes UTF-8 without saying so."""
    name = member.filename
    if not member.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode()
        except UnicodeError:
            name = member.filename
    return name


def refusal(member: zipfile.ZipInfo, max_bytes: int) -> str:
    """Why a member is not taken; empty if it is."""
    name, kind = member_name(member), stat.S_IFMT(member.external_attr >> 16)
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
        return "Its name leads out of the ZIP. " + _HINT
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "It is a link or a device, not a file. " + _HINT
    if member.flag_bits & 0x1:
        return "It is encrypted. Unpack it, then pack it without a password."
    if member.compress_type not in _METHODS:
        return "It is packed in a way that is not read here. " + _HINT
    if member.file_size > max_bytes:
        return f"It has {member.file_size / 1e6:,.1f} MB; at most {max_bytes / 1e6:,.0f} MB are read."
    if member.file_size > max(_RATIO_MATTERS_FROM, MAX_RATIO * member.compress_size):
        return "It unpacks to a multiple of its size, as in a ZIP bomb. " + _HINT
    return ""


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> bytes:
    """The content of a member; threads may share the ZIP.

    Raises:
        DataError: where it is refused or damaged, or its size is false.
    """
    name = shortened(clean_text(member_name(member)))
    if reason := refusal(member, max_bytes):
        raise DataError(f"{name} was not read.", reason)
    try:
        with archive.open(member) as stream:
            content = stream.read(max_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, struct.error, ValueError, RuntimeError):
        raise DataError(f"{name} is damaged, or its size is false.", _HINT) from None
    if len(content) != member.file_size:
        raise DataError(f"{name} is damaged, or its size is false.", _HINT)
    return content


def usable(members: Sequence[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """The members that are no folders and have a name."""
    return [member for member in members if member.filename and not member.is_dir()]


def _count_entries(stream: BinaryIO, most: int) -> int:
    """Entries of the directory, counted one by one but not further than `most` + 1: what a ZIP says of it may be false.

    Raises:
        zipfile.BadZipFile: where there is no such directory.
    """
    start, num_bytes = _directory(stream)
    stream.seek(start)
    count = read = 0
    while read < num_bytes and count <= most:
        entry = stream.read(_ENTRY.size)
        if len(entry) < _ENTRY.size or entry[:4] != b"PK\x01\x02":
            raise zipfile.BadZipFile
        fields = _ENTRY.unpack(entry)
        rest = sum(fields[10:13])
        stream.seek(rest, os.SEEK_CUR)
        read += _ENTRY.size + rest
        count += 1
    return count


def _directory(stream: BinaryIO) -> tuple[int, int]:
    """Start and length of the directory, found as `zipfile` finds it."""
    size = stream.seek(0, os.SEEK_END)
    tail_start = max(0, size - _END.size - (1 << 16))
    stream.seek(tail_start)
    tail = stream.read()
    whole = tail[-_END.size :]
    bare = whole[:4] == b"PK\x05\x06" and whole[-2:] == b"\0\0"
    found = len(tail) - _END.size if bare else tail.rfind(b"PK\x05\x06")
    if found < 0:
        raise zipfile.BadZipFile
    end = tail_start + found
    num_bytes = _END.unpack(tail[found : found + _END.size])[5]
    stream.seek(max(0, end - _LOCATOR.size))
    locator = stream.read(_LOCATOR.size)
    if locator[:4] == b"PK\x06\x07" and end >= _LOCATOR.size + _END_64.size:
        stream.seek(end - _LOCATOR.size - _END_64.size)
        large = _END_64.unpack(stream.read(_END_64.size))
        if large[0] == b"PK\x06\x06":
            end -= _LOCATOR.size + _END_64.size
            num_bytes = large[8]
    if not 0 <= num_bytes <= end:
        raise zipfile.BadZipFile
    return end - num_bytes, num_bytes
