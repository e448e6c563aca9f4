"""The view 'errors' of the Inspector."""

from __future__ import annotations

from pages.components.inspector_link import Look


def show_errors(look: Look) -> None:
    """Draw this view."""
