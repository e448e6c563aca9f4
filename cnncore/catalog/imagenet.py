"""The 1,000 classes of ImageNet (ILSVRC 2012) in the order of the pretrained backbones' outputs.

Source: torchvision's weights enumerations, with which a test compares them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Their names, as torchvision words them."""
    return tuple(Path(__file__).with_name("imagenet_classes.txt").read_text(encoding="utf-8").splitlines())
