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
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        for pattern, replacement in SPELLINGS[spelling]:
            name = re.sub(pattern, replacement, name)
        found[re.sub(r"\.block(\d+)\.", lambda number: f".{int(number[1]) - 1}.", name)] = value
    return found
