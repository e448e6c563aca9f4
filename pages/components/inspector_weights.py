"""The view 'weights' of the Inspector."""

from __future__ import annotations

from pages.components.inspector_link import Look


def show_weights(look: Look) -> None:
    """Draw this view."""
