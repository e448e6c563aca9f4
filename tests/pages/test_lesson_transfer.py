"""The lesson on transfer: what it asks the service, what its boards get, what its link says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.catalog.backbones import BACKBONES
from cnncore.errors import WeightsError
from cnncore.images.picture_reference import parse_picture
from cnncore.lessons.contents import LESSONS
from pages.components import lesson_transfer_layers as layers
from pages.components.lesson_transfer_images import Images, image_choices
from pages.components.lesson_transfer_state import TransferState
from pages.components.lesson_transfer_training import training_board
from pages.components.waiting import Reply
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.lesson_answers import LESSON_ANSWERS, NUM_IMAGES, exciting_patches, feature_maps, probe_by_depth
from tests.pages.test_learn import learn

Asked = list[tuple[str, Mapping[str, Any]]]


@pytest.fixture(autouse=True)
def _answered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, answer in LESSON_ANSWERS.items():
        monkeypatch.setitem(ANSWERS, name, answer)


def test_every_stage_is_asked_for_and_then_what_excites_the_chosen_map(app: AppTest, asked: Asked) -> None:
    learn(app, lesson="transfer", depth="2", unit="17")
    assert_clean(app)
    maps = [request["layer"] for name, request in asked if name == "feature_maps"]
    assert maps == ["bn1", "blocks.0", "blocks.1", "blocks.2", "blocks.4", "bn2"]
    searched = next(request for name, request in asked if name == "exciting_patches")
    assert (searched["layer"], searched["unit"]) == ("blocks.1", 17)
    assert searched["images"] in image_choices()
    assert searched["most_images"] <= 200


def test_a_map_that_is_not_shown_is_not_searched_for(app: AppTest, asked: Asked) -> None:
    learn(app, lesson="transfer", unit="3000")
    assert_clean(app)
    assert next(request["unit"] for name, request in asked if name == "exciting_patches") == 19


def test_the_parts_and_the_measurement_are_in_the_link(app: AppTest, asked: Asked) -> None:
    learn(app, lesson="transfer", part="training")
    assert_clean(app)
    assert "probe_by_depth" not in [name for name, _ in asked], "opening a link must not begin what nobody asked for"
    app.button(key="learn_probe").click().run()
    assert_clean(app)
    assert address(app) == {"lesson": "transfer", "part": "training", "probed": "true"}
    request = next(request for name, request in asked if name == "probe_by_depth")
    assert (request["split"], request["seed"]) == ("train", 0)


BAD = {
    "network": "resnet9000",
    "depth": "6",
    "unit": "-2",
    "learning": "7",
    "images": "run:abcdef123456",
    "part": "both",
    "probed": "now",
}


def test_what_cannot_be_taken_is_one_sentence_each(app: AppTest) -> None:
    learn(app, lesson="transfer", **BAD)
    assert_clean(app)
    said = [warning.value for warning in app.warning]
    assert len(said) == len(BAD)
    assert all("cannot be taken" in sentence for sentence in said)


def test_a_service_that_does_not_answer_is_one_sentence(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: Mapping[str, Any]) -> Answer:
        raise WeightsError("The file is damaged.", "Delete it.")

    monkeypatch.setitem(ANSWERS, "feature_maps", refuse)
    learn(app, lesson="transfer")
    assert [error.value for error in app.error] == ["The file is damaged. Delete it."]


def test_the_board_of_maps() -> None:
    answer = feature_maps({"layer": "x"})
    kept = layers.contrasted(answer)
    assert kept.data["units"] == [19, 18, 17, 16, 15, 14, 13, 12]
    found = exciting_patches({"unit": 4, "count": 3, "most_images": 9})
    data, arrays = layers.layers_board(TransferState(), [kept, None, kept, None, None, None], Reply(found), 19)
    assert [stage["count"] for stage in data["stages"]] == [40, 0, 40, 0, 0, 0]
    assert set(arrays) == {f"{name}{place}" for name in ("maps", "rows", "columns") for place in (0, 2)} | {"patches"}
    assert arrays["patches"].shape == (3, 9, 9, 3)
    assert data["labels"] == ["class 0", "class 1", "class 2"]
    shares = (arrays["maps0"][0].astype(float) - 128) / 127
    values = answer.arrays["maps"][9].astype(float)
    assert np.abs(shares - values / np.abs(values).max()).max() < 0.5 / 127 + 1e-3


def test_a_search_that_is_on_says_how_far_it_is() -> None:
    part = Answer({"pending": True, "done": 50, "total": 200})
    data, arrays = layers.layers_board(TransferState(), [None] * 6, Reply(part, pending=True), -1)
    assert data["searching"].endswith("25 %")
    assert arrays == {}


def test_large_maps_are_averaged_and_their_places_see_more() -> None:
    maps = np.arange(2 * 5 * 4, dtype=np.float32).reshape(2, 5, 4)
    small = layers.averaged(maps, 2)
    assert small.shape == (2, 2, 2)
    assert small[1, 1, 0] == maps[1, 2:4, :2].mean()
    ends = np.array([[0, 3], [2, 5], [4, 7], [6, 9], [8, 11]])
    assert layers.spans(ends, 2).tolist() == [[0, 5], [4, 9]]
    assert layers.spans(ends, 1).tolist() == ends.tolist()
    assert layers.signed_bytes(np.array([[[0, -4, 2]], [[0, 0, 0]]], np.float32)).tolist() == [
        [[128, 1, 192]],
        [[128] * 3],
    ]


def test_samples_are_kept_as_questions_need_them(app: AppTest) -> None:
    name = layers.question_picture("palace")
    assert parse_picture(name).kind == "kept"
    assert layers.question_picture("palace") == name
    assert layers.question_picture("kept:" + "0" * 32) == "kept:" + "0" * 32


@pytest.mark.parametrize("network", BACKBONES)
def test_costs_of_every_backbone_grow_with_what_learns(network: str) -> None:
    state = TransferState.model_construct(network=network)
    board = training_board(state, None, Images(name="data:mnist5k", title="digits"))
    works = [position["work"] for position in board["positions"]]
    assert works == sorted(works)
    assert works[0] < 0.01
    assert works[-1] == 1
    assert [row["title"] for row in board["rows"]][:: len(board["rows"]) - 1] == ["Pixels", "New head"]
    assert len(board["positions"]) == len(board["rows"]) - 1
    learned = [row["params"] for row in board["rows"]]
    for learning, position in enumerate(board["positions"]):
        assert position["learning"] == sum(learned[len(learned) - 1 - learning :])
        assert position["learning"] + position["frozen"] == sum(learned)
    assert sum(row["work"] for row in board["rows"]) == pytest.approx(1)
    assert board["words"] == ""


def test_the_measurement_stands_beside_its_stages() -> None:
    answer = probe_by_depth({"split": "train", "seed": 0})
    board = training_board(TransferState(), answer, Images(name="data:mnist5k", title="digits"))
    assert [row.get("share") for row in board["rows"]] == [0, 0.2, 0.4, 0.6, 0.8, 1, 1, None]
    assert all(row["low"] <= row["share"] <= row["high"] + 1e-9 for row in board["rows"][:-1])
    assert f"{NUM_IMAGES} images of digits (a, b; train split)" in board["words"]
    assert "50 %" in board["words"]


def test_the_answer_tells_what_the_figure_shows() -> None:
    """Its costs; what the probes found was measured with real images."""
    board = training_board(TransferState(), None, Images(name="data:mnist5k", title="digits"))
    assert (
        f"with one of its six stages learning, a step takes {100 * board['positions'][1]['work']:.0f} %"
        in LESSONS["transfer"].answer
    )
