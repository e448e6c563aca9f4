"""What a bundle tells of a training, `record.json`: written by one lab, and checked when another reads it."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cnncore.config import TrainConfig

FORMAT = 1
FEATURES = "features"
"""Name of the tensor in the file of features."""


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Count = Annotated[int, Field(ge=0, le=10**15)]
Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[float | None, BeforeValidator(_finite)]
"""A loss that is no number, of a training that went astray, is not known; JSON has no other word for it."""
Text = Annotated[str, Field(max_length=300)]
Series = Annotated[tuple[Number, ...], Field(max_length=100)]
ClassName = Annotated[str, Field(min_length=1, max_length=300)]
Side = Annotated[int, Field(ge=8, le=1_024)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Results(_Part):
    """The results of a run, named as in its summary; what another version adds is left out."""

    num_params: Count | None = None
    num_trainable: Count | None = None
    num_train: Count | None = None
    num_validation: Count | None = None
    num_test: Count | None = None
    epochs: Count | None = None
    epoch: Count | None = None
    step: Count | None = None
    scored_epoch: Count | None = None
    best_epoch: Count | None = None
    train_loss: Number = None
    train_accuracy: Share | None = None
    val_loss: Number = None
    val_accuracy: Share | None = None
    best_val_loss: Number = None
    best_val_accuracy: Share | None = None
    test_loss: Number = None
    test_accuracy: Share | None = None
    test_top5: Share | None = None
    test_correct: Count | None = None
    test_count: Count | None = None
    test_scored: Count | None = None
    elapsed_s: Number = None
    precision: Text | None = None
    device_name: Text | None = None
    split_note: Text | None = None
    reason: Text | None = None
    spark_loss: Series | None = None
    spark_accuracy: Series | None = None


class Onnx(_Part):
    """How the ONNX file compares with PyTorch, see `cnncore.analysis.onnx_export.Comparison`."""

    max_difference: float
    largest_output: float
    num_real: Count
    num_random: Count
    opset: int


class Threshold(_Part):
    """`cnncore.training.familiarity.Familiarity` without its features."""

    threshold: Annotated[float, Field(ge=0, le=2)]
    false_alarms: Share
    held_out: Count
    own: bool


class Record(_Part):
    """The whole of it.

    Attributes:
        made: When the bundle was made, as ISO 8601 has it.
        name: Of the run.
        config: Its settings, without paths of the machine it was trained on.
        in_shape: Channels, height and width.
        fingerprint: Of the images.
        counts: Images of each class by split; None where the images are not at hand any more.
    """

    format: Literal[1] = FORMAT
    made: Text
    run: Annotated[str, Field(pattern=r"^[0-9a-f]{6,32}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    config: dict[str, Any]
    in_shape: tuple[Annotated[int, Field(ge=1, le=16)], Side, Side]
    fingerprint: Text = ""
    results: Results
    counts: dict[str, tuple[Count, ...]] | None = None
    onnx: Onnx
    familiarity: Threshold | None = None
    versions: Annotated[dict[Text, Text], Field(max_length=100)] = Field(default_factory=dict[str, str])


def without_paths(config: TrainConfig) -> TrainConfig:
    """Settings that name no place of a machine, neither of the one that wrote nor of the one that reads."""
    return config.model_copy(update={"data": config.data.model_copy(update={"path": None})})
