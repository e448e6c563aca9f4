"""Names of classes: any text a person would write, as long as it can be told from the other names.

Slashes and emoji are fine, for a name never becomes a path.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from cnncore.errors import DataError

MAX_LENGTH = 80
_UNSEEN = ("Cc", "Cs", "Zl", "Zp")
_UNSEEN_MARKS = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)
"""Nothing is drawn for them alone: names are not told apart by them, though emoji and some scripts need them."""
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that reverse the text around them, so that a name would look like another one."""
_ALLOWED = f"Allowed: 1 to {MAX_LENGTH} characters, none of them a control character."


def clean_text(text: str) -> str:
    """Text in Unicode's composed form (NFC), without space around it and without what cannot be seen."""
    kept = (letter for letter in unicodedata.normalize("NFC", text) if not _is_control(letter))
    return "".join(kept).strip()


def shortened(text: str, length: int = 60) -> str:
    """Text for showing, with an ellipsis where it is cut."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def clean_class_name(text: str) -> str:
    """The name as it is kept: in Unicode's composed form (NFC), without space around it.

    Raises:
        DataError: where it is empty, too long or holds a control character.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not _identity(name):
        raise DataError("A class name is empty.", _ALLOWED)
    if len(name) > MAX_LENGTH:
        raise DataError(f"The class name “{shortened(name, 40)}” has {len(name):,} characters.", _ALLOWED)
    if any(map(_is_control, name)):
        raise DataError(f"The class name {shortened(name)!r} holds a control character.", _ALLOWED)
    return name


def same_class(name: str, classes: Sequence[str]) -> str | None:
    """The class that differs from `name` at most in case or in how Unicode spells it; None if there is none."""
    wanted = _identity(name)
    return next((other for other in classes if _identity(other) == wanted), None)


def check_distinct(name: str, classes: Sequence[str]) -> None:
    """Refuse a new name that could be taken for a class that is there.

    Raises:
        DataError: naming the class.
    """
    other = same_class(name, classes)
    if other == name:
        raise DataError(f"There is a class “{name}” already.", "Choose another name, or merge the two classes.")
    if other is not None:
        raise DataError(
            f"“{name}” and the class “{other}” differ only in upper and lower case or in how they are spelled in "
            "Unicode.",
            f"Use “{other}”, or choose another name.",
        )


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in _UNSEEN or letter in _BIDI


def _identity(name: str) -> str:
    seen = _UNSEEN_MARKS.sub("", unicodedata.normalize("NFKC", name))
    return unicodedata.normalize("NFKC", seen.casefold()).strip()
