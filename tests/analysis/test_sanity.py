"""The check with random weights: what becomes random, how maps are compared, and methods whose verdict is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from cnncore.analysis import attribution, sanity
from cnncore.analysis.attribution import Attribution, Method, attribute
from cnncore.analysis.sanity import (
    DRAWS,
    SanityCheck,
    quick_settings,
    random_parts,
    rank_correlation,
    sanity_check,
    verdict,
    with_random_weights,
)
from cnncore.analysis.scans import Work, finished
from cnncore.catalog import MODELS
from cnncore.config import ModelConfig
from cnncore.models import build_model
from cnncore.transfer.network import stage_modules


def network(name: str) -> nn.Module:
    spec = MODELS[name]
    side = min(spec.native_size, 64)
    torch.manual_seed(0)
    model = build_model(ModelConfig(name=name), (spec.in_channels, side, side), 4).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # As training would, so that nothing is where it started.
            parameter += 0.1 * torch.randn_like(parameter)
    return model


def picture(channels: int = 1, side: int = 28) -> Tensor:
    return torch.randn(1, channels, side, side, generator=torch.Generator().manual_seed(1))


def checked(methods: tuple[str, ...], name: str = "lenet_tutorial") -> SanityCheck:
    work = sanity_check(network(name), name, picture(), 1, methods)
    last = 0
    while True:
        try:
            done, total = next(work)
            assert last <= done <= total
            last = done
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("values", [7, 1_000])
def test_rank_correlation_is_that_of_scipy_with_equal_values_too(values: int) -> None:
    random = np.random.default_rng(0)
    a, b = random.integers(values, size=(2, 30, 30)).astype(np.float32)
    b += a / 3
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel())[0])
    assert rank_correlation(a, np.exp(a / values)) == pytest.approx(1)
    assert rank_correlation(a, -a) == pytest.approx(-1)
    assert rank_correlation(a, np.zeros_like(a)) == 0


@pytest.mark.parametrize("name", ["lenet5", "resnet20", "squeezenet1_1"])
def test_parts_become_random_from_the_output_on_and_stay_so(name: str) -> None:
    model = network(name)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    names = random_parts(name)
    previous = model
    for depth, layers in enumerate(list(stage_modules(model, name).values())[::-1], 1):
        changed = with_random_weights(model, name, depth)
        fresh = {id(value) for layer in layers for value in layer.parameters()}
        after, last = dict(changed.named_parameters()), dict(previous.named_parameters())
        for key, value in model.named_parameters():
            assert torch.equal(after[key], last[key]) != (id(value) in fresh), key
        previous = changed
    assert len(names) == len(stage_modules(model, name))
    assert not any(torch.equal(value, before[key]) for key, value in previous.named_parameters())
    assert not torch.equal(
        *(next(with_random_weights(model, name, 9, seed=seed).parameters()) for seed in (0, 1)),
    )
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_statistics_of_batches_begin_anew() -> None:
    model = network("resnet20")
    for key, value in model.named_buffers():
        if key.endswith("running_mean"):
            value += 3
    changed = with_random_weights(model, "resnet20", 9)
    assert all(not value.any() for key, value in changed.named_buffers() if key.endswith("running_mean"))
    assert not changed.training


def _image_itself(asked: attribution._Asked) -> Work[Attribution]:
    yield 1, 2
    return Attribution(map=asked.image[0, 0].numpy())


def _first_weights(asked: attribution._Asked) -> Work[Attribution]:
    yield 1, 1
    first = next(asked.model.parameters()).detach().flatten()
    return Attribution(map=first.repeat(40)[: 28 * 28].reshape(28, 28).numpy())


def test_a_method_that_shows_the_image_does_not_notice_one_that_shows_weights_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {"image": _image_itself, "weights": _first_weights}
    for name, work in known.items():
        monkeypatch.setitem(attribution.METHODS, name, Method(title=name, signed=True, work=work))
    found = checked(("image", "weights"))
    assert found.depths == ("", "Output", "Dense layer", "Convolution 2", "Convolution 1")
    assert found.similarity["image"] == [1] * 5
    assert found.draws["image"] == [1] * DRAWS
    assert found.similarity["weights"][:4] == [1] * 4
    assert found.similarity["weights"][4] == found.draws["weights"][0] < 0.5
    assert len(set(found.draws["weights"])) == DRAWS
    assert found.verdicts == {"image": "hardly notices", "weights": "notices"}
    assert found.maps.shape == (2, 5, 28, 28)
    np.testing.assert_array_equal(found.maps[0], np.broadcast_to(found.maps[0, 0], (5, 28, 28)))
    assert found.maps[0].max() == 255


def test_real_methods_are_compared_with_the_network_as_it_is() -> None:
    found = checked(("gradcam", "gradient"))
    assert all(values[0] == 1 and max(values[1:]) < 1 for values in found.similarity.values())
    assert {method: verdict(values) for method, values in found.draws.items()} == found.verdicts
    model, image = network("lenet_tutorial"), picture()
    trained = finished(attribute(model, image, 1, "gradient")).map
    for depth, seed, told in ((2, 0, found.similarity["gradient"][2]), (4, 2, found.draws["gradient"][2])):
        changed = with_random_weights(model, "lenet_tutorial", depth, seed=seed)
        other = finished(attribute(changed, image, 1, "gradient")).map
        assert told == pytest.approx(spearmanr(trained.ravel(), other.ravel())[0], abs=1e-4)


def test_the_verdict_is_by_the_mean_of_the_draws() -> None:
    assert verdict([0.9, 0.1, 0.4]) == "notices"
    assert verdict([0.6, 0.5, 0.4]) == "hardly notices"


def test_windows_do_not_overlap_and_maps_are_small() -> None:
    assert quick_settings(224).covering(224) == (32, 32)
    assert sanity._small(np.random.default_rng(0).random((224, 224), np.float32)).shape == (96, 96)
