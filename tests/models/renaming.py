"""Our tensors of CIFAR ResNets under the names that others give them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_COMMON = (
    (r"^stem\.conv\.", "conv1."),
    (r"^stem\.norm\.", "bn1."),
    (r"^stage(\d)\.", r"layer\1."),
    (r"\.conv(\d)\.norm\.", r".bn\1."),
    (r"\.conv(\d)\.conv\.", r".conv\1."),
)
SPELLINGS = {
    "akamaster": (*_COMMON, (r"^output\.", "linear.")),
    "kuangliu": (*_COMMON, (r"\.shortcut\.conv\.", ".shortcut.0."), (r"\.shortcut\.norm\.", ".shortcut.1."),
                 (r"^output\.", "linear.")),
    "chenyaofo": (*_COMMON, (r"\.shortcut\.conv\.", ".downsample.0."), (r"\.shortcut\.norm\.", ".downsample.1."),
                  (r"^output\.", "fc.")),
}  # fmt: skip


def cifar_names(state: Mapping[str, Tensor], spelling: str) -> dict[str, Tensor]:
    """The tensors as the repository of this author names them."""
    if spelling == "akamaster":
        state = zeros_on_both_sides(state)
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        for pattern, replacement in SPELLINGS[spelling]:
            name = re.sub(pattern, replacement, name)
        found[re.sub(r"\.block(\d+)\.", lambda number: f".{int(number[1]) - 1}.", name)] = value
    return found


def zeros_on_both_sides(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights with their channels where a shortcut leaves them that pads half of the zeros before the others."""
    found = dict(state)
    places = list(range(len(state["stem.conv.weight"])))
    for block in sorted({match[0] for match in map(re.compile(r"stage\d\.block\d+").match, state) if match}):
        inputs, count = places, len(state[f"{block}.conv2.conv.weight"])
        if count > len(places):
            shifted = [place + (count - len(places)) // 2 for place in places]
            places = shifted + [place for place in range(count) if place not in shifted]
        found[f"{block}.conv1.conv.weight"] = _moved(state[f"{block}.conv1.conv.weight"], inputs, 1)
        for name in [name for name in state if name.startswith(f"{block}.conv2.") and state[name].ndim]:
            found[name] = _moved(state[name], places, 0)
    found["output.weight"] = _moved(state["output.weight"], places, 1)
    return found


def _moved(value: Tensor, places: list[int], dim: int) -> Tensor:
    """The slices of `value` along `dim` at other places."""
    result = value.clone()
    for source, place in enumerate(places):
        result.select(dim, place).copy_(value.select(dim, source))
    return result
