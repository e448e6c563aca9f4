"""The Inspector's frame: which network, what is said of the picture, the link, and what is not there (any more)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.catalog import MODELS
from cnncore.errors import DataError, LabError
from cnncore.runs.artifacts import WEIGHTS, WEIGHTS_CARD, run_dir
from cnncore.runs.store import Run, RunStore
from cnncore.runs.tidying import delete
from pages.components import inspector_network
from pages.components.inspector_link import Look, command_line
from pages.components.inspector_network import look_at, network_choices
from pages.components.inspector_prediction import (
    preprocessing_words,
    probability_table,
    statistics_table,
    tensor_csv,
)
from pages.components.inspector_views import VIEWS
from tests.fake_runs import CLASSES, open_run
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.inspector_lab import MADE, Asked, digit_run, fakes, give_weights, inspect, look, run
from tests.pages.transfer_runs import words

pytestmark = pytest.mark.usefixtures("fakes")
NETWORK = "inspector_network"
__all__ = ["fakes", "run"]


def asked_for(asked: Asked, question: str) -> list[Mapping[str, Any]]:
    return [request for name, request in asked if name == question]


def test_with_nothing_trained_there_is_a_pretrained_network_and_a_photograph_to_look_at(
    app: AppTest, asked: Asked
) -> None:
    look(app)
    assert_clean(app)
    assert app.selectbox(key=NETWORK).value == "backbone:efficientnet_lite0"
    (request,) = {json.dumps(request) for request in asked_for(asked, "inspect")}
    assert json.loads(request)["picture"].startswith("kept:")
    assert "thing 3" in words(app)
    assert "Summer Palace" in words(app)
    assert "Nothing has been trained here yet" in words(app)
    assert address(app) == {}


def test_the_newest_run_comes_first_and_its_own_images_or_a_drawing_are_looked_at(
    app: AppTest, run: Run, asked: Asked
) -> None:
    look(app)
    assert_clean(app)
    assert app.selectbox(key=NETWORK).value == f"run:{run.id}"
    assert app.segmented_control(key="inspector_source").value == "draw"
    request = asked_for(asked, "inspect")[0]
    assert request["picture"].startswith("drawn:")
    assert request["stamp"]
    assert "90.0 %" in words(app)
    assert "Nothing has been trained" not in words(app)


def test_every_kind_of_network_is_offered_under_a_name_that_can_be_searched(run: Run) -> None:
    titles = network_choices()
    assert titles[f"run:{run.id}"] == f"Run · LeNet <b> on digits · {100 * run.summary['test_accuracy']:.1f} % test"
    assert titles["backbone:efficientnet_lite0"] == "Pretrained · EfficientNet-Lite0"
    assert {f"untrained:{name}" for name in MODELS} < set(titles)
    assert next(iter(titles)) == f"run:{run.id}"


def test_networks_are_told_with_what_they_take(run: Run) -> None:
    found = look_at(f"run:{run.id}")
    assert isinstance(found, Look)
    assert (found.title, found.size, found.channels) == ("LeNet <b> on digits", 28, 1)
    assert found.classes == tuple(CLASSES)
    backbone, untrained = look_at("backbone:efficientnet_lite0"), look_at("untrained:lenet5")
    assert isinstance(backbone, Look)
    assert isinstance(untrained, Look)
    assert (backbone.size, len(backbone.classes), backbone.channels) == (224, 1_000, 3)
    assert (untrained.size, untrained.channels, untrained.stamp) == (32, 1, "untrained")


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("run:ffffffffffff", "There is no run 'ffffffffffff' here"),
        ("backbone:vgg16", "python -m cnncore backbones --download vgg16"),
        ("nonsense", "There is no network named 'nonsense'. Choose one of the list."),
    ],
)
def test_what_cannot_be_looked_into_is_one_sentence(app: AppTest, reference: str, sentence: str) -> None:
    problem = look_at(reference)
    assert isinstance(problem, str)
    assert sentence in problem
    look(app, network=reference)
    assert_clean(app)
    assert sentence in words(app)
    app.selectbox(key=NETWORK).set_value("untrained:lenet5").run()
    assert_clean(app)
    assert "view of untrained:lenet5" in words(app)
    assert address(app)["network"] == "untrained:lenet5"


@pytest.mark.parametrize("breakage", ["folder", "weights", "card", "shape", "row"])
def test_a_run_that_has_lost_something_is_one_sentence(
    app: AppTest, run: Run, store: RunStore, artifacts: Path, breakage: str
) -> None:
    folder = run_dir(artifacts, run.id)
    if breakage == "folder":
        shutil.rmtree(folder)
    elif breakage == "weights":
        (folder / WEIGHTS).unlink()
    elif breakage == "card":
        (folder / WEIGHTS_CARD).write_text("[")
    elif breakage == "shape":
        (folder / WEIGHTS_CARD).write_text('{"in_shape": 3, "classes": 7}')
    else:
        delete(store, [run.id])
    look(app, network=f"run:{run.id}")
    assert_clean(app)
    assert [warning.value for warning in app.warning]
    assert app.selectbox(key=NETWORK).options
    assert "view of" not in words(app)


@pytest.mark.parametrize("network", ["<script>alert(1)</script>", "run:../../x", "x" * 5_000, "backbone:", ":"])
def test_a_network_of_a_hostile_link_is_a_sentence_and_the_default(app: AppTest, run: Run, network: str) -> None:
    look(app, network=network)
    assert_clean(app)
    assert len(app.warning) == 1
    assert "<script>" not in app.warning[0].value
    assert app.selectbox(key=NETWORK).value == f"run:{run.id}"


def test_a_run_of_other_pages_is_taken_over(app: AppTest, run: Run, store: RunStore, artifacts: Path) -> None:
    other = digit_run(store, artifacts, name="Another")
    look(app, run=run.id)
    assert_clean(app)
    assert app.selectbox(key=NETWORK).value == f"run:{run.id}"
    assert address(app) == {"network": f"run:{run.id}"}
    look(app, run=other.id, network=f"run:{run.id}")
    assert app.selectbox(key=NETWORK).value == f"run:{run.id}"


def test_changing_the_network_keeps_the_picture_and_the_view_but_not_what_only_the_other_had(
    app: AppTest, run: Run
) -> None:
    look(app, network=f"run:{run.id}", picture="data:mnist5k:test:1", view="errors", layer="conv1", unit="3")
    app.selectbox(key=NETWORK).set_value("untrained:lenet5").run()
    assert address(app) == {"network": "untrained:lenet5", "picture": "data:mnist5k:test:1", "view": "errors"}
    assert "view of untrained:lenet5 untrained with data:mnist5k:test:1" in words(app)


def test_an_open_run_shows_the_weights_it_has_and_follows(
    app: AppTest, store: RunStore, artifacts: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.components.inspector_network.look_after", lambda run: None)
    run = open_run(store, artifacts, upto=120)
    look(app, network=f"run:{run.id}", picture="data:mnist5k:test:1")
    assert_clean(app)
    assert "Fake run has no trained weights yet" in words(app)
    assert app.selectbox(key=NETWORK).options[0] == "Run · Fake run"
    assert "this fills in by itself" in words(app)
    give_weights(artifacts, run, epoch=2)
    app.run()
    assert_clean(app)
    assert "weights of epoch 2" in words(app) or "those of epoch 2" in words(app)
    assert f"run:{run.id}" in network_choices()
    assert "running, weights of epoch 2" in network_choices()[f"run:{run.id}"]
    first = asked_for(asked, "inspect")[-1]
    give_weights(artifacts, run, epoch=3)
    app.run()
    assert "those of epoch 3" in words(app)
    second = asked_for(asked, "inspect")[-1]
    assert first["stamp"] != second["stamp"]
    assert {**first, "stamp": ""} == {**second, "stamp": ""}
    assert address(app)["picture"] == "data:mnist5k:test:1"


# What is said


def test_right_and_wrong_are_told_where_the_truth_is_known(
    app: AppTest, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(app, network=f"run:{run.id}", picture=f"sample:{run.id}:test:3")
    assert "<b>right</b>" in words(app)

    def wrong(request: Mapping[str, Any]) -> Answer:
        answer = inspect(request)
        return Answer(answer.data | {"label": "5"}, answer.arrays)

    monkeypatch.setitem(ANSWERS, "inspect", wrong)
    look(app, network=f"run:{run.id}", picture=f"sample:{run.id}:test:5")
    assert "<b>wrong</b></span>, it is <b>5</b>" in words(app)


def test_names_from_outside_are_text(app: AppTest, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def hostile(request: Mapping[str, Any]) -> Answer:
        answer = inspect(request)
        return Answer(answer.data | {"classes": ["<img src=x onerror=alert(1)>", "'\"", "c", "d", "e"]}, answer.arrays)

    monkeypatch.setitem(ANSWERS, "inspect", hostile)
    look(app, network=f"run:{run.id}", picture=f"sample:{run.id}:test:3")
    assert_clean(app)
    assert "<img src=x" not in words(app)


def test_a_network_that_diverged_says_so(app: AppTest, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverged(request: Mapping[str, Any]) -> Answer:
        answer = inspect(request)
        return Answer(answer.data, answer.arrays | {"shares": np.full(5, np.nan, np.float32)})

    monkeypatch.setitem(ANSWERS, "inspect", diverged)
    look(app, network=f"run:{run.id}", picture=f"sample:{run.id}:test:3")
    assert_clean(app)
    assert "its training diverged" in words(app)


def test_something_unlike_everything_is_told(app: AppTest, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def unfamiliar(request: Mapping[str, Any]) -> Answer:
        answer = inspect(request)
        known = {"distance": 0.9, "threshold": 0.4, "explanation": "Of 20 images <b> 95%."}
        return Answer(answer.data | {"familiar": known}, answer.arrays)

    monkeypatch.setitem(ANSWERS, "inspect", unfamiliar)
    look(app, network=f"run:{run.id}", picture=f"sample:{run.id}:test:3")
    assert "perhaps <b>none of these</b>" in words(app)
    assert "Of 20 images &lt;b&gt;" in words(app)


def test_a_picture_that_has_gone_is_one_sentence_and_the_rest_stays(app: AppTest, run: Run) -> None:
    look(app, network=f"run:{run.id}", picture="data:cifar100:test:0")
    assert not app.exception
    assert "The data set cifar100 is not on this machine. Train something on it." in [
        error.value for error in app.error
    ]
    assert "view of" in words(app)


def test_a_view_of_the_picture_does_not_repeat_what_is_wrong_with_it(
    app: AppTest, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VIEWS:
        monkeypatch.setitem(VIEWS, name, replace(VIEWS[name], needs_picture=True))
    look(app, network=f"run:{run.id}", picture="data:cifar100:test:0", view="why")
    assert len(app.error) == 1
    assert "view of" not in words(app)
    assert "until what is said above is mended" in words(app)
    look(app, network=f"run:{run.id}", picture="data:mnist5k:test:0", view="why")
    assert_clean(app)
    assert "view of" in words(app)


def test_what_fails_again_and_again_is_asked_less_and_less_often(
    app: AppTest, run: Run, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(request: Mapping[str, Any]) -> Answer:
        raise LabError("This took longer than 60 s and was given up.")

    monkeypatch.setitem(ANSWERS, "inspect", fail)
    look(app, network=f"run:{run.id}", picture="data:mnist5k:test:1")
    asked_at: list[int] = []
    for second in range(0, 80, 4):
        app.session_state["waiting_questions"]["inspector_prediction"].asked -= 4
        before = len(asked_for(asked, "inspect"))
        app.run()
        if len(asked_for(asked, "inspect")) > before:
            asked_at.append(second)
    pauses = np.diff([0, *asked_at])
    assert pauses[0] <= 8
    assert 3 <= len(pauses) <= 4, "ten times, if it were every five seconds"
    assert (np.diff(pauses) > 0).all()


def test_what_the_service_could_not_do_for_a_moment_is_tried_again_by_itself(
    app: AppTest, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(picture: str, error: LabError) -> bool:
        def answer(request: Mapping[str, Any]) -> Answer:
            raise error

        monkeypatch.setitem(ANSWERS, "inspect", answer)
        look(app, network=f"run:{run.id}", picture=picture)
        assert [each.value for each in app.error] == [str(error)]
        return app.session_state["waiting_questions"]["inspector_prediction"].shown_open

    assert fail("data:mnist5k:test:1", LabError("The background service ended while it was asked."))
    assert not fail("data:mnist5k:test:2", DataError("The images are gone.", "Bring them back."))


def test_what_a_network_in_bfloat16_makes_of_the_numbers_is_told(
    app: AppTest, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(request: Mapping[str, Any]) -> Answer:
        answer = inspect(request)
        return Answer(answer.data | {"precision": "bf16"}, answer.arrays)

    monkeypatch.setitem(ANSWERS, "inspect", half)
    app.session_state["inspector_numbers"] = True
    look(app, network=f"run:{run.id}", picture=f"sample:{run.id}:test:3")
    assert_clean(app)
    assert "32-bit floating point, which it rounds to bfloat16" in words(app)


def test_the_exact_numbers_are_a_table_and_files(app: AppTest, run: Run, asked: Asked) -> None:
    look(app, network=f"run:{run.id}", picture=f"sample:{run.id}:test:3")
    assert not [request for request in asked_for(asked, "inspect") if request.get("tensor")]
    app.session_state["inspector_numbers"] = True
    app.run()
    assert_clean(app)
    assert [request for request in asked_for(asked, "inspect") if request.get("tensor")]
    assert "1 × 28 × 28" in words(app)
    files = {each.proto.label for each in app.get("download_button")}
    assert {"Tensor (.npy)", "Tensor (.csv)", "Probabilities (.csv)", "What it saw (.png)"} <= files


def test_tables_hold_the_exact_values() -> None:
    given = Look(network="run:abcdef", title="x", stamp="", picture="", size=28, classes=("a", "b", "c"))
    table = probability_table(given, np.array([0.2, 0.7, 0.1], np.float32))
    assert table["class"].tolist() == ["b", "a", "c"]
    tensor = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    lines = tensor_csv(tensor).decode().splitlines()
    assert lines[0] == "channel,row,x0,x1,x2,x3"
    assert lines[5] == "1,1,16.0,17.0,18.0,19.0"
    numbers = statistics_table(np.array([[-0.42, 0.1, 2.8, 0.99]]), MADE)
    assert numbers.loc[0].tolist() == ["gray", "0.1307", "0.3081", "-0.4200", "0.1000", "2.8000", "0.9900"]
    assert "28 pixels on its shorter side (bicubic, antialiased) as a square" in preprocessing_words(MADE)


# The link


def test_the_link_names_everything_and_the_command_line_does_the_same(app: AppTest, run: Run) -> None:
    app.session_state["inspector_share"] = True
    look(app, network=f"run:{run.id}", picture="data:mnist5k:test:1", view="maps", layer="conv1", nonsense="x")
    codes = [code.value for code in app.code]
    assert f"network=run%3A{run.id}&picture=data%3Amnist5k%3Atest%3A1&view=maps&layer=conv1" in codes[0]
    assert "nonsense" not in codes[0]
    assert codes[1] == (f"python -m cnncore inspect run:{run.id} data:mnist5k:test:1 --method maps --layer conv1")


@pytest.mark.parametrize(
    ("params", "options"),
    [
        ({}, "--method maps"),
        ({"layer": "conv1", "unit": "3"}, "--method maps --layer conv1 --unit 3"),
        ({"view": "why"}, ""),
        ({"view": "why", "layer": "conv1", "class": "1"}, "--layer conv1 --class 'dog <b>'"),
        ({"view": "why", "method": "occlusion,gradcam", "layer": "conv1"}, "--method occlusion"),
        ({"view": "why", "class": "7"}, ""),
        ({"view": "why", "class": "\u0663"}, ""),
        ({"view": "maps", "layer": "x; rm -rf ~"}, "--method maps --layer 'x; rm -rf ~'"),
    ],
)
def test_the_command_draws_what_the_view_shows(params: dict[str, str], options: str) -> None:
    given = Look(network="run:abcdef", title="x", stamp="", picture="", size=8, classes=("cat", "dog <b>"))
    assert command_line(given, params) == f"python -m cnncore inspect run:abcdef IMAGE {options}".strip()


@pytest.mark.parametrize("view", ["excites", "errors", "embedding", "weights"])
def test_what_the_command_line_cannot_draw_has_only_a_link(app: AppTest, run: Run, view: str) -> None:
    app.session_state["inspector_share"] = True
    look(app, network=f"run:{run.id}", view=view)
    assert len(app.code) == 1
    assert f"view={view}" in app.code[0].value


@pytest.mark.parametrize("view", ["", "nonsense", "<b>", "errors"])
def test_a_view_that_is_not_there_is_the_first_one(app: AppTest, run: Run, view: str) -> None:
    look(app, network=f"run:{run.id}", view=view)
    assert_clean(app)
    assert app.segmented_control(key="inspector_view").value == (view if view in VIEWS else "maps")
    told = [each.value for each in app.warning if "There is no view" in each.value]
    assert len(told) == (view not in ("", *VIEWS))


def test_a_title_that_an_older_page_sends_is_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    changes: list[dict[str, str]] = []
    monkeypatch.setattr(inspector_network, "change_link", lambda **values: changes.append(values))
    offered = {"run:abcdef": "Run · LeNet · running, weights of epoch 5"}
    inspector_network.take_network("Run · LeNet · running, weights of epoch 4", offered)
    assert not changes
    inspector_network.take_network("run:abcdef", offered)
    assert [change["network"] for change in changes] == ["run:abcdef"]
