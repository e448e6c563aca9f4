"""What the service can be asked: one function a question, which takes a JSON object and returns an `Answer`.

To add one, write a function and add it to `QUESTIONS`. None of them trains or downloads anything;
those of `cnncore.makers` make a run or an image set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field

from cnncore import makers
from cnncore.analysis.disagreement import disagree
from cnncore.analysis.networks import Networks
from cnncore.analysis.outcomes import outcomes_on
from cnncore.analysis.pictures import pictures_of_set, uploaded_pictures
from cnncore.analysis.prediction import MOST_PICTURES, Picture, Seen, channels, heat_of, predict, tensors_of
from cnncore.answers import Answer
from cnncore.catalog import at_hand
from cnncore.catalog.datasets import DATASETS
from cnncore.catalog.profiles import BYTES_PER_VALUE
from cnncore.config import AugmentConfig, DataConfig, ModelConfig, Section, TrainConfig, TrainingConfig, TransferConfig
from cnncore.config.requests import parse_request
from cnncore.data import preview, samples
from cnncore.models.graph import graph_of
from cnncore.models.profile import memory_bytes, profile_model
from cnncore.places import artifacts_dir, data_dir, database_url
from cnncore.runs.store import RunStore
from cnncore.training.devices import pick_device, pick_precision
from cnncore.training.machine import machine_facts
from cnncore.transfer.stage_profile import count_stages, measure_stages

CORES = torch.get_num_threads()
"""Threads that a training run has here."""
# On top of the niceness: a question must not take both cores from a training run.
torch.set_num_threads(1)

Question = Callable[[dict[str, Any]], Answer]
Pixels = Annotated[int, Field(ge=1, le=1_024)]

_NETWORKS = Networks()


class ProfileRequest(Section):
    """A network, the images it gets (as stored: it resizes them itself) and how it would be trained."""

    model: ModelConfig
    in_shape: tuple[Annotated[int, Field(ge=1, le=16)], Pixels, Pixels]
    num_classes: int = Field(ge=1, le=100_000)
    batch_size: int = Field(ge=1, le=16_384)
    optimizer: str
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"


def profile(asked: dict[str, Any]) -> Answer:
    """What a `ProfileRequest` costs.

    Returns:
        `num_params`, `macs`, `activations`, `indices`, `layers` (see `cnncore.models.profile`), `memory_bytes` and the
        `precision` that memory was estimated for.
    """
    request = parse_request(ProfileRequest, asked)
    precision = request.precision
    if precision == "auto":
        precision = pick_precision("auto", pick_device("auto"))
    found = profile_model(request.model, request.in_shape, request.num_classes)
    memory = memory_bytes(found, request.batch_size, request.optimizer, BYTES_PER_VALUE[precision])
    return Answer({**found.to_dict(), "memory_bytes": memory, "precision": precision})


class TransferCostsRequest(Section):
    """A network with its head, the images it gets (as stored: it resizes them itself), and whether time is measured."""

    model: ModelConfig
    transfer: TransferConfig = TransferConfig()
    in_shape: tuple[Annotated[int, Field(ge=1, le=16)], Pixels, Pixels]
    num_classes: int = Field(ge=1, le=100_000)
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    device: str = TrainingConfig().device
    measure: bool = False


def transfer_costs(asked: dict[str, Any]) -> Answer:
    """What the stages of a `TransferCostsRequest`'s network cost, as `cnncore.transfer.costs.read_costs` reads it.

    With `measure` a few batches go through the network, with as many threads as a training has.
    """
    request = parse_request(TransferCostsRequest, asked)
    run, device = TrainConfig(model=request.model, transfer=request.transfer), pick_device(request.device)
    precision = pick_precision(request.precision, device)
    costs = count_stages(run, request.in_shape, request.num_classes, precision)
    if request.measure:
        costs = measure_stages(costs, run, request.in_shape, request.num_classes, device=device, threads=CORES)
    return Answer(costs.to_dict(), lasting=not request.measure)


class GraphRequest(Section):
    """A network and the images it gets (as stored: it resizes them itself)."""

    model: ModelConfig
    in_shape: tuple[Annotated[int, Field(ge=1, le=16)], Pixels, Pixels]
    num_classes: int = Field(ge=1, le=100_000)


def graph(asked: dict[str, Any]) -> Answer:
    """The graph of a `GraphRequest`'s network while training, as `cnncore.graph.Graph.to_dict` has it."""
    request = parse_request(GraphRequest, asked)
    return Answer(graph_of(request.model, request.in_shape, request.num_classes).to_dict())


class PreviewRequest(Section):
    """Images and how they would be augmented."""

    data: DataConfig
    augment: AugmentConfig
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    num_images: int = Field(default=6, ge=1, le=16)
    num_draws: int = Field(default=4, ge=1, le=8)


