"""The ONNX file of a run: where it lies, whether it still is that of the run's weights, and the process that makes it.

Making it needs torch and some seconds to a minute, so the app starts `python -m cnncore export RUN --to onnx` for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from cnncore.errors import RunError
from cnncore.places import PROJECT_ROOT, environment
from cnncore.runs.artifacts import WEIGHTS, run_dir

ONNX = "model.onnx"
ONNX_CARD = "onnx.json"
LOG = "onnx.log"
NICENESS = 10


def weights_stamp(folder: Path) -> list[int]:
    """Changes whenever the run's weights are written anew.

    Raises:
        RunError: if the run has no weights.
    """
    try:
        facts = (folder / WEIGHTS).stat()
    except FileNotFoundError:
        raise RunError("The run has no trained weights yet.", "Wait for its first epoch to end.") from None
    return [facts.st_mtime_ns, facts.st_size]


def onnx_card(folder: Path) -> Mapping[str, Any] | None:
    """How the ONNX file in a run's folder compares with PyTorch; None where there is none of the present weights.

    Returns:
        `max_difference` and `largest_output` (of the logits), `tolerance` (share of the largest output), `num_real` and
        `num_random` (images compared), `opset`, `bytes`, `note`; see `cnncore.analysis.onnx_export`.
    """
    try:
        card = json.loads((folder / ONNX_CARD).read_text(encoding="utf-8"))
        whole = (folder / ONNX).stat().st_size == card["bytes"]
        return card if whole and card["weights"] == weights_stamp(folder) else None
    except (OSError, ValueError, KeyError, RunError):
        return None


def start_onnx(artifacts: Path, run_id: str) -> subprocess.Popen[bytes]:
    """Start making the ONNX file of a run, behind whatever else the machine does; it outlives this process."""
    return start_export(artifacts, run_id, ("export", run_id, "--to", "onnx"), LOG)


def failure(artifacts: Path, run_id: str) -> str:
    """Why the process ended without a file, in one sentence."""
    return last_error(run_dir(artifacts, run_id) / LOG, "The ONNX file could not be made")


def start_export(artifacts: Path, run_id: str, command: tuple[str, ...], log_name: str) -> subprocess.Popen[bytes]:
    """Start `python -m cnncore COMMAND`, whose errors go to `log_name` in the run's folder."""
    with (run_dir(artifacts, run_id) / log_name).open("wb") as log:
        child = subprocess.Popen(
            (sys.executable, "-m", "cnncore", *command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd=PROJECT_ROOT,
            env=environment() | {"OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
    psutil.Process(child.pid).nice(NICENESS)
    return child


def last_error(log: Path, otherwise: str) -> str:
    """The last error that a command told, else that something could not be done."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return told[-1] if told else f"{otherwise}; {log.name} in the run's folder has the details."
