"""Combinations of settings that no run can do, each refused with the reason and the way out."""

from __future__ import annotations

from cnncore.catalog import ModelSpec
from cnncore.config.sections import MODEL_OPTIONS, ModelConfig, TrainConfig, in_shape
from cnncore.config.transfer import check_transfer
from cnncore.errors import ConfigError


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
    check_transfer(config)


def check_options(model: ModelConfig, spec: ModelSpec) -> None:
    """Refuse options that the network cannot have.

    Raises:
        ConfigError: naming the option, the reason and what is allowed.
    """
    if model.width != 1 and "width" in spec.refusals:
        raise ConfigError("model.width", spec.refusals["width"], "Leave it at 1.")
    for name in MODEL_OPTIONS:
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
    if data.dataset == "image_set" and not data.image_set:
        raise ConfigError("data.image_set", "No image set was chosen.", "Make one on the Transfer page, or choose one.")
    if data.dataset != "image_set" and data.image_set:
        raise ConfigError(
            "data.image_set", f"{config.dataset_spec.title} is no image set.", "Choose the data set 'image_set'."
        )
    if data.normalize == "imagenet" and in_shape(config)[0] != 3:
        raise ConfigError(
            "data.normalize",
            f"{config.dataset_spec.title} has gray images, ImageNet's mean and deviation are of color images.",
            "Choose standardize, unit or symmetric.",
        )
    available = config.dataset_spec.num_train
    if available and data.train_images and data.train_images > available:
        raise ConfigError(
            "data.train_images",
            f"{config.dataset_spec.title} has {available:,} training images, not {data.train_images:,}.",
            f"Allowed: from 1 up to {available:,}.",
        )
    check_size(
        config.model,
        spec,
        *in_shape(config)[1:],
        blamed="model.input_size" if config.model.input_size else "model.name",
    )


def check_size(
    model: ModelConfig, spec: ModelSpec, height: int, width: int, *, blamed: str = "model.input_size"
) -> None:
    """Refuse images that leave the network nothing to classify; `height` and `width` are those at its first layer.

    Raises:
        ConfigError: naming the least size and the way out.
    """
    side = min(height, width)
    least = spec.least_size(model.stem, side)
    if side >= least:
        return
    hint = f"Set the input size to {max(least, spec.native_size)} to enlarge them"
    if least > spec.min_size:
        hint += ', or the stem to "small"'
    raise ConfigError(
        blamed,
        f"{spec.title} needs images of at least {least}×{least} pixels; these have {height}×{width}.",
        f"{hint}.",
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
    return spec.num_validation > 0 or spare > 0 or not spec.num_train
