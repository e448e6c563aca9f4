"""The image sets as choices of a form."""

from __future__ import annotations

from pages.components.transfer_images_edits import image_sets


def image_set_choices() -> dict[str, str]:
    """Names of the image sets that have images, newest first, by what `data.image_set` takes."""
    return {
        each.reference: f"{each.name}, version {each.version:,} ({len(each.included()):,} images)"
        for each in image_sets().all()
        if each.version and each.included()
    }
