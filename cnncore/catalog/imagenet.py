"""ImageNet (ILSVRC 2012): its numbers, and its 1,000 classes in the order of the pretrained backbones' outputs.

Source of the numbers: Russakovsky et al., ImageNet large scale visual recognition challenge, 2015, Table 2; of the
classes: torchvision's weights enumerations, with which a test compares them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

NUM_TRAIN, NUM_VALIDATION, NUM_TEST = 1_281_167, 50_000, 100_000
"""Images."""


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Their names, as torchvision words them."""
    return tuple(Path(__file__).with_name("imagenet_classes.txt").read_text(encoding="utf-8").splitlines())
