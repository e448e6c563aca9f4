"""The commands of `python -m cnncore`: one file a topic, each with a table of its own."""

from __future__ import annotations

from cnncore.commands import networks, runs, training, weights
from cnncore.commands.command import Command

COMMANDS: dict[str, Command] = {**training.COMMANDS, **runs.COMMANDS, **networks.COMMANDS, **weights.COMMANDS}
"""Every command by its name."""
