"""What the network says of the picture."""

from __future__ import annotations

from pages.components.inspector_link import Look


def show_prediction(look: Look) -> None:
    """Draw the classes, most probable first, and what the network saw."""
