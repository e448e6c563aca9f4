"""From what came in to new images of a set: decoded, reduced, stored under names of our own, described and divided."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from cnncore.errors import DataError
from cnncore.images.arrivals import Arrival, Picture, Unpacked, settle_labels, unpack
from cnncore.images.class_names import clean_text, shortened
from cnncore.images.decode import open_reduced
from cnncore.images.division import place
from cnncore.images.duplicates import describe, groups
from cnncore.images.edits import AddImages
from cnncore.images.image_set import ImageRecord, ImageSet, SplitName
from cnncore.images.limits import MAX_CLASSES, Limits, limits
from cnncore.images.store import ImageSets

LOSSLESS_SIDE = 128
"""Pictures whose longer side has at most so many pixels are kept as PNG, larger ones as JPEG."""
JPEG_QUALITY = 95
MAX_NAME = 80
LAST_PHASE = "Looking for near duplicates"
"""The phase at whose end the pictures are part of the set."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """What became of the pictures, as `IntakeProgress` tells it."""

    added: int
    duplicates: int
    refused: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    """A stored picture with all of its record but key, group and, where nobody said it, split."""

    record: ImageRecord
    split: SplitName | None


def admit(sets: ImageSets, set_id: str, arrivals: Sequence[Arrival], workplace: Path, progress: Progress) -> Admitted:
    """Add the pictures of what came in, in one edit.

    Args:
        sets: Where the set is.
        set_id: Which one.
        arrivals: What came in.
        workplace: Folder for pictures until they are part of the set; nothing else is in it.
        progress: Told the phase, the pictures looked at and how many there are.

    Raises:
        DataError: where nothing can be added: too many images or classes, a hostile ZIP, no picture at all.
    """
    allowed = limits()
    progress("Looking through the files", 0, 0)
    found = unpack(arrivals, allowed)
    with found.open_files:
        settle_labels(found, sets.get(set_id).classes)
        _check_numbers(found, sets.get(set_id), allowed)
        workplace.mkdir(parents=True, exist_ok=True)
        candidates: list[_Candidate] = []
        for number, result in enumerate(_decoded(found.pictures, workplace, allowed), start=1):
            if isinstance(result, _Candidate):
                candidates.append(result)
            else:
                found.refuse(*result)
            progress("Decoding the pictures", number, len(found.pictures))
    progress(LAST_PHASE, len(found.pictures), len(found.pictures))
    added: list[ImageRecord] = []

    def edits_for(current: ImageSet) -> Sequence[AddImages]:
        added[:] = _new_records(current, candidates, allowed)
        _keep_files(added, workplace, sets.set_folder(set_id) / "images")
        return (AddImages(images=tuple(added)),) if added else ()

    sets.change(set_id, edits_for)
    return Admitted(added=len(added), duplicates=len(candidates) - len(added), refused=tuple(found.refused))


def _check_numbers(found: Unpacked, current: ImageSet, allowed: Limits) -> None:
    if not found.pictures and not found.refused:
        raise DataError("No picture was found.", "Expected is class/picture.jpg, or train/class/picture.jpg.")
    if len(found.pictures) > allowed.set_images:
        raise _too_many(len(found.pictures), allowed)
    num_classes = len({*current.classes, *(picture.label for picture in found.pictures)})
    if num_classes > MAX_CLASSES:
        raise DataError(
            f"That would be {num_classes:,} classes; a set has at most {MAX_CLASSES:,}.",
            "The folder of each picture is its class: choose other folders.",
        )


def _too_many(number: int, allowed: Limits) -> DataError:
    return DataError(
        f"That would be {number:,} images; a set holds at most {allowed.set_images:,}. Nothing was added.",
        "Add fewer, or make another set.",
    )


def _decoded(pictures: Sequence[Picture], workplace: Path, allowed: Limits) -> Iterator[_Candidate | tuple[str, str]]:
    """A candidate for each picture, or its name and why there is none; decoders run beside Python on all cores."""
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        yield from pool.map(lambda picture: _try_store(picture, workplace, allowed), pictures)
    finally:
        pool.shutdown(cancel_futures=True)


def _try_store(picture: Picture, workplace: Path, allowed: Limits) -> _Candidate | tuple[str, str]:
    try:
        return _store(picture, workplace, allowed)
    except DataError as error:
        return picture.name, str(error)


def _store(picture: Picture, workplace: Path, allowed: Limits) -> _Candidate:
    name = shortened(clean_text(picture.name.rpartition("/")[2]), MAX_NAME)
    opened = open_reduced(picture.read(), name=name, max_pixels=allowed.pixels)
    content = opened.image.tobytes()
    # Made of nothing but the pixels: no place and no time of the photograph is kept.
    image = Image.frombytes("RGB", opened.image.size, content)
    digest = hashlib.sha256(f"{image.width}×{image.height}".encode() + content).hexdigest()[:32]
    lossless = max(opened.width, opened.height) <= LOSSLESS_SIDE
    stream = io.BytesIO()
    if lossless:
        image.save(stream, "PNG")
    else:
        image.save(stream, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    file = f"{digest}.{'png' if lossless else 'jpg'}"
    (workplace / file).write_bytes(stream.getvalue())
    record = ImageRecord(
        key=0,
        file=file,
        name=name,
        label=picture.label,
        width=opened.width,
        height=opened.height,
        num_bytes=picture.num_bytes,
        digest=describe(image),
    )
    return _Candidate(record=record, split=picture.split)


def _new_records(current: ImageSet, candidates: Sequence[_Candidate], allowed: Limits) -> list[ImageRecord]:
    """The candidates that their class does not have yet, with key, group and split."""
    there = {(record.label, record.file) for record in current.images.values()}
    fresh: dict[tuple[str, str], _Candidate] = {}
    for candidate in candidates:
        identity = (candidate.record.label, candidate.record.file)
        if identity not in there:
            fresh.setdefault(identity, candidate)
    if fresh and len(current.images) + len(fresh) > allowed.set_images:
        raise _too_many(len(current.images) + len(fresh), allowed)
    numbered = dict(enumerate(fresh.values(), start=current.next_key))
    known = {key: record.group for key, record in current.images.items()}
    digests = {key: record.digest for key, record in current.images.items()}
    near = groups(digests | {key: candidate.record.digest for key, candidate in numbered.items()}, known)
    records = {key: replace(candidate.record, key=key, group=near[key]) for key, candidate in numbered.items()}
    said = {key: candidate.split for key, candidate in numbered.items() if candidate.split is not None}
    placed = [replace(records[key], split=split) for key, split in said.items()]
    left = [record for key, record in records.items() if key not in said]
    splits = said | place((*current.images.values(), *placed), left, current.division)
    return [replace(record, split=splits[key]) for key, record in records.items()]


def _keep_files(records: Sequence[ImageRecord], workplace: Path, images: Path) -> None:
    """Move the stored pictures to where the set has them.

    One that is there already is the same one, but may be left from an intake that ended before it was on the disk.
    """
    images.mkdir(exist_ok=True)
    for file in {record.file for record in records}:
        (workplace / file).replace(images / file)
    # They must be on the disk before the edit is; waiting for each one would take twice as long as all the decoding.
    os.sync()
