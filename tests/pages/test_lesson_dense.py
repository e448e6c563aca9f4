"""The lesson on dense layers: its three views, its link, and the experiment that the service carries out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.lessons.sliding import Sliding, convolve
from cnncore.questions.lessons import DenseRequest
from pages.components import lesson_dense_trial as trial
from pages.components.lesson_dense import KERNEL, MAP_SIDE, MOST_SHIFT, SIDE, DenseState, connected, counted
from tests.pages.conftest import ANSWERS, address

CURVES = np.linspace(0.8, 0.95, 36).reshape(4, 3, 3)
TEST = np.array([[0.90, 0.91, 0.89], [0.91, 0.89, 0.90], [0.95, 0.94, 0.96], [0.90, 0.89, 0.90]])


def told(*, whole: bool = True, test: np.ndarray = TEST) -> Answer:
    arms = [
        {"network": network, "shuffled": shuffled, "num_params": 11_000}
        for network in ("dense", "convolutional")
        for shuffled in (False, True)
    ]
    facts = {
        "pending": not whole, "done": 7, "total": 10, "arms": arms, "num_train": 3_500, "num_validation": 500,
        "num_test": 1_000, "batch_size": 64, "lr": 0.003, "device": "A processor", "torch": "2.15", "seconds": 9.5,
    }  # fmt: skip
    hidden = np.where(np.arange(3) > 0, np.nan, 1.0)
    return Answer(facts, {"curves": CURVES if whole else CURVES * hidden, "test": test if whole else test * np.nan})


@pytest.fixture
def lesson(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trial, "cached", lambda name, request: None)

    def opened(**params: Any) -> AppTest:
        app.switch_page("pages/learn.py")
        app.query_params["lesson"] = "dense"
        for name, value in params.items():
            app.query_params[name] = str(value)
        app.run()
        assert not app.exception
        return app

    return opened


def words(app: AppTest) -> str:
    return "\n".join(each.value for each in (*app.markdown, *app.caption))


@pytest.mark.parametrize("view", ["connected", "count", "shuffled"])
def test_each_view_is_drawn(lesson, view: str) -> None:
    app = lesson(view=view)
    assert not app.error
    assert not app.warning
    assert app.segmented_control(key="learn_DenseState_view").value == view


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("view", "x", "connected, count, shuffled"), ("shift", 9, "0 to 4"), ("weights", -1, "0 to 99"),
        ("row", 12, "0 to 11"), ("side", 7, "8 to 224"), ("channels", 0, "1 to 64"), ("filters", 300, "1 to 256"),
        ("kernel", 12, "1 to 11"), ("seeds", 2, "3 to 10"), ("epochs", 11, "1 to 10"), ("picture", "cat", ""),
    ],
)  # fmt: skip
def test_what_a_link_cannot_say_is_one_sentence(lesson, name: str, value: Any, allowed: str) -> None:
    app = lesson(**{name: value})
    assert len(app.warning) == 1
    assert allowed in app.warning[0].value.replace("\\", "")


def test_a_kernel_larger_than_the_image_is_one_sentence_and_all_sliders_stay(lesson) -> None:
    app = lesson(view="count", side=8, kernel=11)
    assert len(app.error) == 1
    assert "does not fit" in app.error[0].value
    assert address(app)["kernel"] == "11"


def test_maps_of_every_shift_come_along() -> None:
    image = np.random.default_rng(0).random((SIDE, SIDE))
    data, arrays = connected(image, 3)
    assert arrays["images"].shape == (MOST_SHIFT + 1, SIDE, SIDE)
    for step, moved in enumerate(arrays["images"]):
        np.testing.assert_array_equal(moved[:, step:], image[:, : SIDE - step])
        kernel = arrays["kernel"][None, None]
        expected = convolve(moved[None], kernel, Sliding(kernel=(KERNEL, KERNEL)))[0]
        np.testing.assert_allclose(arrays["convolution"][step], expected)
        dense = (arrays["weights"] * moved).sum(axis=(1, 2)).reshape(MAP_SIDE, MAP_SIDE)
        np.testing.assert_allclose(arrays["dense"][step], dense)
    assert max(data["off"]["convolution"]) < 1e-9
    assert min(data["off"]["dense"][1:]) > 0.3
    assert np.abs(arrays["weights"]).max() <= data["most_weight"]


def test_a_black_picture_is_no_trouble() -> None:
    data, arrays = connected(np.zeros((SIDE, SIDE)), 0)
    assert data["most"] == {"dense": 1.0, "convolution": 1.0}
    assert not arrays["dense"].any()


def test_the_counts_are_written_out_with_their_numbers() -> None:
    rows = counted(DenseState(side=28, channels=1, filters=16, kernel=5))["rows"]
    assert [row["params"] for row in rows] == ["416", "12,560", "7,234,560"]
    for row in rows:
        total = eval(row["sum"].replace("×", "*").replace(",", ""))
        assert f"{total:,}" == row["params"]
    assert [row["memory"] for row in rows] == ["1.66 kB", "50.2 kB", "28.9 MB"]
    assert rows[-1]["share"] == 1


@pytest.mark.parametrize("ends", [{"side": 8, "channels": 1, "filters": 1, "kernel": 1},
                                  {"side": 224, "channels": 64, "filters": 256, "kernel": 11}])  # fmt: skip
def test_counts_stay_drawable_at_both_ends(ends: dict[str, int]) -> None:
    data = counted(DenseState.model_validate(ends))
    assert all(0 <= row["share"] <= 1 for row in data["rows"])


def test_nothing_is_trained_until_one_asks_for_it(lesson, asked: list[tuple[str, Mapping[str, Any]]]) -> None:
    app = lesson(view="shuffled")
    assert trial.QUESTION not in [name for name, _ in asked]
    assert app.button(key="learn_dense_run").label.startswith("Run it here (about ")


def test_the_button_starts_it_and_the_result_is_told(
    lesson, asked: list[tuple[str, Mapping[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWERS, trial.QUESTION, lambda request: told())
    app = lesson(view="shuffled", seeds=3, epochs=3)
    app.button(key="learn_dense_run").click().run()
    assert (trial.QUESTION, {"seeds": 3, "epochs": 3}) in asked
    assert "The **dense** network: no difference that 3 trainings could tell." in words(app)
    assert "The **convolutional** network loses 5.3 points" in words(app)
    assert "**95.0 %** (94.0 % to 96.0 %)" in words(app)
    assert "mean of 3 trainings" in words(app)


def test_while_it_runs_it_shows_how_far_it_is_and_can_be_stopped(lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, trial.QUESTION, lambda request: told(whole=False))
    app = lesson(view="shuffled")
    app.button(key="learn_dense_run").click().run()
    assert not app.exception
    assert app.button(key="learn_dense_run").label == "Stop"
    app.button(key="learn_dense_run").click().run()
    assert app.button(key="learn_dense_run").label.startswith("Run it here")


def test_a_reload_goes_on_with_it_and_other_settings_wait_for_the_button(
    lesson, asked: list[tuple[str, Mapping[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWERS, trial.QUESTION, lambda request: told(whole=False))
    app = lesson(view="shuffled", seeds=3, running="true")
    assert app.button(key="learn_dense_run").label == "Stop"
    before = len(asked)
    app.slider(key="learn_DenseState_epochs").set_value(2).run()
    assert app.button(key="learn_dense_run").label.startswith("Run it here")
    assert trial.QUESTION not in [name for name, _ in asked[before:]]


def test_what_was_kept_is_there_at_once(lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "cached", lambda name, request: told())
    app = lesson(view="shuffled")
    assert "loses 5.3 points" in words(app)
    assert app.button(key="learn_dense_run").disabled


def test_a_service_that_fails_is_one_sentence(lesson, broken_service: None) -> None:
    app = lesson(view="shuffled")
    app.button(key="learn_dense_run").click().run()
    assert [each.value for each in app.error] == ["The service is not there. Try again."]


def test_a_gain_is_called_a_gain() -> None:
    better = TEST[[1, 0, 3, 2]]
    assert "gains 5.3 points" in " ".join(trial.conclusions(told(test=better)))


def test_half_of_the_curves_can_be_drawn() -> None:
    data, arrays = trial.drawn(told(whole=False), 3)
    assert np.isfinite(arrays["means"][:, 0]).all()
    assert np.isnan(arrays["means"][:, 1:]).all()
    assert len(data["arms"]) == 4
    assert data["low"] == 80
    nothing, empty = trial.drawn(None, 3)
    assert nothing["arms"] == []
    np.testing.assert_allclose(np.sort(empty["digits"][0].ravel()), np.sort(empty["digits"][1].ravel()))


def test_the_page_asks_for_what_the_service_takes() -> None:
    fields = DenseState.model_fields
    for name in ("seeds", "epochs"):
        assert fields[name].metadata == DenseRequest.model_fields[name].metadata
        assert fields[name].default == DenseRequest.model_fields[name].default
