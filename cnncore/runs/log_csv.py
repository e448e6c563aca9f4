"""Runs as CSV tables, for spreadsheets and pandas: the log of one, settings and epochs of many, images one by one.

UTF-8 with a header line. A text that a spreadsheet would take for a formula gets a leading apostrophe.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from cnncore.config import FIELDS, flatten, format_value
from cnncore.errors import RunError
from cnncore.runs.outcomes import Outcomes
from cnncore.runs.store import ALL, Run, RunStore
from cnncore.runs.stored_config import stored_config

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_FACTS = ("run", "name", "status", "kind", "tags", "created", "started", "ended", "error")
_TABLES = {"epochs": "epoch", "steps": "step"}
"""Table of the archive by the phase of the log that it holds."""


def log_csv(store: RunStore, run_id: str) -> bytes:
    """Every log row: `phase`, `step`, `time` (seconds since 1970), then one column for each value that was logged.

    Gradient norms of layers are named `gradient:<layer>`; lists are written as JSON.
    """
    rows = [
        {"phase": row.phase, "step": row.step, "time": f"{row.time:.3f}", **_named(row.phase, row.values)}
        for row in store.since(run_id, limit=ALL).rows
    ]
    return csv_table(rows, ("phase", "step", "time"))


def csv_zip(store: RunStore, run_ids: Sequence[str]) -> bytes:
    """A ZIP with `runs.csv` (a row a run: facts, settings, results), `epochs.csv` and `steps.csv` of all the runs.

    Times in `runs.csv` are UTC, in the others seconds since 1970.

    Raises:
        RunError: if there is no such run.
    """
    runs = [store.get(run_id) for run_id in run_ids]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("runs.csv", csv_table([_run_row(run) for run in runs], _FACTS))
        for name, phase in _TABLES.items():
            rows = chain.from_iterable(_log_rows(store, run, phase) for run in runs)
            archive.writestr(f"{name}.csv", csv_table(list(rows), ("run", "name", "step", "time")))
    return buffer.getvalue()


def outcomes_csv(outcomes: Outcomes, places: npt.NDArray[np.int64]) -> bytes:
    """A row an image: its name, its `place` in the split, true and told class, and the probability of each class.

    Args:
        outcomes: Of N images.
        places: Their positions in the split, (N,).
    """
    told = [outcomes.classes[place] for place in outcomes.predicted]
    columns = [f"p({name})" for name in outcomes.classes]
    rows = [
        {
            "image": str(name),
            "place": int(place),
            "true": outcomes.classes[label],
            "told": said,
            "right": outcomes.classes[label] == said,
            "confidence": f"{shares.max():.6f}",
        }
        | {column: f"{share:.6g}" for column, share in zip(columns, shares.tolist(), strict=True)}
        for name, place, label, said, shares in zip(
            outcomes.names, places, outcomes.labels, told, outcomes.probabilities, strict=True
        )
    ]
    return csv_table(rows, ("image", "place", "true", "told", "right", "confidence", *columns))


def _run_row(run: Run) -> dict[str, Any]:
    facts = {
        "run": run.id,
        "name": run.name,
        "status": run.status,
        "kind": run.kind,
        "tags": ", ".join(run.tags),
        "created": _utc(run.created),
        "started": _utc(run.started),
        "ended": _utc(run.ended),
        "error": run.error or "",
    }
    results = {
        name: value for name, value in run.summary.items() if isinstance(value, str | int | float) and name not in facts
    }
    return {**facts, **_settings(run), **results}


def _settings(run: Run) -> dict[str, str]:
    """The settings by dotted name; for a run of a version with other settings, those it has."""
    try:
        values = flatten(stored_config(run))
    except RunError:
        parts = {part: section for part, section in run.config.items() if isinstance(section, dict)}
        given = {f"{part}.{name}": value for part, section in parts.items() for name, value in section.items()}
        values = {name: value for name, value in given.items() if name in FIELDS}
    return {name: format_value(value, name) for name, value in values.items()}


def _log_rows(store: RunStore, run: Run, phase: str) -> Iterable[dict[str, Any]]:
    for row in store.since(run.id, phases=(phase,), limit=ALL).rows:
        yield {
            "run": run.id,
            "name": run.name,
            "step": row.step,
            "time": f"{row.time:.3f}",
            **_named(phase, row.values),
        }


def csv_table(rows: Sequence[Mapping[Any, Any]], first: Sequence[str] = ()) -> bytes:
    """The rows below a header of the columns `first` and then all others in the order of their appearance."""
    names = list(dict.fromkeys(chain(first, chain.from_iterable(rows))))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([_safe(name) for name in names])
    writer.writerows([_safe(row.get(name, "")) for name in names] for row in rows)
    return text.getvalue().encode()


def _safe(value: Any) -> Any:
    """A cell; a text that begins like a formula but is no number gets an apostrophe."""
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def _utc(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _named(phase: str, values: Mapping[str, Any]) -> dict[str, Any]:
    prefix = "gradient:" if phase == "layers" else ""
    return {prefix + name: json.dumps(value) if isinstance(value, list) else value for name, value in values.items()}
