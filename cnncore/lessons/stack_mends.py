"""What would mend a stack that breaks: one small change each, tried out before it is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cnncore.lessons.stack_text import RANGES
from cnncore.lessons.stacks import MOST_LAYERS, Layer, build_stack

SIZES = (16, 512)
"""Smallest and largest input in pixels."""


@dataclass(frozen=True, kw_only=True)
class Mend:
    """A change after which the layer that was impossible is possible.

    Attributes:
        words: What is changed.
        layers: The stack with it.
        size: Height and width of the input with it, in pixels.
    """

    words: str
    layers: tuple[Layer, ...]
    size: int


def mends(channels: int, size: int, layers: Sequence[Layer]) -> tuple[Mend, ...]:
    """The changes that mend the first impossible layer of a stack on a square input; none for a stack that is whole.

    Each is the smallest of its kind: a smaller window, more padding, other groups, a flatten in front, a larger input,
    or to leave the layer out. The input is made so large that the whole stack is possible, where that can be.
    """
    place = build_stack((channels, size, size), layers).broken_at
    if place < 0:
        return ()
    found: list[Mend] = []
    for candidates in (
        _with_kernel(layers, place, size),
        _with_padding(layers, place, size),
        _with_groups(layers, place, size),
        _flattened(layers, place, size),
        _enlarged(channels, layers, size),
        _without(layers, place, size),
    ):
        found += next(([mend] for mend in candidates if _mended(channels, mend, place)), [])
    return tuple(found)


def _mended(channels: int, mend: Mend, place: int) -> bool:
    broken_at = build_stack((channels, mend.size, mend.size), mend.layers).broken_at
    return broken_at < 0 or broken_at > place


def _changed(layers: Sequence[Layer], place: int, size: int, words: str, **values: int) -> Mend:
    changed = [replace(layer, **values) if at == place else layer for at, layer in enumerate(layers)]
    return Mend(words=words, layers=tuple(changed), size=size)


def _with_kernel(layers: Sequence[Layer], place: int, size: int) -> Iterator[Mend]:
    for kernel in range(layers[place].kernel - 1, 0, -1):
        yield _changed(layers, place, size, f"a window of {kernel} × {kernel}", kernel=kernel)


def _with_padding(layers: Sequence[Layer], place: int, size: int) -> Iterator[Mend]:
    if layers[place].kind in ("conv", "pool"):
        for padding in range(layers[place].padding + 1, RANGES["padding"][1] + 1):
            yield _changed(layers, place, size, f"a padding of {padding}", padding=padding)
        for padding in range(layers[place].padding - 1, -1, -1):
            yield _changed(layers, place, size, f"a padding of {padding}", padding=padding)


def _with_groups(layers: Sequence[Layer], place: int, size: int) -> Iterator[Mend]:
    if layers[place].groups > 1:
        for groups in range(layers[place].groups - 1, 0, -1):
            words = f"{groups} groups" if groups > 1 else "one group"
            yield _changed(layers, place, size, words, groups=groups)


def _flattened(layers: Sequence[Layer], place: int, size: int) -> Iterator[Mend]:
    if len(layers) < MOST_LAYERS and layers[place].kind == "dense":
        with_flatten = (*layers[:place], Layer(kind="flatten"), *layers[place:])
        yield Mend(words="a flatten in front of it", layers=with_flatten, size=size)


def _enlarged(channels: int, layers: Sequence[Layer], size: int) -> Iterator[Mend]:
    """The input at which the whole stack is possible first, then those for which the broken layer may be."""
    larger = [
        Mend(words=f"an input of {side} × {side}", layers=tuple(layers), size=side)
        for side in range(size + 1, SIZES[1] + 1)
    ]
    yield from (mend for mend in larger if _mended(channels, mend, len(layers)))
    yield from larger


def _without(layers: Sequence[Layer], place: int, size: int) -> Iterator[Mend]:
    yield Mend(words="leaving it out", layers=(*layers[:place], *layers[place + 1 :]), size=size)
