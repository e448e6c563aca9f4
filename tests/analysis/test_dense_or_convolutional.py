"""The experiment on dense layers: to a dense network shuffled pixels are the same problem, to a convolutional not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from cnncore.analysis.dense_or_convolutional import (
    ARMS,
    SIDE,
    Digits,
    Splits,
    Trial,
    accuracy,
    build,
    num_params,
    train_steps,
)
from cnncore.analysis.scans import finished
from cnncore.config import DataConfig
from cnncore.data import open_images
from cnncore.lessons.dense import pixel_order

NUM_PIXELS = SIDE * SIDE


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Splits:
    return Splits.of(open_images(DataConfig(dataset="mnist5k"), tmp_path_factory.mktemp("data"), download=False))


@pytest.fixture(scope="module")
def few(digits: Splits) -> Splits:
    """Enough digits to learn from within a second."""

    def part(split: Digits, count: int) -> Digits:
        chosen = torch.randperm(len(split.labels), generator=torch.Generator().manual_seed(0))[:count]
        return Digits(split.pixels[chosen], split.labels[chosen])

    return Splits(part(digits.train, 640), part(digits.validation, 200), part(digits.test, 400))


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def first_layer(model: nn.Sequential) -> torch.Tensor:
    layer = model[1]
    assert isinstance(layer, nn.Linear)
    return layer.weight


def test_to_a_dense_network_shuffled_pixels_are_exactly_the_same_problem(few: Splits) -> None:
    """With its first weights in the same order it computes and learns the same; in whole numbers to the last bit."""
    order = pixel_order(NUM_PIXELS, 5)
    plain, shuffled = build("dense", 0).double(), build("dense", 0).double()
    with torch.no_grad():
        for model in (plain, shuffled):
            for weight in model.parameters():
                # Multiples of 1/64: sums of products with whole numbers are exact in any order.
                weight.copy_((weight * 64).round() / 64)
        first_layer(shuffled).copy_(first_layer(shuffled)[:, torch.from_numpy(order)])
    whole = Digits(few.train.pixels.round().double(), few.train.labels)
    assert torch.equal(plain(whole.seen(None)), shuffled(whole.seen(order)))
    before = first_layer(shuffled).detach().clone()
    losses = []
    for model, images in ((plain, whole.seen(None)), (shuffled, whole.seen(order))):
        for _ in train_steps(model, images, whole.labels, epochs=1, seed=0):
            pass
        losses.append(model(images).detach())
    # Adam divides, which rounds: from here on equal up to that.
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-7, atol=1e-7)
    learned = first_layer(plain)[:, torch.from_numpy(order)]
    torch.testing.assert_close(learned, first_layer(shuffled), rtol=1e-7, atol=1e-7)
    assert not torch.allclose(learned, before)


def test_no_order_of_its_weights_makes_up_for_it_in_a_convolution(few: Splits) -> None:
    order = pixel_order(NUM_PIXELS, 5)
    model = build("convolutional", 0)
    first = model[0](few.test.seen(None))
    assert not torch.allclose(first.flatten(1).sort().values, model[0](few.test.seen(order)).flatten(1).sort().values)


def test_the_networks_have_about_the_same_size() -> None:
    dense, convolutional = num_params("dense"), num_params("convolutional")
    assert (dense, convolutional) == (11_140, 11_274)
    assert abs(dense - convolutional) / dense < 0.02


def test_shuffling_moves_pixels_and_keeps_labels(few: Splits) -> None:
    order = pixel_order(NUM_PIXELS, 1)
    plain, moved = few.test.seen(None).flatten(1), few.test.seen(order).flatten(1)
    assert torch.equal(moved[:, 0], plain[:, order[0]])
    assert torch.equal(moved.sort().values, plain.sort().values)


def test_the_convolutional_network_loses(few: Splits, one_thread: None) -> None:
    trial = Trial(few, seeds=2, epochs=4)
    finished(trial.work())
    assert trial.done == trial.total
    means = {arm: float(trial.test[place].mean()) for place, arm in enumerate(ARMS)}
    lost = {name: means[name, False] - means[name, True] for name in ("dense", "convolutional")}
    assert lost["convolutional"] > max(0.04, lost["dense"])
    assert means["convolutional", False] > means["dense", False]


def test_pieces_of_any_length_give_the_same(few: Splits, one_thread: None) -> None:
    small = Splits(Digits(few.train.pixels[:128], few.train.labels[:128]), few.validation, few.test)
    whole, pieces = (Trial(small, seeds=2, epochs=1) for _ in range(2))
    finished(whole.work())
    for done, total in pieces.work():
        assert np.isfinite(pieces.curves).sum() == done // 2
        assert total == 2 * 2 * 4
        # Other work of the process may draw random numbers between two steps.
        torch.rand(3)
    assert pieces.done == pieces.total
    np.testing.assert_array_equal(whole.curves, pieces.curves)
    np.testing.assert_array_equal(whole.test, pieces.test)
    assert np.isfinite(whole.test).all()


def test_accuracy_is_a_share() -> None:
    model = nn.Linear(2, 2)
    with torch.no_grad():
        model.weight.copy_(torch.eye(2))
        model.bias.zero_()
    images = torch.tensor([[1.0, 0], [0, 1], [2, 1], [0, 3]])
    assert accuracy(model, images, torch.tensor([0, 1, 1, 1])) == 0.75


def test_all_digits_are_divided_as_everywhere(digits: Splits) -> None:
    assert [len(each.labels) for each in (digits.train, digits.validation, digits.test)] == [3_500, 500, 1_000]
    assert float(digits.train.pixels.mean()) == pytest.approx(0, abs=1e-3)
    assert float(digits.train.pixels.std()) == pytest.approx(1, abs=1e-3)
