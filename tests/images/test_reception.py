"""Files that arrive in pieces are put together, counted, and handed over as a whole or not at all."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cnncore.errors import DataError
from cnncore.images.intake import intake_progress
from cnncore.images.reception import KEPT_S, Piece, Reception
from cnncore.images.store import ImageSets
from tests.pages.test_transfer_images import picture


@pytest.fixture
def sets(tmp_path: Path) -> ImageSets:
    return ImageSets(tmp_path / "sets")


def left(sets: ImageSets) -> list[str]:
    return [path.name for path in (sets.folder / "incoming").iterdir()]


def test_pieces_become_files_and_files_become_images(sets: ImageSets) -> None:
    made = sets.create("Pets")
    cat, dog = picture(1), picture(2)
    reception = Reception(sets)
    assert reception.take(0, [Piece("pets/cat/1.png", cat[:10], False)])
    assert reception.take(1, [Piece("pets/cat/1.png", cat[10:], True), Piece("pets/dog/1.png", dog, True)])
    assert (reception.num_files, reception.num_bytes) == (2, len(cat) + len(dog))
    token = reception.hand_over(made.id)
    assert left(sets) == []
    end = time.monotonic() + 60
    while not (progress := intake_progress(sets, made.id, token)).finished:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert (progress.added, progress.error, progress.refused) == (2, "", ())
    assert sets.get(made.id).classes == ("cat", "dog")


def test_a_batch_out_of_turn_is_passed_over(sets: ImageSets) -> None:
    reception = Reception(sets)
    assert not reception.take(1, [Piece("a", b"1", True)])
    assert reception.take(0, [Piece("a", b"1", True)])
    assert not reception.take(0, [Piece("a", b"1", True)])
    assert (reception.num_files, reception.num_bytes) == (1, 1)


@pytest.mark.parametrize(
    ("variable", "pieces", "told"),
    [
        ("CNNLAB_MAX_UPLOAD_MB", [Piece("a", b"\0" * 600_000, False)] * 2, "more than 1 MB"),
        ("CNNLAB_MAX_ARCHIVE_FILES", [Piece("a", b"", True)] * 2, "more than 1 files"),
    ],
)
def test_more_than_the_limits_is_refused(
    sets: ImageSets, monkeypatch: pytest.MonkeyPatch, variable: str, pieces: list[Piece], told: str
) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(DataError, match=told):
        Reception(sets).take(0, pieces)


def test_nothing_complete_is_nothing_to_hand_over(sets: ImageSets) -> None:
    made = sets.create("Pets")
    reception = Reception(sets)
    reception.take(0, [Piece("pets/cat/1.png", b"1", False)])
    with pytest.raises(DataError, match="No files were chosen"):
        reception.hand_over(made.id)
    assert left(sets) == []
    assert sets.get(made.id) == made


def test_what_was_given_up_goes_after_a_day(sets: ImageSets) -> None:
    Reception(sets).take(0, [Piece("a", b"1", True)])
    (old,) = (sets.folder / "incoming").iterdir()
    assert sets.all() == ()
    long_ago = time.time() - KEPT_S - 60
    os.utime(old, (long_ago, long_ago))
    Reception(sets)
    assert old.name not in left(sets)
    assert len(left(sets)) == 1
