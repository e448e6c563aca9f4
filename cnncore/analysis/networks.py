"""Trained networks kept in memory between questions, since reading one takes longer than asking it."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from cnncore.errors import RunError
from cnncore.runs.artifacts import WEIGHTS_CARD, run_dir
from cnncore.runs.onnx_files import weights_stamp
from cnncore.training.devices import pick_device
from cnncore.training.familiarity import FAMILIARITY
from cnncore.training.trained import TrainedNetwork, load_trained

MAX_BYTES = 512 << 20


class Networks:
    """The networks asked last.

    Args:
        max_bytes: What they may take together; the newest one stays even if it takes more.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self._kept: OrderedDict[Path, tuple[object, TrainedNetwork]] = OrderedDict()

    def get(self, artifacts: Path, run_id: str) -> TrainedNetwork:
        """The network of a run with its weights as they are on disk now, in the precision it was trained in.

        Raises:
            LabError: if there is no such run, or it has no weights (any more).
        """
        folder = run_dir(artifacts, run_id)
        if not folder.is_dir():
            raise RunError(f"The files of run {run_id} are gone.", "Choose another run, or train it again.")
        stamp = _stamp(folder)
        kept = self._kept.pop(folder, None)
        if kept is None or kept[0] != stamp:
            kept = stamp, load_trained(folder, pick_device("auto"))
        self._kept[folder] = kept
        self._shrink()
        return kept[1]

    def _shrink(self) -> None:
        sizes = {folder: network.num_bytes for folder, (_, network) in self._kept.items()}
        while len(self._kept) > 1 and sum(sizes.values()) > self.max_bytes:
            oldest, _ = self._kept.popitem(last=False)
            del sizes[oldest]


def _stamp(folder: Path) -> object:
    others = [folder / name for name in (WEIGHTS_CARD, FAMILIARITY)]
    return weights_stamp(folder), [path.stat().st_mtime_ns for path in others if path.is_file()]
