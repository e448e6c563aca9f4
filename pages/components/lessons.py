"""The figures of the lessons, in one table."""

from __future__ import annotations

from collections.abc import Callable

from pages.components.lesson_augmentation import show_augmentation
from pages.components.lesson_normalization import show_normalization
from pages.components.lesson_pooling import show_pooling

FIGURES: dict[str, Callable[[], None]] = {
    "augmentation": show_augmentation,
    "normalization": show_normalization,
    "pooling": show_pooling,
}
"""By the keys of `cnncore.lessons.contents.LESSONS`."""
