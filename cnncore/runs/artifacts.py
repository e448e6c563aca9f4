"""The files of a run: `<artifacts>/<run id>/` with weights, checkpoint, per-epoch results and the process's output.

model.safetensors, model.json   the weights that were scored best, and what is needed to use them
resume.pt                       everything to go on from the last checkpoint
epochs/0001.npz                 the evaluation of one epoch: confusion matrix, examples
test.npz                        the evaluation of the test split
outcomes.npz                    what the network says of each held-out image, where the images are a person's own
familiarity.npz                 features of training images, to tell what is unlike them
worker.log                      what the process printed
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from cnncore.array_files import open_npz
from cnncore.errors import RunError
from cnncore.runs.events import Evaluation, Examples

WEIGHTS = "model.safetensors"
WEIGHTS_CARD = "model.json"
RESUME = "resume.pt"
TEST = "test.npz"
LOG = "worker.log"
TEMPORARY = ".tmp"
RESERVE = f".reserve{TEMPORARY}"
RESERVE_BYTES = 1 << 18
"""Room on the disk that a run keeps for its last words; the database takes a few pages for them."""

_RUN_ID = re.compile(r"[0-9a-f]{6,32}")


def run_dir(root: Path, run_id: str) -> Path:
    """The folder of a run.

    Raises:
        RunError: if `run_id` is not the id of a run; ids come from links, so they must never become other paths.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise RunError(f"{run_id[:40]!r} is not the id of a run.", "Choose one from the list of runs.")
    return root / run_id


def file_stem(name: str, run_id: str) -> str:
    """A name for files made of a run, from its name and id; names come from people, so only safe characters stay."""
    words = re.sub(r"[^\w.-]+", "_", name).strip("._-")[:60].strip("._-")
    return f"{words}-{run_id}" if words else run_id


def epoch_file(epoch: int) -> str:
    """Name of an epoch's evaluation below the run's folder."""
    return f"epochs/{epoch:04d}.npz"


def write_atomically(path: Path, write: Callable[[Path], object]) -> int:
    """Let `write` fill a temporary file that then takes the place of `path`; returns its size in bytes.

    A reader sees the old file or the new one, and a process that dies in between leaves the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}{path.suffix}")
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path.stat().st_size


def sweep(folder: Path) -> None:
    """Remove what processes that were killed while they wrote left in a run's folder; no other may be writing."""
    for path in folder.rglob(f".*{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def keep_reserve(folder: Path) -> None:
    """Take room on the disk, as far as there is any, that `release_reserve` gives back."""
    with suppress(OSError):
        (folder / RESERVE).write_bytes(bytes(RESERVE_BYTES))


def release_reserve(folder: Path) -> None:
    """Give back what `keep_reserve` took, so that a run can say on a full disk that it is full."""
    with suppress(OSError):
        (folder / RESERVE).unlink(missing_ok=True)


def save_evaluation(path: Path, evaluation: Evaluation) -> int:
    """Write an evaluation as npz; returns its size in bytes."""
    arrays: dict[str, np.ndarray] = {
        "confusion": evaluation.confusion,
        "numbers": np.array(
            [evaluation.loss, evaluation.correct, evaluation.top5_correct, evaluation.count], dtype=np.float64
        ),
        "split": np.array(evaluation.split),
    }
    if evaluation.examples is not None:
        arrays |= {f"examples_{name}": value for name, value in vars(evaluation.examples).items()}

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    return write_atomically(path, write)


def load_evaluation(path: Path) -> Evaluation | None:
    """Read what `save_evaluation` wrote; None where there is no such file."""
    if not path.is_file():
        return None
    with open_npz(path) as file:
        loss, correct, top5_correct, count = file["numbers"].tolist()
        examples = None
        if "examples_images" in file:
            examples = Examples(**{name: file[f"examples_{name}"] for name in Examples.__dataclass_fields__})
        return Evaluation(
            split=str(file["split"]),
            loss=loss,
            correct=int(correct),
            top5_correct=int(top5_correct),
            count=int(count),
            confusion=file["confusion"],
            examples=examples,
        )


def remove(root: Path, run_id: str) -> None:
    """Delete the files of a run."""
    shutil.rmtree(run_dir(root, run_id), ignore_errors=True)
