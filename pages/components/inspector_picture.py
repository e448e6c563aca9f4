"""Which picture the Inspector shows to the network."""

from __future__ import annotations

from pages.components.inspector_link import Look


def choose_picture(look: Look) -> Look:
    """Draw the choice of the picture; returns the look with it."""
    return look
