"""Reports: one HTML file that says everything about a run or a selection of runs and needs nothing but a browser."""

from __future__ import annotations

from cnncore.reports.report import MAX_RUNS, html_report

__all__ = ["MAX_RUNS", "html_report"]
