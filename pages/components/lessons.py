"""The figures of the lessons, in one table."""

from __future__ import annotations

from collections.abc import Callable

from pages.components.lesson_convolution import show_convolution
from pages.components.lesson_pooling import show_pooling
from pages.components.lesson_size import show_size

FIGURES: dict[str, Callable[[], None]] = {
    "convolution": show_convolution,
    "size": show_size,
    "pooling": show_pooling,
}
"""By the keys of `cnncore.lessons.contents.LESSONS`."""
