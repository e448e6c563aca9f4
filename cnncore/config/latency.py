"""The settings of a latency measurement: which network, on which images, in batches of which sizes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cnncore.catalog import MODELS
from cnncore.config.sections import ModelConfig, Section
from cnncore.errors import lookup

Pixels = Annotated[int, Field(ge=1, le=1_024)]


class LatencyConfig(Section):
    """What is measured; the images are noise, which costs what photographs cost."""

    model: ModelConfig
    in_shape: tuple[Annotated[int, Field(ge=1, le=16)], Pixels, Pixels]
    num_classes: int = Field(ge=1, le=100_000)
    batch_sizes: Annotated[tuple[Annotated[int, Field(ge=1, le=4_096)], ...], Field(min_length=1, max_length=12)] = (
        1,
        8,
        32,
    )
    repeats: int = Field(
        default=50, ge=5, le=1_000, description="timed passes of each batch size, fewer if they are slow"
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d{1,2})?)$")

    @property
    def is_published(self) -> bool:
        """Whether it is the network as its source has it, at its native size."""
        spec = lookup(MODELS, self.model.name, "network", "model.name")
        shape = (spec.in_channels, spec.native_size, spec.native_size)
        return (
            self.model == ModelConfig(name=self.model.name)
            and self.in_shape == shape
            and self.num_classes == spec.num_classes
        )


def published_latency(name: str) -> LatencyConfig:
    """The measurement of a network in its published form.

    Raises:
        ConfigError: if there is no such network.
    """
    spec = lookup(MODELS, name, "network", "model.name")
    return LatencyConfig(
        model=ModelConfig(name=name),
        in_shape=(spec.in_channels, spec.native_size, spec.native_size),
        num_classes=spec.num_classes,
    )
