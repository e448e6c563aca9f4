"""Adding pictures: whatever comes in, by every way, in this process and in one of its own."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from cnncore.errors import DataError
from cnncore.images import intake
from cnncore.images import limits as limits_module
from cnncore.images.edits import AddClass
from cnncore.images.image_set import ImageRecord, ImageSet
from cnncore.images.intake import (
    Incoming,
    IntakeProgress,
    add_images,
    cancel_intake,
    intake_progress,
    intakes,
    start_intake,
)
from cnncore.images.store import ImageSets
from tests.images.pictures import encoded, folder_of, picture, png


@pytest.fixture
def sets(tmp_path: Path) -> ImageSets:
    return ImageSets(tmp_path / "image_sets")


@pytest.fixture
def made(sets: ImageSets) -> ImageSet:
    return sets.create("Pets")


def add(sets: ImageSets, made: ImageSet, *incoming: Incoming) -> tuple[IntakeProgress, ImageSet]:
    progress = add_images(sets, made.id, incoming)
    return progress, sets.get(made.id)


def one(sets: ImageSets, made: ImageSet, content: bytes, name: str = "a.png") -> tuple[ImageRecord, np.ndarray]:
    """The record of a picture, and the pixels that were stored."""
    progress, after = add(sets, made, Incoming(name=name, content=content, label="cats"))
    assert progress.refused == ()
    record = after.images[max(after.images)]
    with Image.open(sets.path(made.id, record)) as image:
        assert image.mode == "RGB"
        assert not {"exif", "icc_profile", "comment"} & set(image.info)
        return record, np.asarray(image)


def zipped(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def wait(sets: ImageSets, made: ImageSet, token: str) -> IntakeProgress:
    end = time.monotonic() + 60
    while not (progress := intake_progress(sets, made.id, token)).finished:
        assert time.monotonic() < end
        time.sleep(0.05)
    return progress


def test_single_pictures_with_a_class(sets: ImageSets, made: ImageSet) -> None:
    incoming = [Incoming(name=f"{seed}.png", content=io.BytesIO(png(seed)), label="cats") for seed in range(3)]
    progress, after = add(sets, made, *incoming)
    assert (progress.added, progress.duplicates, progress.refused, progress.finished) == (3, 0, (), True)
    assert after.version == 1
    assert [record.name for record in after.included()] == ["0.png", "1.png", "2.png"]
    assert after.classes == ("cats",)


def test_a_folder_that_a_browser_sends(sets: ImageSets, made: ImageSet) -> None:
    names = ["ds/cats/0.png", "ds/cats/1.png", "ds/dogs/0.png", "ds/dogs/.DS_Store", "ds/notes.txt", "ds/more.zip"]
    incoming = [Incoming(name=name, content=png(seed)) for seed, name in enumerate(names)]
    progress, after = add(sets, made, *incoming)
    assert after.classes == ("cats", "dogs")
    assert [record.label for record in after.included()] == ["cats", "cats", "dogs"]
    assert [name for name, _ in progress.refused] == ["ds/more.zip"]


def test_a_folder_on_this_machine(sets: ImageSets, made: ImageSet, tmp_path: Path) -> None:
    root = folder_of(tmp_path / "ds", "cats", "dogs")
    (root / "dogs" / "linked.png").symlink_to(root / "cats" / "0.png")
    (root / "dogs" / "loop").symlink_to(root)
    progress, after = add(sets, made, Incoming(name="ds", content=root))
    assert after.classes == ("cats", "dogs")
    assert progress.added == 7  # a picture that is in two classes stays in both
    assert {record.split for record in after.included()} == {"train", "validation"}


def test_a_folder_with_splits(sets: ImageSets, made: ImageSet, tmp_path: Path) -> None:
    root = folder_of(tmp_path / "ds", "train/cats", "train/dogs", "val/cats", "test/dogs")
    _, after = add(sets, made, Incoming(name="ds", content=root))
    assert sorted((record.split, record.label) for record in after.included()) == sorted(
        [("train", "cats"), ("train", "dogs"), ("validation", "cats"), ("test", "dogs")] * 3
    )


def test_a_zip(sets: ImageSets, made: ImageSet) -> None:
    link = zipfile.ZipInfo("dogs/link.png")
    link.external_attr = 0o120777 << 16
    stream = io.BytesIO(
        zipped(
            ("cats/0.png", png(0)),
            ("dogs/0.png", png(1)),
            ("__MACOSX/dogs/._0.png", b"junk"),
            ("../../dogs/1.png", png(2)),
            ("dogs/inner.zip", zipped(("cats/9.png", png(9)))),
            ("dogs/2.jpg", b"this is text"),
            ("flat.png", png(3)),
        )
    )
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    progress, after = add(sets, made, Incoming(name="pets.zip", content=stream.getvalue()))
    assert [(record.label, record.name) for record in after.included()] == [("cats", "0.png"), ("dogs", "0.png")]
    reasons = dict(progress.refused)
    assert "leads out of the ZIP" in reasons["../../dogs/1.png"]
    assert "archive inside" in reasons["dogs/inner.zip"]
    assert "2.jpg is not an image of a known format" in reasons["dogs/2.jpg"]
    assert "lies in no folder" in reasons["flat.png"]
    assert "link or a device" in reasons["dogs/link.png"]
    assert len(reasons) == 5
    assert not list(sets.folder.parent.rglob("passwd"))


def test_a_zip_with_a_class_takes_all_of_it(sets: ImageSets, made: ImageSet) -> None:
    content = zipped(("0.png", png(0)), ("x/train/1.png", png(1)))
    _, after = add(sets, made, Incoming(name="cats.zip", content=content, label="cats"))
    assert [record.label for record in after.included()] == ["cats", "cats"]


def test_duplicates_are_skipped_in_their_class_and_kept_in_two(sets: ImageSets, made: ImageSet) -> None:
    cats = [Incoming(name=name, content=png(0), label="cats") for name in ("a.png", "b.png")]
    progress, after = add(sets, made, *cats, Incoming(name="c.png", content=png(0), label="dogs"))
    assert (progress.added, progress.duplicates) == (2, 1)
    first, second = after.included()
    assert (first.label, second.label, first.file == second.file) == ("cats", "dogs", True)
    assert second.group == first.key
    assert second.split == first.split
    progress, again = add(sets, made, *cats)
    assert (progress.added, progress.duplicates) == (0, 2)
    assert again == after


def test_large_pictures_become_small_jpegs_and_small_ones_stay_exact(sets: ImageSets, made: ImageSet) -> None:
    photo, pixels = one(sets, made, encoded(picture(0, 2_000, 1_500), "JPEG"), "photo.jpg")
    assert (photo.width, photo.height, pixels.shape, photo.file[-4:]) == (2_000, 1_500, (384, 512, 3), ".jpg")
    tall, pixels = one(sets, made, encoded(picture(1, 30, 4_000)))
    assert (tall.width, tall.height, pixels.shape) == (30, 4_000, (512, 4, 3))
    small, pixels = one(sets, made, png(2))
    assert small.file.endswith(".png")
    assert np.array_equal(pixels, np.asarray(picture(2)))
    assert small.num_bytes == len(png(2))


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Maker"
    return encoded(picture(0, 60, 40), "JPEG", exif=exif, quality=100)


def gray_16_bit() -> bytes:
    return encoded(Image.fromarray(np.full((9, 12), 257 * 123, np.uint16)))


def see_through() -> bytes:
    return encoded(Image.new("RGBA", (12, 9), (0, 0, 0, 0)))


def animated() -> bytes:
    frames = [Image.new("RGB", (12, 9), color) for color in ((200, 0, 0), (0, 0, 200))]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def palette() -> bytes:
    image = Image.new("P", (12, 9), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    return encoded(image)


KINDS: dict[str, tuple[Any, tuple[int, int], tuple[int, int, int] | None]] = {
    "turned by EXIF": (turned, (40, 60), None),
    "16-bit gray": (gray_16_bit, (12, 9), (123, 123, 123)),
    "transparent": (see_through, (12, 9), (255, 255, 255)),
    "animated": (animated, (12, 9), (200, 0, 0)),
    "palette": (palette, (12, 9), (10, 20, 30)),
    "gray": (lambda: encoded(Image.new("L", (12, 9), 77)), (12, 9), (77, 77, 77)),
    "CMYK": (lambda: encoded(Image.new("CMYK", (12, 9), (0, 0, 0, 0)), "JPEG"), (12, 9), (255, 255, 255)),
    "black and white": (lambda: encoded(Image.new("1", (12, 9), 1)), (12, 9), (255, 255, 255)),
    "WebP": (lambda: encoded(Image.new("RGB", (12, 9), (9, 9, 9)), "WEBP", lossless=True), (12, 9), (9, 9, 9)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_every_kind_work(sets: ImageSets, made: ImageSet, kind: str) -> None:
    content, size, color = KINDS[kind]
    record, pixels = one(sets, made, content(), "picture")
    assert (record.width, record.height) == size
    assert pixels.shape[1::-1] == size
    if color:
        assert np.unique(pixels.reshape(-1, 3), axis=0).tolist() == [list(color)]


def test_what_is_no_picture_is_refused_by_name_and_the_others_are_added(
    sets: ImageSets, made: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_MAX_IMAGE_MB", "1")
    monkeypatch.setenv("CNNLAB_MAX_MEGAPIXELS", "1")
    contents = {
        "text.jpg": b"this is no image",
        "cut.png": png(1)[:100],
        "empty.png": b"",
        "wide.png": encoded(Image.new("RGB", (2_000, 1_000))),
        "heavy.png": png(2) + bytes(1_000_000),
        "fine.png": png(3),
        "photo.heic": png(4),
        "../../evil.png": png(5),
    }
    incoming = [Incoming(name=name, content=content, label="cats") for name, content in contents.items()]
    progress, after = add(sets, made, *incoming)
    assert [record.name for record in after.included()] == ["fine.png", "evil.png"]
    reasons = dict(progress.refused)
    assert set(reasons) == {"text.jpg", "cut.png", "empty.png", "wide.png", "heavy.png", "photo.heic"}
    assert "2,000×1,000 pixels; at most 1 million" in reasons["wide.png"]
    assert "has 1.0 MB; at most 1 MB" in reasons["heavy.png"]
    assert all(reason.endswith(".") for reason in reasons.values())


def test_names_that_are_no_text(sets: ImageSets, made: ImageSet, tmp_path: Path) -> None:
    folder = os.fsencode(folder_of(tmp_path / "ds", "cats", each=1) / "cats")
    Path(os.fsdecode(folder + b"/\xff1.png")).write_bytes(png(1))
    Path(os.fsdecode(folder + b"/\xff2.png")).write_bytes(b"no picture")
    browser = Incoming(name="a\ud800.png", content=png(2), label="cats")
    progress, after = add(sets, made, Incoming(name="ds", content=tmp_path / "ds"), browser)
    assert [record.name for record in after.included()] == ["0.png", "1.png", "a?.png"]
    assert [name for name, _ in progress.refused] == ["ds/cats/2.png"]


def test_impossible_classes_are_refused_once_each(sets: ImageSets, made: ImageSet) -> None:
    sets.apply(made.id, AddClass(name="Cats"))
    names = ["cats/0.png", "cats/1.png", f"{'x' * 300}/2.png", "dogs/3.png", "cafe\u0301/4.png", "🐈/5.png"]
    incoming = [Incoming(name=name, content=png(seed)) for seed, name in enumerate(names)]
    progress, after = add(sets, made, *incoming)
    assert after.classes == ("Cats", "dogs", "caf\u00e9", "🐈")
    assert progress.refused[0] == (
        "cats",
        "2 pictures not added: the class “Cats” differs from this name only in upper and lower case or in how it is "
        "spelled in Unicode. Use “Cats”, or another name.",
    )
    assert "has 300 characters" in progress.refused[1][1]


REFUSED: dict[str, tuple[list[Incoming], str]] = {
    "nothing": ([], "No files were chosen"),
    "only junk": ([Incoming(name="ds/notes.txt", content=b"x")], "No picture was found"),
    "nowhere": ([Incoming(name="x", content=Path("/nowhere/at/all"))], "There is nothing at /nowhere/at/all"),
    "a path that is none": ([Incoming(name="x", content=Path("a\0b"))], "There is nothing at"),
    "the home of nobody": ([Incoming(name="x", content=Path("~nobody-has-this-name/x"))], "There is nothing at"),
    "a broken ZIP": ([Incoming(name="a.zip", content=b"PK\x03\x04")], "a.zip is not a ZIP"),
    "too many": ([Incoming(name=f"cats/{seed}.png", content=png(seed)) for seed in range(5)], "That would be 5 images"),
    "too much": ([Incoming(name="cats/0.png", content=bytes(1_500_000))], "more than 1 MB at once"),
    "too much as said": ([Incoming(name="cats/0.png", content=b"", size=10**9)], "more than 1 MB at once"),
    "too many classes": (
        [Incoming(name=f"{name}/{name}.png", content=b"") for name in range(201)],
        "201 classes; a set has at most 200",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_as_a_whole_is_one_sentence_and_changes_nothing(
    sets: ImageSets, made: ImageSet, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_MAX_UPLOAD_MB", "1")
    monkeypatch.setenv("CNNLAB_MAX_SET_IMAGES", "4" if name == "too many" else "1000")
    incoming, message = REFUSED[name]
    with pytest.raises(DataError, match=message) as caught:
        add_images(sets, made.id, incoming)
    assert caught.value.hint
    assert sets.get(made.id) == made
    assert intakes(sets, made.id) == ()


def test_duplicates_do_not_count_against_the_limit(
    sets: ImageSets, made: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_MAX_SET_IMAGES", "4")
    three = [Incoming(name=f"{seed}.png", content=png(seed), label="cats") for seed in range(3)]
    add(sets, made, *three)
    progress, after = add(sets, made, *three, Incoming(name="3.png", content=png(3), label="cats"))
    assert (progress.added, progress.duplicates, len(after.images)) == (1, 3, 4)
    with pytest.raises(DataError, match="That would be 5 images"):
        add(sets, made, Incoming(name="4.png", content=png(4), label="cats"))
    assert sets.get(made.id) == after


def test_a_full_disk_is_one_sentence(sets: ImageSets, made: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(intake, "_copy", full)
    with pytest.raises(DataError, match=r"The disk is full.*No space left"):
        add(sets, made, Incoming(name="0.png", content=png(0), label="cats"))
    assert intakes(sets, made.id) == ()


@pytest.mark.slow
def test_a_process_of_its_own(sets: ImageSets, made: ImageSet, tmp_path: Path) -> None:
    root = folder_of(tmp_path / "ds", "cats", "dogs", each=20)
    (root / "dogs" / "text.png").write_text("no picture")
    token = start_intake(sets, made.id, [Incoming(name="ds", content=root)])
    assert intakes(sets, made.id) == (token,)
    progress = wait(sets, made, token)
    assert (progress.added, progress.done, progress.total, progress.error) == (40, 41, 41, "")
    assert [name for name, _ in progress.refused] == ["ds/dogs/text.png"]
    assert len(sets.get(made.id).images) == 40
    staging = sets.folder / made.id / "staging" / token
    end = time.monotonic() + 30
    while (staging / "files").exists() or (staging / "images").exists():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_a_refusal_reaches_who_asks(sets: ImageSets, made: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_MAX_SET_IMAGES", "1")
    incoming = [Incoming(name=f"{seed}.png", content=png(seed), label="cats") for seed in range(2)]
    progress = wait(sets, made, start_intake(sets, made.id, incoming))
    assert progress.error.startswith("That would be 2 images; a set holds at most 1. Nothing was added.")
    assert sets.get(made.id) == made


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "canceled"])
def test_an_intake_that_is_ended_adds_nothing(sets: ImageSets, made: ImageSet, how: str) -> None:
    _, before = add(sets, made, Incoming(name="0.png", content=png(10_000), label="cats"))
    photos = [encoded(picture(seed, 600, 600), "JPEG") for seed in range(150)]
    incoming = [Incoming(name=f"{number}.jpg", content=photo, label="cats") for number, photo in enumerate(photos)]
    token = start_intake(sets, made.id, incoming)
    workplace = sets.folder / made.id / "staging" / token / "images"
    end = time.monotonic() + 60
    while not (workplace.is_dir() and len(list(workplace.iterdir())) > 2):
        assert time.monotonic() < end
        time.sleep(0.01)
    if how == "killed":
        os.kill(json.loads((workplace.parent / "process.json").read_text())["pid"], signal.SIGKILL)
    else:
        cancel_intake(sets, made.id, token)
    progress = wait(sets, made, token)
    assert "was ended; nothing was added" in progress.error
    assert ImageSets(sets.folder).get(made.id) == before
    assert len(list((sets.folder / made.id / "images").iterdir())) == 1


def test_an_intake_whose_process_id_belongs_to_another_is_over(sets: ImageSets, made: ImageSet) -> None:
    folder = intake._stage(sets, made.id, [Incoming(name="0.png", content=png(0), label="cats")])
    assert not intake_progress(sets, made.id, folder.name).finished
    other = {"pid": os.getpid(), "created": psutil.Process().create_time() - 100}
    (folder / "process.json").write_text(json.dumps(other))
    assert intake_progress(sets, made.id, folder.name).finished


def test_an_intake_that_was_never_started_is_over(sets: ImageSets, made: ImageSet) -> None:
    folder = intake._stage(sets, made.id, [Incoming(name="0.png", content=png(0), label="cats")])
    os.utime(folder, (0, 0))
    progress = intake_progress(sets, made.id, folder.name)
    assert progress.finished
    assert "nothing was added" in progress.error


@pytest.mark.parametrize("token", ["", "../..", "0123456789ab", "x" * 900])
def test_tokens_are_checked(sets: ImageSets, made: ImageSet, token: str) -> None:
    with pytest.raises(DataError, match=r"no upload|no such upload"):
        intake_progress(sets, made.id, token)


def test_what_old_intakes_left_is_removed(sets: ImageSets, made: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: psutil.Process())
    incoming = [Incoming(name="0.png", content=png(0), label="cats")]
    old = intake._stage(sets, made.id, incoming)
    os.utime(old, (0, 0))
    new = start_intake(sets, made.id, incoming)
    assert intakes(sets, made.id) == (new,)


def _full(*_: object, **__: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["staging", "storing", "moving"])
def test_a_full_disk_adds_nothing(sets: ImageSets, made: ImageSet, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    _, before = add(sets, made, Incoming(name="0.png", content=png(0), label="cats"))
    content: bytes | io.BytesIO = io.BytesIO(png(1))
    with monkeypatch.context() as patch:
        if where == "staging":
            content = io.BytesIO()
            patch.setattr(content, "read", _full)
        else:
            patch.setattr(Path, *(("write_bytes", _full) if where == "storing" else ("replace", _full)))
        with pytest.raises(DataError, match=r"disk is full|cannot be written"):
            add_images(sets, made.id, [Incoming(name="1.png", content=content, label="cats")])
    assert ImageSets(sets.folder).get(made.id) == before
    assert list((sets.folder / made.id / "staging").iterdir()) == []
    assert add(sets, made, Incoming(name="1.png", content=png(1), label="cats"))[0].added == 1


def test_a_disk_that_is_nearly_full_takes_nothing(
    sets: ImageSets, made: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits_module, "SPARE_BYTES", 1 << 60)
    with pytest.raises(DataError, match="are free on the lab's disk"):
        start_intake(sets, made.id, [Incoming(name="0.png", content=png(0), label="cats")])
    assert intakes(sets, made.id) == ()


def test_a_full_disk_at_the_end_does_not_deny_what_was_added(
    sets: ImageSets, made: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = intake._stage(sets, made.id, [Incoming(name="0.png", content=png(0), label="cats")])
    replace = intake.replace_file

    def full_at_the_end(path: Path, content: bytes) -> None:
        if path.name == "progress.json" and b'"finished":true' in content:
            assert not (folder / "files").exists()  # room was made first
            _full()
        replace(path, content)

    monkeypatch.setattr(intake, "replace_file", full_at_the_end)
    with pytest.raises(OSError, match="No space"):
        intake.main(folder)
    monkeypatch.setattr(intake, "_process", lambda folder: None)
    error = intake_progress(sets, made.id, folder.name).error
    assert "nothing was added" not in error
    assert "Look whether they are there" in error
    assert len(sets.get(made.id).images) == 1


def test_nothing_comes_into_a_deleted_set(sets: ImageSets, made: ImageSet) -> None:
    sets.delete(made.id)
    with pytest.raises(DataError, match="was deleted"):
        start_intake(sets, made.id, [Incoming(name="0.png", content=png(0), label="cats")])


def test_pipes_and_links_in_circles_do_not_hang(sets: ImageSets, made: ImageSet, tmp_path: Path) -> None:
    root = folder_of(tmp_path / "pets", "cats", "dogs")
    os.mkfifo(root / "cats" / "pipe.jpg")
    (root / "cats" / "again").symlink_to(root)
    progress, after = add(sets, made, Incoming(name="pets", content=root))
    assert (progress.added, progress.duplicates) == (6, 0)
    assert after.classes == ("cats", "dogs")
    ((name, why),) = progress.refused
    assert name == "pets/cats/pipe.jpg"
    assert "a pipe" in why


def test_a_nameless_member_of_a_zip_is_passed_over(sets: ImageSets, made: ImageSet) -> None:
    content = zipped(("cats/0.png", png(0)), ("nameless", b"")).replace(b"nameless", b"\0ameless")
    progress, _ = add(sets, made, Incoming(name="pets.zip", content=content))
    assert progress.added == 1


def test_a_file_that_may_not_be_read_is_not_called_damaged(
    sets: ImageSets, made: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Image, "open", closed)
    progress, _ = add(sets, made, Incoming(name="0.png", content=png(0), label="cats"))
    assert "cannot be read (Permission denied)" in progress.refused[0][1]
