"""The figures of the lessons, in one table, and what their links can say."""

from __future__ import annotations

from collections.abc import Callable

from pages.components.lesson_activations import ActivationsState, show_activations
from pages.components.lesson_augmentation import show_augmentation
from pages.components.lesson_augmentation_state import AugmentationState
from pages.components.lesson_convolution import show_convolution
from pages.components.lesson_convolution_state import ConvolutionState
from pages.components.lesson_curves import CurvesState, show_curves
from pages.components.lesson_dense import DenseState, show_dense
from pages.components.lesson_field import FieldState, show_field
from pages.components.lesson_images import ImagesState, show_images
from pages.components.lesson_inception import InceptionState, show_inception
from pages.components.lesson_normalization import NormalizationState, show_normalization
from pages.components.lesson_pooling import PoolingState, show_pooling
from pages.components.lesson_residual import ResidualState, show_residual
from pages.components.lesson_size import SizeState, show_size
from pages.components.lesson_state import LessonState
from pages.components.lesson_transfer import show_transfer
from pages.components.lesson_transfer_state import TransferState

FIGURES: dict[str, Callable[[], None]] = {
    "images": show_images,
    "convolution": show_convolution,
    "size": show_size,
    "pooling": show_pooling,
    "dense": show_dense,
    "field": show_field,
    "activations": show_activations,
    "normalization": show_normalization,
    "augmentation": show_augmentation,
    "inception": show_inception,
    "residual": show_residual,
    "transfer": show_transfer,
    "curves": show_curves,
}
"""By the keys of `cnncore.lessons.contents.LESSONS`."""

STATES: dict[str, type[LessonState]] = {
    "images": ImagesState,
    "convolution": ConvolutionState,
    "size": SizeState,
    "pooling": PoolingState,
    "dense": DenseState,
    "field": FieldState,
    "activations": ActivationsState,
    "normalization": NormalizationState,
    "augmentation": AugmentationState,
    "inception": InceptionState,
    "residual": ResidualState,
    "transfer": TransferState,
    "curves": CurvesState,
}
"""What each lesson's link can say."""
