"""The settings of a run: frozen sections with their meanings, units and ranges."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cnncore.catalog import AUGMENTATIONS, DATASETS, MODELS, DatasetSpec, ModelSpec
from cnncore.errors import lookup

DEFAULT_FOLDER_SIZE = 64
"""Pixels that images of a folder are stored at unless `data.image_size` says otherwise."""


class Section(BaseModel):
    """A part of the configuration: frozen, and unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelConfig(Section):
    """The network and its options; `None` keeps what its source has."""

    name: str = Field(default="lenet_tutorial", description="network, a key of MODELS")
    activation: Literal["relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid"] | None = Field(
        default=None, description="function after each layer"
    )
    norm: Literal["none", "lrn", "batch"] | None = Field(default=None, description="normalization")
    pool: Literal["max", "average", "overlapping", "subsample"] | None = Field(
        default=None, description="kind of pooling"
    )
    dropout: Annotated[float, Field(ge=0, le=0.95)] | None = Field(
        default=None, description="share of hidden units dropped while training"
    )
    stem: Literal["auto", "published", "small"] | None = Field(
        default=None, description="first layers; auto takes those for small images below 96 pixels"
    )
    shortcut: Literal["A", "B", "C"] | None = Field(
        default=None, description="shortcuts of a residual network where sizes differ (A, B) or everywhere (C)"
    )
    stride_in: Literal["1x1", "3x3"] | None = Field(
        default=None, description="convolution of a bottleneck block that halves the maps"
    )
    module: Literal["reduced", "naive"] | None = Field(
        default=None, description="Inception module with or without 1×1 reductions"
    )
    output: Literal["dense", "rbf"] | None = Field(default=None, description="last layer of LeNet-5")
    aux: Literal["on", "off"] | None = Field(default=None, description="auxiliary heads while training")
    width: float = Field(default=1.0, ge=0.125, le=4, description="factor on the number of filters and hidden units")
    input_size: Annotated[int, Field(ge=8, le=512)] | None = Field(
        default=None, description="pixels the images are enlarged or shrunk to before the network"
    )
    init: Literal["pytorch", "kaiming", "glorot", "lecun", "normal"] | None = Field(
        default=None, description="how the weights start"
    )


MODEL_OPTIONS = tuple(name for name in ModelConfig.model_fields if name not in ("name", "width", "input_size"))
"""The settings of a network that only some networks have."""


class DataConfig(Section):
    """The images and how they are divided."""

    dataset: str = Field(default="mnist5k", description="data set, a key of DATASETS")
    path: str | None = Field(
        default=None, max_length=1_000, description="folder on this machine, for the data set 'folder'"
    )
    train_images: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(
        default=None, description="how many training images are used, all if not given"
    )
    validation: float = Field(
        default=0.1, ge=0, le=0.5, description="share of the training images set aside for validation"
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="seed of the division")
    image_size: Annotated[int, Field(ge=8, le=512)] | None = Field(
        default=None, description="pixels the images are stored at; native size if not given"
    )
    image_set: Annotated[str, Field(pattern=r"^[0-9a-f]{12}@[1-9]\d{0,8}$")] | None = Field(
        default=None, description="id@version of an image set of this lab, for the data set 'image_set'"
    )
    crop: float = Field(
        default=1.0, ge=0.5, le=1, description="side of the middle square that is kept, as a share of the shorter side"
    )
    interpolation: Literal["bicubic", "bilinear"] = Field(
        default="bicubic", description="how images of a folder or an image set are resized"
    )
    normalize: Literal["standardize", "unit", "symmetric", "imagenet"] = Field(
        default="standardize",
        description="standardize: mean 0 and deviation 1 per channel; unit: 0 to 1; symmetric: -1 to 1; "
        "imagenet: by ImageNet's mean and deviation, as most imported weights want it",
    )


