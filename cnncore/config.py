"""What a training run is told: frozen, validated settings with one parser for links, `--set` and JSON.

Every setting has a dotted name (`optimizer.lr`), which is the same in a link's query, after `--set` and in the flat
JSON form. `None` in `model` means "as the architecture's source has it".
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from cnncore.catalog import AUGMENTATIONS, DATASETS, MODELS, PRESETS, DatasetSpec, ModelSpec
from cnncore.errors import ConfigError, lookup

MAX_LINK_VALUE = 2_000
"""Longest value in characters that is read from a link or the command line."""


class Section(BaseModel):
    """A part of the configuration: frozen, and unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelConfig(Section):
    """The network and its options; `None` keeps what its source has."""

    name: str = Field(default="lenet_tutorial", description="network, a key of MODELS")
    activation: Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid"] | None = Field(
        default=None, description="function after each layer"
    )
    norm: Literal["none", "lrn", "batch"] | None = Field(default=None, description="normalization")
    pool: Literal["max", "average", "overlapping", "subsample"] | None = Field(
        default=None, description="kind of pooling"
    )
    dropout: Annotated[float, Field(ge=0, le=0.95)] | None = Field(
        default=None, description="share of hidden units dropped while training"
    )
    width: float = Field(default=1.0, ge=0.125, le=4, description="factor on the number of filters and hidden units")
    input_size: Annotated[int, Field(ge=8, le=512)] | None = Field(
        default=None, description="pixels the images are enlarged or shrunk to before the network"
    )
    init: Literal["pytorch", "kaiming", "glorot", "lecun", "normal"] | None = Field(
        default=None, description="how the weights start"
    )


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
    normalize: Literal["standardize", "unit"] = Field(
        default="standardize", description="standardize: mean 0 and deviation 1 per channel; unit: 0 to 1"
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

    name: Literal["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop"] = "adam"
    lr: float = Field(default=1e-3, gt=0, le=10, description="learning rate")
    momentum: float = Field(default=0.9, ge=0, lt=1)
    beta1: float = Field(default=0.9, ge=0, lt=1)
    beta2: float = Field(default=0.999, ge=0, lt=1)
    eps: float = Field(default=1e-8, gt=0, le=1)
    alpha: float = Field(default=0.99, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0, le=1)


class ScheduleConfig(Section):
    """How the learning rate moves; times are in epochs."""

    name: Literal["constant", "step", "multistep", "cosine", "one_cycle"] = "constant"
    warmup_epochs: float = Field(default=0.0, ge=0, le=1_000)
    step_epochs: float = Field(default=10.0, gt=0, le=10_000)
    gamma: float = Field(default=0.1, gt=0, le=1)
    milestones: Annotated[tuple[Annotated[float, Field(gt=0, le=10_000)], ...], Field(max_length=20)] = ()
    final_fraction: float = Field(
        default=0.0, ge=0, le=1, description="learning rate at the end, as a share of the base rate"
    )
    rise_fraction: float = Field(default=0.3, ge=0, lt=1, description="share of the time during which one cycle rises")
    start_fraction: float = Field(
        default=0.04, gt=0, le=1, description="where one cycle starts, as a share of the base rate"
    )


class TrainingConfig(Section):
    """How long, how large, how exactly."""

    epochs: int = Field(default=5, ge=1, le=2_000)
    batch_size: int = Field(default=128, ge=1, le=16_384)
    label_smoothing: float = Field(default=0.0, ge=0, le=0.5)
    clip_norm: Annotated[float, Field(gt=0, le=1_000)] | None = Field(
        default=None, description="largest length of the gradient; longer ones are shortened"
    )
    ema: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="decay of the moving average of the weights that is evaluated"
    )
    patience: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        default=None, description="epochs without a better validation loss before training ends early"
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d{1,2})?)$")
    compile: bool = Field(default=False, description="torch.compile: slower start, sometimes faster steps")
    deterministic: bool = Field(default=False, description="same numbers bit for bit on a GPU too, at a cost in speed")


