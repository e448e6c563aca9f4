"""An image set as a data set: exactly its version, divided as it is there."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from cnncore.catalog.presence import cache_dir
from cnncore.config import DataConfig
from cnncore.data import Batches, Files, ImageData, Images, open_images
from cnncore.data import image_set as reader
from cnncore.errors import DataError
from cnncore.images.decode import decode_image
from cnncore.images.edits import (
    AddClass,
    Divide,
    ExcludeImages,
    MoveImages,
    MoveToSplit,
    RemoveClass,
)
from cnncore.images.image_set import Division, ImageSet
from cnncore.images.intake import Incoming, add_images
from cnncore.images.preprocessing import Preprocessing
from cnncore.images.store import ImageSets, open_sets
from tests.images.pictures import png


@pytest.fixture
def sets(tmp_path: Path) -> ImageSets:
    return open_sets(tmp_path)


def fill(sets: ImageSets, *counts: int) -> ImageSet:
    """Classes a, b, … with so many images."""
    made = sets.create("Letters")
    labels = [chr(97 + place) for place, count in enumerate(counts) for _ in range(count)]
    incoming = [Incoming(name=f"{seed}.png", content=png(seed), label=name) for seed, name in enumerate(labels)]
    add_images(sets, made.id, incoming)
    return sets.apply(made.id, Divide(division=Division(validation=0.25, test=0.25, seed=1)))


def load(sets: ImageSets, chosen: ImageSet, **settings: object) -> ImageData:
    values = {"dataset": "image_set", "image_set": chosen.reference, "image_size": 16} | settings
    return open_images(DataConfig.model_validate(values), sets.folder.parent)


def parts(data: ImageData) -> dict[str, Images | Files]:
    found = {"train": data.train, "validation": data.validation, "test": data.test}
    return {name: split for name, split in found.items() if split is not None}


def test_every_image_is_in_its_split_under_its_key(sets: ImageSets) -> None:
    chosen = fill(sets, 12, 12)
    data = load(sets, chosen)
    assert data.classes == ("a", "b")
    assert data.in_shape == (3, 16, 16)
    assert data.names is not None
    assert "own" in data.split_note
    preprocessing = Preprocessing(size=16)
    for name, split in parts(data).items():
        assert isinstance(split, Images)
        records = chosen.included(name)  # pyright: ignore[reportArgumentType]
        assert [int(key) for key in data.names[name]] == [record.key for record in records]
        assert [data.classes[label] for label in split.labels.tolist()] == [record.label for record in records]
        for pixels, record in zip(split.pixels.numpy(), records, strict=True):
            assert np.array_equal(pixels, decode_image(sets.path(chosen.id, record), preprocessing))
    assert sum(map(len, parts(data).values())) == 24
    assert set(parts(data)) == {"train", "validation", "test"}


def test_the_version_counts_not_the_latest(sets: ImageSets) -> None:
    before = fill(sets, 12, 12)
    first = load(sets, before)
    left_out = before.included("train")[0].key
    after = sets.apply(before.id, ExcludeImages(keys=(left_out,)))
    second, again = load(sets, after), load(sets, before)
    assert first.names is not None
    assert second.names is not None
    assert set(first.names["train"]) - set(second.names["train"]) == {str(left_out)}
    # Before and after are scored on the same images.
    assert first.names["validation"].tolist() == second.names["validation"].tolist()
    assert again.fingerprint == first.fingerprint != second.fingerprint


def test_the_fingerprint_is_the_content(sets: ImageSets) -> None:
    first = fill(sets, 8, 8)
    same = sets.undo(sets.apply(first.id, AddClass(name="c")).id)
    assert load(sets, same).fingerprint == load(sets, first).fingerprint
    relabeled = sets.apply(first.id, MoveImages(keys=(first.included("train")[0].key,), label="b"))
    moved = sets.apply(sets.undo(first.id).id, MoveToSplit(keys=(first.included("train")[0].key,), split="test"))
    prints = [load(sets, state).fingerprint for state in (first, relabeled, moved)]
    prints += [load(sets, first, **change).fingerprint for change in ({"crop": 0.875}, {"interpolation": "bilinear"})]
    assert len(set(prints)) == 5


def test_fewer_training_images(sets: ImageSets) -> None:
    chosen = fill(sets, 12, 12)
    data = load(sets, chosen, train_images=4)
    assert data.names is not None
    assert (len(data.train), len(data.names["train"])) == (4, 4)
    keys = {str(record.key): record for record in chosen.included("train")}
    assert [data.classes.index(keys[name].label) for name in data.names["train"]] == data.train.labels.tolist()


def test_without_validation_images_some_are_set_aside(sets: ImageSets) -> None:
    chosen = fill(sets, 10, 10)
    chosen = sets.apply(chosen.id, Divide(division=Division(validation=0)))
    data = load(sets, chosen, validation=0.2)
    assert data.validation is not None
    assert data.names is not None
    assert (len(data.train), len(data.validation)) == (16, 4)
    assert len({*data.names["train"], *data.names["validation"]}) == 20


def test_a_large_set_is_streamed_with_the_same_result(sets: ImageSets, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = fill(sets, 8, 8)
    settings = {"crop": 0.875, "interpolation": "bilinear", "normalize": "imagenet"}
    resident = load(sets, chosen, **settings)
    monkeypatch.setattr(reader, "RESIDENT_BYTES", 0)
    streamed = load(sets, chosen, **settings)
    assert isinstance(streamed.train, Files)
    assert resident.names is not None
    assert streamed.names is not None
    for name, split in parts(resident).items():
        assert resident.names[name].tolist() == streamed.names[name].tolist()
        images = [
            next(
                Batches(
                    part, batch_size=99, device="cpu", dtype=torch.float32, mean=resident.mean, std=resident.std,
                    num_classes=2,
                ).epoch(0)
            ).images
            for part in (split, parts(streamed)[name])
        ]  # fmt: skip
        assert torch.equal(*images)


def test_batches_are_the_preprocessing(sets: ImageSets) -> None:
    chosen = fill(sets, 4, 4)
    data = load(sets, chosen, crop=0.875, interpolation="bilinear", normalize="imagenet")
    preprocessing = Preprocessing(size=16, crop=0.875, interpolation="bilinear", mean=data.mean, std=data.std)
    batches = Batches(
        data.train, batch_size=99, device="cpu", dtype=torch.float32, mean=data.mean, std=data.std, num_classes=2
    )
    images = next(batches.epoch(0)).images.numpy()
    for image, record in zip(images, chosen.included("train"), strict=True):
        expected = preprocessing.normalized(decode_image(sets.path(chosen.id, record), preprocessing))
        assert np.allclose(image, expected, atol=1e-6)


def test_what_cannot_be_learned_from_is_one_sentence(sets: ImageSets) -> None:
    two = fill(sets, 6, 6)
    empty = sets.apply(sets.create("Nothing").id, AddClass(name="a"))
    first = [record.key for record in two.included() if record.label == "a"]
    cases = {
        "has only one class, a; at least two are needed": empty,
        "has only one class, b; at": sets.apply(two.id, RemoveClass(name="a")),
        "The class “c” has no image": sets.apply(sets.undo(two.id, to=two.version).id, AddClass(name="c")),
        "The class “a” has only one image": sets.apply(
            sets.undo(two.id, to=two.version).id, ExcludeImages(keys=tuple(first[1:]))
        ),
        "The class “a” has no training image": sets.apply(
            sets.undo(two.id, to=two.version).id, MoveToSplit(keys=tuple(first), split="test")
        ),
    }
    for message, chosen in cases.items():
        with pytest.raises(DataError, match=message) as caught:
            load(sets, chosen)
        assert caught.value.hint


def test_an_image_each_is_one_sentence_for_all_classes(sets: ImageSets) -> None:
    with pytest.raises(DataError, match=r"The classes “a”, “b”, “c”, “d”, “e” and 2 more have only one image"):
        load(sets, fill(sets, *[1] * 7))


@pytest.mark.parametrize("reference", [None, "0123456789ab@1"])
def test_a_set_that_is_not_there_is_one_sentence(tmp_path: Path, reference: str | None) -> None:
    with pytest.raises(DataError, match=r"No image set was chosen|There is no image set 0123456789ab"):
        open_images(DataConfig(dataset="image_set", image_set=reference), tmp_path)


def test_a_lost_picture_is_named(sets: ImageSets) -> None:
    chosen = fill(sets, 4, 4)
    lost = sets.path(chosen.id, chosen.images[0])
    lost.unlink()
    with pytest.raises(DataError, match=f"{lost.name} is no longer there"):
        load(sets, chosen)


def test_what_was_decoded_of_a_set_goes_with_it(sets: ImageSets) -> None:
    gone, kept = fill(sets, 6, 6), fill(sets, 6, 6)
    for each in (gone, kept, kept):
        load(sets, each)
        if each is gone:
            shutil.rmtree(sets.set_folder(gone.id))
    cached = [path.name for path in cache_dir(sets.folder.parent).glob("*.images")]
    assert [kept.id in name for name in cached] == [True]


def test_a_deleted_set_can_still_be_trained_on(sets: ImageSets) -> None:
    chosen = fill(sets, 6, 6)
    before = load(sets, chosen)
    sets.delete(chosen.id)
    after = load(sets, chosen)
    assert after.fingerprint == before.fingerprint
    assert len(after.train.labels) == len(chosen.included("train"))
