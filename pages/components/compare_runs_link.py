"""The state of the Runs view as a link tells it: `?view=runs&runs=a,b&model=…&x=epoch`. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cnncore.catalog import DATASETS, MODELS
from cnncore.figures.overlay import OverlayView
from cnncore.runs.curves import X_AXES
from cnncore.runs.run import STATUSES
from cnncore.runs.search import ORDERS, Choices, Search

MAX_COMPARED = 20
"""Runs that are laid over each other at most; more lines cannot be told apart."""
MAX_TEXT = 100
SPLITS = ("validation", "train", "both")
DETAILS = ("settings", "groups", "confusion", "classes", "cost")

_RUN_ID = re.compile(r"[0-9a-f]{6,32}")
_FILTERS = {"model": "network", "dataset": "data set", "status": "status", "tag": "tag"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a link asks for.

    Attributes:
        search: The filters and the order.
        selected: Ids of the runs to compare; some may not exist.
        curves: How their curves are shown.
        detail: What is shown below the curves.
        problems: What could not be taken, in sentences.
    """

    search: Search
    selected: tuple[str, ...]
    curves: OverlayView
    detail: str
    problems: tuple[str, ...] = ()


def read_asked(params: Mapping[str, str], choices: Choices) -> Asked:
    """What an address asks for; whatever cannot be taken is left out and named in `problems`."""
    problems: list[str] = []

    def pick(name: str, allowed: Collection[str], what: str, default: str) -> str:
        value = params.get(name, default)
        if value in allowed or value == default:
            return value
        problems.append(f"There is no {what} {value[:40]!r} here; it was left out.")
        return default

    # A status that no run has at this moment is no mistake: the run that had it has just ended.
    known = ((*choices.models, *MODELS), (*choices.datasets, *DATASETS), STATUSES, choices.tags)
    filters: dict[str, Any] = {
        name: pick(name, allowed, f"run with the {what}", "")
        for (name, what), allowed in zip(_FILTERS.items(), known, strict=True)
    }
    text = "".join(letter for letter in params.get("q", "") if letter.isprintable())[:MAX_TEXT]
    x: Any = pick("x", X_AXES, "horizontal axis", "epoch")
    split: Any = pick("images", SPLITS, "kind of images", "validation")
    return Asked(
        search=Search(text=text, sort=pick("sort", ORDERS, "order", "newest"), **filters),
        selected=_read_ids(params.get("runs", ""), problems),
        curves=OverlayView(x=x, split=split, every_step="steps" in params, log_y="log" in params),
        detail=pick("show", DETAILS, "part", DETAILS[0]),
        problems=tuple(problems),
    )


def _read_ids(text: str, problems: list[str]) -> tuple[str, ...]:
    parts = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    wrong = [part for part in parts if not _RUN_ID.fullmatch(part)]
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        problems.append(f"{wrong[0][:40]!r}{more} cannot be the id of a run; left out.")
    ids = [part for part in parts if _RUN_ID.fullmatch(part)]
    if len(ids) > MAX_COMPARED:
        problems.append(f"{len(ids):,} runs are too many to compare at once; the first {MAX_COMPARED} are shown.")
    return tuple(ids[:MAX_COMPARED])


def join_ids(ids: Collection[str]) -> str:
    """Ids as `runs=` has them."""
    return ",".join(ids)
