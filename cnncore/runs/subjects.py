"""Networks that can be looked into, by name: those of runs, pretrained backbones, and untrained ones.

run:ID              the network of a run, with the weights it has now
backbone:KEY        a pretrained one of `cnncore.catalog.backbones`
untrained:NETWORK   one of `cnncore.catalog.MODELS` with random weights, for 1,000 classes
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cnncore.catalog import MODELS
from cnncore.catalog.backbone_files import weights_file
from cnncore.catalog.backbones import BACKBONES
from cnncore.errors import ConfigError, RunError, WeightsError, lookup
from cnncore.runs.artifacts import WEIGHTS_CARD, run_dir
from cnncore.runs.onnx_files import weights_stamp

KINDS = ("run", "backbone", "untrained")
_RUN_ID = re.compile(r"[0-9a-f]{6,32}")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network by name: its kind, and the id of the run, the key of the backbone or of the network."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


def parse_subject(text: str) -> Subject:
    """The network that a line names; whether a run exists is not looked at.

    Raises:
        ConfigError: where it names none.
    """
    kind, _, key = text.partition(":")
    if kind == "backbone":
        lookup(BACKBONES, key, "backbone", "network")
    elif kind == "untrained":
        lookup(MODELS, key, "network", "network")
    elif kind != "run" or not _RUN_ID.fullmatch(key):
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        raise ConfigError("network", f"There is no network named {shown!r}.", "Choose one of the list.")
    return Subject(kind=kind, key=key)


def subject_stamp(artifacts: Path, data_root: Path, subject: Subject) -> str:
    """Changes whenever the network's weights do.

    Raises:
        RunError: if the run's files are gone, or it has no weights yet.
        WeightsError: if the backbone's weights are not at hand.
    """
    if subject.kind == "run":
        folder = run_dir(artifacts, subject.key)
        if not folder.is_dir():
            raise RunError(f"The files of run {subject.key} are gone.", "Choose another run, or train it again.")
        card = folder / WEIGHTS_CARD
        return f"{weights_stamp(folder)} {card.stat().st_mtime_ns if card.is_file() else 0}"
    if subject.kind == "backbone":
        path = weights_file(subject.key, data_root)
        if path is None:
            raise WeightsError(
                f"The weights of {BACKBONES[subject.key].title} are not on this machine.",
                f"Download them: python -m cnncore backbones --download {subject.key}",
            )
        facts = path.stat()
        return f"[{facts.st_mtime_ns}, {facts.st_size}]"
    return "untrained"
