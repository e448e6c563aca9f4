"""The card beside a run's weights: which network they are of, and what it takes and says; read without torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from cnncore.errors import RunError
from cnncore.runs.artifacts import WEIGHTS, WEIGHTS_CARD

_LARGEST_SIDE = 10_000
_HINT = "Choose another run, or train it again."


def read_card(folder: Path) -> dict[str, Any]:
    """The card of the run in `folder`, with all that whoever uses the weights counts on.

    Returns:
        At least `model` (with its `name`), `config`, `preprocessing`, `classes` (texts) and `in_shape` (three counts).

    Raises:
        RunError: if the run has no weights yet, its files are gone, or the card is damaged.
    """
    try:
        card = json.loads((folder / WEIGHTS_CARD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        if folder.is_dir() and not (folder / WEIGHTS).exists():
            raise RunError("The run has no trained weights yet.", "Wait for its first epoch to end.") from None
        raise RunError(f"The card beside the weights of run {folder.name} is gone.", _HINT) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise RunError(f"The card beside the weights of run {folder.name} cannot be read ({why}).", _HINT) from None
    except (ValueError, RecursionError):
        card = None
    if not isinstance(card, dict) or not _is_whole(cast("dict[str, Any]", card)):
        raise RunError(f"The card beside the weights of run {folder.name} is damaged.", _HINT)
    return cast("dict[str, Any]", card)


def _is_whole(card: Mapping[str, Any]) -> bool:
    parts = all(isinstance(card.get(name), dict) for name in ("model", "config", "preprocessing"))
    return (
        parts
        and isinstance(card["model"].get("name"), str)
        and _are(card.get("classes"), lambda each: isinstance(each, str))
        and _are(card.get("in_shape"), lambda each: type(each) is int and 0 < each <= _LARGEST_SIDE)
        and len(card["in_shape"]) == 3
    )


def _are(values: object, fits: Callable[[object], bool]) -> bool:
    return isinstance(values, list) and bool(values) and all(map(fits, cast("list[object]", values)))
