"""Image sets and finished runs on them, for tests of the Transfer page; nothing of them was ever trained."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnncore.config import TrainConfig, replace
from cnncore.images.edits import AddImages
from cnncore.images.image_set import ImageRecord, ImageSet, SplitName
from cnncore.images.store import open_sets
from cnncore.runs.artifacts import WEIGHTS, run_dir
from cnncore.runs.outcomes import OUTCOMES, Outcomes, save_outcomes
from cnncore.runs.store import Run, RunStore

SET = "0123456789ab"
CLASSES = ("cat", "dog <b>")
SETTINGS: dict[str, Any] = {
    "model.name": "resnet20",
    "data.dataset": "image_set",
    "data.image_set": f"{SET}@1",
    "data.image_size": 32,
    "training.start_from": "abcdefabcdef",
    "transfer.head": "linear",
    "transfer.frozen": ("all",),
    "transfer.stage_lr": (0.1,) * 4,
}


def trained(
    store: RunStore,
    artifacts: Path,
    *,
    name: str = "Cats and dogs",
    summary: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    **settings: Any,
) -> Run:
    """A finished run on an image set."""
    config = replace(TrainConfig(), SETTINGS | {key.replace("__", "."): value for key, value in settings.items()})
    run = store.create(config.model_dump(mode="json"), name=name, tags=tags)
    store.claim(run.id, socket.gethostname())
    facts = {"classes": CLASSES, "best_val_accuracy": 0.75, "num_train": 24, "elapsed_s": 4.0, "epoch": 5}
    store.log(run.id, [], facts | dict(summary or {}))
    store.end(run.id, "finished")
    folder = run_dir(artifacts, run.id)
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(b"weights")
    return store.get(run.id)


def image_set(data_root: Path, count: int = 8) -> ImageSet:
    """A set of two classes in turn, all of them validation images but the first two."""
    sets = open_sets(data_root)
    empty = sets.create("Pets")
    records = [_record(sets.set_folder(empty.id), key) for key in range(count)]
    return sets.apply(empty.id, AddImages(images=tuple(records)))


def _record(folder: Path, key: int) -> ImageRecord:
    pixels = np.full((40, 40, 3), 20 * key, np.uint8)
    name = f"{hashlib.sha256(pixels.tobytes()).hexdigest()[:32]}.png"
    path = folder / "images" / name
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path)
    split: SplitName = "train" if key < 2 else "validation"
    return ImageRecord(
        key=key, file=name, name=f"{key}.jpg", label=CLASSES[key % 2], width=40, height=40,
        num_bytes=path.stat().st_size, split=split, group=key,
    )  # fmt: skip


def said(artifacts: Path, run: Run, found: ImageSet, wrong: Mapping[int, float]) -> Outcomes:
    """Keep what the network said of the validation images: right with 0.9, those in `wrong` wrong with that share."""
    records = found.included("validation")
    labels = np.array([found.classes.index(record.label) for record in records])
    shares = np.full((len(records), 2), 0.1, np.float32)
    shares[np.arange(len(records)), labels] = 0.9
    for row, record in enumerate(records):
        if record.key in wrong:
            shares[row] = wrong[record.key]
            shares[row, labels[row]] = 1 - wrong[record.key]
    outcomes = Outcomes(
        split="validation",
        classes=found.classes,
        names=np.array([str(record.key) for record in records]),
        labels=labels.astype(np.int64),
        probabilities=shares,
    )
    save_outcomes(run_dir(artifacts, run.id) / OUTCOMES, [outcomes])
    return outcomes


def use(app: AppTest, **params: str) -> AppTest:
    """Open the step Use it by a link."""
    app.switch_page("pages/transfer.py")
    for name, value in {"step": "use", **params}.items():
        app.query_params[name] = value
    return app.run()


def words(app: AppTest) -> str:
    """What the page says, without Markdown's backslashes."""
    parts = [element.proto.body for element in app.get("html")]
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.success)
    return " ".join([*parts, *(element.value for kind in kinds for element in kind)]).replace("\\", "")
