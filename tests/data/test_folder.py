from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnncore.config import DataConfig
from cnncore.data import Batches, Files, ImageData, Images, open_images, samples
from cnncore.data import folder as folders
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


def test_every_image_has_a_name(tmp_path: Path) -> None:
    data = load(make(tmp_path / "pets", "train", "test"))
    assert data.names is not None
    assert data.validation is not None
    splits = {"train": data.train, "validation": data.validation, "test": data.test}
    for split, part in splits.items():
        assert part is not None
        folder = "test" if split == "test" else "train"
        labels = [f"{folder}/{data.classes[label]}" for label in part.labels.tolist()]
        assert [str(name).rpartition("/")[0] for name in data.names[split]] == labels
    assert not set(data.names["train"]) & set(data.names["validation"])


def test_crop_and_interpolation_are_part_of_what_is_seen(tmp_path: Path) -> None:
    root = make(tmp_path / "pets", "")
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[2:18, 2:18] = 200
    Image.fromarray(pixels).save(root / "cat" / "0.png")
    whole, middle = load(root, validation=0), load(root, validation=0, crop=0.5, interpolation="bilinear")
    assert whole.fingerprint != middle.fingerprint
    assert isinstance(whole.train, Images)
    assert isinstance(middle.train, Images)
    assert whole.train.pixels[0].min() < 100
    assert middle.train.pixels[0].min() == 200


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


@pytest.mark.skipif(REAL_DATA is None or not (REAL_DATA / "flowers").is_dir(), reason="no flowers in CNNLAB_DATA")
def test_real_photographs(tmp_path: Path) -> None:
    assert REAL_DATA
    data = open_images(DataConfig(dataset="folder", path=str(REAL_DATA / "flowers")), tmp_path)
    assert len(data.classes) == 5
    assert data.in_shape == (3, 64, 64)
    assert all(0.2 < value < 0.6 for value in data.mean)
