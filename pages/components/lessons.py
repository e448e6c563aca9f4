"""The figures of the lessons, in one table."""

from __future__ import annotations

from collections.abc import Callable

from pages.components.lesson_curves import show_curves
from pages.components.lesson_pooling import show_pooling

FIGURES: dict[str, Callable[[], None]] = {
    "pooling": show_pooling,
    "curves": show_curves,
}
"""By the keys of `cnncore.lessons.contents.LESSONS`."""
