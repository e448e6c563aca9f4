"""What the lesson on convolution shows, as its link says it."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from cnncore.errors import ConfigError
from cnncore.lessons.kernels import COLOR_FILTERS, KERNELS, kernel_text, read_kernel
from cnncore.lessons.signals import LENGTH
from cnncore.lessons.sliding import PaddingMode, Sliding
from cnncore.runs.subjects import parse_subject
from pages.components.lesson_picture import PictureName, PictureState

MOST_FILTERS = 4
LAST_PLACE = 99_999
Array = npt.NDArray[np.float64]


def _kernel(text: str) -> str:
    return kernel_text(read_kernel(text))


def _filters(text: str) -> str:
    parts = text.split(";")
    if len(parts) > MOST_FILTERS:
        raise ConfigError("filters", f"A layer has at most {MOST_FILTERS} filters here.")
    read = [read_filter(part) for part in parts]
    if len({each.shape for each in read}) > 1:
        raise ConfigError("filters", "All filters of a layer have one size.", "Take filters of the same size.")
    return text


def read_filter(text: str) -> Array:
    """A filter for three channels, (3, n, n): one by name, or its numbers.

    Raises:
        ConfigError: if it is neither.
    """
    return COLOR_FILTERS[text].values if text in COLOR_FILTERS else read_kernel(text, channels=3)


def _network(text: str) -> str:
    return str(parse_subject(text)) if text else text


class ConvolutionState(PictureState):
    """What the link says.

    Attributes:
        mode: One channel, channels and filters, or one dimension.
        side: Pixels along a side of the image.
        k: The kernel for one channel, as `cnncore.lessons.kernels` writes it.
        stride, padding, edge, dilation: As of `cnncore.lessons.sliding.Sliding`.
        flip: Whether the kernel is turned first, which makes it the true convolution.
        colors: Of the feature map: signed, or gray as pictures have it.
        at: Place of the window in the feature map, row by row.
        upto: The last place that the window has come to by walking.
        filters: With semicolons between, see `read_filter`.
        chosen: The filter that is looked at.
        groups: Of channels, 1 or 3.
        network: Whose filters are offered, by `cnncore.runs.subjects`; empty for the first there is.
        signal, other: Keys of the signals of one dimension.
        lag: Place of the sliding one.
    """

    picture: PictureName = "shapes"
    mode: Literal["one", "channels", "signals"] = "one"
    side: Literal["14", "28", "56"] = "14"
    k: Annotated[str, AfterValidator(_kernel), Field(title="kernel")] = kernel_text(KERNELS["sobel_x"].values)
    stride: Annotated[int, Field(ge=1, le=4)] = 1
    padding: Literal["valid", "same", "1", "2", "3", "4", "5", "6"] = "valid"
    edge: PaddingMode = "zeros"
    dilation: Annotated[int, Field(ge=1, le=4)] = 1
    flip: bool = False
    colors: Literal["signed", "gray"] = "signed"
    at: Annotated[int, Field(ge=0, le=LAST_PLACE, title="place")] = 0
    upto: Annotated[int, Field(ge=0, le=LAST_PLACE, title="last place")] = 0
    filters: Annotated[str, AfterValidator(_filters)] = "vertical;red_green"
    chosen: Annotated[int, Field(ge=0, le=MOST_FILTERS - 1, title="filter")] = 0
    groups: Literal["1", "3"] = "1"
    network: Annotated[str, AfterValidator(_network)] = ""
    signal: Literal["box", "step", "impulse", "impulses", "noisy"] = "impulses"
    other: Literal["mean", "bell", "decay", "difference", "box"] = "decay"
    lag: Annotated[int, Field(ge=0, le=2 * LENGTH)] = 0

    @property
    def kernel(self) -> Array:
        """The kernel for one channel, (n, n)."""
        return read_kernel(self.k)[0]

    def sliding(self, kernel: int) -> Sliding:
        """How a kernel of this size moves."""
        given = {"valid": 0, "same": "same"}
        padding = given.get(self.padding) if self.padding in given else int(self.padding)
        return Sliding(
            kernel=(kernel, kernel),
            stride=self.stride,
            padding="same" if padding == "same" else int(padding or 0),
            padding_mode=self.edge,
            dilation=self.dilation,
        )


def pixel_values(pixels: npt.NDArray[np.uint8]) -> Array:
    """Pixels as numbers from 0 to 1, rounded to hundredths: what the squares say is what is multiplied."""
    return np.round(pixels / 255.0, 2)
