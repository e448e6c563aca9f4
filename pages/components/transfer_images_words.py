"""Image sets in words: how many images they have, and what an edit did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from cnncore.figures.image_set import PARTS
from cnncore.images.image_set import SPLITS, ImageSet


def number_of(count: int, what: str, many: str = "") -> str:
    """A count with its noun: 1 image, 2 images, 3 classes."""
    return f"{count:,} {what if count == 1 else many or f'{what}s'}"


def counts_text(image_set: ImageSet) -> str:
    """Images, classes, splits and what is excluded: `412 images in 2 classes · 330 training · 82 validation`."""
    included = image_set.included()
    splits = Counter(record.split for record in included)
    parts = [f"{number_of(len(included), 'image')} in {number_of(len(image_set.classes), 'class', 'classes')}"]
    parts += [f"{splits[split]:,} {PARTS[split]}" for split in SPLITS if splits[split]]
    if excluded := len(image_set.images) - len(included):
        parts.append(f"{excluded:,} excluded")
    return " · ".join(parts)


def listed(names: Sequence[str], most: int = 2) -> str:
    """Some names, and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def edit_words(edit: Any) -> str:
    """What an edit did, short enough for a button: `moved 3 images to cats`."""
    return _EDITS[edit.kind](edit)


_EDITS: dict[str, Callable[[Any], str]] = {
    "add_images": lambda edit: f"added {number_of(len(edit.images), 'image')}",
    "add_class": lambda edit: f"added the class {short(edit.name)}",
    "rename_class": lambda edit: f"renamed {short(edit.old)} to {short(edit.new)}",
    "merge_classes": lambda edit: f"merged {len(edit.names):,} classes into {short(edit.into)}",
    "remove_class": lambda edit: f"removed the class {short(edit.name)}",
    "move_images": lambda edit: f"moved {number_of(len(edit.keys), 'image')} to {short(edit.label)}",
    "exclude_images": lambda edit: f"excluded {number_of(len(edit.keys), 'image')}",
    "restore_images": lambda edit: f"restored {number_of(len(edit.keys), 'image')}",
    "move_to_split": lambda edit: f"moved {number_of(len(edit.keys), 'image')} to {PARTS[edit.split]}",
    "divide": lambda edit: "divided anew",
    "undo": lambda edit: "took a change back",
}


def short(name: str, most: int = 24) -> str:
    """A name that may be long."""
    return name if len(name) <= most else f"{name[: most - 1]}…"
