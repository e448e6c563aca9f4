"""What a training run is told: frozen, validated settings with one parser for links, `--set` and JSON.

Every setting has a dotted name (`optimizer.lr`), which is the same in a link's query, after `--set` and in the flat
JSON form. `None` in `model` means "as the architecture's source has it".
"""

from __future__ import annotations

from cnncore.config.checks import (
    check,
    check_options,
    check_size,
)
from cnncore.config.sections import (
    DEFAULT_FOLDER_SIZE,
    AugmentConfig,
    DataConfig,
    ModelConfig,
    OptimizerConfig,
    ScheduleConfig,
    Section,
    TrainConfig,
    TrainingConfig,
    TransferConfig,
    in_shape,
    readable_name,
)
from cnncore.config.settings import (
    FIELDS,
    MAX_LINK_VALUE,
    command,
    differences,
    flatten,
    format_value,
    from_json,
    is_list,
    is_optional,
    meaning,
    nearest_preset,
    parse_value,
    preset,
    read_settings,
    replace,
    with_settings,
)
from cnncore.config.transfer import transfer_base, transfer_from_run

__all__ = [
    "DEFAULT_FOLDER_SIZE",
    "FIELDS",
    "MAX_LINK_VALUE",
    "AugmentConfig",
    "DataConfig",
    "ModelConfig",
    "OptimizerConfig",
    "ScheduleConfig",
    "Section",
    "TrainConfig",
    "TrainingConfig",
    "TransferConfig",
    "check",
    "check_options",
    "check_size",
    "command",
    "differences",
    "flatten",
    "format_value",
    "from_json",
    "in_shape",
    "is_list",
    "is_optional",
    "meaning",
    "nearest_preset",
    "parse_value",
    "preset",
    "read_settings",
    "readable_name",
    "replace",
    "transfer_base",
    "transfer_from_run",
    "with_settings",
]
