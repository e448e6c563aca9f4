"""The settings that a run was started with, read back from the store, which other versions of the lab write too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from cnncore.config import TrainConfig
from cnncore.errors import RunError
from cnncore.runs.latencies import KIND as LATENCY
from cnncore.runs.run import Run

C = TypeVar("C", bound=BaseModel)
MAX_NAME = 60


def stored_config(run: Run) -> TrainConfig:
    """The settings of a training, or of what was imported or searched like one.

    Raises:
        RunError: if the run has none, or was made by a version of the lab with other settings.
    """
    if run.kind == LATENCY:
        raise RunError(
            f"{run.name[:MAX_NAME]} is a measurement of latency and has no settings of a training.",
            "Choose a training.",
        )
    return parse_stored(TrainConfig, run.config, run.name[:MAX_NAME])


def parse_stored(kind: type[C], values: Mapping[str, Any], name: str) -> C:
    """Settings as JSON has them, checked.

    Args:
        kind: What they are of.
        values: The settings.
        name: Of the run, for the error.

    Raises:
        RunError: naming the first setting that this version of the lab does not have, or not with this value.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as problems:
        places = problems.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
        setting = ".".join(str(part) for part in places)[:100]
        raise RunError(
            f"The settings of {name} are of another version of the lab: this one does not know its "
            f"{setting or 'form'}.",
            "Use the version that made it, or train it anew.",
        ) from None
