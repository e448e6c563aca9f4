"""Opens a bundle again: a finished run of kind `import`, with classes, preprocessing, head and results as written.

The ZIP may come from anywhere. It is read member by member, nothing in it is run, and none of its names becomes a path;
`classify.py` and `model.onnx` are not looked at.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, TypeVar
from zipfile import ZipFile, ZipInfo

import numpy as np
import torch
from pydantic import Field, TypeAdapter, ValidationError
from torch import Tensor, nn

from cnncore.bundle.record import FEATURES, ClassName, Record, without_paths
from cnncore.config import TrainConfig, check_options
from cnncore.errors import DataError, WeightsError
from cnncore.images.class_names import clean_text
from cnncore.images.limits import limits
from cnncore.images.preprocessing import Preprocessing
from cnncore.images.zip_files import member_name, open_zip, read_member, usable
from cnncore.models.weights_file import MAX_FILE_BYTES, read_weights
from cnncore.runs.artifacts import WEIGHTS, run_dir
from cnncore.runs.bundle_files import CLASSES, FAMILIARITY, PREPROCESSING, RECORD
from cnncore.runs.store import Run, RunStore
from cnncore.runs.stored_config import parse_stored
from cnncore.training.checkpoint import Expected, weights_card
from cnncore.training.familiarity import FAMILIARITY as KEPT_FAMILIARITY
from cnncore.training.familiarity import MAX_IMAGES, Familiarity, save_familiarity
from cnncore.training.imports import store_import
from cnncore.transfer.network import build_network, split_network

MAX_TEXT_BYTES = 4_000_000
MAX_RATIO = 4
"""How many times its packed size a file of weights may have: they are noise."""
_HINT = "Take a ZIP as this lab writes it."
_CLASSES = TypeAdapter(Annotated[tuple[ClassName, ...], Field(min_length=2, max_length=100_000)])

T = TypeVar("T")


def read_bundle(store: RunStore, artifacts: Path, path: Path, label: str = "") -> Run:
    """Make a run out of a bundle.

    Args:
        store: The run store.
        artifacts: Folder with one folder a run.
        path: The ZIP.
        label: How a person calls it; its name by default.

    Raises:
        LabError: if it is no bundle, damaged, unsafe, or its parts do not fit each other; then nothing is stored.
    """
    try:
        return _read(store, artifacts, path, label or path.name)
    except OSError as error:
        raise DataError(
            f"The ZIP could not be opened ({error.strerror or type(error).__name__}).",
            "Make room on the lab's disk, or let the lab write there.",
        ) from error


def _read(store: RunStore, artifacts: Path, path: Path, label: str) -> Run:
    try:
        with open_zip(path, limits(), label) as archive:
            members = _members(archive)
            texts = {name: _json(archive, members, name) for name in (RECORD, CLASSES, PREPROCESSING)}
            state = _tensors(archive, members, WEIGHTS)
            kept = _tensors(archive, members, FAMILIARITY) if FAMILIARITY in members else {}
    except DataError as problem:
        # What is said of the ZIP holds, but its remedies are those for pictures.
        raise DataError(problem.message, _HINT) from None
    record = _checked(RECORD, lambda: Record.model_validate(texts[RECORD]))
    classes = _checked(CLASSES, lambda: _CLASSES.validate_python(texts[CLASSES]))
    preprocessing = _checked(PREPROCESSING, lambda: Preprocessing.from_dict(texts[PREPROCESSING]))
    config = without_paths(parse_stored(TrainConfig, record.config, record.name))
    check_options(config.model, config.model_spec)
    if record.in_shape != (preprocessing.channels, preprocessing.size, preprocessing.size):
        raise DataError(f"{RECORD} and {PREPROCESSING} do not agree on the size of the images.", _HINT)
    with torch.device("meta"):
        model = build_network(config, record.in_shape, len(classes)).eval()
    _check_state(state, model.state_dict(), config.model.name)
    familiarity = _familiarity(record, kept.get(FEATURES), model, config.model.name)
    expected = Expected(
        classes=classes,
        in_shape=record.in_shape,
        mean=preprocessing.mean,
        std=preprocessing.std,
        fingerprint=record.fingerprint,
    )
    facts = {"imported_from": label[:100], "imported_by": "its own bundle", "imported_tensors": len(state)}
    card = weights_card(config, expected, **facts)
    card["preprocessing"] |= preprocessing.to_dict()
    results = record.results.model_dump(exclude_none=True, mode="json")
    results |= {"classes": list(classes), "stage": "done", "imported_notes": [], "versions": record.versions}
    run = store_import(
        store, artifacts, config, state, card, name=clean_text(record.name) or label, facts=results | facts
    )
    if familiarity is not None:
        store.add_artifact(run.id, KEPT_FAMILIARITY, save_familiarity(run_dir(artifacts, run.id), familiarity))
    return run


def _members(archive: ZipFile) -> dict[str, ZipInfo]:
    """The members by name, also where they lie in one folder because somebody packed the unpacked bundle again."""
    found: dict[str, ZipInfo] = {}
    for member in usable(archive.infolist()):
        path = PurePosixPath(member_name(member))
        if len(path.parts) <= 2 and "__MACOSX" not in path.parts:
            if path.name in found:
                raise DataError(f"The ZIP holds {path.name[:60]} twice.", _HINT)
            found[path.name] = member
    missing = [name for name in (RECORD, CLASSES, PREPROCESSING, WEIGHTS) if name not in found]
    if missing:
        raise DataError(f"This ZIP is no bundle of a network: {missing[0]} is not in it.", _HINT)
    return found


def _json(archive: ZipFile, members: Mapping[str, ZipInfo], name: str) -> Any:
    try:
        return json.loads(read_member(archive, members[name], MAX_TEXT_BYTES))
    except (ValueError, RecursionError):
        raise DataError(f"{name} in the ZIP is damaged.", _HINT) from None


def _checked(name: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except (ValidationError, TypeError, ValueError, DataError):
        raise DataError(f"{name} in the ZIP does not hold what it should.", _HINT) from None


def _tensors(archive: ZipFile, members: Mapping[str, ZipInfo], name: str) -> Mapping[str, Tensor]:
    member = members[name]
    if member.file_size > MAX_RATIO * member.compress_size:
        raise WeightsError(f"{name} unpacks to a multiple of its size, which no file of weights does.", _HINT)
    content = read_member(archive, member, MAX_FILE_BYTES)
    if content[8:9] != b"{":
        # The reader of weights would also take a file of torch.save; a bundle has none.
        raise WeightsError(f"{name} in the ZIP is no safetensors file.", _HINT)
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(content)
        file.flush()
        return read_weights(Path(file.name), name).tensors


def _check_state(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], network: str) -> None:
    """Compare the tensors with those of the network that the record describes.

    Raises:
        WeightsError: naming the first one that is missing, too much or of another shape.
    """
    for name in sorted(wanted.keys() ^ state.keys()):
        verb = "misses" if name in wanted else "has too much:"
        raise WeightsError(f"{WEIGHTS} in the ZIP {verb} the tensor {name[:80]} for {network}.", _HINT)
    for name, value in wanted.items():
        if value.shape != state[name].shape:
            shapes = [" × ".join(map(str, shape)) or "one number" for shape in (state[name].shape, value.shape)]
            raise WeightsError(
                f"The tensor {name[:80]} in the ZIP is {shapes[0]}, the network it is said to be of has {shapes[1]}.",
                _HINT,
            )
        if not torch.isfinite(state[name].float()).all():
            raise WeightsError(f"The tensor {name[:80]} in the ZIP holds values that are no numbers.", _HINT)


def _familiarity(record: Record, features: Tensor | None, model: nn.Module, network: str) -> Familiarity | None:
    """What the network was trained on; None where the bundle does not tell, or not in the form it should."""
    told = record.familiarity
    if told is None or features is None or features.ndim != 2 or not 1 <= len(features) <= MAX_IMAGES:
        return None
    with torch.inference_mode():
        made = split_network(model, network)[0](torch.zeros(1, *record.in_shape, device="meta"))
    if features.shape[1] != made.shape[1] or not torch.isfinite(features.float()).all():
        return None
    # Which images they were is not in a bundle.
    keys = np.full(len(features), "")
    return Familiarity(features=features.to(torch.float16).numpy(), keys=keys, **told.model_dump())
