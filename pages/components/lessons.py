"""The figures of the lessons, in one table, and what their links can say."""

from __future__ import annotations

from collections.abc import Callable

from pages.components.lesson_augmentation import AugmentationState, show_augmentation
from pages.components.lesson_curves import CurvesState, show_curves
from pages.components.lesson_dense import DenseState, show_dense
from pages.components.lesson_field import FieldState, show_field
from pages.components.lesson_normalization import NormalizationState, show_normalization
from pages.components.lesson_pooling import PoolingState, show_pooling
from pages.components.lesson_residual import ResidualState, show_residual
from pages.components.lesson_size import SizeState, show_size
from pages.components.lesson_state import LessonState

FIGURES: dict[str, Callable[[], None]] = {
    "size": show_size,
    "pooling": show_pooling,
    "dense": show_dense,
    "field": show_field,
    "normalization": show_normalization,
    "augmentation": show_augmentation,
    "residual": show_residual,
    "curves": show_curves,
}
"""By the keys of `cnncore.lessons.contents.LESSONS`."""

STATES: dict[str, type[LessonState]] = {
    "size": SizeState,
    "pooling": PoolingState,
    "dense": DenseState,
    "field": FieldState,
    "normalization": NormalizationState,
    "augmentation": AugmentationState,
    "residual": ResidualState,
    "curves": CurvesState,
}
"""What each lesson's link can say."""
