"""Work that takes longer than one question may: each question does some of it, and the next one goes on.

So the service, which answers one question at a time, keeps others waiting for a second or two at most, and a page can
show how far it is. Work that nobody asks for any more is dropped.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

PIECE_S = 1.0
"""Seconds of work that one question does."""
MOST_KEPT = 6

Work = Generator[tuple[int, int], None, T]
"""Yields how much is done and of how much in all, and returns the result."""


def finished(work: Work[T]) -> T:
    """The result of a work that is done in one go."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@dataclass(frozen=True, kw_only=True)
class Piece(Generic[T]):
    """Where a work stands.

    Attributes:
        done: How much is done.
        total: Of how much.
        result: What came out; None until everything is done.
    """

    done: int
    total: int
    result: T | None = None


class Scans:
    """Works in progress; of those that were not asked for longest, the oldest goes when there are too many."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._works: OrderedDict[str, Work[object]] = OrderedDict()

    def advance(self, key: str, start: Callable[[], Work[T]], *, budget_s: float = PIECE_S) -> Piece[T]:
        """Go on with a work for some time, beginning it if it has not begun.

        Args:
            key: The same for the same work.
            start: Begins it.
            budget_s: Seconds after which no further step is begun; at least one is.
        """
        work: Work[T] = self._works.pop(key, None) or start()  # type: ignore[assignment]
        end = time.monotonic() + budget_s
        try:
            done, total = next(work)
            while time.monotonic() < end:
                done, total = next(work)
        except StopIteration as finished:
            return Piece(done=1, total=1, result=finished.value)
        self._works[key] = work
        while len(self._works) > self._most:
            self._works.popitem(last=False)[1].close()
        return Piece(done=done, total=total)
