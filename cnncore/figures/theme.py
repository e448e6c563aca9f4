"""Colors and line styles with a fixed meaning everywhere; all readable on light and dark and without color vision."""

from __future__ import annotations

TRAIN = "#3B82F6"
VALIDATION = "#E07B00"
TEST = "#10A37F"
NEUTRAL = "#8A8F98"
RIGHT = TEST
WRONG = "#D6455D"

DASH = {"train": "solid", "validation": "solid", "test": "dot"}
"""Line style by split; validation also carries markers and a thicker line, so that color is never the only sign."""

SPLIT_COLORS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}

FAMILY_COLORS = {
    "lenet": "#E07B00",
    "cnn": "#8A8F98",
    "alexnet": "#D6455D",
    "vgg": "#8B5CF6",
    "nin": "#B7791F",
    "inception": "#10A37F",
    "resnet": "#3B82F6",
    "xception": "#0E9AA7",
    "squeezenet": "#C2559D",
    "efficientnet": "#6E8B1F",
}
"""Color of each architecture family."""

FAMILY_SYMBOLS = {
    "lenet": "circle",
    "cnn": "cross",
    "alexnet": "triangle-up",
    "vgg": "square",
    "nin": "pentagon",
    "inception": "star",
    "resnet": "diamond",
    "xception": "x",
    "squeezenet": "triangle-down",
    "efficientnet": "hexagram",
}
"""Marker of each architecture family, so that color is never the only sign."""

KIND_COLORS = {
    "convolution": TRAIN,
    "dense": VALIDATION,
    "normalization": "#8B5CF6",
    "auxiliary head": WRONG,
}
"""Color of each kind of layer that has parameters; all others are NEUTRAL."""

SERIES = ("#2F7ED8", "#E07B00", "#10A37F", "#C2559D", "#8B5CF6", "#B7791F", "#0E9AA7", "#D6455D")
"""Colors of things that have none of their own, in order; after the last one they start again with dashes."""

SERIES_DASH = ("solid", "dash", "longdash")
"""Line styles of the first, second and third round of SERIES."""
