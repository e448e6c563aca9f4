"""The figure of the lesson on normalization: its links, and what its board is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.lessons.batches import CHANNELS, Batches, activations
from cnncore.lessons.contents import LESSONS
from cnncore.lessons.normalizing import batch_statistics, local_response_norm, normalize
from cnncore.lessons.pictures import SAMPLES
from pages.components.lesson_normalization import (
    BINS,
    MOST_BATCHES,
    SIDE,
    NormalizationState,
    normalization_board,
)
from pages.components.lesson_picture import Picture
from tests.pages.conftest import address, assert_clean

MAPS = np.random.default_rng(0).gamma(0.3, size=(4, len(CHANNELS), 2 * SIDE, 2 * SIDE))


def seen() -> list[tuple[np.ndarray, np.ndarray]]:
    found = Batches(maps=MAPS, side=SIDE).statistics(MOST_BATCHES)
    return [(each.mean, each.variance) for each in found]


def board(**values: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    return normalization_board(NormalizationState(**values), MAPS, seen())


def opened(app: AppTest, **params: str) -> AppTest:
    app.switch_page("pages/learn.py")
    for name, value in {"lesson": "normalization", **params}.items():
        app.query_params[name] = value
    return app.run()


def chosen(app: AppTest, label: str) -> Sequence[Any]:
    return [each for each in app.button_group if each.label == label]


def test_the_lesson_opens_and_another_layer_is_in_the_link(app: AppTest) -> None:
    opened(app, picture="flower")
    assert_clean(app)
    assert not app.warning
    chosen(app, "When")[0].set_value("eval").run()
    chosen(app, "Layer")[0].set_value("dropout").run()
    assert_clean(app)
    assert address(app) == {"lesson": "normalization", "picture": "flower", "mode": "eval", "layer": "dropout"}
    chosen(app, "Layer")[0].set_value("response").run()
    assert not chosen(app, "When")


def test_everything_a_link_can_say(app: AppTest) -> None:
    values = {"layer": "response", "scale": "100", "shift": "-1.5", "gamma": "2", "beta": "-3", "batch": "60"}
    values |= {"size": "8", "k": "0.5", "alpha": "1e-05", "power": "1.5", "rate": "95", "draws": "100", "seed": "9999"}
    values |= {"image": "4", "channel": "8", "row": "23", "column": "0", "picture": "digit"}
    assert set(values) | {"mode"} == set(NormalizationState.model_fields)
    opened(app, **values)
    assert_clean(app)
    assert not app.warning


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"layer": "group"}, "Allowed: batch, response, dropout"),
        ({"scale": "3"}, "scale '3' cannot be taken. Allowed: 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100."),
        ({"rate": "100"}, "rate of dropout '100' cannot be taken. Allowed: 0 to 95"),
        ({"size": "0"}, "Allowed: 1 to 8"),
        ({"row": "24"}, "'24' cannot be taken"),
        ({"alpha": "inf"}, "'inf' cannot be taken"),
        ({"draws": "many"}, "'many' cannot be taken"),
    ],
)
def test_what_a_link_cannot_say_is_one_sentence(app: AppTest, params: dict[str, str], said: str) -> None:
    opened(app, **params)
    assert_clean(app)
    (warning,) = app.warning
    assert said in warning.value.replace("\\", "")


def test_batch_norm_while_training_does_not_see_the_scale() -> None:
    """The answer to the lesson's task."""
    (_, one), (data, hundred) = board(scale=1), board(scale=100)
    np.testing.assert_allclose(hundred["before"], 100 * one["before"])
    np.testing.assert_allclose(hundred["after"], normalize(one["before"], batch_statistics(one["before"])), atol=1e-3)
    np.testing.assert_allclose(hundred["histograms"][1], one["histograms"][1], atol=1e-2)
    assert data["stands"][2][2:] == pytest.approx([0, 1], abs=1e-6)
    for layer in ("response", "dropout"):
        (_, one), (_, hundred) = board(layer=layer, scale=1), board(layer=layer, scale=100)
        assert np.abs(hundred["after"] - one["after"]).max() > 10


