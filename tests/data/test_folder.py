from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnncore.config import DataConfig
from cnncore.data import Batches, Files, ImageData, Images, open_images, samples
from cnncore.data import folder as folders
from cnncore.data.decode import MAX_PIXELS, decode_image
from cnncore.errors import DataError
from tests.conftest import REAL_DATA

RED, BLUE = (200, 0, 0), (0, 0, 200)


def save(path: Path, color: tuple[int, int, int] = RED, size: tuple[int, int] = (12, 9)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
    return path


def make(root: Path, *prefixes: str, each: int = 4) -> Path:
    for prefix in prefixes:
        for name, color in (("cat", RED), ("dog", BLUE)):
            for number in range(each):
                save(root / prefix / name / f"{number}.png", color)
    return root


def load(root: Path, **settings: object) -> ImageData:
    settings = {"dataset": "folder", "path": str(root), "image_size": 8, "validation": 0.25} | settings
    return open_images(DataConfig.model_validate(settings), root.parent / "data")


def test_classes_only(tmp_path: Path) -> None:
    data = load(make(tmp_path / "pets", ""))
    assert data.classes == ("cat", "dog")
    assert data.in_shape == (3, 8, 8)
    assert data.validation is not None
    assert (len(data.train), len(data.validation), data.test) == (6, 2, None)
    assert isinstance(data.train, Images)
    for pixels, label in zip(data.train.pixels, data.train.labels, strict=True):
        assert torch.equal(pixels, torch.tensor((RED, BLUE)[int(label)], dtype=torch.uint8).expand(8, 8, 3))


@pytest.mark.parametrize("validation", ["val", "valid", "validation"])
def test_train_with_its_own_validation_and_test(tmp_path: Path, validation: str) -> None:
    root = make(tmp_path / "pets", "train", each=5)
    make(root, validation, "test", each=2)
    data = load(root)
    assert data.validation is not None
    assert data.test is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (10, 4, 4)
    assert "own" in data.split_note


def test_imagenets_layout(tmp_path: Path) -> None:
    root = tmp_path / "imagenet"
    for name in ("n01440764", "n01443537"):
        save(root / "train" / name / "x.jpg").rename(root / "train" / name / f"{name}_1.JPEG")
        save(root / "val" / name / "x.jpg").rename(root / "val" / name / "ILSVRC2012_val_1.JPEG")
    data = load(root)
    assert data.classes == ("n01440764", "n01443537")
    assert data.validation is not None
    assert (len(data.train), len(data.validation)) == (2, 2)


def test_what_is_hidden_or_no_image_is_skipped(tmp_path: Path) -> None:
    root = make(tmp_path / "pets", "")
    (root / "LICENSE.txt").write_text("free")
    (root / ".hidden").mkdir()
    (root / "cat" / ".DS_Store").write_text("x")
    (root / "cat" / "._0.png").write_text("x")
    (root / "cat" / "notes.txt").write_text("x")
    assert len(load(root, validation=0).train) == 8


def test_links_are_followed(tmp_path: Path) -> None:
    elsewhere = make(tmp_path / "elsewhere", "")
    root = tmp_path / "pets"
    (root / "dog").mkdir(parents=True)
    (root / "cat").symlink_to(elsewhere / "cat")
    (root / "dog" / "linked.png").symlink_to(elsewhere / "dog" / "0.png")
    (root / "dog" / "broken.png").symlink_to(elsewhere / "nowhere.png")
    assert len(load(root, validation=0).train) == 5


def empty_class(root: Path) -> None:
    make(root, "")
    (root / "bird").mkdir()


def unknown_class(root: Path) -> None:
    make(root, "train", "val")
    save(root / "val" / "bird" / "1.png")


def flat_validation(root: Path) -> None:
    make(root, "train")
    save(root / "val" / "1.png")


def flat_train(root: Path) -> None:
    save(root / "train" / "1.png")
    save(root / "val" / "1.png")


WRONG_LAYOUTS = {
    "missing": (lambda root: None, "There is no folder"),
    "empty": (lambda root: root.mkdir(), "holds no folders, one for each class"),
    "images without classes": (lambda root: save(root / "1.png"), "holds no folders, one for each class"),
    "one class": (lambda root: save(root / "cat" / "1.png"), "holds only one class, cat"),
    "empty class": (empty_class, "bird holds no image"),
    "unknown class": (unknown_class, r"bird is a class that .*train does not have"),
    "flat validation": (flat_validation, "val holds no folders"),
    "flat train": (flat_train, "train holds no folders"),
    "a file": (lambda root: root.write_text("x"), "There is no folder"),
}


@pytest.mark.parametrize("layout", WRONG_LAYOUTS)
def test_a_wrong_layout_is_one_sentence(tmp_path: Path, layout: str) -> None:
    prepare, message = WRONG_LAYOUTS[layout]
    prepare(tmp_path / "pets")
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path / "pets")
    assert caught.value.hint