class TrainConfig(Section):
    """Everything a training run is told."""

    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    augment: AugmentConfig = AugmentConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    training: TrainingConfig = TrainingConfig()

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


def _fields(section: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    found: dict[str, FieldInfo] = {}
    for name, info in section.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= _fields(kind, f"{prefix}{name}.")
        else:
            found[prefix + name] = info
    return found


FIELDS: dict[str, FieldInfo] = _fields(TrainConfig)
"""Every setting by its dotted name."""


def _adapter(name: str) -> TypeAdapter[Any]:
    info = FIELDS[name]
    annotated: Any = Annotated[info.annotation, info] if info.metadata else info.annotation  # pyright: ignore[reportInvalidTypeForm]
    return TypeAdapter(annotated)


_ADAPTERS: dict[str, TypeAdapter[Any]] = {name: _adapter(name) for name in FIELDS}


def is_optional(name: str) -> bool:
    """Whether the setting may be left to the architecture or switched off (None)."""
    kind = FIELDS[name].annotation
    return typing.get_origin(kind) in (types.UnionType, typing.Union) and type(None) in typing.get_args(kind)


def flatten(config: TrainConfig) -> dict[str, Any]:
    """All settings by dotted name."""
    return {
        f"{section}.{name}": value for section, values in config.model_dump().items() for name, value in values.items()
    }


def differences(config: TrainConfig, base: TrainConfig) -> dict[str, str]:
    """The settings in which `config` differs from `base`, as text that `parse_value` reads back."""
    old = flatten(base)
    return {name: format_value(value) for name, value in flatten(config).items() if value != old[name]}


def format_value(value: object) -> str:
    """Text form of a setting's value; the inverse of `parse_value`."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(format_value(item) for item in typing.cast("tuple[object, ...]", value))
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


_BOUNDS = {
    "minimum": "from {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "up to {}",
    "exclusiveMaximum": "less than {}",
}
_ALLOWED = {
    "training.device": "Allowed: auto, cpu, mps, cuda, cuda:0, cuda:1, …",
    "schedule.milestones": "Allowed: up to 20 epochs with commas between them, for example 5,8.",
}


def _schema_nodes(schema: dict[str, Any]) -> Iterable[dict[str, Any]]:
    yield schema
    for option in schema.get("anyOf", ()):
        yield from _schema_nodes(option)


def _allowed(name: str) -> str:
    """What is allowed for the setting, in words."""
    if name in _ALLOWED:
        return _ALLOWED[name]
    nodes = list(_schema_nodes(_ADAPTERS[name].json_schema()))
    choices = [str(item) for node in nodes for item in node.get("enum", ())]
    if choices:
        return f"Allowed: {', '.join(choices)}."
    bounds = [words.format(f"{node[key]:,}") for key, words in _BOUNDS.items() for node in nodes if key in node]
    kinds = {node.get("type") for node in nodes}
    if "boolean" in kinds:
        return "Allowed: true, false."
    whole = "whole numbers " if "integer" in kinds else ""
    return f"Allowed: {whole}{' '.join(bounds)}." if bounds else ""


def _shorten(text: object) -> str:
    shown = str(text)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def parse_value(name: str, text: str) -> Any:
    """The value that `text` gives the setting `name`.

    Raises:
        ConfigError: for an unknown name or a value that is not allowed, with what is.
    """
    lookup(FIELDS, name, "setting", name)
    text = text.strip()
    if len(text) > MAX_LINK_VALUE:
        raise ConfigError(name, f"{name} is {len(text):,} characters long; at most {MAX_LINK_VALUE:,} are allowed.")
    value: Any = text
    if is_optional(name) and text.lower() in ("none", ""):
        value = None
    elif name == "schedule.milestones":
        value = tuple(part for part in text.split(",") if part.strip())
    try:
        return _ADAPTERS[name].validate_python(value)
    except ValidationError:
        raise ConfigError(name, f"{name} cannot be {_shorten(text)!r}.", _allowed(name)) from None


def _replace(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    nested = config.model_dump()
    for name, value in values.items():
        section, field = name.split(".", 1)
        nested[section][field] = value
    return TrainConfig.model_validate(nested)


def replace(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """`config` with the dotted settings `values`, checked.

    Raises:
        ConfigError: for an unknown name, an impossible value or an impossible combination.
    """
    for name, value in values.items():
        lookup(FIELDS, name, "setting", name)
        try:
            _ADAPTERS[name].validate_python(value)
        except ValidationError:
            raise ConfigError(name, f"{name} cannot be {_shorten(value)!r}.", _allowed(name)) from None
    changed = _replace(config, values)
    check(changed)
    return changed


def with_settings(config: TrainConfig, settings: Iterable[tuple[str, str]]) -> TrainConfig:
    """`config` with settings given as text, the way `--set NAME=VALUE` does it; the first problem is raised.

    Raises:
        ConfigError: for an unknown name, a value that is not allowed or an impossible combination.
    """
    return replace(config, {name: parse_value(name, text) for name, text in settings})


def read_settings(
    config: TrainConfig, settings: Iterable[tuple[str, str]]
) -> tuple[TrainConfig, tuple[ConfigError, ...]]:
    """`config` with as many of the settings as are possible, and why the others are not.

    This is how a link is read: what cannot be taken is named, the rest is kept.
    """
    problems: list[ConfigError] = []
    values: dict[str, Any] = {}
    for name, text in settings:
        try:
            values[name] = parse_value(name, text)
        except ConfigError as error:
            problems.append(error)
    while True:
        try:
            return replace(config, values), tuple(problems)
        except ConfigError as error:
            problems.append(error)
            # Drop what the check blames; if that was not in the link, the newest setting is the one that clashes.
            values.pop(error.field if error.field in values else next(reversed(values)))
        if not values:
            return config, tuple(problems)


def preset(key: str) -> TrainConfig:
    """The configuration of a preset.

    Raises:
        ConfigError: if there is no such preset.
    """
    return replace(TrainConfig(), lookup(PRESETS, key, "preset").settings)


def from_json(text: str) -> TrainConfig:
    """The configuration in a JSON text, nested or flat (dotted names).

    Raises:
        ConfigError: naming the first setting that is wrong.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError("config", f"The configuration is not JSON: {error}.") from None
    if not isinstance(data, dict):
        raise ConfigError("config", "The configuration must be a JSON object.")
    flat: dict[str, Any] = {}
    for key, value in typing.cast("dict[str, Any]", data).items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": item for name, item in typing.cast("dict[str, Any]", value).items()}
        else:
            flat[key] = value
    return replace(TrainConfig(), {name: tuple(v) if isinstance(v, list) else v for name, v in flat.items()})  # pyright: ignore[reportUnknownArgumentType]


def in_shape(config: TrainConfig) -> tuple[int, int, int]:
    """Channels, height and width of the batches the network receives (after `model.input_size`)."""
    channels, height, width = config.dataset_spec.in_shape
    stored = config.data.image_size or height or DEFAULT_FOLDER_SIZE
    size = config.model.input_size or stored
    return channels, size, config.model.input_size or config.data.image_size or width or DEFAULT_FOLDER_SIZE


DEFAULT_FOLDER_SIZE = 64
"""Pixels that images of a folder are stored at unless `data.image_size` says otherwise."""


def check(config: TrainConfig) -> None:
    """Refuse what no run can do, before anything starts.

    Raises:
        ConfigError: naming the setting, the reason and the way out.
    """
    spec = config.model_spec
    _ = config.dataset_spec
    check_options(config.model, spec)
    _check_data(config, spec)
    _check_training(config, spec)


def check_options(model: ModelConfig, spec: ModelSpec) -> None:
    """Refuse options that the network cannot have.

    Raises:
        ConfigError: naming the option, the reason and what is allowed.
    """
    for name in ("activation", "norm", "pool", "dropout", "init"):
        value = getattr(model, name)
        if value is None:
            continue
        reason = spec.refusals.get(f"{name}={value}") or (
            spec.refusals.get(name) if name not in spec.defaults else None
        )
        if reason or name not in spec.defaults:
            raise ConfigError(f"model.{name}", reason or f"{spec.title} has no option {name}.", "Leave it as it is.")
        allowed = spec.choices.get(name)
        if allowed and value not in allowed:
            raise ConfigError(
                f"model.{name}", f"{spec.title} cannot use {name} {value!r}.", f"Allowed: {', '.join(allowed)}."
            )


def _check_data(config: TrainConfig, spec: ModelSpec) -> None:
    data = config.data
    if data.dataset == "folder" and not data.path:
        raise ConfigError("data.path", "A folder of images needs its path.", "Give the folder that holds the classes.")
    if data.dataset != "folder" and data.path:
        raise ConfigError("data.path", f"{config.dataset_spec.title} takes no path.", "Choose the data set 'folder'.")
    available = config.dataset_spec.num_train
    if available and data.train_images and data.train_images > available:
        raise ConfigError(
            "data.train_images",
            f"{config.dataset_spec.title} has {available:,} training images, not {data.train_images:,}.",
            f"Allowed: from 1 up to {available:,}.",
        )
    size = min(in_shape(config)[1:])
    if size < spec.min_size:
        raise ConfigError(
            "model.input_size" if config.model.input_size else "model.name",
            f"{spec.title} needs images of at least {spec.min_size}×{spec.min_size} pixels; these have {size}×{size}.",
            f"Set the input size to {max(spec.min_size, spec.native_size)} to enlarge them.",
        )


def _check_training(config: TrainConfig, spec: ModelSpec) -> None:
    training, schedule = config.training, config.schedule
    if config.option("norm") == "batch" and training.batch_size < 2:
        raise ConfigError(
            "training.batch_size", "Batch normalization needs at least 2 images a batch.", "Use 2 or more."
        )
    if config.augment.mixup > 0 and config.augment.cutmix > 0:
        raise ConfigError("augment.cutmix", "Mixup and CutMix cannot be on together.", "Set one of them to 0.")
    if schedule.warmup_epochs >= training.epochs and schedule.warmup_epochs > 0:
        raise ConfigError(
            "schedule.warmup_epochs",
            f"A warm-up of {schedule.warmup_epochs:g} epochs leaves nothing of {training.epochs} epochs.",
            "Make it shorter than the training.",
        )
    if schedule.name == "multistep" and not schedule.milestones:
        raise ConfigError("schedule.milestones", "The schedule with milestones needs at least one.", "For example 5,8.")
    if list(schedule.milestones) != sorted(set(schedule.milestones)):
        raise ConfigError("schedule.milestones", "The milestones must rise.", "For example 5,8.")
    if config.optimizer.name == "nesterov" and config.optimizer.momentum == 0:
        raise ConfigError("optimizer.momentum", "Nesterov momentum needs a momentum above 0.", "0.9 is usual.")
    if training.patience and config.data.validation == 0 and not _has_own_validation(config):
        raise ConfigError(
            "training.patience", "Stopping early needs validation images.", "Set data.validation above 0."
        )


def _has_own_validation(config: TrainConfig) -> bool:
    spec = config.dataset_spec
    spare = spec.num_train - (config.data.train_images or spec.num_train)
    return spec.num_validation > 0 or spare > 0 or config.data.dataset == "folder"


def readable_name(config: TrainConfig) -> str:
    """What a run with this configuration is called until a person renames it."""
    return f"{config.model_spec.title} on {config.dataset_spec.title.partition(',')[0]}"
