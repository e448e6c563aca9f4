"""What the commands share: their shape, and how settings and the store are found."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnncore import places
from cnncore.errors import ConfigError

if TYPE_CHECKING:
    from cnncore.runs.store import RunStore


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command.

    Attributes:
        help: What it does, in one line.
        run: Carries it out and returns the exit code.
        options: Adds its arguments to a parser.
    """

    help: str
    run: Callable[[argparse.Namespace], int]
    options: Callable[[argparse.ArgumentParser], None]


def pairs(settings: Sequence[str], option: str = "set") -> list[tuple[str, str]]:
    """The names and values of `--set`, or of another option of its kind.

    Raises:
        ConfigError: where an equals sign is missing.
    """
    found: list[tuple[str, str]] = []
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(
                option, f"--{option} takes NAME=VALUE, not {text[:60]!r}.", "For example optimizer.lr=1e-3."
            )
        found.append((name.strip(), value))
    return found


def check_range(name: str, values: Sequence[int], least: int, most: int) -> None:
    """Refuse numbers of an option that are too small or too large.

    Raises:
        ConfigError: naming the first one.
    """
    for value in values:
        if not least <= value <= most:
            raise ConfigError(name, f"--{name} cannot be {value:,}.", f"Allowed: from {least} up to {most:,}.")


def open_store() -> RunStore:
    """The run store of this lab."""
    from cnncore.runs.store import RunStore

    return RunStore(places.database_url())


def network_name(text: str) -> str:
    """The network that a person means, as `cnncore.runs.subjects` names it: so, or a run by id, beginning or name.

    Raises:
        LabError: if there is none, or more than one.
    """
    from cnncore.runs.subjects import KINDS, parse_subject

    if text.partition(":")[0] in KINDS and ":" in text:
        return str(parse_subject(text))
    return f"run:{open_store().find(text).id}"


def run_argument(parser: argparse.ArgumentParser) -> None:
    """The argument that names a run."""
    parser.add_argument("run", help="id of the run, or its beginning")
