"""The figures of the lessons, in one table."""

from __future__ import annotations

from collections.abc import Callable

from pages.components.lesson_activations import show_activations
from pages.components.lesson_pooling import show_pooling
from pages.components.lesson_residual import show_residual

FIGURES: dict[str, Callable[[], None]] = {
    "activations": show_activations,
    "pooling": show_pooling,
    "residual": show_residual,
}
"""By the keys of `cnncore.lessons.contents.LESSONS`."""