class AugmentConfig(Section):
    """Random changes of the training images; 0 turns one off. Ranges and meanings stand in AUGMENTATIONS."""

    crop_padding: int = Field(default=0, ge=0, le=16)
    flip_horizontal: float = Field(default=0.0, ge=0, le=1)
    flip_vertical: float = Field(default=0.0, ge=0, le=1)
    rotation: float = Field(default=0.0, ge=0, le=180)
    translation: float = Field(default=0.0, ge=0, le=0.5)
    zoom: float = Field(default=0.0, ge=0, le=0.5)
    brightness: float = Field(default=0.0, ge=0, le=1)
    contrast: float = Field(default=0.0, ge=0, le=1)
    saturation: float = Field(default=0.0, ge=0, le=1)
    hue: float = Field(default=0.0, ge=0, le=0.5)
    erasing: float = Field(default=0.0, ge=0, le=1)
    mixup: float = Field(default=0.0, ge=0, le=2)
    cutmix: float = Field(default=0.0, ge=0, le=2)

    @property
    def active(self) -> tuple[str, ...]:
        """Names of the augmentations that are on, in the order in which they are applied."""
        return tuple(name for name in AUGMENTATIONS if getattr(self, name) > 0)


class OptimizerConfig(Section):
    """How the weights are moved; which of these an optimizer reads stands in OPTIMIZERS."""

    name: Literal["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop"] = Field(
        default="adam", description="rule that turns gradients into steps"
    )
    lr: float = Field(default=1e-3, gt=0, le=10, description="learning rate")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="share of the previous step that is carried on")
    beta1: float = Field(default=0.9, ge=0, lt=1, description="decay of the moving average of the gradient")
    beta2: float = Field(default=0.999, ge=0, lt=1, description="decay of the moving average of the squared gradient")
    eps: float = Field(default=1e-8, gt=0, le=1, description="added to the denominator")
    alpha: float = Field(
        default=0.99, ge=0, lt=1, description="decay of the moving average of the squared gradient, of RMSprop"
    )
    weight_decay: float = Field(default=0.0, ge=0, le=1, description="how strongly weights are pulled towards zero")


class ScheduleConfig(Section):
    """How the learning rate moves; times are in epochs."""

    name: Literal["constant", "step", "multistep", "cosine", "one_cycle"] = Field(
        default="constant", description="how the learning rate moves"
    )
    warmup_epochs: float = Field(
        default=0.0, ge=0, le=1_000, description="epochs over which the rate rises to its full height"
    )
    step_epochs: float = Field(
        default=10.0, gt=0, le=10_000, description="epochs between two drops of the schedule step"
    )
    gamma: float = Field(default=0.1, gt=0, le=1, description="what the rate is multiplied by at a drop")
    milestones: Annotated[tuple[Annotated[float, Field(gt=0, le=10_000)], ...], Field(max_length=20)] = Field(
        default=(), description="epochs at which the schedule multistep drops"
    )
    final_fraction: float = Field(
        default=0.0, ge=0, le=1, description="learning rate at the end, as a share of the base rate"
    )
    rise_fraction: float = Field(default=0.3, ge=0, lt=1, description="share of the time during which one cycle rises")
    start_fraction: float = Field(
        default=0.04, gt=0, le=1, description="where one cycle starts, as a share of the base rate"
    )


class TrainingConfig(Section):
    """How long, how large, how exactly."""

    epochs: int = Field(default=5, ge=1, le=2_000, description="how often every training image is seen")
    batch_size: int = Field(default=128, ge=1, le=16_384, description="images a step looks at")
    label_smoothing: float = Field(
        default=0.0, ge=0, le=0.5, description="share of the target that is spread over all classes"
    )
    clip_norm: Annotated[float, Field(gt=0, le=1_000)] | None = Field(
        default=None, description="largest length of the gradient; longer ones are shortened"
    )
    ema: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="decay of the moving average of the weights that is evaluated"
    )
    patience: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        default=None, description="epochs without a better validation loss before training ends early"
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="start of all random numbers")
    start_from: Annotated[str, Field(pattern=r"^[0-9a-f]{6,32}$")] | None = Field(
        default=None, description="id of the run whose weights training starts from; random ones if not given"
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        default="auto", description="number format; auto: bfloat16 where the hardware does it natively, else float32"
    )
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d{1,2})?)$",
        description="what computes; auto: the first usable GPU, else the processor",
    )
    compile: bool = Field(default=False, description="torch.compile: slower start, sometimes faster steps")
    deterministic: bool = Field(default=False, description="same numbers bit for bit on a GPU too, at a cost in speed")
    tensorboard: bool = Field(default=False, description="also write TensorBoard event files while training")


