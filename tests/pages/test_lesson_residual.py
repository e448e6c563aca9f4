"""The lesson on residual connections: what its link can say, and the numbers that its board gets."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.lessons.blocks import changed, maps_of
from cnncore.lessons.contents import LESSONS
from cnncore.lessons.depth import Stack, pass_through
from cnncore.lessons.depth_runs import depth_runs
from cnncore.lessons.pictures import SAMPLES
from pages.components.lesson_residual import DEPTHS, SEEDS, SIDE, WEIGHTS, block_data, stack_arrays
from pages.components.lesson_residual_apart import CASES, apart_data
from tests.pages.conftest import address, assert_clean


def open_lesson(app: AppTest, **params: str) -> AppTest:
    app.switch_page("pages/learn.py")
    app.query_params["lesson"] = "residual"
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def test_the_link_says_what_is_shown(app: AppTest) -> None:
    open_lesson(app, activation="tanh", initialization="he", normalized="true", layers="100")
    assert_clean(app)
    assert app.warning == []
    assert app.selectbox(key="learn_ResidualState_activation").value == "tanh"
    app.toggle(key="learn_ResidualState_normalized").set_value(False).run()
    assert address(app) == {"lesson": "residual", "activation": "tanh", "initialization": "he", "layers": "100"}


@pytest.mark.parametrize("view", ["stacks", "block", "apart"])
def test_every_view_is_a_link(app: AppTest, view: str) -> None:
    open_lesson(app, view=view, map="emboss", weights="0.3", case="vanishing", picture="digit")
    assert_clean(app)
    assert app.warning == []


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("layers", "22", "4 to 100 in steps of 4"),
        ("layers", "many", "4 to 100"),
        ("weights", "3", "0 to 2"),
        ("case", "boredom", "vanishing, degradation, overfitting"),
        ("view", "all", "stacks, block, apart"),
        ("activation", "step", "sigmoid, tanh, none"),
    ],
)
def test_what_cannot_be_taken_is_one_sentence(app: AppTest, name: str, value: str, allowed: str) -> None:
    open_lesson(app, **{name: value})
    assert_clean(app)
    (warning,) = app.warning
    assert allowed in warning.value


def test_the_board_gets_the_passages_of_every_depth() -> None:
    arrays = stack_arrays("relu", "small", False)
    stack = Stack(initialization="small", residual=True)
    depth = 40
    alone = pass_through(stack, [depth], SEEDS)
    bands = [np.median(alone.gradients[0], axis=-1), alone.gradients[0].min(axis=-1), alone.gradients[0].max(axis=-1)]
    drawn = arrays["gradients"][1, :, DEPTHS.index(depth)]
    np.testing.assert_allclose(drawn[:, : depth + 1], np.log10(bands), atol=1e-5)
    assert np.isnan(drawn[:, depth + 1 :]).all()
    np.testing.assert_allclose(
        arrays["signals"][1, 0, : depth + 1], np.log10(np.median(alone.signals, axis=-1)), atol=1e-5
    )


def test_without_weights_the_block_is_the_identity() -> None:
    gray = SAMPLES["shapes"].load(SIDE)[..., 0]
    data, arrays = block_data(gray, 1)
    assert data["changed"]["residual"][0] == 0
    assert data["changed"]["plain"][0] == 100
    np.testing.assert_array_equal(arrays["residual"][0], arrays["x"])
    assert arrays["residual"].shape == (len(WEIGHTS), SIDE, SIDE)
    assert changed(maps_of(gray / 255), maps_of(gray / 255)) == 0


def test_the_recorded_trainings_show_what_the_columns_say() -> None:
    arms = depth_runs().arms
    end = {name: (np.median(arm.train[:, -1]), np.median(arm.test[:, -1])) for name, arm in arms.items()}
    assert end["plain8"][0] < end["plain20"][0] < end["plain32"][0], "degradation: worse in training, with depth"
    assert end["plain8"][1] < end["plain20"][1] < end["plain32"][1]
    assert end["residual32"][0] < min(end["residual8"][0], end["plain8"][0]), "and with shortcuts better"
    assert 0.3 < np.median(arms["plain32"].ratio) < 3, "and its gradients do not vanish"
    assert end["vanishing"][0] > 85
    assert np.median(arms["vanishing"].ratio) < 1e-9
    assert end["overfitting"][0] < 1
    assert end["overfitting"][1] > 25


def test_every_problem_has_a_column_with_what_was_measured() -> None:
    data = apart_data()
    assert [case["key"] for case in data["cases"]] == list(CASES)
    for case in data["cases"]:
        assert all(row["measured"] for row in case["rows"])
        assert all(len(line["values"]) == len(case["lines"][0]["values"]) for line in case["lines"])
    assert "benchmarks.lesson_depth" in data["command"]


def test_the_answer_says_what_the_figure_shows() -> None:
    answer = LESSONS["residual"].answer
    for residual, words in ((False, ("2 × 10⁻⁹", "9 × 10⁻⁴⁶")), (True, ("0.35", "0.43"))):
        stack = Stack(initialization="small", residual=residual)
        found = np.median(pass_through(stack, (20, 100), SEEDS).gradients[:, 1], axis=-1)
        for value, said in zip(found, words, strict=True):
            assert said in answer
            digits, _, exponent = said.partition(" × 10")
            power = int(exponent.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)
            assert value == pytest.approx(float(digits) * 10**power, rel=0.06)
    grown = np.median(pass_through(Stack(initialization="small", normalized=True), [20], SEEDS).gradients[0, 1])
    assert f"{grown:.0f} times" in answer
    large = np.median(pass_through(Stack(residual=True), [100], SEEDS).gradients[0, 1])
    assert f"{large:.0e}" == "6e+08"
    assert "6 × 10⁸" in answer
    arms = depth_runs().arms
    for name in ("plain8", "plain32", "residual32"):
        assert f"{np.median(arms[name].train[:, -1]):.0f} %" in answer
