"""What the lab knows by name, as plain tables: networks, data sets, augmentations, optimizers, schedules, presets.

To add one, add a row here (and, for a network or an augmentation, the function the row names).
Nothing here imports torch.
"""

from cnncore.catalog.augmentations import AUGMENTATIONS, AugmentationSpec
from cnncore.catalog.backbone_files import backbones_at_hand, weights_file
from cnncore.catalog.backbones import BACKBONES, DEFAULT_BACKBONE, BackboneSpec
from cnncore.catalog.datasets import DATASETS, DatasetSpec, RemoteFile
from cnncore.catalog.models import FAMILIES, MODELS, ModelSpec, Published
from cnncore.catalog.optimizers import OPTIMIZERS, OptimizerSpec
from cnncore.catalog.presence import at_hand
from cnncore.catalog.presets import DEFAULT_PRESET, PRESETS, PresetSpec
from cnncore.catalog.schedules import SCHEDULES, ScheduleSpec, learning_rate_factor
from cnncore.catalog.stages import Stage, frozen_stages, head_of, stage_title, stages_of

__all__ = [
    "AUGMENTATIONS",
    "BACKBONES",
    "DATASETS",
    "DEFAULT_BACKBONE",
    "DEFAULT_PRESET",
    "FAMILIES",
    "MODELS",
    "OPTIMIZERS",
    "PRESETS",
    "SCHEDULES",
    "AugmentationSpec",
    "BackboneSpec",
    "DatasetSpec",
    "ModelSpec",
    "OptimizerSpec",
    "PresetSpec",
    "Published",
    "RemoteFile",
    "ScheduleSpec",
    "Stage",
    "at_hand",
    "backbones_at_hand",
    "frozen_stages",
    "head_of",
    "learning_rate_factor",
    "stage_title",
    "stages_of",
    "weights_file",
]
