"""The bundle of a run, one ZIP to take away: where it lies, whether it is of the run's weights, what makes it.

Making it needs torch and some seconds to a minute, so the app starts `python -m cnncore bundle RUN` for it; the process
outlives the page, which looks for `bundle_card` from time to time.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnncore.errors import RunError
from cnncore.runs.artifacts import WEIGHTS, run_dir
from cnncore.runs.onnx_files import ONNX, last_error, start_export, weights_stamp

BUNDLE = "bundle.zip"
BUNDLE_CARD = "bundle.json"
LOG = "bundle.log"

MODEL_CARD, SCRIPT, RECORD = "MODEL_CARD.md", "classify.py", "record.json"
CLASSES, PREPROCESSING, LOG_TABLE = "classes.json", "preprocessing.json", "log.csv"
FAMILIARITY = "familiarity.safetensors"
CONTENTS = {
    MODEL_CARD: "What it is, how good it is and how sure that is, what it is for, how to run it",
    SCRIPT: "A short Python script that classifies images with it; it needs onnxruntime, Pillow and NumPy",
    ONNX: "The network for ONNX Runtime and others, compared with PyTorch",
    WEIGHTS: "Its weights for PyTorch",
    CLASSES: "Names of the classes",
    PREPROCESSING: "What is done to an image before the network gets it",
    RECORD: "The training: settings, results, versions",
    LOG_TABLE: "The training step by step",
    FAMILIARITY: "What it was trained on, as features, to tell when an image is like none of it",
}
"""Every file that may be in a bundle, and what it is."""


def bundle_card(folder: Path) -> Mapping[str, Any] | None:
    """What is in the bundle in a run's folder; None where there is none of the present weights.

    Returns:
        `files` (size in bytes by name), `bytes` (of the ZIP), `max_difference` (of a logit of ONNX and PyTorch).
    """
    try:
        card = json.loads((folder / BUNDLE_CARD).read_text(encoding="utf-8"))
        whole = (folder / BUNDLE).stat().st_size == card["bytes"]
        return card if whole and card["weights"] == weights_stamp(folder) else None
    except (OSError, ValueError, KeyError, RunError):
        return None


def start_bundle(artifacts: Path, run_id: str) -> subprocess.Popen[bytes]:
    """Start making the bundle of a run, behind whatever else the machine does."""
    return start_export(artifacts, run_id, ("bundle", run_id), LOG)


def bundle_failure(artifacts: Path, run_id: str) -> str:
    """Why the process ended without a bundle, in one sentence."""
    return last_error(run_dir(artifacts, run_id) / LOG, "The bundle could not be made")
