"""Transfer learning: which combinations of settings are possible."""

from __future__ import annotations

from cnncore.catalog import frozen_stages, stages_of
from cnncore.catalog.backbones import BACKBONES
from cnncore.config.sections import TrainConfig
from cnncore.errors import ConfigError, lookup


def check_transfer(config: TrainConfig) -> None:
    """Refuse what transfer learning cannot do.

    Raises:
        ConfigError: naming the setting, the reason and the way out.
    """
    transfer = config.transfer
    _check_stages(config)
    if transfer.backbone is not None:
        _check_backbone(config, transfer.backbone)
    if config.augment.mixup > 0 or config.augment.cutmix > 0:
        every = frozen_stages(config.model.name, ("all",))
        if transfer.views and frozen_stages(config.model.name, transfer.frozen) == every:
            raise ConfigError(
                "transfer.views",
                "Mixup and CutMix blend other images in every epoch, so no features can be kept.",
                "Set the views to 0, or both blends to 0.",
            )


def _check_backbone(config: TrainConfig, key: str) -> None:
    spec = lookup(BACKBONES, key, "backbone", "transfer.backbone")
    if config.training.start_from is not None:
        raise ConfigError(
            "training.start_from",
            "A network starts from pretrained weights or from a run's, not from both.",
            "Leave one of training.start_from and transfer.backbone empty.",
        )
    if config.model.name != spec.network:
        raise ConfigError(
            "model.name",
            f"{spec.title}'s weights are of the network {spec.network}, not of {config.model.name}.",
            f"Set model.name to {spec.network}.",
        )


def _check_stages(config: TrainConfig) -> None:
    transfer, stages = config.transfer, stages_of(config.model.name)
    known = [stage.key for stage in stages]
    for name in transfer.frozen:
        if name != "all" and name not in known:
            raise ConfigError(
                "transfer.frozen",
                f"{config.model_spec.title} has no stage {name!r}.",
                f"Allowed: all, {', '.join(known)}.",
            )
    if len(transfer.stage_lr) > len(stages):
        raise ConfigError(
            "transfer.stage_lr",
            f"There are {len(transfer.stage_lr)} factors for {len(stages)} stages of {config.model_spec.title}.",
            f"Give up to {len(stages)}, input side first.",
        )
