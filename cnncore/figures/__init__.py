"""Figures: data in, a plotly figure (or the traces of a live chart) out; pure, no input or output."""
