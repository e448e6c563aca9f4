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
        activation: Key of `blocks.ACTIVATIONS`.
        norm: `none`, `lrn` or `batch`.
        pool: Key of `blocks.POOLS`, or `subsample` (LeNet-5 only).
        dropout: Share of hidden units dropped while training, 0 to 0.95.
        init: Key of `blocks.DEVIATIONS`, or `pytorch`.
        width: Factor on the numbers of filters and hidden units.
        input_size: Pixels along a side that batches are resized to before the first layer.
    """

    activation: str
    norm: str
    init: str
    pool: str | None = None
    dropout: float | None = None
    width: float = 1.0
    input_size: int | None = None

    def scaled(self, count: int) -> int:
        """`count` filters or hidden units times the width, at least 1."""
        return max(1, round(count * self.width))


def resolve(config: ModelConfig) -> Options:
    """The options that `config` stands for, its `None`s replaced by what the network's source has.

    Raises:
        ConfigError: if the network is unknown or cannot have an option that is set.
    """
    spec = lookup(MODELS, config.name, "network", "model.name")
    check_options(config, spec)
    chosen: dict[str, Any] = {name: value for name, value in config if name in spec.defaults and value is not None}
    return Options(**{**spec.defaults, **chosen}, width=config.width, input_size=config.input_size)
