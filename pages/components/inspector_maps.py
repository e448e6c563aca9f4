"""The view 'maps' of the Inspector."""

from __future__ import annotations

from pages.components.inspector_link import Look


def show_maps(look: Look) -> None:
    """Draw this view."""
