"""Questions to the service that make something of what a person brings or chooses: a run, or an image set."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from cnncore.answers import Answer
from cnncore.bundle import reading
from cnncore.config import DataConfig, ModelConfig, Section, TrainConfig, TrainingConfig
from cnncore.config.requests import parse_request
from cnncore.data.sample_sets import make_sample_set
from cnncore.images.store import open_sets
from cnncore.places import artifacts_dir, data_dir, database_url
from cnncore.runs.store import RunStore
from cnncore.runs.uploads import stored_file, upload_file
from cnncore.training import imports


class ImportWeightsRequest(Section):
    """A file of weights, uploaded or in the data folder, and what it is imported for."""

    upload: str = Field(default="", max_length=64, description="token of `cnncore.runs.uploads.keep_upload`")
    stored: str = Field(default="", max_length=255, description="name of a file in the data folder's weights/")
    label: str = Field(max_length=255, description="how a person calls the file")
    model: ModelConfig
    data: DataConfig | None = None
    normalize: Literal["", "standardize", "unit", "symmetric", "imagenet"] = ""


def import_weights(asked: dict[str, Any]) -> Answer:
    """Makes a run out of a file of weights: `run`, its id."""
    request = parse_request(ImportWeightsRequest, asked)
    upload, root = request.upload, data_dir()
    data, training = request.data or DataConfig(), TrainingConfig(precision="fp32")
    config = TrainConfig(model=request.model, data=data, training=training)
    store = RunStore(database_url())
    try:
        run = imports.import_weights(
            store,
            artifacts_dir(),
            root,
            imports.ImportRequest(
                file=upload_file(artifacts_dir(), upload) if upload else stored_file(root, request.stored),
                label=request.label,
                config=config,
                has_images=request.data is not None,
                normalize=request.normalize,
            ),
        )
    finally:
        store.engine.dispose()
    return Answer({"run": run.id}, lasting=False)


class BundleRequest(Section):
    """An uploaded bundle and how a person calls it."""

    upload: str = Field(max_length=64, description="token of `cnncore.runs.uploads.keep_upload`")
    label: str = Field(default="", max_length=255)


def read_bundle(asked: dict[str, Any]) -> Answer:
    """Makes a run out of a bundle: `run`, its id."""
    request = parse_request(BundleRequest, asked)
    store = RunStore(database_url())
    try:
        file = upload_file(artifacts_dir(), request.upload)
        run = reading.read_bundle(store, artifacts_dir(), file, request.label)
    finally:
        store.engine.dispose()
    return Answer({"run": run.id}, lasting=False)


class SampleSetRequest(Section):
    """A sample set, a key of `SAMPLE_SETS`, and whose it will be."""

    key: str = Field(max_length=60)
    owner: str = Field(default="", max_length=200)


def sample_set(asked: dict[str, Any]) -> Answer:
    """Makes an image set of images at hand: `set`, its id."""
    request = parse_request(SampleSetRequest, asked)
    made = make_sample_set(request.key, data_dir(), open_sets(data_dir()), request.owner)
    return Answer({"set": made.id}, lasting=False)
