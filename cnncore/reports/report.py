"""A run, or a selection of runs, as one HTML file."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cnncore.errors import RunError
from cnncore.reports.page import html_page
from cnncore.reports.sections import comparison_parts, facts, run_parts
from cnncore.reports.subject import Subject, read_subject
from cnncore.runs.store import RunStore

MAX_RUNS = 30
"""More would be slow to open and their curves could not be told apart."""


def html_report(store: RunStore, artifacts: Path, run_ids: Sequence[str], *, made: datetime) -> str:
    """The report of one run, or of several with what differs between them.

    One file of about 5 MB, of which 4.8 are plotly.js, that opens in any browser without a network.

    Args:
        store: The run store.
        artifacts: Folder with one folder a run.
        run_ids: From 1 to `MAX_RUNS` different runs.
        made: The date of the report.

    Raises:
        RunError: if there is no such run, or if there are too many.
    """
    ids = list(dict.fromkeys(run_ids))
    if not 1 <= len(ids) <= MAX_RUNS:
        raise RunError(f"A report is of 1 to {MAX_RUNS} runs, not of {len(ids)}.", "Choose fewer runs.")
    subjects = [read_subject(store, artifacts, run_id) for run_id in ids]
    title = subjects[0].run.name if len(subjects) == 1 else f"{len(subjects)} runs compared"
    lead = facts(subjects[0]) if len(subjects) == 1 else html.escape(_about(subjects))
    date = f"{made:%B} {made.day}, {made:%Y, %H:%M}"
    body = (
        f"<header><div class='kicker'>CNN Lab · Report</div><h1>{html.escape(title)}</h1>"
        f"<p class='soft'>{lead}</p><p class='soft'>Made on {date} {html.escape(made.tzname() or '')}</p></header>"
        f"{run_parts(subjects[0]) if len(subjects) == 1 else comparison_parts(subjects)}"
        f"<footer>Made by CNN Lab. {_ids(ids)} Everything here was measured by the runs themselves.</footer>"
    )
    return html_page(title, body, charts="class='chart'" in body)


def _about(subjects: Sequence[Subject]) -> str:
    networks = list(dict.fromkeys(subject.title for subject in subjects))
    images = list(dict.fromkeys(subject.images for subject in subjects))
    return f"{', '.join(networks)} on {', '.join(images)}"


def _ids(ids: Sequence[str]) -> str:
    return f"Run{'s' if len(ids) > 1 else ''} {', '.join(ids)}."
