"""What is different between two versions of an image set, as far as it concerns a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cnncore.images.image_set import ImageRecord, ImageSet

Kind = Literal["moved", "excluded", "restored", "divided", "added"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happened to some images between two versions.

    Attributes:
        kind: `moved` to another class, `excluded`, `restored`, `divided` into another split, `added`.
        keys: The images.
        old: Class or split before; empty where there was none.
        new: Class or split afterwards.
    """

    kind: Kind
    keys: tuple[int, ...]
    old: str = ""
    new: str = ""


def changes_between(before: ImageSet, after: ImageSet) -> tuple[Change, ...]:
    """Every difference, images that changed alike together; an image may be in several.

    An image that is excluded in both versions, or was added and excluded again, concerns no training and is left out.
    """
    found: dict[tuple[Kind, str, str], list[int]] = {}
    for key, new in sorted(after.images.items()):
        for kind, left, right in _differences(before.images.get(key), new):
            found.setdefault((kind, left, right), []).append(key)
    return tuple(
        Change(kind=kind, keys=tuple(keys), old=left, new=right) for (kind, left, right), keys in found.items()
    )


def _differences(old: ImageRecord | None, new: ImageRecord) -> list[tuple[Kind, str, str]]:
    if old is None:
        return [] if new.excluded else [("added", "", new.label)]
    if new.excluded:
        return [] if old.excluded else [("excluded", old.label, "")]
    found: list[tuple[Kind, str, str]] = []
    if old.excluded:
        found.append(("restored", "", new.label))
    if old.label != new.label:
        found.append(("moved", old.label, new.label))
    if old.split != new.split:
        found.append(("divided", old.split, new.split))
    return found
