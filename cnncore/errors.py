"""The errors a person may meet, each one sentence plus what to do, and table look-ups that suggest the nearest name.

LabError
├── ConfigError    a setting is impossible; `field` is its dotted name
├── DataError      an image file, a data set or a cache is missing, broken or wrongly laid out
├── RunError       a run does not exist or is in the wrong state for what was asked
├── StoreError     the run store cannot be opened, or its database does not answer any more
├── WeightsError   a file of weights is broken, unsafe or of another network
├── DeviceError    the hardware cannot do what was asked
└── TrainingError  a run ended early: the loss stopped being a number, memory or disk ran out
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")
MOST_NAMED = 15
"""Longest table whose keys an error lists."""
EXAMPLES = 5
"""How many keys of a longer one it names."""


class LabError(Exception):
    """Something a person can mend: what is wrong and what is allowed (`message`), what to do (`hint`)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigError(LabError):
    """A setting is impossible or contradicts another one; `field` is its dotted name, as in `optimizer.lr`."""

    def __init__(self, field: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.field = field


class DataError(LabError):
    """Image data is missing, broken or wrongly laid out; the message names the file."""


class WeightsError(LabError):
    """A file of weights is broken, holds more than tensors, or does not fit the network."""


class RunError(LabError):
    """A run does not exist, or its status does not allow what was asked."""


class StoreError(LabError):
    """The run store cannot be opened, or its database does not answer any more; nothing of what was asked was done.

    No RunError: it says nothing about any run.
    """


class RunLostError(Exception):
    """A run no longer belongs to this process: somebody closed it, deleted it or started it again.

    No LabError: nothing has to be mended, the process just leaves.
    """


class DeviceError(LabError):
    """The hardware cannot do what was asked."""


class TrainingError(LabError):
    """A run ended before its last epoch; what it learned until then is kept."""


def lookup(table: Mapping[str, T], key: str, what: str, field: str = "") -> T:
    """Return `table[key]`.

    Raises:
        ConfigError: naming the nearest keys, else all of them or, when there are many, some, where `key` is unknown.
    """
    if key in table:
        return table[key]
    # `lr` means `optimizer.lr`, although most of the letters differ.
    near = [name for name in table if name.endswith(f".{key}")] or difflib.get_close_matches(
        key, table, n=3, cutoff=0.5
    )
    hint = f"Did you mean {' or '.join(near)}?" if near else _known(list(table))
    shown = key if len(key) <= 60 else f"{key[:57]}..."
    raise ConfigError(field or what.replace(" ", "_"), f"There is no {what} named {shown!r}.", hint)


def _known(keys: list[str]) -> str:
    if len(keys) <= MOST_NAMED:
        return f"Known: {', '.join(keys)}."
    return f"There are {len(keys):,}, for example {', '.join(keys[:EXAMPLES])}."
