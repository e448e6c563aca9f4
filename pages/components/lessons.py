"""The figures of the lessons, in one table."""

from __future__ import annotations

from collections.abc import Callable

from pages.components.lesson_pooling import PoolingState, show_pooling
from pages.components.lesson_state import LessonState

FIGURES: dict[str, Callable[[], None]] = {
    "pooling": show_pooling,
}
"""By the keys of `cnncore.lessons.contents.LESSONS`."""

STATES: dict[str, type[LessonState]] = {
    "pooling": PoolingState,
}
"""What each lesson's link can say."""
