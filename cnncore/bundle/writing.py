"""Puts a trained network into one ZIP: weights, ONNX verified against PyTorch, a script, a model card, the record."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from cnncore.analysis.onnx_export import export_onnx
from cnncore.bundle.model_card import Score, model_card
from cnncore.bundle.record import FEATURES, Onnx, Record, Results, Threshold, without_paths
from cnncore.config import TrainConfig
from cnncore.data import open_images
from cnncore.errors import LabError
from cnncore.runs.artifacts import TEST, WEIGHTS, WEIGHTS_CARD, epoch_file, load_evaluation, run_dir, write_atomically
from cnncore.runs.bundle_files import (
    BUNDLE,
    BUNDLE_CARD,
    CLASSES,
    CONTENTS,
    FAMILIARITY,
    LOG_TABLE,
    MODEL_CARD,
    PREPROCESSING,
    RECORD,
    SCRIPT,
)
from cnncore.runs.log_csv import log_csv
from cnncore.runs.onnx_files import ONNX, onnx_card, weights_stamp
from cnncore.runs.store import Run, RunStore
from cnncore.runs.stored_config import parse_stored
from cnncore.training.checkpoint import card_preprocessing
from cnncore.training.familiarity import load_familiarity


def write_bundle(store: RunStore, artifacts: Path, data_root: Path, run: Run) -> Path:
    """Make the bundle of a run and return where it lies, in the run's folder; see `CONTENTS` for what is in it.

    The ONNX file is exported only where there is none of the present weights.

    Args:
        store: The run store.
        artifacts: Folder with one folder a run.
        data_root: Folder of the data sets; where the run's images are not at hand, the card cannot count them.
        run: A run that has weights.

    Raises:
        RunError: if there are no weights, or if ONNX gives other outputs than PyTorch.
    """
    folder = run_dir(artifacts, run.id)
    stamp = weights_stamp(folder)
    onnx = onnx_card(folder) or export_onnx(store, artifacts, data_root, run)
    card = json.loads((folder / WEIGHTS_CARD).read_text(encoding="utf-8"))
    texts, features = _contents(store, folder, data_root, run, card, onnx)
    files: dict[str, Path | bytes] = {**texts, ONNX: folder / ONNX, WEIGHTS: folder / WEIGHTS, **features}
    size = write_atomically(folder / BUNDLE, lambda path: _pack(path, files))
    facts = {
        "weights": stamp,
        "bytes": size,
        "files": {name: _size(files[name]) for name in CONTENTS if name in files},
        "max_difference": onnx["max_difference"],
    }
    text = json.dumps(facts, indent=2)
    write_atomically(folder / BUNDLE_CARD, lambda path: path.write_text(text, encoding="utf-8"))
    for name in (BUNDLE, BUNDLE_CARD):
        store.add_artifact(run.id, name, (folder / name).stat().st_size)
    return folder / BUNDLE


def script() -> str:
    """The script `classify.py` of every bundle."""
    return resources.files("cnncore.bundle").joinpath(SCRIPT).read_text(encoding="utf-8")


def _contents(
    store: RunStore, folder: Path, data_root: Path, run: Run, card: Mapping[str, Any], onnx: Mapping[str, Any]
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files that are made for the bundle: texts, and features if they were kept."""
    config = parse_stored(TrainConfig, card["config"], run.name)
    preprocessing = card_preprocessing(card)
    known = load_familiarity(folder)
    threshold = None
    if known is not None:
        threshold = Threshold(**{name: getattr(known, name) for name in Threshold.model_fields})
    record = Record(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        run=run.id,
        name=run.name,
        config=without_paths(config).model_dump(mode="json"),
        in_shape=tuple(card["in_shape"]),
        fingerprint=card["images"],
        results=Results.model_validate(dict(run.summary)),
        counts=_counts(config, data_root),
        onnx=Onnx.model_validate(dict(onnx)),
        familiarity=threshold,
        versions=run.summary.get("versions") or {},
    )
    features: dict[str, bytes] = {}
    if known is not None:
        # Not whose images they are: their names may say more than a person wants to give away.
        features[FAMILIARITY] = save({FEATURES: torch.from_numpy(known.features)})
    names = [name for name in CONTENTS if name != FAMILIARITY or features]
    scored = _scored(folder, run)
    texts = {
        MODEL_CARD: model_card(record, config, card["classes"], preprocessing, scored, names),
        SCRIPT: script(),
        CLASSES: json.dumps(card["classes"], indent=1, ensure_ascii=False),
        PREPROCESSING: json.dumps(preprocessing.to_dict(), indent=1),
        RECORD: record.model_dump_json(indent=1),
    }
    log = log_csv(store, run.id)
    return {**{name: text.encode() for name, text in texts.items()}, LOG_TABLE: log}, features


def _scored(folder: Path, run: Run) -> Score | None:
    """What the weights that are kept told right: of test images, else of validation images."""
    summary = run.summary
    epoch = summary.get("best_epoch")
    found = load_evaluation(folder / TEST) or (load_evaluation(folder / epoch_file(epoch)) if epoch else None)
    if found is not None:
        return Score(split=found.split, correct=found.correct, count=found.count, confusion=found.confusion)
    # A run that came out of a bundle has its results, but no evaluations.
    if summary.get("test_count"):
        return Score(split="test", correct=summary["test_correct"], count=summary["test_count"])
    share, count = summary.get("best_val_accuracy"), summary.get("num_validation")
    return Score(split="validation", correct=round(share * count), count=count) if share is not None and count else None


def _counts(config: TrainConfig, data_root: Path) -> dict[str, tuple[int, ...]] | None:
    try:
        images = open_images(config.data, data_root, download=False)
    except LabError:
        return None
    splits = {"train": images.train, "validation": images.validation, "test": images.test}
    return {
        name: tuple(np.bincount(split.labels.numpy(), minlength=len(images.classes)).tolist())
        for name, split in splits.items()
        if split is not None
    }


def _pack(path: Path, files: Mapping[str, Path | bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            if isinstance(content, Path):
                # Weights are noise to a packer.
                archive.write(content, name, zipfile.ZIP_STORED)
            else:
                archive.writestr(name, content, zipfile.ZIP_DEFLATED)


def _size(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size
