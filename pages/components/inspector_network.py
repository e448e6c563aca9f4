"""Which network the Inspector looks into."""

from __future__ import annotations

from pages.components.inspector_link import Look


def choose_network() -> Look | None:
    """Draw the choice of the network; None where there is none that can be looked into."""
    return None
