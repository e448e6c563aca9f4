"""What excites a unit, asked as the page asks it: in pieces, one scan for all units of a layer, pictures that grow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnncore.analysis.layers import map_layers
from cnncore.answers import Answer
from cnncore.errors import ConfigError, DataError
from cnncore.images.picture_reference import parse_picture
from cnncore.questions import QUESTIONS, excites
from cnncore.questions.looking import SCANS, subjects

LENET: dict[str, Any] = {"network": "untrained:lenet_tutorial", "stamp": "untrained"}
DIGITS: dict[str, Any] = {**LENET, "images": "data:mnist5k", "layer": "conv1", "most_images": 60}


def ask(name: str, asked: dict[str, Any]) -> tuple[Answer, list[Answer]]:
    """The whole answer and those before it."""
    parts: list[Answer] = []
    while True:
        answer = QUESTIONS[name](asked)
        if not answer.data["pending"]:
            return answer, parts
        parts.append(answer)


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excites, "KEPT", excites.KeptScans())
    excites.ASCENTS.clear()


def test_patches_lead_back_to_their_pictures_and_places() -> None:
    answer, _ = ask("exciting_patches", {**DIGITS, "unit": 3})
    assert answer.lasting
    facts, patches, images = answer.data, answer.arrays["patches"], answer.arrays["images"]
    assert len(facts["patches"]) == len(patches) == len(images) == 9
    assert images.shape[1:] == (28, 28, 1)
    assert patches.shape[1] == patches.shape[2] < 28
    values = [each["value"] for each in facts["patches"]]
    assert values == sorted(values, reverse=True)
    network = subjects().network(LENET["network"])
    module = network.model.get_submodule("conv1")
    kept: list[Any] = []
    handle = module.register_forward_hook(lambda _module, _inputs, output: kept.append(output.detach().clone()))
    for place, image in zip(facts["patches"], images, strict=True):
        assert parse_picture(place["picture"]).kind == "data"
        shown = subjects().shown(network, place["picture"])
        assert np.array_equal(shown.pixels, image)
        assert shown.label == place["label"]
        network.model(shown.tensor)
        unit_map = kept.pop()[0, 3]
        assert float(unit_map[place["row"], place["column"]]) == pytest.approx(place["value"], abs=1e-4)
        assert float(unit_map.max()) == pytest.approx(place["value"], abs=1e-4)
        top, left, bottom, right = place["box"]
        assert top <= place["middle"][0] <= bottom
        assert left <= place["middle"][1] <= right
    handle.remove()
    assert sum(each["count"] for each in facts["classes"]) == 9
    assert facts["scanned"] == 60
    assert facts["num_units"] == map_layers(network)["conv1"].shape[0]


def test_all_units_of_a_layer_come_from_one_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    scans: list[str] = []
    real = excites.scan
    monkeypatch.setattr(excites, "scan", lambda units, *rest: (scans.append(units.layer.name), real(units, *rest))[1])
    best = [ask("exciting_patches", {**DIGITS, "unit": unit, "count": 1})[0].data["patches"] for unit in range(4)]
    overview, _ = ask("exciting_units", {**DIGITS, "first": 0, "count": 4})
    assert scans == ["conv1"]
    assert [each["value"] for each in overview.data["units"]] == [found[0]["value"] for found in best]
    assert len(overview.arrays["patches"]) == 4
    last, _ = ask("exciting_units", {**DIGITS, "first": 18})
    assert [each["unit"] for each in last.data["units"]] == [18, 19]
    ask("exciting_patches", {**DIGITS, "unit": 0, "layer": ""})
    assert scans == ["conv1", ""]


def test_questions_for_units_of_one_layer_share_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncore.analysis.exciting_patches.STEP_MACS", 1)
    monkeypatch.setattr("cnncore.analysis.scans.PIECE_S", 0.0)
    advance = SCANS.advance
    monkeypatch.setattr(SCANS, "advance", lambda key, start: advance(key, start, budget_s=0.0))
    few = {**DIGITS, "most_images": 4}
    steps = [QUESTIONS["exciting_patches"]({**few, "unit": unit}).data for unit in range(4)]
    assert [(each["done"], each["total"]) for each in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert not QUESTIONS["exciting_units"](few).data["pending"]


def test_a_class_is_excited_by_whole_images() -> None:
    answer, _ = ask("exciting_patches", {**DIGITS, "layer": "", "unit": 7, "count": 2, "whole": False})
    assert answer.arrays.keys() == {"patches"}
    assert answer.arrays["patches"].shape == (2, 28, 28, 1)
    assert answer.data["patches"][0]["box"] == (0, 0, 28, 28)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"unit": 20}, "There is no unit 20 in the layer conv1"),
        ({"unit": 1_000, "layer": ""}, "There is no class 1000"),
        ({"unit": -1}, "unit cannot be -1"),
        ({"layer": "nowhere", "unit": 0}, "no layer named 'nowhere'"),
        ({"most_images": 10**6, "unit": 0}, "most_images cannot be 1000000"),
        ({"images": "data:nothing", "unit": 0}, "nothing"),
        ({"network": "untrained:none", "unit": 0}, "none"),
    ],
)
def test_what_cannot_be_is_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises((ConfigError, DataError), match=sentence):
        ask("exciting_patches", {**DIGITS, **changed})


# Synthesis


def test_a_picture_grows_from_question_to_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excites, "PIECE_S", 0.0)
    asked = {**LENET, "layer": "conv2", "unit": 1, "steps": 5, "seed": 3}
    answer, parts = ask("synthesis", asked)
    assert [each.data["done"] for each in parts] == [1, 2, 3, 4]
    assert all(not each.lasting for each in parts)
    assert all(each.arrays["image"].shape == (28, 28, 1) for each in parts)
    assert not np.array_equal(parts[0].arrays["image"], parts[-1].arrays["image"])
    assert answer.lasting
    assert answer.data["total"] == 5
    assert 0 <= answer.data["share"] <= 1
    assert {name: answer.data[name] for name in asked if name in answer.data} == {
        name: value for name, value in asked.items() if name in ("network", "layer", "unit", "seed")
    }
    assert not excites.ASCENTS
    monkeypatch.setattr(excites, "PIECE_S", 1e9)
    whole, none = ask("synthesis", asked)
    assert none == []
    assert np.array_equal(whole.arrays["image"], answer.arrays["image"])


def test_pictures_that_nobody_asks_for_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excites, "PIECE_S", 0.0)
    for seed in range(excites.MOST_ASCENTS + 2):
        QUESTIONS["synthesis"]({**LENET, "unit": 1, "steps": 5, "seed": seed})
    assert len(excites.ASCENTS) == excites.MOST_ASCENTS


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"unit": 1_000}, "There is no class 1000"),
        ({"layer": "fc1"}, "no maps"),
        ({"steps": 10**6}, "steps cannot be 1000000"),
        ({"aim": "left"}, "aim cannot be 'left'"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        QUESTIONS["synthesis"]({**LENET, "unit": 0, **changed})
