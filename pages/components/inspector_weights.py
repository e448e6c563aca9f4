"""The view Weights: the filters that see the pixels, and how the numbers of every layer are distributed."""

from __future__ import annotations

from pages.components.inspector_link import Look
from pages.components.inspector_weights_filters import show_filters
from pages.components.inspector_weights_histograms import show_histograms
from pages.components.waiting import fill_in


def show_weights(look: Look) -> None:
    """Draw this view."""
    fill_in("inspector_filters", lambda: show_filters(look))
    fill_in("inspector_histograms", lambda: show_histograms(look))
