"""Work that takes longer than one question may: each question does some of it, and the next one goes on.

So the service, which answers one question at a time, keeps others waiting for a second or two at most, and a page can
show how far it is. Work that nobody asks for any more is dropped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

PIECE_S = 1.0
"""Seconds of work that one question does."""
MOST_KEPT = 6
FORSAKEN_S = 30.0
"""Longer than a page, or one among many visitors, takes to ask again."""

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
    """Works in progress; those that nobody asks for any more go.

    Where there are too many, a new one that takes several pieces waits until one is done: in turns they would push each
    other out, and none would ever be.

    Args:
        most: Works in progress.
        forsaken_s: Seconds after which a work that nobody has asked for goes.
    """

    def __init__(self, most: int = MOST_KEPT, forsaken_s: float = FORSAKEN_S) -> None:
        self._most = most
        self._forsaken_s = forsaken_s
        self._works: dict[str, tuple[float, Work[object]]] = {}
        self._waiting: dict[str, float] = {}

    def advance(self, key: str, start: Callable[[], Work[T]], *, budget_s: float = PIECE_S) -> Piece[T]:
        """Go on with a work for some time, beginning it if it has not begun.

        Args:
            key: The same for the same work.
            start: Begins it.
            budget_s: Seconds after which no further step is begun; at least one is.
        """
        self._tidy()
        _, begun = self._works.pop(key, (0.0, None))
        if begun is None and key in self._waiting and len(self._works) >= self._most:
            self._waiting[key] = time.monotonic()
            return Piece(done=0, total=1)
        work: Work[T] = begun or start()  # type: ignore[assignment]
        end = time.monotonic() + budget_s
        try:
            done, total = next(work)
            while time.monotonic() < end:
                done, total = next(work)
        except StopIteration as finished:
            self._waiting.pop(key, None)
            return Piece(done=1, total=1, result=finished.value)
        if len(self._works) >= self._most:
            work.close()
            self._waiting[key] = time.monotonic()
            return Piece(done=0, total=1)
        self._waiting.pop(key, None)
        self._works[key] = (time.monotonic(), work)
        return Piece(done=done, total=total)

    def _tidy(self) -> None:
        oldest = time.monotonic() - self._forsaken_s
        for key in [key for key, (asked, _) in self._works.items() if asked < oldest]:
            self._works.pop(key)[1].close()
        for key in [key for key, asked in self._waiting.items() if asked < oldest]:
            del self._waiting[key]
