"""The weights before the first step against those that runs really began with, their histograms, and filters."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnncore.analysis import weights_view
from cnncore.analysis.weights_view import (
    Histograms,
    Start,
    first_filters,
    no_start,
    start_of,
    weight_histograms,
)
from cnncore.config import TrainConfig, replace
from cnncore.errors import ConfigError, DataError, TrainingError
from cnncore.runs.artifacts import WEIGHTS, run_dir
from cnncore.runs.events import Event
from cnncore.runs.store import Run, RunStore
from cnncore.training import execute
from cnncore.training.loop import Loaders
from cnncore.training.state import TrainState
from cnncore.training.trained import TrainedNetwork, load_trained
from tests.analysis.made import made_network
from tests.photographs import photo_config, trained, write_photographs

Weights = dict[str, Tensor]
CPU = torch.device("cpu")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Weights]:
    """What each run that is carried out had before its first step, in order."""
    found: list[Weights] = []
    train = execute._KINDS["train"]

    def note(state: TrainState, loaders: Loaders) -> Iterator[Event]:
        found.append({name: value.detach().clone() for name, value in state.model.named_parameters()})
        return train(state, loaders)

    monkeypatch.setitem(execute._KINDS, "train", note)
    return found


@pytest.fixture
def small(tiny: TrainConfig) -> TrainConfig:
    """One epoch of four steps of a small network."""
    return replace(tiny, {"model.name": "cnn3", "model.width": 0.25, "training.epochs": 1, "training.seed": 5})


def network_of(artifacts: Path, run: Run) -> TrainedNetwork:
    return load_trained(run_dir(artifacts, run.id), CPU)


def equal(found: Start, begun: Weights) -> bool:
    return list(found.weights) == list(begun) and all(torch.equal(found.weights[name], begun[name]) for name in begun)


def moved(network: TrainedNetwork, begun: Weights) -> bool:
    return any(not torch.equal(value, begun[name]) for name, value in network.model.named_parameters())


@pytest.mark.parametrize(
    "options",
    [{"model.name": "resnet20", "model.init": "glorot"}, {"training.ema": 0.9}, {"transfer.head": "hidden"}],
    ids=["residual", "averaged", "hidden head"],
)
def test_random_weights_are_those_the_run_began_with(
    options: dict[str, Any], small: TrainConfig, store: RunStore, artifacts: Path, data_root: Path, begun: list[Weights]
) -> None:
    run = trained(store, artifacts, data_root, replace(small, options))
    network = network_of(artifacts, run)
    found = start_of(network, run, store, artifacts, data_root)
    assert found.note == ""
    assert equal(found, begun[0])
    assert moved(network, begun[0])


@pytest.mark.parametrize("head", ["network", "linear"])
def test_weights_of_another_run_are_those_the_run_began_with(
    head: str, small: TrainConfig, store: RunStore, artifacts: Path, data_root: Path, begun: list[Weights]
) -> None:
    first = trained(store, artifacts, data_root, small)
    transfer = {"training.start_from": first.id, "training.seed": 7, "transfer.head": head}
    run = trained(store, artifacts, data_root, replace(small, transfer))
    network = network_of(artifacts, run)
    found = start_of(network, run, store, artifacts, data_root)
    assert equal(found, begun[1])
    assert moved(network, begun[1])
    assert torch.equal(
        found.weights["conv1.conv.weight"], network_of(artifacts, first).model.get_parameter("conv1.conv.weight")
    )

    path = run_dir(artifacts, first.id) / WEIGHTS
    later = store.since(run.id).rows[0].time + 5
    os.utime(path, (later, later))
    changed = start_of(network, run, store, artifacts, data_root)
    assert not changed.weights
    assert changed.note == f"The run {first.id}, whose weights it began with, is gone or was trained on since then."
    path.unlink()
    assert start_of(network, run, store, artifacts, data_root).note == changed.note


def test_pretrained_weights_are_those_the_run_began_with(
    store: RunStore, artifacts: Path, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[TrainState] = []

    def begin(state: TrainState, loaders: Loaders) -> Iterator[Event]:
        states.append(state)
        raise TrainingError("That is enough.")

    monkeypatch.setitem(execute._KINDS, "train", begin)
    transfer = {
        "model.name": "efficientnet_lite0",
        "model.stem": "published",
        "model.width": 1.0,
        "data.image_size": 32,
        "data.normalize": "symmetric",
        "transfer.backbone": "efficientnet_lite0",
        "transfer.head": "linear",
        "training.seed": 9,
    }
    config = replace(photo_config(write_photographs(tmp_path / "photos")), transfer)
    run = store.create(config.model_dump(mode="json"), name="Begun", status="starting")
    assert execute.Execution(store, artifacts, data_root, run).carry_out() == "failed"
    network = made_network("efficientnet_lite0", 32, stem="published")
    card = {"config": config.model_dump(mode="json"), "classes": ["blue", "green", "red"]}
    network = dataclasses.replace(network, card=card, model=states[0].model)
    found = start_of(network, run, store, artifacts, data_root)
    assert equal(found, dict(network.model.named_parameters()))
    tensors = {tensor.name: tensor for tensor in counted(network, found).tensors}
    assert tensors["conv_stem.weight"].changed == 0
    assert tensors["conv_stem.weight"].now == tensors["conv_stem.weight"].before
    # The new head starts at 0, of which no change is a multiple.
    assert tensors["classifier.weight"].changed is None

    monkeypatch.setattr(weights_view, "find_weights", lambda key, root: None)
    missing = start_of(network, run, store, artifacts, data_root)
    assert not missing.weights
    assert "The weights of the backbone efficientnet_lite0, which it began with, are not" in missing.note


def test_where_nothing_is_known_the_reason_is_said(
    small: TrainConfig, store: RunStore, artifacts: Path, data_root: Path
) -> None:
    imported = store.create(small.model_dump(mode="json"), name="Imported", kind="import", status="finished")
    network = made_network("resnet20", 28, width=0.25)
    found = start_of(network, imported, store, artifacts, data_root)
    assert (dict(found.weights), found.note) == (
        {},
        "The weights were imported; what they began as is not in the file.",
    )
    assert no_start("untrained").note == "These are first weights themselves: the network was never trained."
    assert "pretrained" in no_start("backbone").note
    histograms = counted(network, no_start("backbone"))
    assert histograms.note == no_start("backbone").note
    assert all(tensor.before is None and tensor.changed is None for tensor in histograms.tensors)
    assert all(sum(tensor.now) == np.prod(tensor.shape) for tensor in histograms.tensors)


def counted(network: TrainedNetwork, start: Start) -> Histograms:
    work = weight_histograms(network, lambda: start)
    done, total = -1, 0
    while True:
        try:
            now, total = next(work)
        except StopIteration as finished:
            assert done == total
            return finished.value
        assert now > done
        done = now


@pytest.mark.parametrize("chunk", [100, 1 << 22])
def test_both_are_counted_in_the_same_bins(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_view, "CHUNK", chunk)
    network, other = (made_network("cnn3", 28, seed=seed) for seed in (0, 1))
    start = Start(weights=dict(other.model.named_parameters()))
    found = counted(network, start)
    assert [tensor.name for tensor in found.tensors] == [name for name, _ in network.model.named_parameters()]
    for tensor, now, before in zip(found.tensors, network.model.parameters(), start.weights.values(), strict=True):
        numbers, first = now.detach().numpy().ravel(), before.detach().numpy().ravel()
        assert tensor.shape == tuple(now.shape)
        both = np.concatenate([numbers, first])
        if both.any():
            assert (tensor.edges[0], tensor.edges[-1]) == pytest.approx((both.min(), both.max()))
        for counts, values in ((tensor.now, numbers), (tensor.before, first)):
            assert counts is not None
            assert sum(counts) == values.size
            # A value on the edge of two bins may fall into either one.
            expected = np.histogram(values, np.array(tensor.edges))[0]
            assert np.abs(np.cumsum(counts) - np.cumsum(expected)).max() <= 2
        assert tensor.mean == pytest.approx(numbers.mean(), abs=1e-6)
        assert tensor.std == pytest.approx(numbers.std(), abs=1e-6)
        length = np.linalg.norm(first.astype(np.float64))
        way = np.linalg.norm(numbers.astype(np.float64) - first)
        assert tensor.changed == (pytest.approx(way / length) if length else None)
    assert {tensor.kind for tensor in found.tensors} == {"convolution", "dense"}


def test_weights_that_are_all_the_same_have_bins_too() -> None:
    network = made_network("resnet20", 32, width=0.25)
    tensor = next(tensor for tensor in counted(network, Start()).tensors if tensor.name == "stem.norm.weight")
    assert (tensor.kind, tensor.std, sum(tensor.now)) == ("normalization", 0, 4)
    assert tensor.edges[0] < 1 < tensor.edges[-1]


def test_weights_that_are_no_numbers_get_one_sentence() -> None:
    network = made_network("cnn3", 28)
    with torch.no_grad():
        network.model.get_parameter("conv1.conv.weight")[0, 0, 0, 0] = torch.nan
    with pytest.raises(DataError, match=r"The weights conv1\.conv\.weight hold values that are no numbers"):
        counted(network, Start())


@pytest.mark.parametrize(
    ("name", "options", "layer", "shape"),
    [
        ("lenet5", {}, "c1.conv", (6, 5, 5, 1)),
        ("resnet20", {"width": 0.5}, "stem.conv", (8, 3, 3, 3)),
        ("cnn3", {"input_size": 32, "channels": 3}, "conv1.conv", (16, 5, 5, 3)),
        ("efficientnet_lite0", {}, "conv_stem", (32, 3, 3, 3)),
    ],
)
def test_filters_are_the_weights_that_see_the_pixels(
    name: str, options: dict[str, Any], layer: str, shape: tuple[int, ...]
) -> None:
    network = made_network(name, 32 if name != "lenet5" else 28, **options)
    found = first_filters(network)
    assert (found.layer, found.choices, found.filters.shape, found.filters.dtype) == (
        layer,
        (layer,),
        shape,
        np.float32,
    )
    weights = network.model.get_parameter(f"{layer}.weight").detach().numpy()
    np.testing.assert_array_equal(found.filters[3, 1, 2], weights[3, :, 1, 2])
    np.testing.assert_array_equal(first_filters(network, layer).filters, found.filters)


def test_filters_of_other_layers_get_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    network = made_network("cnn3", 28)
    with pytest.raises(
        ConfigError, match=r"no convolution that sees the pixels named 'conv2\.conv'\. Did you mean conv1"
    ):
        first_filters(network, "conv2.conv")
    dense = nn.Sequential(nn.Flatten(), nn.Linear(3 * 20 * 20, 4)).eval()
    monkeypatch.setattr("cnncore.analysis.layers.build_network", lambda *_: dense.to("meta"))
    with pytest.raises(DataError, match="No convolution of this network sees the pixels"):
        first_filters(made_network("cnn3", 20, channels=3, width=1.7))
