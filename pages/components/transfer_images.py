"""The images of the Transfer page: without `?set=ID` the ways to an image set, with it the set."""

from __future__ import annotations

from pages.components.transfer_images_set import show_set
from pages.components.transfer_images_start import show_start
from pages.components.transfer_link import param


def show_images() -> None:
    """Draw this step."""
    set_id = param("set")
    if set_id:
        show_set(set_id)
    else:
        show_start()
