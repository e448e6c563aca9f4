"""The whole log of a run as one CSV table, for spreadsheets and pandas."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from itertools import chain
from typing import Any

from cnncore.runs.store import ALL, RunStore


def log_csv(store: RunStore, run_id: str) -> bytes:
    """Every log row: `phase`, `step`, `time` (seconds since 1970), then one column for each value that was logged.

    Gradient norms of layers are named `gradient:<layer>`; lists are written as JSON; UTF-8 with a header line.
    """
    page = store.since(run_id, limit=ALL)
    rows = [(row.phase, row.step, row.time, _named(row.phase, row.values)) for row in page.rows]
    names = list(dict.fromkeys(chain.from_iterable(values for *_, values in rows)))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["phase", "step", "time", *names])
    for phase, step, time, values in rows:
        writer.writerow([phase, step, f"{time:.3f}", *(values.get(name, "") for name in names)])
    return text.getvalue().encode()


def _named(phase: str, values: Mapping[str, Any]) -> dict[str, Any]:
    prefix = "gradient:" if phase == "layers" else ""
    return {prefix + name: json.dumps(value) if isinstance(value, list) else value for name, value in values.items()}