def augmentation_preview(asked: dict[str, Any]) -> Answer:
    """The array `images`, uint8 (num_images, 1 + num_draws, H, W, C): each image unchanged, then changed."""
    request = parse_request(PreviewRequest, asked)
    images = preview(
        request.data,
        request.augment,
        data_dir(),
        num_images=request.num_images,
        num_draws=request.num_draws,
        seed=request.seed,
    )
    return Answer({}, {"images": images}, lasting=_lasts(request.data))


class SamplesRequest(Section):
    """A data set and how many images of it to show."""

    data: DataConfig
    per_class: int = Field(default=1, ge=1, le=10)
    max_images: int = Field(default=20, ge=1, le=100)


def data_samples(asked: dict[str, Any]) -> Answer:
    """A data set at a glance: what the catalog knows where it is not at hand, else what is really there.

    Returns:
        `at_hand`, `classes`, `num_images` by split; at hand also `labels` (class of each image), `train_counts` (of
        each class), `split_note`, and the array `images`, uint8 (N, H, W, C).
    """
    request = parse_request(SamplesRequest, asked)
    root, key = data_dir(), request.data.dataset
    if not at_hand(key, root):
        spec = DATASETS[key]
        counts = {"train": spec.num_train, "validation": spec.num_validation, "test": spec.num_test}
        return Answer({"at_hand": False, "classes": spec.classes, "num_images": counts}, lasting=False)
    found = samples(request.data, root, per_class=request.per_class, max_images=request.max_images)
    facts = {
        "at_hand": True,
        "classes": found.classes,
        "num_images": found.num_images,
        "labels": found.labels.tolist(),
        "train_counts": found.train_counts.tolist(),
        "split_note": found.split_note,
    }
    return Answer(facts, {"images": found.images}, lasting=_lasts(request.data))


def _lasts(data: DataConfig) -> bool:
    """Whether the images stay what they are: a person's own folder may change at any time."""
    return data.dataset != "folder"


def machine(asked: dict[str, Any]) -> Answer:
    """The facts of `cnncore.training.machine.machine_facts`, as they are now."""
    parse_request(Section, asked)
    return Answer(machine_facts(data_dir()), lasting=False)


class DisagreementRequest(Section):
    """Two runs and the images to compare them on; `stamp` changes whenever their weights do."""

    a: str = Field(pattern=r"^[0-9a-f]{6,32}$")
    b: str = Field(pattern=r"^[0-9a-f]{6,32}$")
    split: Literal["validation", "test"] = "test"
    stamp: str = Field(default="", max_length=200)


def disagreement(asked: dict[str, Any]) -> Answer:
    """Two networks on the same images, see `cnncore.analysis.disagreement.Disagreement`.

    Returns:
        `classes`, `total`, `count` and `counts`, and the arrays of the examples.
    """
    request = parse_request(DisagreementRequest, asked)
    store = RunStore(database_url())
    try:
        a, b = store.get(request.a), store.get(request.b)
    finally:
        store.engine.dispose()
    found = disagree(artifacts_dir(), data_dir(), a, b, request.split)
    facts = {"classes": found.classes, "total": found.total, "count": found.count, "counts": found.counts}
    return Answer(facts, found.examples, lasting=a.config["data"]["dataset"] != "folder")


class Upload(Section):
    """A picture that was uploaded."""

    token: str = Field(max_length=64, description="token of `cnncore.runs.uploads.keep_upload`")
    name: str = Field(default="the picture", max_length=255, description="how a person calls it")


class PicturesRequest(Section):
    """A run, and pictures for its network; `stamp` changes whenever its weights do.

    Places count the uploads first, then the images of the set.
    """

    run: str = Field(pattern=r"^[0-9a-f]{6,32}$")
    uploads: Annotated[tuple[Upload, ...], Field(max_length=MOST_PICTURES)] = ()
    image_set: str = Field(default="", max_length=40, description="id@version")
    keys: Annotated[tuple[int, ...], Field(max_length=MOST_PICTURES)] = ()
    stamp: str = Field(default="", max_length=200)

    def pictures(self) -> list[Picture]:
        """All of them.

        Raises:
            LabError: if one is not there (any more).
        """
        found = uploaded_pictures(artifacts_dir(), [(each.token, each.name) for each in self.uploads])
        return [*found, *pictures_of_set(data_dir(), self.image_set, self.keys)] if self.keys else found

    @property
    def lasts(self) -> bool:
        """Whether the answer stays what it is: images of a set at one version never change."""
        return bool(self.stamp) and not self.uploads


