"""Weights from elsewhere: a file becomes a run like a trained one, and a run starts from another one's weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cnncore.catalog import DATASETS, MODELS, ModelSpec
from cnncore.config import DataConfig, TrainConfig, check
from cnncore.data import ImageData, Progress, fixed_statistics, open_images
from cnncore.errors import ConfigError, DataError, RunError, WeightsError
from cnncore.models import build_model
from cnncore.models.names import SCHEMES
from cnncore.models.weights import IN_ORDER, Fitted, fit_weights
from cnncore.models.weights_file import WeightsFile, read_weights
from cnncore.runs.artifacts import WEIGHTS, WEIGHTS_CARD, run_dir
from cnncore.runs.runner import own_process
from cnncore.runs.store import Run, RunStore
from cnncore.training.checkpoint import Expected, load_model, save_weights, weights_card
from cnncore.training.state import TrainState
from cnncore.transfer.network import network_config
from cnncore.transfer.weights import backbone_state

IMAGENET_CLASSES = 1_000
_SYMMETRIC = frozenset(
    {
        "googlenet",
        "inception_v3",
        "inception_resnet_v2",
        "legacy_xception",
        "xception",
        "tf_efficientnet_lite0",
    }
)
"""Networks whose weights at torchvision (behind `transform_input`) and timm expect pixel values from -1 to 1."""
NO_IMAGES = DataConfig(dataset="folder")
"""The data set of weights that were imported without one: a folder that was not named."""


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """What is imported, and what for.

    Attributes:
        file: The file of weights.
        label: How a person calls it.
        config: Network with its options, and the images it is to be used with.
        has_images: Whether `config` names images; without them the network has its published form.
        normalize: `data.normalize` that the weights expect; empty for what is usual for them.
        name: Of the run.
        download: Whether missing images may be downloaded.
    """

    file: Path
    label: str
    config: TrainConfig
    has_images: bool = True
    normalize: str = ""
    name: str = ""
    download: bool = False


def import_weights(store: RunStore, artifacts: Path, data_root: Path, request: ImportRequest) -> Run:
    """Make a finished run of kind `import` out of a file of weights.

    Raises:
        LabError: if the file is unsafe, damaged or of another network, or if it does not suit the images.
    """
    config, spec = request.config, request.config.model_spec
    images: ImageData | None = None
    if request.has_images:
        check(config)
        if config.data.dataset == "folder":
            images = open_images(config.data, data_root)
    else:
        config = config.model_copy(update={"data": NO_IMAGES})
    classes = images.classes if images else DATASETS[config.data.dataset].classes
    in_shape = images.in_shape if images else _in_shape(config.data, spec, has_images=request.has_images)
    file = read_weights(request.file, request.label)
    fitted = fit_weights(file, config.model, in_shape, len(classes) or None)
    normalize = request.normalize or usual_normalization(spec, fitted)
    if not normalize:
        normalize = config.data.normalize if request.has_images else "unit"
    config = config.model_copy(update={"data": config.data.model_copy(update={"normalize": normalize})})
    if request.has_images:
        check(config)
    mean, std = _statistics(config, images, in_shape, data_root, download=request.download)
    expected = Expected(classes=classes or _class_names(fitted), in_shape=in_shape, mean=mean, std=std)
    return _stored(store, artifacts, request, config, fitted, expected)


def usual_normalization(spec: ModelSpec, fitted: Fitted) -> str:
    """What torchvision's and timm's weights for ImageNet expect of `data.normalize`; empty for all others."""
    known = fitted.scheme in ("torchvision", "timm") or spec.timm
    if not known or fitted.num_classes != IMAGENET_CLASSES:
        return ""
    return "symmetric" if {spec.torchvision, spec.timm} & _SYMMETRIC else "imagenet"


def scheme_words(spec: ModelSpec, fitted: Fitted) -> str:
    """By which rule the tensors were matched; the networks that are timm's have timm's names."""
    scheme = "timm" if fitted.scheme == "own" and spec.timm else fitted.scheme
    return "order and shape" if fitted.scheme == IN_ORDER else SCHEMES[scheme].title


def _in_shape(data: DataConfig, spec: ModelSpec, *, has_images: bool) -> tuple[int, int, int]:
    if not has_images:
        return spec.in_channels, spec.native_size, spec.native_size
    channels, height, width = DATASETS[data.dataset].in_shape
    return channels, data.image_size or height, data.image_size or width


def _class_names(fitted: Fitted) -> tuple[str, ...]:
    if fitted.num_classes == IMAGENET_CLASSES and fitted.scheme != IN_ORDER:
        from torchvision.models import ResNet18_Weights

        return tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])
    return tuple(str(index) for index in range(fitted.num_classes))


def _statistics(
    config: TrainConfig, images: ImageData | None, in_shape: tuple[int, int, int], data_root: Path, *, download: bool
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation per channel."""
    if config.data.normalize != "standardize":
        return fixed_statistics(config.data.normalize, in_shape[0])
    images = images or open_images(config.data, data_root, download=download)
    return images.mean, images.std


