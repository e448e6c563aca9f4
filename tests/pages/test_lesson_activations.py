"""The lesson on activations: what its link can say, and the numbers that its board gets."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.lessons.contents import LESSONS
from cnncore.lessons.depth import ACTIVATIONS, Stack, pass_through
from pages.components.lesson_activations import (
    BINS,
    FURTHEST,
    MOST_LAYERS,
    SEEDS,
    STEP,
    activation_curves,
    stack_arrays,
)
from pages.components.lesson_depth import decades
from tests.pages.conftest import address, assert_clean


def open_lesson(app: AppTest, **params: str) -> AppTest:
    app.switch_page("pages/learn.py")
    app.query_params["lesson"] = "activations"
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def test_the_link_says_what_is_shown(app: AppTest) -> None:
    said = {"activation": "tanh", "x": "-1.5", "layers": "7", "initialization": "large", "bias": "-0.5", "layer": "30"}
    open_lesson(app, **said)
    assert_clean(app)
    assert app.warning == []
    assert address(app) == {"lesson": "activations", **said}
    assert app.segmented_control(key="learn_ActivationsState_bias").value == -0.5
    app.segmented_control(key="learn_ActivationsState_bias").set_value(0.0).run()
    assert "bias" not in address(app)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("layers", "41", "1 to 40"),
        ("layer", "0", "1 to 40"),
        ("x", "9", "-4 to 4"),
        ("bias", "-7", "0, -0.25, -0.5, -1"),
        ("activation", "step", "sigmoid, tanh, none"),
        ("initialization", "zero", "small, glorot, he, large"),
    ],
)
def test_what_cannot_be_taken_is_one_sentence(app: AppTest, name: str, value: str, allowed: str) -> None:
    open_lesson(app, **{name: value})
    assert_clean(app)
    (warning,) = app.warning
    assert allowed in warning.value.replace("\\", "")


def test_the_curves_are_those_of_the_functions() -> None:
    curves = activation_curves()
    for place, spec in enumerate(ACTIVATIONS.values()):
        for at in (0, 60, 80, 81, 160):
            x = np.array(round(-FURTHEST + at * STEP, 2))
            assert curves["values"][place, at] == pytest.approx(float(spec.value(x)))
            assert curves["slopes"][place, at] == pytest.approx(float(spec.slope(x)))


def test_the_board_gets_the_passages_of_every_depth() -> None:
    arrays = stack_arrays("relu", "he", 0.0)
    alone = pass_through(Stack(), [7], SEEDS)
    np.testing.assert_allclose(
        arrays["gradients"][0, 6, :8], np.log10(np.median(alone.gradients[0], axis=-1)), atol=1e-5
    )
    assert np.isnan(arrays["gradients"][:, 6, 8:]).all()
    np.testing.assert_allclose(arrays["dead"][2, :7], 100 * alone.dead.max(axis=-1), atol=1e-4)
    np.testing.assert_allclose(arrays["signals"][1, :8], np.log10(alone.signals.min(axis=-1)), atol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_histograms_count_every_output(activation: str) -> None:
    arrays = stack_arrays(activation, "he", 0.0)
    assert arrays["histograms"].shape == (MOST_LAYERS, BINS)
    np.testing.assert_allclose(arrays["histograms"].sum(axis=1), 100, atol=1e-3)


def test_an_axis_holds_all_powers_and_nothing_that_is_no_number() -> None:
    assert decades(np.array([np.nan, -3.2, 0.0])) == [-4, 0]
    assert decades(np.array([0.1, 0.2])) == [-1, 1]
    assert decades(np.array([-np.inf, np.nan, -3.2, 0.0])) == [-5, 0], "0 lies below all powers"
    assert decades(np.array([-np.inf])) == [-3, 0]


@pytest.mark.parametrize(
    ("stack", "words", "expected"),
    [
        (Stack(activation="sigmoid"), "3 × 10⁻¹⁰", "3e-10"),
        (Stack(activation="sigmoid", initialization="glorot"), "10⁻¹² with Glorot's", "1e-12"),
        (Stack(), "0.75", "0.75"),
        (Stack(activation="leaky_relu", bias=-0.5), "2 × 10⁻²⁹", "2e-29"),
        (Stack(bias=-0.5), "exactly 0", "0.00"),
    ],
)
def test_the_answer_says_what_the_figure_shows(stack: Stack, words: str, expected: str) -> None:
    assert words in LESSONS["activations"].answer
    found = pass_through(stack, [20], SEEDS)
    assert format(np.median(found.gradients[0, 1]), ".0e" if "e" in expected else ".2f") == expected
    if stack == Stack(bias=-0.5):
        assert (found.gradients[0, 1] == 0).all()
        assert (found.dead[6:] == 1).all()
        assert not (found.dead[5] == 1).all()
