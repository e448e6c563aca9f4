from __future__ import annotations

import pytest

from cnncore.errors import DataError
from cnncore.images.class_names import check_distinct, clean_class_name, same_class


@pytest.mark.parametrize(
    "name", ["cats", "🐈‍⬛ black cat", "cats/dogs", "..", "CON", "c:\\x", "日本語", "a" * 80, "n/a", "0"]
)
def test_what_a_person_would_write_is_fine(name: str) -> None:
    assert clean_class_name(f" {name}\n") == name


def test_names_are_composed() -> None:
    assert clean_class_name("cafe\u0301") == "caf\u00e9"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is empty"),
        (" \t ", "is empty"),
        ("x" * 300, r"“x{39}…” has 300 characters\. Allowed: 1 to 80"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
        ("abc\u202egpj", "control character"),
        ("\ud800", "control character"),
    ],
)
def test_impossible_names_are_one_sentence(name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        clean_class_name(name)


@pytest.mark.parametrize(
    ("name", "other"),
    [("Cats", "cats"), ("STRASSE", "straße"), ("cafe\u0301", "CAF\u00c9"), ("\ufb01sh", "fish"), ("①", "1")],
)
def test_names_that_differ_only_in_case_or_spelling_are_the_same(name: str, other: str) -> None:
    assert same_class(name, ["birds", other]) == other
    with pytest.raises(DataError, match=f"the class “{other}” differ only in upper and lower case"):
        check_distinct(name, ["birds", other])


def test_the_same_name_twice_is_refused_and_another_one_is_not() -> None:
    with pytest.raises(DataError, match="There is a class “cats” already"):
        check_distinct("cats", ["cats"])
    check_distinct("cat", ["cats"])


@pytest.mark.parametrize("name", ["\u200b", "\ufeff \u2060", "\u3164"])
def test_a_name_that_cannot_be_seen_is_empty(name: str) -> None:
    with pytest.raises(DataError, match="is empty"):
        clean_class_name(name)


@pytest.mark.parametrize("name", ["cat\u200b", "c\u00adat", "\ufeffCat"])
def test_names_that_look_alike_are_the_same(name: str) -> None:
    assert same_class(name, ["cat"]) == "cat"


@pytest.mark.parametrize("name", ["👩\u200d🔬", "می\u200cخواهم", "❤\ufe0f"])
def test_what_emoji_and_scripts_need_stays(name: str) -> None:
    assert clean_class_name(name) == name