def _stored(
    store: RunStore, artifacts: Path, request: ImportRequest, config: TrainConfig, fitted: Fitted, expected: Expected
) -> Run:
    with torch.device("meta"):
        model = build_model(config.model, expected.in_shape, fitted.num_classes)
    imported = {
        "imported_from": request.label,
        "imported_by": scheme_words(config.model_spec, fitted),
        "imported_tensors": fitted.num_tensors,
        "imported_notes": list(fitted.notes),
    }
    facts = {
        "stage": "done",
        "classes": list(expected.classes),
        "num_params": sum(parameter.numel() for parameter in model.parameters()),
    }
    name = request.name or f"{MODELS[config.model.name].title} from {request.label}"
    card = weights_card(config, expected, **imported)
    return store_import(store, artifacts, config, fitted.state, card, name=name, facts={**facts, **imported})


def store_import(
    store: RunStore,
    artifacts: Path,
    config: TrainConfig,
    state: Mapping[str, Tensor],
    card: Mapping[str, Any],
    *,
    name: str,
    facts: Mapping[str, Any],
) -> Run:
    """Make a finished run of kind `import` of weights that fit.

    Args:
        store: The run store.
        artifacts: Folder with one folder a run.
        config: The run's configuration.
        state: The weights by name, as the network has them.
        card: What `weights_card` says of them.
        name: Of the run, shortened if need be.
        facts: Its summary.
    """
    run = store.create(config.model_dump(mode="json"), name=name[:200], kind="import", status="starting")
    folder = run_dir(artifacts, run.id)
    try:
        store.set_process(run.id, *own_process())
        size = save_weights(folder, state, {**card, "run": run.id})
        store.add_artifact(run.id, WEIGHTS, size)
        store.add_artifact(run.id, WEIGHTS_CARD, (folder / WEIGHTS_CARD).stat().st_size)
        store.log(run.id, [], facts)
    except BaseException:
        store.end(run.id, "failed", error="The import was interrupted.", hint="Import the file again.")
        shutil.rmtree(folder, ignore_errors=True)
        raise
    store.end(run.id, "finished")
    return store.get(run.id)


def take_whole(state: TrainState, folder: Path, images: ImageData) -> tuple[str, ...]:
    """Give the network of `state` all the weights in `folder`, the head included; there is nothing to say of it.

    Raises:
        LabError: if there are no weights, or the images have other classes.
    """
    model, card = load_model(folder)
    if list(images.classes) != card["classes"]:
        raise DataError("These images have other classes than the network knows.", "Choose a matching data set.")
    state.model.load_state_dict(model.state_dict())
    return ()


def take_over(state: TrainState, folder: Path, images: ImageData | Expected) -> tuple[str, ...]:
    """Give the network of `state` the weights of the run in `folder`, before its first step; returns what was changed.

    A last layer with another number of classes keeps the random weights it has.

    Raises:
        LabError: if there are no weights, or they are of another network.
    """
    if not (folder / WEIGHTS).is_file():
        raise RunError(
            f"The run {folder.name}, from whose weights this one starts, has none (any more).",
            "Choose another run to start from, or random weights.",
        )
    _check_values(state.config, folder)
    file = read_weights(folder / WEIGHTS, f"The weights of run {folder.name}")
    if state.config.transfer.head != "network":
        return _take_over_backbone(state, file)
    fitted = fit_weights(
        file,
        state.config.model,
        images.in_shape,
        len(images.classes),
        new_classifier=True,
        seed=state.config.training.seed,
    )
    state.model.load_state_dict(fitted.state)
    return fitted.notes


def _check_values(config: TrainConfig, folder: Path) -> None:
    """Refuse to freeze weights that expect other pixel values than the images are given."""
    if not config.transfer.frozen or not (folder / WEIGHTS_CARD).is_file():
        return
    card = json.loads((folder / WEIGHTS_CARD).read_text(encoding="utf-8"))
    expected = card["config"]["data"].get("normalize", config.data.normalize)
    if expected != config.data.normalize:
        raise ConfigError(
            "data.normalize",
            f"The frozen weights of run {folder.name} expect pixel values as {expected} makes them, not "
            f"{config.data.normalize}.",
            f"Set data.normalize to {expected}.",
        )


def take_backbone(
    state: TrainState, data_root: Path, images: ImageData | Expected, progress: Progress
) -> tuple[str, ...]:
    """Give the network of `state` the pretrained weights of `transfer.backbone`; returns where they are from.

    Args:
        state: Before its first step.
        data_root: The data folder.
        images: What it will learn.
        progress: Told about the download where the weights are not at hand.

    Raises:
        LabError: where the weights cannot be had, or do not fit.
    """
    config = state.config
    assert config.transfer.backbone is not None
    network, num_classes = network_config(config), len(images.classes)
    fitted = backbone_state(config.transfer.backbone, data_root, network, images.in_shape, num_classes, progress)
    if config.transfer.head == "network":
        state.model.load_state_dict(fitted.state)
        return fitted.notes
    names = state.backbone.state_dict()
    state.backbone.load_state_dict({name: fitted.state[name] for name in names})
    return (fitted.notes[0], "The head is new.")


def _take_over_backbone(state: TrainState, file: WeightsFile) -> tuple[str, ...]:
    """The weights of everything but the head, which is new; the other run may have had any head."""
    wanted = state.backbone.state_dict()
    for name, value in wanted.items():
        found = file.tensors.get(name)
        if found is None or found.shape != value.shape:
            shape = "nothing" if found is None else f"a tensor of shape {tuple(found.shape)}"
            raise WeightsError(
                f"{file.label} are of another network: {name} should have the shape {tuple(value.shape)}, there is "
                f"{shape}.",
                "Choose a run of the same network with the same options.",
            )
    state.backbone.load_state_dict({name: file.tensors[name] for name in wanted})
    return ("The head is new.",)
