"""The options a network is built with: what was set, and what its source has where nothing was set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnncore.catalog import MODELS
from cnncore.config import ModelConfig, check_options
from cnncore.errors import lookup


@dataclass(frozen=True, kw_only=True)
class Options:
    """Concrete options of one network; `None` where the network has no such option.

    Attributes:
        name: Key of the network in `cnncore.catalog.MODELS`.
        activation: Key of `blocks.ACTIVATIONS`.
        norm: `none`, `lrn` or `batch`.
        pool: Key of `blocks.POOLS`, or `subsample` (LeNet-5 only).
        dropout: Share of hidden units dropped while training, 0 to 0.95.
        init: Key of `blocks.DEVIATIONS`, or `pytorch`.
        stem: `published` or `small`, which is for small images.
        shortcut: `A` (sub-sampled and padded with zeros), `B` (a projection where sizes differ) or `C` (everywhere).
        stride_in: `1x1` or `3x3`: the convolution of a bottleneck block that halves the maps.
        module: `reduced` or `naive`: Inception modules with or without 1×1 reductions.
        output: `dense`, or `rbf`: LeNet-5's distances to fixed bitmaps.
        aux: `on` or `off`: auxiliary heads while training.
        width: Factor on the numbers of filters and hidden units.
        input_size: Pixels along a side that batches are resized to before the first layer.
    """

    name: str
    activation: str
    norm: str
    init: str
    pool: str | None = None
    dropout: float | None = None
    stem: str = "published"
    shortcut: str | None = None
    stride_in: str | None = None
    module: str | None = None
    output: str | None = None
    aux: str | None = None
    width: float = 1.0
    input_size: int | None = None

    def scaled(self, count: int) -> int:
        """`count` filters or hidden units times the width, at least 1."""
        return max(1, round(count * self.width))


def resolve(config: ModelConfig, side: int | None = None) -> Options:
    """The options that `config` stands for, its `None`s replaced by what the network's source has.

    Args:
        config: The network and its options.
        side: Pixels of the shorter side at the first layer, which decides about `stem="auto"`; the native size if not
            given.

    Raises:
        ConfigError: if the network is unknown or cannot have an option that is set.
    """
    spec = lookup(MODELS, config.name, "network", "model.name")
    check_options(config, spec)
    chosen: dict[str, Any] = {name: value for name, value in config if name in spec.defaults and value is not None}
    values: dict[str, Any] = {**spec.defaults, **chosen, "stem": spec.stem(config.stem, side or spec.native_size)}
    return Options(name=config.name, **values, width=config.width, input_size=config.input_size)
