"""What undoing and doing again mean after any history: step by step back, and forth as long as nothing else was done.

An undo is itself a version, so that nothing is ever lost; this finds out where in the chain of changes a set stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnncore.images.edits import Edit, Undo
from cnncore.images.history import Version


@dataclass(frozen=True)
class Step:
    """One step back or forth.

    Attributes:
        to: The version to return to.
        edits: What is taken back, or done again.
    """

    to: int
    edits: tuple[Edit, ...]


def steps(versions: Sequence[Version]) -> tuple[Step | None, Step | None]:
    """The step back and the step forth that are possible after the last of the versions.

    Args:
        versions: All of a set's, from the first on.
    """
    origin = [0]  # of each version: the earliest one with the same content by way of undoing
    past, future = [0], list[int]()
    for number, version in enumerate(versions, 1):
        target = version.edits[0].to if len(version.edits) == 1 and isinstance(version.edits[0], Undo) else None
        origin.append(number if target is None else origin[target])
        if target is None:
            past, future = [*past, number], []
        elif origin[target] in past:
            cut = past.index(origin[target]) + 1
            past, future = past[:cut], [*future, *reversed(past[cut:])]
        elif future and future[-1] == origin[target]:
            past, future = [*past, future[-1]], future[:-1]
        else:
            past, future = [*past, origin[target]], []
    return (
        Step(past[-2], versions[past[-1] - 1].edits) if len(past) > 1 else None,
        Step(future[-1], versions[future[-1] - 1].edits) if future else None,
    )
