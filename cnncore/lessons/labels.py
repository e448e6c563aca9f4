"""What may be changed in which images without changing what they show: one row a kind of images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class KeptLabels:
    """A kind of images.

    Attributes:
        images: What they show.
        keeps: Changes after which the label is still true.
        changes: Changes after which it may not be, and why.
    """

    images: str
    keeps: str
    changes: str


KEPT_LABELS: tuple[KeptLabels, ...] = (
    KeptLabels(
        images="Digits and letters",
        keeps="Shifts, a little rotation and zoom",
        changes="Half a turn makes a 6 a 9 and a u an n; mirrored, a b is a d, and most digits are none any more",
    ),
    KeptLabels(
        images="Photographs of things and animals",
        keeps="Mirror left-right, crops, shifts, moderate colors and brightness",
        changes="Rarely any; but upside down they look like nothing the network will meet",
    ),
    KeptLabels(
        images="Flowers, birds, ripe fruit",
        keeps="Mirror left-right, crops, brightness",
        changes="Hue and saturation, where the color is what tells two kinds apart",
    ),
    KeptLabels(
        images="Chest X-rays",
        keeps="A little rotation, shifts, brightness and contrast",
        changes="Mirror left-right: the heart moves to the other side, as in the rare dextrocardia",
    ),
    KeptLabels(
        images="Traffic signs",
        keeps="Shifts, zoom, a little rotation, brightness",
        changes="Mirror: “turn left” becomes “turn right”; hue: in Europe red forbids and blue demands",
    ),
    KeptLabels(
        images="From above or through a microscope",
        keeps="Any rotation, both mirrors: there is no up and no left",
        changes="Zoom, where the size is what counts",
    ),
)
