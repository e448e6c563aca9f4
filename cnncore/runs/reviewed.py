"""Images that a person has looked at and keeps as they are, although a run got them wrong: its `reviewed.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock

from cnncore.runs.artifacts import write_atomically

REVIEWED = "reviewed.json"
_LOCK_S = 10


def reviewed_images(folder: Path) -> frozenset[int]:
    """Keys of the images that were kept; none where the file is missing or damaged, which costs a second look."""
    try:
        found: Any = json.loads((folder / REVIEWED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return frozenset()
    return frozenset(key for key in found if type(key) is int) if isinstance(found, list) else frozenset()


def set_reviewed(folder: Path, keys: Iterable[int], *, kept: bool) -> None:
    """Note that these images are kept, or that they have to be looked at again."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{REVIEWED}.lock", timeout=_LOCK_S):
        before = reviewed_images(folder)
        after = before | set(keys) if kept else before - set(keys)
        write_atomically(folder / REVIEWED, lambda path: path.write_text(json.dumps(sorted(after)), encoding="utf-8"))
