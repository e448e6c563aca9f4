"""References of pictures: what they lead to, and what leads nowhere."""

from __future__ import annotations

import pytest

from cnncore.errors import ConfigError
from cnncore.images.picture_reference import LONGEST, ImagesReference, parse_images, parse_picture

RUN, KEPT = "abcdef012345", "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"sample:{RUN}:test:7", ("sample", RUN, "test", 7)),
        ("data:mnist:train:0", ("data", "mnist", "train", 0)),
        (f"set:{RUN}@12:3", ("set", f"{RUN}@12", "", 3)),
        (f"kept:{KEPT}", ("kept", KEPT, "", -1)),
        ("drawn:eNpj_-0", ("drawn", "eNpj_-0", "", -1)),
    ],
)
def test_a_reference_is_read_and_written_the_same(text: str, parts: tuple[str, str, str, int]) -> None:
    found = parse_picture(text)
    assert (found.kind, found.source, found.split, found.place) == parts
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "kept",
        "kept:",
        "kept:../../etc/passwd",
        f"kept:{KEPT}0",
        f"kept:{KEPT}\n",
        f"KEPT:{KEPT}",
        "data:mnist:all:1",
        "data:mnist:test:-1",
        "data:mnist:test:1.5",
        "data:mnist:test:",
        "data:../x:test:1",
        "data:mnist:test:9999999999",
        "sample:xyz:test:1",
        f"sample:{RUN}:test",
        f"set:{RUN}:1",
        "drawn:a b",
        "drawn:" + "A" * LONGEST,
        "x" * 100_000,
        "<script>alert(1)</script>",
    ],
)
def test_what_names_no_picture_is_one_short_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="There is no picture named") as caught:
        parse_picture(text)
    assert len(caught.value.message) < 120


@pytest.mark.parametrize(
    ("text", "picture"),
    [
        (f"run:{RUN}", f"sample:{RUN}:validation:4"),
        ("data:cifar10", "data:cifar10:validation:4"),
        (f"set:{RUN}@2", f"set:{RUN}@2:31"),
    ],
)
def test_images_lead_to_their_pictures(text: str, picture: str) -> None:
    found = parse_images(text)
    assert str(found) == text
    assert str(found.picture("validation", 4, "31")) == picture
    assert str(parse_picture(picture)) == picture


@pytest.mark.parametrize("text", ["", "run:", "run:../x", "data:", "data:A", "set:abc", "kept:" + KEPT, "x" * 9_999])
def test_what_names_no_images_is_one_short_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="There are no images named") as caught:
        parse_images(text)
    assert len(caught.value.message) < 120


def test_references_are_values() -> None:
    assert parse_images("data:mnist") == ImagesReference(kind="data", source="mnist")
