"""Where the views of the step Use it get things from: the run's image set, its images, and what was said of each."""

from __future__ import annotations

from cnncore.errors import LabError
from cnncore.images.image_set import ImageSet
from cnncore.runs.artifacts import run_dir
from cnncore.runs.outcomes import OUTCOMES, Outcomes, load_outcomes
from cnncore.runs.run import Run
from pages.components.lab import artifacts
from pages.components.transfer_images_edits import image_sets


def reference_of(run: Run) -> str:
    """The id@version a run was trained on; empty where that was no image set."""
    return str((run.config.get("data") or {}).get("image_set") or "")


def set_of(run: Run) -> ImageSet | None:
    """The image set as the run met it; None where there is none (any more)."""
    reference = reference_of(run)
    if not reference:
        return None
    try:
        return image_sets().at(reference)
    except LabError:
        return None


def newest_of(image_set: ImageSet) -> ImageSet:
    """The set as it is now."""
    return image_sets().get(image_set.id)


def read_outcomes(run: Run) -> dict[str, Outcomes]:
    """What a run said of every image, by split; empty where that is not known."""
    return load_outcomes(run_dir(artifacts(), run.id) / OUTCOMES)
