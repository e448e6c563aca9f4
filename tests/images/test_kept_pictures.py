"""Pictures that a person gave: whatever is in the file, by however many at once, and as many as there is room for."""

from __future__ import annotations

import errno
import io
import os
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncore.errors import DataError
from cnncore.images import kept_pictures, limits
from cnncore.images.kept_pictures import LONGEST_SIDE, keep_picture, kept_picture
from tests.images.pictures import encoded, picture, png


def kept(artifacts: Path) -> list[str]:
    return sorted(path.name for path in (artifacts / "pictures").iterdir())


def test_a_picture_comes_back_with_the_same_pixels_under_the_name_of_its_pixels(artifacts: Path) -> None:
    name = keep_picture(artifacts, png(1), "a.png")
    np.testing.assert_array_equal(np.asarray(Image.open(kept_picture(artifacts, name))), np.asarray(picture(1)))
    assert keep_picture(artifacts, encoded(picture(1), "BMP"), "b.bmp") == name
    assert keep_picture(artifacts, png(2), "a.png") != name
    turned = np.asarray(picture(1)).reshape(40, 30, 3)
    assert keep_picture(artifacts, encoded(Image.fromarray(turned)), "c.png") != name, "the same bytes, another shape"


def test_large_ones_are_made_smaller_and_turned_upright(artifacts: Path) -> None:
    large = picture(1, 3_000, 1_500)
    exif = Image.Exif()
    exif[0x0112] = 6
    found = Image.open(kept_picture(artifacts, keep_picture(artifacts, encoded(large, "JPEG", exif=exif), "a.jpg")))
    assert found.size == (LONGEST_SIDE // 2, LONGEST_SIDE)
    assert not found.getexif()


def huge_png() -> bytes:
    """A PNG of a few hundred bytes that says it has 40,000 × 40,000 pixels."""
    content = bytearray(png(1))
    content[16:24] = (40_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not an image of a known format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "not an image of a known format"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "The image a.png"),
        (png(1)[:200], "damaged or cut off"),
        (huge_png(), "million are decoded"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image of a known format"),
    ],
)
def test_what_is_no_picture_is_one_sentence_and_leaves_nothing(artifacts: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        keep_picture(artifacts, content, "a.png")
    assert not (artifacts / "pictures").exists()


def test_the_limits_of_whoever_runs_the_lab_hold(artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_MAX_IMAGE_MB", "1")
    monkeypatch.setenv("CNNLAB_MAX_MEGAPIXELS", "1")
    with pytest.raises(DataError, match="at most 1 are read"):
        keep_picture(artifacts, bytes(1_000_001), "a.png")
    with pytest.raises(DataError, match="at most 1 million are decoded"):
        keep_picture(artifacts, encoded(Image.new("L", (1_100, 1_000))), "a.png")


@pytest.mark.parametrize("name", ["", "0" * 31, "0" * 32, "../" + "0" * 29, "A" * 32, "0" * 33])
def test_a_name_that_leads_to_nothing_is_one_sentence(artifacts: Path, name: str) -> None:
    with pytest.raises(DataError, match="not kept any more"):
        kept_picture(artifacts, name)


def test_many_may_keep_the_same_one_at_once(artifacts: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda number: keep_picture(artifacts, png(number % 2), "a.png"), range(32)))
    assert kept(artifacts) == sorted(f"{name}.png" for name in set(names))
    for name in set(names):
        Image.open(kept_picture(artifacts, name)).load()


def test_those_not_looked_at_for_longest_go_first(artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [keep_picture(artifacts, png(number), "a.png") for number in range(3)]
    for age, name in enumerate(names):
        then = time.time() - 100 + age
        os.utime(artifacts / "pictures" / f"{name}.png", (then, then))
    kept_picture(artifacts, names[0])
    newest = keep_picture(artifacts / "elsewhere", png(9), "a.png")
    paths = [artifacts / "pictures" / f"{name}.png" for name in names]
    room = sum(path.stat().st_size for path in (*paths, kept_picture(artifacts / "elsewhere", newest)))
    monkeypatch.setattr(kept_pictures, "KEPT_BYTES", room - 1)
    assert keep_picture(artifacts, png(9), "a.png") == newest
    assert kept(artifacts) == sorted(f"{name}.png" for name in (names[0], names[2], newest))


def test_what_a_killed_process_left_goes(artifacts: Path) -> None:
    keep_picture(artifacts, png(1), "a.png")
    stale, fresh = (artifacts / "pictures" / name for name in (".a.png.1.1.tmp", ".b.png.1.1.tmp"))
    for path in (stale, fresh):
        path.write_bytes(b"half")
    os.utime(stale, (0, 0))
    keep_picture(artifacts, png(2), "b.png")
    assert not stale.exists()
    assert fresh.exists()


def test_a_full_disk_is_one_sentence(artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(kept_pictures, "replace_file", refuse)
    with pytest.raises(DataError, match=r"cannot be stored \(No space left on device\)"):
        keep_picture(artifacts, png(1), "a.png")
    monkeypatch.setattr(limits, "SPARE_BYTES", 1 << 62)
    with pytest.raises(DataError, match="MB are free on the lab's disk"):
        keep_picture(artifacts, png(1), "a.png")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_bytes(io.BytesIO().getvalue())
    with pytest.raises(DataError, match="cannot be stored"):
        keep_picture(tmp_path, png(1), "a.png")
