"""Sample image sets: a few classes of a data set, to try transfer learning without images of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cnncore.catalog.presence import at_hand


@dataclass(frozen=True, kw_only=True)
class SampleSetSpec:
    """A sample set.

    Attributes:
        title: What a person reads, and what the image set is called.
        summary: What it shows, in one sentence.
        dataset: Key of `DATASETS`.
        classes: Class of the data set -> what it is called here.
        per_class: Images of each.
    """

    title: str
    summary: str
    dataset: str
    classes: Mapping[str, str]
    per_class: int = 100


SAMPLE_SETS: dict[str, SampleSetSpec] = {
    "digits": SampleSetSpec(
        title="Three digits",
        summary="Handwritten threes, fives and eights, which resemble each other.",
        dataset="mnist5k",
        classes={"3": "three", "5": "five", "8": "eight"},
    ),
    "cats_dogs": SampleSetSpec(
        title="Cats and dogs",
        summary="The two classes of CIFAR-10 that are hardest to tell apart.",
        dataset="cifar10",
        classes={"cat": "cat", "dog": "dog"},
    ),
    "vehicles": SampleSetSpec(
        title="Vehicles",
        summary="Cars, trucks, ships and airplanes of CIFAR-10.",
        dataset="cifar10",
        classes={"automobile": "car", "truck": "truck", "ship": "ship", "airplane": "airplane"},
        per_class=75,
    ),
}
"""Every sample set by its key; the first needs nothing that does not come with the lab."""


def sample_sets_at_hand(root: Path) -> dict[str, SampleSetSpec]:
    """The sample sets whose images are there.

    Args:
        root: Data folder.
    """
    return {key: spec for key, spec in SAMPLE_SETS.items() if at_hand(spec.dataset, root)}