@pytest.mark.parametrize("path", [None, "", "a\0b", "x" * 900, "~nobody-has-this-name/pets", "nowhere"])
def test_an_impossible_path_is_one_sentence(tmp_path: Path, path: str | None) -> None:
    with pytest.raises(DataError, match=r"needs its path|There is no folder"):
        open_images(DataConfig(dataset="folder", path=path), tmp_path)


def test_a_relative_path_is_below_the_data_folder(tmp_path: Path) -> None:
    make(tmp_path / "pets", "")
    assert len(open_images(DataConfig(dataset="folder", path="pets", validation=0), tmp_path).train) == 8


def test_images_that_cannot_be_decoded_are_named_and_counted(tmp_path: Path) -> None:
    root = make(tmp_path / "pets", "")
    (root / "dog" / "1.png").write_text("hello")
    with pytest.raises(DataError, match=r"dog/1\.png is not an image of a known format \(JPEG[^)]*\)\. Remove"):
        load(root)
    (root / "dog" / "2.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"dog/1\.png .* 1 more cannot be decoded either"):
        load(root)
    save(root / "dog" / "1.png")
    save(root / "dog" / "2.png")
    assert len(load(root, validation=0).train) == 8


def test_a_changed_folder_is_decoded_again_and_the_old_copy_removed(tmp_path: Path) -> None:
    root = make(tmp_path / "pets", "")
    first = load(root)
    assert load(root).fingerprint == first.fingerprint
    save(root / "cat" / "0.png", BLUE)
    second = load(root)
    assert second.fingerprint != first.fingerprint
    assert len(list((tmp_path / "data" / "cache").glob("folder-*.images"))) == 1
    other = load(root, image_size=16)
    assert other.in_shape == (3, 16, 16)
    assert len(list((tmp_path / "data" / "cache").glob("folder-*.images"))) == 2


def test_a_large_folder_is_streamed_with_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make(tmp_path / "pets", "train", "test", each=7)
    noise = np.random.RandomState(0).randint(0, 256, (40, 30, 3), np.uint8)
    Image.fromarray(noise).save(root / "train" / "cat" / "0.png")
    resident = load(root)
    monkeypatch.setattr(folders, "RESIDENT_BYTES", 0)
    streamed = load(root)
    assert isinstance(streamed.train, Files)
    assert streamed.mean == pytest.approx(resident.mean)
    assert streamed.std == pytest.approx(resident.std)
    for seed in (None, 3):
        first, second = (
            Batches(
                data.train,
                batch_size=3,
                device="cpu",
                dtype=torch.float32,
                mean=data.mean,
                std=data.std,
                num_classes=2,
                seed=seed,
            )
            for data in (resident, streamed)
        )
        assert len(first) == len(second) == 3
        for one, other in zip(first.epoch(1, 1), second.epoch(1, 1), strict=True):
            assert torch.equal(one.labels, other.labels)
            assert torch.allclose(one.images, other.images)
    strip = samples(DataConfig(dataset="folder", path=str(root), image_size=8), tmp_path / "data", per_class=2)
    assert strip.images.shape == (4, 8, 8, 3)


def test_a_streamed_image_that_breaks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make(tmp_path / "pets", "", each=20)
    monkeypatch.setattr(folders, "RESIDENT_BYTES", 0)
    data = load(root, validation=0)
    (root / "dog" / "3.png").unlink()
    batches = Batches(
        data.train, batch_size=4, device="cpu", dtype=torch.float32, mean=data.mean, std=data.std, num_classes=2
    )
    with pytest.raises(DataError, match=r"dog/3\.png is no longer there"):
        list(batches.epoch(0))


def test_a_streamed_image_can_be_mended_but_not_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make(tmp_path / "pets", "", each=20)
    monkeypatch.setattr(folders, "RESIDENT_BYTES", 0)
    first = load(root, validation=0)
    Image.new("RGB", (50, 40), "white").save(root / "dog" / "3.png")
    assert load(root, validation=0).fingerprint == first.fingerprint
    Image.new("RGB", (50, 40), "white").save(root / "dog" / "a new one.png")
    assert load(root, validation=0).fingerprint != first.fingerprint


def decoded(path: Path, size: int = 8) -> np.ndarray:
    pixels = decode_image(path, size)
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


@pytest.mark.skipif(REAL_DATA is None or not (REAL_DATA / "flowers").is_dir(), reason="no flowers in CNNLAB_DATA")
def test_real_photographs(tmp_path: Path) -> None:
    assert REAL_DATA
    data = open_images(DataConfig(dataset="folder", path=str(REAL_DATA / "flowers")), tmp_path)
    assert len(data.classes) == 5
    assert data.in_shape == (3, 64, 64)
    assert all(0.2 < value < 0.6 for value in data.mean)
