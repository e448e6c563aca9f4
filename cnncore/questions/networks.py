"""Questions about networks as such, and about the machine."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from pydantic import Field

from cnncore.answers import Answer
from cnncore.catalog.profiles import BYTES_PER_VALUE
from cnncore.config import ModelConfig, Section, TrainConfig, TrainingConfig, TransferConfig
from cnncore.config.requests import parse_request
from cnncore.models.graph import graph_of
from cnncore.models.profile import memory_bytes, profile_model
from cnncore.places import data_dir
from cnncore.training.devices import pick_device, pick_precision
from cnncore.training.machine import machine_facts
from cnncore.transfer.stage_profile import count_stages, measure_stages

CORES = torch.get_num_threads()
"""Threads that a training run has here."""

Pixels = Annotated[int, Field(ge=1, le=1_024)]


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


def machine(asked: dict[str, Any]) -> Answer:
    """The facts of `cnncore.training.machine.machine_facts`, as they are now."""
    parse_request(Section, asked)
    return Answer(machine_facts(data_dir()), lasting=False)
