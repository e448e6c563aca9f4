"""Filters: each narrows the list by itself, and texts from outside are taken literally."""

from __future__ import annotations

import pytest

from cnncore.runs.search import ORDERS, Search, choices, count_runs, find_runs
from cnncore.runs.store import RunStore


@pytest.fixture
def filled(store: RunStore) -> RunStore:
    for name, model, dataset, tags, accuracy in (
        ("LeNet 100%", "lenet_tutorial", "mnist", ["Ä", "first try"], 0.9),
        ("VGG_A", "vgg11", "cifar10", ["first"], None),
        ("lenet again", "lenet_tutorial", "cifar10", [], 0.95),
    ):
        run = store.create({"model": {"name": model}, "data": {"dataset": dataset}}, name=name, tags=tags)
        store.set_summary(run.id, {"test_accuracy": accuracy, "num_params": 10})
    store.create({}, name="Search", kind="find_lr")
    return store


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Search(), ["lenet again", "VGG_A", "LeNet 100%"]),
        (Search(searches=True), ["Search", "lenet again", "VGG_A", "LeNet 100%"]),
        (Search(model="lenet_tutorial"), ["lenet again", "LeNet 100%"]),
        (Search(dataset="cifar10"), ["lenet again", "VGG_A"]),
        (Search(model="lenet_tutorial", dataset="cifar10"), ["lenet again"]),
        (Search(status="finished"), []),
        (Search(tag="first"), ["VGG_A"]),
        (Search(tag="FIRST try"), ["LeNet 100%"]),
        (Search(tag="Ä"), ["LeNet 100%"]),
        (Search(tag='first"'), []),
        (Search(text="LENET"), ["lenet again", "LeNet 100%"]),
        (Search(text="%"), ["LeNet 100%"]),
        (Search(text="_"), ["VGG_A"]),
        (Search(text="try"), ["LeNet 100%"]),
        (Search(text="'; --"), []),
        (Search(sort="test"), ["lenet again", "LeNet 100%", "VGG_A"]),
        (Search(sort="name"), ["LeNet 100%", "lenet again", "VGG_A"]),
        (Search(limit=1), ["lenet again"]),
    ],
)
def test_what_matches(filled: RunStore, wanted: Search, names: list[str]) -> None:
    assert [run.name for run in find_runs(filled, wanted)] == names


def test_runs_are_found_by_the_beginning_of_their_id(filled: RunStore) -> None:
    run = filled.list()[-1]
    assert find_runs(filled, Search(text=run.id[:7])) == (run,)


def test_counting_leaves_the_limit_aside(filled: RunStore) -> None:
    assert count_runs(filled, Search(limit=1)) == 3


def test_choices_are_what_there_is(filled: RunStore) -> None:
    found = choices(filled)
    assert (found.models, found.datasets, found.statuses) == (
        ("lenet_tutorial", "vgg11"),
        ("cifar10", "mnist"),
        ("queued",),
    )
    assert found.tags == ("first", "first try", "Ä")


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_takes_runs_that_know_nothing_yet(filled: RunStore, order: str) -> None:
    filled.create({}, name="new")
    assert len(find_runs(filled, Search(sort=order))) == 4


def test_imported_weights_are_listed_with_the_trained_ones(filled: RunStore) -> None:
    filled.create({"model": {"name": "resnet20"}, "data": {"dataset": "svhn"}}, name="Brought", kind="import")
    assert find_runs(filled, Search())[0].name == "Brought"
    assert "resnet20" in choices(filled).models
