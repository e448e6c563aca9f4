"""The commands of `python -m cnncore`: one file a topic, each with a table of its own."""

from __future__ import annotations

from cnncore.commands import (
    backbones,
    bundles,
    export,
    images,
    inspect,
    networks,
    predict,
    repeats,
    runs,
    training,
    weights,
)
from cnncore.commands.command import Command

COMMANDS: dict[str, Command] = {
    **training.COMMANDS,
    **runs.COMMANDS,
    **repeats.COMMANDS,
    **networks.COMMANDS,
    **weights.COMMANDS,
    **backbones.COMMANDS,
    **export.COMMANDS,
    **bundles.COMMANDS,
    **images.COMMANDS,
    **predict.COMMANDS,
    **inspect.COMMANDS,
}
"""Every command by its name."""
