"""The questions `attribution` and `sanity`: every method in pieces, targets, random parts, and what cannot be asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnncore.analysis import scans
from cnncore.analysis.attribution import METHODS
from cnncore.answers import Answer
from cnncore.errors import ConfigError, DataError
from cnncore.images.drawing import drawing_text
from cnncore.questions import QUESTIONS
from cnncore.questions.looking import subjects

NETWORK = "untrained:lenet_tutorial"


def drawn() -> str:
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 12:16] = 255
    return f"drawn:{drawing_text(digit)}"


def whole(question: str, **request: Any) -> tuple[Answer, int]:
    """The answer, and how many pieces it took."""
    for count in range(1, 1_000):
        answer = QUESTIONS[question]({"network": NETWORK, "stamp": "untrained", "picture": drawn(), **request})
        if not answer.data["pending"]:
            return answer, count
        assert 0 <= answer.data["done"] <= answer.data["total"]
        assert not answer.lasting
    raise AssertionError("it never ends")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_a_map_of_the_most_probable_class(method: str) -> None:
    answer, _ = whole("attribution", method=method)
    network = subjects().network(NETWORK)
    look = network.look(subjects().shown(network, drawn()).tensor)
    target = int(look.probabilities.argmax())
    assert (answer.data["target"], answer.data["class"]) == (target, network.classes[target])
    assert answer.data["signed"] == (method in ("occlusion", "integrated_gradients"))
    assert bool(answer.data["layer"]) == (method == "gradcam")
    assert (answer.data["completeness"] is not None) == (method == "integrated_gradients")
    map_, pixels = answer.arrays["map"], answer.arrays["pixels"]
    assert (map_.shape, map_.dtype, pixels.shape, pixels.dtype) == ((28, 28), np.float32, (28, 28, 1), np.uint8)
    assert (map_.min() < 0) == answer.data["signed"]
    assert answer.lasting


def test_in_pieces_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, count = whole("attribution", method="integrated_gradients", steps=100)
    assert count == 1
    monkeypatch.setattr(scans.Scans.advance, "__kwdefaults__", {"budget_s": 0.0})
    in_pieces, count = whole("attribution", method="integrated_gradients", steps=100)
    assert count > 3
    np.testing.assert_array_equal(in_pieces.arrays["map"], at_once.arrays["map"])
    assert in_pieces.data == at_once.data


def test_completeness_is_told() -> None:
    told = whole("attribution", method="integrated_gradients", steps=64, target=5)[0]
    complete = told.data["completeness"]
    assert told.arrays["map"].sum() == pytest.approx(complete["attributed"], rel=1e-3, abs=1e-5)
    assert complete["gap_percent"] < 20


def test_other_classes_layers_settings_and_random_parts_give_other_maps() -> None:
    usual = whole("attribution", method="gradcam", target=3)[0]
    assert usual.data["layer"] == "conv2"
    assert usual.data["depths"] == ["Output", "Dense layer", "Convolution 2", "Convolution 1"]
    assert not np.array_equal(
        whole("attribution", method="gradcam", target=3, layer="conv1")[0].arrays["map"], usual.arrays["map"]
    )
    others: list[dict[str, Any]] = [{}, {"target": 4}, *({"shuffled": depth} for depth in range(1, 5))]
    maps = [whole("attribution", **{"method": "gradient", "target": 3, **other})[0].arrays["map"] for other in others]
    assert len({map_.tobytes() for map_ in maps}) == len(others)
    for side in (7, 14):
        tiles = whole("attribution", method="occlusion", window=side, stride=side)[0].arrays["map"]
        assert len(np.unique(tiles)) == (28 // side) ** 2


def test_the_check_compares_every_method() -> None:
    answer, _ = whole("sanity", methods=["gradient", "occlusion"], target=7)
    assert answer.data["methods"] == ("gradient", "occlusion")
    assert answer.data["target"] == 7
    depths = answer.data["depths"]
    assert depths[0] == ""
    assert all(len(values) == len(depths) for values in answer.data["similarity"].values())
    assert answer.arrays["maps"].shape == (2, len(depths), 28, 28)
    assert set(answer.data["verdicts"]) == {"gradient", "occlusion"}
    for method, draws in answer.data["draws"].items():
        assert (np.mean(draws) < answer.data["limit"]) == (answer.data["verdicts"][method] == "notices")


@pytest.mark.parametrize(
    ("question", "request_", "words"),
    [
        ("attribution", {"method": "gradcams"}, "no method named 'gradcams'"),
        ("attribution", {"method": "gradient", "target": 1_000}, "There is no class 1000. Allowed: 0 to 999"),
        ("attribution", {"method": "gradient", "target": -2}, "target cannot be -2"),
        ("attribution", {"method": "gradcam", "layer": "conv7"}, "no layer named 'conv7'"),
        ("attribution", {"method": "gradcam", "layer": "fc1"}, "Grad-CAM cannot take the layer fc1"),
        ("attribution", {"method": "integrated_gradients", "steps": 7}, "steps cannot be 7"),
        ("attribution", {"method": "integrated_gradients", "steps": 257}, "steps cannot be 257"),
        ("attribution", {"method": "occlusion", "window": 29}, "A window cannot have 29 pixels. The image has 28"),
        ("attribution", {"method": "gradient", "network": "untrained:lenet"}, "no network named 'lenet'"),
        ("attribution", {"method": "gradient", "picture": "../etc"}, "no picture named"),
        ("sanity", {"methods": ["maps"]}, "no method named 'maps'"),
        ("sanity", {"methods": []}, "methods cannot be"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(question: str, request_: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as error:
        whole(question, **request_)
    assert words in str(error.value)


def test_a_picture_that_is_gone_is_one_sentence() -> None:
    with pytest.raises(DataError, match="not kept any more"):
        whole("attribution", method="gradient", picture=f"kept:{'0' * 32}")
