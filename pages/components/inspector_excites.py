"""The view 'excites' of the Inspector."""

from __future__ import annotations

from pages.components.inspector_link import Look


def show_excites(look: Look) -> None:
    """Draw this view."""
