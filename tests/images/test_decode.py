"""Pictures of any kind, sound and hostile."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from cnncore.errors import DataError
from cnncore.images.decode import MAX_PIXELS, decode_image, open_reduced, open_rgb
from cnncore.images.preprocessing import Preprocessing

RED, BLUE = (200, 0, 0), (0, 0, 200)


def decoded(path: Path, size: int = 8) -> np.ndarray:
    pixels = decode_image(path, Preprocessing(size=size, draft=True))
    assert pixels.shape == (size, size, 3)
    assert pixels.dtype == np.uint8
    return pixels


def test_the_middle_square_is_taken(tmp_path: Path) -> None:
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert decoded(tmp_path / "a.png", 10).min() == 255


def test_transparent_parts_are_white(tmp_path: Path) -> None:
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(tmp_path / "a.png")
    Image.new("LA", (9, 9), (100, 255)).save(tmp_path / "b.png")
    assert decoded(tmp_path / "a.png").min() == 255
    assert np.unique(decoded(tmp_path / "b.png")).tolist() == [100]


def test_palettes_with_and_without_transparency(tmp_path: Path) -> None:
    image = Image.new("P", (9, 9), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(tmp_path / "a.png")
    image.save(tmp_path / "b.png", transparency=1)
    image.save(tmp_path / "c.png", transparency=bytes((255, 0)))
    assert decoded(tmp_path / "a.png")[0, 0].tolist() == [10, 20, 30]
    assert decoded(tmp_path / "b.png").min() == 255
    assert decoded(tmp_path / "c.png").min() == 255


def test_16_bits_are_scaled(tmp_path: Path) -> None:
    for extension in ("png", "tiff"):
        path = tmp_path / f"a.{extension}"
        Image.fromarray(np.full((9, 9), 257 * 123, np.uint16)).save(path)
        assert np.unique(decoded(path)).tolist() == [123]


@pytest.mark.parametrize(
    ("mode", "name"), [("CMYK", "a.jpg"), ("L", "a.jpg"), ("1", "a.png"), ("RGB", "a.webp"), ("L", "a.bmp")]
)
def test_other_modes_become_rgb(tmp_path: Path, mode: str, name: str) -> None:
    Image.new(mode, (20, 9)).save(tmp_path / name)
    decoded(tmp_path / name)


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (9, 9), color) for color in (RED, BLUE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert decoded(tmp_path / "a.gif")[0, 0].tolist() == list(RED)


def test_a_photo_is_turned_upright(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:8] = 255  # the upper half is white as stored, the right half after a quarter turn clockwise
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif, quality=100)
    upright = decoded(tmp_path / "a.jpg")
    assert upright[:, 5:].min() > 240
    assert upright[:, :3].max() < 15


@pytest.mark.parametrize("held", range(1, 9))
def test_every_way_to_hold_a_camera(tmp_path: Path, held: int) -> None:
    image = Image.fromarray(np.random.RandomState(0).randint(0, 256, (9, 14, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = held
    image.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as stored:
        expected = ImageOps.exif_transpose(stored).convert("RGB")
    opened = open_reduced(tmp_path / "a.png")
    assert np.array_equal(np.asarray(opened.image), np.asarray(expected))
    assert (opened.width, opened.height) == expected.size


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_broken_exif_block_does_no_harm(tmp_path: Path) -> None:
    Image.new("RGB", (16, 12), RED).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xffnonsense", quality=100)
    decoded(tmp_path / "a.jpg")


def test_a_photo_is_reduced_to_what_sets_keep(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 3_000).astype(np.uint8)
    Image.fromarray(np.stack([np.tile(ramp, (2_000, 1))] * 3, axis=-1)).save(tmp_path / "a.jpg", quality=95)
    opened = open_reduced(tmp_path / "a.jpg")
    assert (opened.width, opened.height, opened.image.size) == (3_000, 2_000, (512, 341))
    expected = np.linspace(0, 255, 512).round()
    assert np.abs(np.asarray(opened.image)[100, :, 0] - expected).max() <= 2


def test_large_photos_are_reduced_while_they_are_decoded_and_look_the_same(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 800).astype(np.uint8)
    pixels = np.stack([np.tile(ramp, (800, 1))] * 3, axis=-1)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    difference = decoded(tmp_path / "a.jpg", 32).astype(int) - decoded(tmp_path / "a.png", 32)
    assert np.abs(difference).max() <= 3


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    start = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", start) + chunk(b"IDAT", zlib.compress(b"x")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [7_746, 10_000, 100_000])
def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path, side: int) -> None:
    assert side * side > MAX_PIXELS
    (tmp_path / "a.png").write_bytes(png_header(side, side))
    with pytest.raises(DataError, match=r"a\.png has .* pixels; at most 50 million are decoded"):
        decoded(tmp_path / "a.png")


def hostile(name: str, folder: Path) -> bytes:
    random = np.random.RandomState(0).randint(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(random).save(folder / "whole.jpg")
    Image.fromarray(random).save(folder / "whole.png")
    jpg, png = (folder / "whole.jpg").read_bytes(), (folder / "whole.png").read_bytes()
    return {
        "text": b"this is no image at all",
        "empty": b"",
        "truncated jpeg": jpg[: len(jpg) // 2],
        "truncated png": png[: len(png) // 2],
        "flipped png": png[:200] + bytes(50) + png[250:],
        "jpeg head only": jpg[:20],
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        "small png with too little data": png_header(50, 50),
    }[name]


@pytest.mark.parametrize(
    "name",
    ["text", "empty", "truncated jpeg", "truncated png", "flipped png", "jpeg head only", "svg", "postscript",
     "small png with too little data"],
)  # fmt: skip
def test_a_hostile_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(hostile(name, tmp_path))
    with pytest.raises(DataError, match=r"photo\.jpg is (damaged|not an image)"):
        decoded(path)


def test_floating_point_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((9, 9), np.float32)).save(tmp_path / "a.tiff")
    with pytest.raises(DataError, match="holds floating-point numbers"):
        decoded(tmp_path / "a.tiff")


def test_a_stream_is_decoded_and_named_as_told(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (30, 20), RED).save(stream, "PNG")
    assert open_rgb(io.BytesIO(stream.getvalue()), name="cat.png").size == (30, 20)
    with pytest.raises(DataError, match=r"The image cat\.png is (damaged|not an image)"):
        open_rgb(io.BytesIO(stream.getvalue()[:40]), name="cat.png")
    with pytest.raises(DataError, match=r"cat\.png has 30×20 pixels; at most 0 million"):
        open_rgb(io.BytesIO(stream.getvalue()), name="cat.png", max_pixels=599)


def test_a_whole_100_megapixel_picture_is_refused_at_once(tmp_path: Path) -> None:
    side = 10_000
    rows = zlib.compress(bytes(side * (3 * side + 1)), 1)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")]
    content = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    with pytest.raises(DataError, match="at most 50 million"):
        decoded(tmp_path / "a.png")
