"""CNN Lab's library: the classic convolutional networks, trained, measured and explained.

    from cnncore import TrainConfig, train
    result = train(TrainConfig(), settings={"training.epochs": 3})

Importing the package loads no torch; what needs it is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnncore.config import TrainConfig
    from cnncore.errors import LabError
    from cnncore.models import build_model
    from cnncore.training.api import TrainResult, train

__all__ = ["LabError", "TrainConfig", "TrainResult", "build_model", "train"]

_HOMES = {
    "LabError": "cnncore.errors",
    "TrainConfig": "cnncore.config",
    "TrainResult": "cnncore.training.api",
    "build_model": "cnncore.models",
    "train": "cnncore.training.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
