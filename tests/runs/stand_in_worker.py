"""A worker without torch for tests of the queue: notes that it ran, logs three steps, ends. Only the standard library,
so that two hundred of them take seconds.
"""

from __future__ import annotations

import sqlite3
import sys
import time


def main(database: str, run_id: str) -> None:
    with sqlite3.connect(database, timeout=10, isolation_level=None) as db:
        claimed = db.execute(
            "UPDATE runs SET status = 'running' WHERE id = ? AND status = 'starting'", (run_id,)
        ).rowcount
        if claimed != 1:
            sys.exit(3)
        for step in (1, 2, 3):
            db.execute(
                'INSERT INTO metrics (run_id, phase, step, time, "values") VALUES (?, ?, ?, ?, ?)',
                (run_id, "step", step, time.time(), "{}"),
            )
        db.execute("UPDATE runs SET status = 'finished', ended = ? WHERE id = ?", (time.time(), run_id))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
