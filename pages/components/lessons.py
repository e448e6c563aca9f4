"""The figures of the lessons, in one table."""

from __future__ import annotations

from collections.abc import Callable

from pages.components.lesson_convolution import show_convolution
from pages.components.lesson_pooling import show_pooling

FIGURES: dict[str, Callable[[], None]] = {
    "convolution": show_convolution,
    "pooling": show_pooling,
}
"""By the keys of `cnncore.lessons.contents.LESSONS`."""
