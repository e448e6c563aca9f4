"""Measurements of the lab beside its peers: `python -m benchmarks` runs them all, results/ keeps the reports."""