class TransferConfig(Section):
    """What a network takes over from another training, and what of it may still change.

    The weights come from `backbone`, or from the run `training.start_from`.
    """

    backbone: str | None = Field(
        default=None, max_length=60, description="pretrained weights, a key of BACKBONES; none if not given"
    )
    head: Literal["network", "linear", "hidden"] = Field(
        default="network",
        description="network: the network's own last layer; linear, hidden: a new one, without or with a hidden layer",
    )
    hidden_units: int = Field(default=256, ge=1, le=8_192, description="units of the head's hidden layer")
    head_dropout: float = Field(default=0.0, ge=0, le=0.95, description="share of the head's inputs dropped")
    frozen: Annotated[tuple[Annotated[str, Field(pattern=r"^\w{1,40}$")], ...], Field(max_length=64)] = Field(
        default=(), description="stages that keep their weights at the start; all: every stage but the head"
    )
    unfreeze_every: float = Field(
        default=0.0,
        ge=0,
        le=1_000,
        description="epochs after which the next frozen stage from the top learns; 0: never",
    )
    stage_lr: Annotated[tuple[Annotated[float, Field(gt=0, le=100)], ...], Field(max_length=64)] = Field(
        default=(), description="factor on the learning rate of each stage, input side first; 1 where not given"
    )
    batch_norm: Literal["held", "adapting"] = Field(
        default="held", description="statistics of batch normalization in frozen stages: held, or following the images"
    )
    views: int = Field(
        default=1,
        ge=0,
        le=32,
        description="views of each training image whose features are kept while all stages are frozen: 1 the "
        "image itself, 2 or more with augmented ones; 0: none kept",
    )

    @property
    def active(self) -> bool:
        """Whether this is transfer learning: a new head, weights of a backbone, or stages that are frozen."""
        return self.backbone is not None or self.head != "network" or bool(self.frozen)


class TrainConfig(Section):
    """Everything a training run is told."""

    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    augment: AugmentConfig = AugmentConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    training: TrainingConfig = TrainingConfig()
    transfer: TransferConfig = TransferConfig()

    @property
    def model_spec(self) -> ModelSpec:
        return lookup(MODELS, self.model.name, "network", "model.name")

    @property
    def dataset_spec(self) -> DatasetSpec:
        return lookup(DATASETS, self.data.dataset, "data set", "data.dataset")

    def option(self, name: str) -> Any:
        """The value a network option has: the one that was set, else the published one (None if it has no such)."""
        value = getattr(self.model, name)
        return self.model_spec.defaults.get(name) if value is None else value


def in_shape(config: TrainConfig) -> tuple[int, int, int]:
    """Channels, height and width of the batches the network receives (after `model.input_size`)."""
    channels, height, width = config.dataset_spec.in_shape
    stored = config.data.image_size or height or DEFAULT_FOLDER_SIZE
    size = config.model.input_size or stored
    return channels, size, config.model.input_size or config.data.image_size or width or DEFAULT_FOLDER_SIZE


def readable_name(config: TrainConfig) -> str:
    """What a run with this configuration is called until a person renames it."""
    images = config.dataset_spec.title.partition(",")[0]
    if config.data.dataset == "folder":
        images = PurePath(config.data.path or "").name or "a folder of images"
    return f"{config.model_spec.title} on {images}"
