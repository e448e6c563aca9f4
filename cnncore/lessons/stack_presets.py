"""Stacks to begin with: the famous ones, layer by layer, and two that teach something."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StackPreset:
    """A stack to begin with.

    Attributes:
        title: What it is called.
        words: What is special about it, and what it leaves out.
        stack: Its layers, as `cnncore.lessons.stack_text` reads them.
        size: Height and width of the input in pixels.
        channels: Of the input.
        network: Key of `cnncore.catalog.MODELS` whose convolutions, poolings and dense layers these are; or empty.
    """

    title: str
    words: str
    stack: str
    size: int
    channels: int
    network: str = ""


def _vgg(*stages: tuple[int, int]) -> str:
    """Stages of as many convolutions with as many filters, a pooling after each."""
    return "-".join("-".join([f"c{filters}k3p1"] * count + ["m2s2"]) for filters, count in stages)


STACK_PRESETS: dict[str, StackPreset] = {
    "lenet": StackPreset(
        title="LeNet",
        words="The LeNet of the tutorials: more filters than that of 1998, every one of which sees all maps.",
        stack="c20k5-m2s2-c50k5-m2s2-f-d500-d10",
        size=28,
        channels=1,
        network="lenet_tutorial",
    ),
    "lenet5": StackPreset(
        title="LeNet-5",
        words="The sizes of 1998 (LeCun et al., section II.B). There, pooling was trainable, and the second "
        "convolution saw some of the maps only: 60,000 trainable numbers.",
        stack="c6k5-m2s2-c16k5-m2s2-c120k5-f-d84-d10",
        size=32,
        channels=1,
    ),
    "alexnet": StackPreset(
        title="AlexNet",
        words="Its two towers of 2012 are groups of channels in three convolutions (Krizhevsky et al., section 3.5). "
        "The paper says 224 × 224 pixels; its sizes come out with 227.",
        stack="c96k11s4-m3s2-c256k5p2g2-m3s2-c384k3p1-c384k3p1g2-c256k3p1g2-m3s2-f-d4096-d4096-d1000",
        size=227,
        channels=3,
        network="alexnet_grouped",
    ),
    "vgg16": StackPreset(
        title="VGG-16",
        words="Nothing but 3 × 3 windows (Simonyan and Zisserman, Table 1, column D); nine tenths of the trainable "
        "numbers stand in the dense layers.",
        stack=_vgg((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)) + "-f-d4096-d4096-d1000",
        size=224,
        channels=3,
        network="vgg16",
    ),
    "three": StackPreset(
        title="Three 3 × 3",
        words="Three small windows in a row see as much as one of 7 × 7, with 27 instead of 49 weights "
        "for each pair of channels.",
        stack="c16k3-c16k3-c16k3",
        size=32,
        channels=16,
    ),
    "breaks": StackPreset(
        title="One that breaks",
        words="AlexNet's windows on images as small as CIFAR-10's.",
        stack="c96k11s4-m3s2-c256k5-m3s2-f-d10",
        size=32,
        channels=3,
    ),
}