class PredictRequest(PicturesRequest):
    """What is wanted beside the classes."""

    pixels: bool = Field(default=False, description="what the network saw of each picture")
    tensor: bool = Field(default=False, description="the exact numbers of the first one")


def prediction(asked: dict[str, Any]) -> Answer:
    """What the network of a run says of pictures, and whether they are like anything it knows.

    Returns:
        `classes`; `places` (of the N answered pictures), `refused` (place: why, one sentence) and `left` (places that
        there was no time for: ask again); `nearest`, what the most similar training image of each is called;
        `familiarity` (null, or `threshold`, `false_alarms`, `held_out` and `explanation`); `preprocessing`. The arrays
        `top` and `shares` (N, T), `distances` (N,), NaN where unknown, and `statistics` (N, C, 4): least, mean, largest
        value and deviation of each channel. If asked for, `pixels`, uint8 (N, H, W, C), and `tensor`, float32
        (C, H, W).
    """
    request = parse_request(PredictRequest, asked)
    network = _NETWORKS.get(artifacts_dir(), request.run)
    found = predict(network, request.pictures())
    tensors = tensors_of(network, found.seen.pixels)
    arrays = {"top": found.top, "shares": found.shares, "distances": found.distances, "statistics": channels(tensors)}
    if request.pixels:
        arrays["pixels"] = found.seen.pixels
    if request.tensor and len(tensors):
        arrays["tensor"] = tensors[0]
    known = network.familiarity
    facts = {
        **_seen(found.seen),
        "classes": network.classes,
        "nearest": found.nearest,
        "familiarity": known and known.to_dict(),
        "preprocessing": network.preprocessing.to_dict(),
    }
    return Answer(facts, arrays, lasting=request.lasts and not found.seen.left)


class HeatRequest(PicturesRequest):
    """Of which classes, and by the maps of which layer."""

    classes: Annotated[tuple[int, ...], Field(max_length=MOST_PICTURES)] = Field(
        default=(), description="the class of each picture; the most probable ones if not given"
    )
    layer: str = Field(default="", max_length=200)


def heat(asked: dict[str, Any]) -> Answer:
    """Grad-CAM: where the network of a run sees a class in each picture.

    Returns:
        `places`, `refused` and `left` as `prediction` has them, `classes` (the names) and `layer`. The arrays `shown`
        (N,), the class of each picture, `maps`, uint8 (N, H, W) from 0 to 255, and `pixels`, uint8 (N, H, W, C), which
        `cnncore.images.heat_map.overlay` puts together.
    """
    request = parse_request(HeatRequest, asked)
    network = _NETWORKS.get(artifacts_dir(), request.run)
    found = heat_of(network, request.pictures(), request.classes, request.layer)
    maps = np.rint(255 * found.maps).astype(np.uint8)
    facts = {**_seen(found.seen), "classes": network.classes, "layer": found.layer}
    arrays = {"shown": found.classes, "maps": maps, "pixels": found.seen.pixels}
    return Answer(facts, arrays, lasting=request.lasts and not found.seen.left)


class OutcomesRequest(Section):
    """A run, and a split of an image set at a version; `stamp` changes whenever the run's weights do."""

    run: str = Field(pattern=r"^[0-9a-f]{6,32}$")
    image_set: str = Field(max_length=40, description="id@version")
    split: Literal["validation", "test"] = "validation"
    stamp: str = Field(default="", max_length=200)


def outcomes(asked: dict[str, Any]) -> Answer:
    """What the network of a run says of each image of a split, see `cnncore.runs.outcomes.Outcomes`.

    Returns:
        `split` and `classes`, and the arrays `names`, `labels` and `probabilities`.
    """
    request = parse_request(OutcomesRequest, asked)
    network = _NETWORKS.get(artifacts_dir(), request.run)
    found = outcomes_on(network, data_dir(), request.image_set, request.split)
    arrays = {"names": found.names, "labels": found.labels, "probabilities": found.probabilities}
    return Answer({"split": found.split, "classes": found.classes}, arrays, lasting=bool(request.stamp))


def _seen(seen: Seen) -> dict[str, Any]:
    return {
        "places": seen.places,
        "refused": {str(place): why for place, why in seen.refused.items()},
        "left": seen.left,
    }


QUESTIONS: dict[str, Question] = {
    "disagreement": disagreement,
    "grad_cam": heat,
    "predict": prediction,
    "import_weights": makers.import_weights,
    "make_sample_set": makers.sample_set,
    "read_bundle": makers.read_bundle,
    "graph": graph,
    "machine": machine,
    "outcomes_on": outcomes,
    "preview": augmentation_preview,
    "profile": profile,
    "samples": data_samples,
    "transfer_costs": transfer_costs,
}