def _first_image(mode: str, batch: int, maps: np.ndarray, averages: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    state = NormalizationState.model_validate({"mode": mode, "batch": batch})
    return normalization_board(state, maps, averages)[1]["after"][0]


def test_the_numbers_of_the_answer_are_those_of_the_figure() -> None:
    pictures = [Picture(pixels=sample.load(2 * SIDE), reference="", words="").gray for sample in SAMPLES.values()]
    maps = activations(np.stack(pictures) / 255)
    averages = [(each.mean, each.variance) for each in Batches(maps=maps, side=SIDE).statistics(MOST_BATCHES)]
    edges = [
        normalization_board(NormalizationState.model_validate({"layer": layer, "scale": scale}), maps, averages)[0][
            "stands"
        ][2]
        for layer, scale in (("batch", 0.1), ("response", 1.0), ("response", 100.0))
    ]
    answer = LESSONS["normalization"].answer
    assert f"at × 0.1 the deviation of the edges is {edges[0][3]:.3f}" in answer
    steps = [
        np.abs(np.diff([_first_image(mode, batch, maps, averages) for batch in range(40, 61)], axis=0)).mean()
        for mode in ("train", "eval")
    ]
    assert "less than a tenth as much" in answer
    assert steps[1] < steps[0] / 10
    assert f"the mean of the edges grows {edges[2][2] / edges[1][2]:.0f} times instead of 100 times" in answer


def test_after_training_the_averages_decide() -> None:
    """While training, the first image comes out otherwise in another batch; afterwards it does not."""
    (_, one), (_, two) = board(batch=30), board(batch=31)
    np.testing.assert_array_equal(one["before"][0], two["before"][0])
    trained = np.abs(one["after"][0] - two["after"][0]).max()
    (data, one), (_, two) = board(batch=30, mode="eval"), board(batch=31, mode="eval")
    # One more batch moves the averages by a tenth of what it differs.
    assert np.abs(one["after"][0] - two["after"][0]).max() < trained / 2
    assert "The running averages of the 30 batches so far are taken" in data["words"]


def test_neighbors_divide() -> None:
    data, arrays = board(layer="response", scale=100, size=3, alpha=0.1, power=1.0, k=1.0)
    before = arrays["before"]
    np.testing.assert_allclose(arrays["after"], local_response_norm(before, size=3, alpha=0.1, beta=1.0, k=1.0))
    np.testing.assert_allclose(arrays["after"] * arrays["divisor"], before)
    np.testing.assert_allclose(arrays["white"][0], 100 * MAPS.max(axis=(0, 2, 3)))
    assert "divisor" not in board()[1]
    # Without neighbors, before and after look alike.
    _, arrays = board(layer="response", scale=1, alpha=1e-5, k=10.0)
    shown = [arrays[name] / arrays["white"][when][:, None, None] for when, name in enumerate(("before", "after"))]
    np.testing.assert_allclose(shown[0], shown[1], atol=1e-3)
    assert data["layer"] == "response"


def test_dropout_and_the_mean_of_many_draws() -> None:
    data, once = board(layer="dropout", rate=40)
    np.testing.assert_allclose(once["after"][once["after"] != 0], (once["before"] / 0.6)[once["after"] != 0])
    assert "multiplied by 1 / (1 − p) = 1.67" in data["words"]
    off = [np.abs(board(layer="dropout", draws=draws)[1]["after"] - once["before"]).mean() for draws in (1, 10, 100)]
    assert off[0] > 2 * off[1] > 4 * off[2] > 0
    again = board(layer="dropout", rate=40, seed=1)[1]["after"]
    assert (again != once["after"]).any()
    afterwards = board(layer="dropout", rate=40, mode="eval")[1]
    np.testing.assert_array_equal(afterwards["after"], afterwards["before"])


def test_every_value_is_in_its_histogram() -> None:
    for scale in (0.1, 100):
        _, arrays = board(scale=scale, shift=-2)
        assert arrays["histograms"].shape == (2, len(CHANNELS), BINS)
        np.testing.assert_allclose(arrays["histograms"].sum(axis=2), 1)
