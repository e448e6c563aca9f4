"""`python -m cnncore.worker RUN_ID`: carries out one run of the store; started by the runner.

SIGTERM and SIGINT end it after the step in progress, with a checkpoint.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

from cnncore import places
from cnncore.errors import LabError
from cnncore.runs.store import RunStore
from cnncore.training.api import Stoppable, carry_out


def stop_on_signals(execution: Stoppable) -> None:
    """Let SIGTERM and SIGINT ask for an orderly end."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        execution.request_stop()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


def main(run_id: str) -> int:
    """Carry out the run; returns the exit code."""
    try:
        store = RunStore(places.database_url())
        _, status = carry_out(store, store.get(run_id), on_execution=stop_on_signals)
    except LabError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 1 if status == "failed" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
