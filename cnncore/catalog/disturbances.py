"""What images are disturbed by to see how much of its accuracy a network keeps: one row each, with its strengths."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """One disturbance.

    Attributes:
        title: What people call it.
        unit: Of its strength.
        strengths: From weak to strong, `neutral` among them; where `relative`, as shares of the image's side.
        neutral: The strength that changes nothing.
        relative: Whether a strength is in pixels, so that small and large images need others.
        whole: Whether a strength in pixels is a whole number.
        how: Exactly what is done, one or two sentences.
    """

    title: str
    unit: str
    strengths: tuple[float, ...]
    neutral: float = 0.0
    relative: bool = False
    whole: bool = False
    how: str

    def at(self, size: int) -> tuple[float, ...]:
        """The strengths for images of `size` × `size` pixels, rising."""
        if not self.relative:
            return self.strengths
        digits = 0 if self.whole else 2
        return tuple(sorted({float(round(share * size, digits)) for share in self.strengths}))


DISTURBANCES: dict[str, Disturbance] = {
    "shift": Disturbance(
        title="Shift",
        unit="pixels",
        strengths=(0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3),
        relative=True,
        whole=True,
        how="Moved by whole pixels to the left, right, top or bottom, a direction drawn for each image; what becomes "
        "free repeats the pixels of the edge.",
    ),
    "rotation": Disturbance(
        title="Rotation",
        unit="degrees",
        strengths=(0, 5, 10, 20, 30, 45, 60, 90),
        how="Turned about the middle, to the left or right as drawn for each image, interpolated bilinearly; what "
        "becomes free repeats the pixels of the edge.",
    ),
    "blur": Disturbance(
        title="Blur",
        unit="pixels (σ)",
        strengths=(0, 0.01, 0.02, 0.04, 0.06, 0.1),
        relative=True,
        how="Averaged with Gaussian weights out to 3 σ; beyond the edge its pixels are repeated.",
    ),
    "noise": Disturbance(
        title="Noise",
        unit="σ on a scale from 0 to 1",
        strengths=(0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4),
        how="A normal random number is added to each value and the sum is cut off at black and white; the same pattern "
        "at every strength.",
    ),
    "brightness": Disturbance(
        title="Brightness",
        unit="times as bright",
        strengths=(0.25, 0.5, 0.75, 1, 1.25, 1.5, 2),
        neutral=1.0,
        how="Each value is multiplied and cut off at white.",
    ),
}
"""The disturbances by name. None of them rounds the pixels to whole numbers again."""
