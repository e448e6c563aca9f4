"""The figures of the lessons, in one table."""

from __future__ import annotations

from collections.abc import Callable

from pages.components.lesson_field import show_field
from pages.components.lesson_inception import show_inception
from pages.components.lesson_pooling import show_pooling

FIGURES: dict[str, Callable[[], None]] = {
    "field": show_field,
    "inception": show_inception,
    "pooling": show_pooling,
}
"""By the keys of `cnncore.lessons.contents.LESSONS`."""
