"""Questions about layers, maps, sums and weights, as the service asks them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncore.answers import Answer, pack, unpack
from cnncore.config import TrainConfig, replace
from cnncore.errors import ConfigError, LabError
from cnncore.questions import QUESTIONS
from cnncore.questions.maps import halved
from cnncore.runs.store import RunStore
from cnncore.runs.subjects import parse_subject, subject_stamp
from tests.photographs import trained

PICTURE = "data:mnist5k:test:3"
NETWORK = "untrained:cnn3"


def ask(question: str, *, network: str = NETWORK, **more: Any) -> Answer:
    """The whole answer, as it comes back from the service."""
    answer = QUESTIONS[question]({"network": network, **more})
    while answer.data.get("pending"):
        answer = QUESTIONS[question]({"network": network, **more})
    sent = unpack(pack(answer))
    return Answer(sent.data, sent.arrays, lasting=answer.lasting)


def test_layers_name_what_can_be_looked_at() -> None:
    answer = ask("layers", stamp="untrained")
    names = [layer["name"] for layer in answer.data["layers"]]
    assert names[:3] == ["conv1.conv", "conv1.activation", "conv1"]
    assert (answer.data["last"], answer.data["size"], answer.lasting) == ("conv3.conv", 28, True)
    assert answer.data["layers"][0]["shape"] == [16, 24, 24]
    assert "seen" not in answer.data["layers"][0]
    assert not ask("layers").lasting


def test_maps_come_with_their_scale_and_what_positions_see() -> None:
    answer = ask(
        "feature_maps", picture=PICTURE, layer="conv2.conv", count=5, first=2, order="strength", stamp="untrained"
    )
    facts, arrays = answer.data, answer.arrays
    assert (facts["num_maps"], len(facts["units"]), facts["layer"]["name"]) == (32, 5, "conv2.conv")
    assert (arrays["maps"].shape, arrays["maps"].dtype) == ((5, 20, 20), np.float16)
    for name, summary in (("lows", np.min), ("highs", np.max), ("means", np.mean)):
        expected = summary(arrays["maps"].astype(np.float32), axis=(1, 2))
        np.testing.assert_allclose(arrays[name], expected, rtol=2e-3, atol=2e-3)
    assert facts["low"] <= arrays["lows"].min()
    assert facts["high"] >= arrays["highs"].max()
    assert (arrays["rows"].shape, arrays["columns"].shape) == ((20, 2), (20, 2))
    assert arrays["rows"][3].tolist() == [3, 12]
    assert answer.lasting


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_half_precision_is_taken_where_it_tells_the_values_apart(factor: float) -> None:
    values = np.linspace(-1, 1, 1_000, dtype=np.float32)[None, None] * np.float32(factor)
    assert halved(values).dtype == (np.float16 if factor == 1 else np.float32)
    np.testing.assert_allclose(halved(values), values, atol=1e-3 * factor)


def test_a_sum_adds_up_to_the_value_of_the_map() -> None:
    where = {"picture": PICTURE, "layer": "conv2.activation", "unit": 4, "row": 3, "column": 5}
    answer = ask("unit", **where, stamp="untrained")
    facts, source = answer.data, answer.data["source"]
    assert facts["box"] == [6, 10, 16, 20]
    assert [step["name"] for step in facts["steps"]] == ["conv2.conv", "conv2.pool", "conv2.activation"]
    kernel, patch, products = (answer.arrays[name] for name in ("kernel", "patch", "products"))
    assert kernel.shape == patch.shape == products.shape == (16, 5, 5)
    np.testing.assert_allclose(kernel * patch, products, rtol=1e-5)
    assert source["sum"] == pytest.approx(sum(source["terms"]) + source["bias"])
    assert source["sum"] == pytest.approx(products.sum() + source["bias"], rel=1e-5)
    assert facts["steps"][0]["value"] == pytest.approx(source["sum"], rel=1e-4)
    assert facts["steps"][1]["window"]["winner"] == [source["row"], source["column"]]
    assert facts["value"] == facts["steps"][-1]["value"] == max(facts["steps"][1]["value"], 0)
    maps = ask("feature_maps", picture=PICTURE, layer="conv2.activation").arrays["maps"]
    assert maps[4, 3, 5] == pytest.approx(facts["value"], rel=1e-3)
    assert (source["reads"], source["layer"], answer.lasting) == ("conv1.activation", "conv2.conv", True)


def test_without_a_sum_there_are_no_arrays_but_a_note() -> None:
    where = {"picture": PICTURE, "layer": "stage1.block1", "unit": 0, "row": 3, "column": 5}
    answer = ask("unit", network="untrained:resnet_tutorial", **where)
    assert answer.data["source"] is None
    assert answer.arrays == {}
    assert "branches add up" in answer.data["note"]
    assert len(answer.data["addends"]) == 2


def test_filters() -> None:
    answer = ask("filters")
    assert answer.data == {"layer": "conv1.conv", "num": 16, "choices": ["conv1.conv"]}
    assert (answer.arrays["filters"].shape, answer.arrays["filters"].dtype) == ((16, 5, 5, 1), np.float32)


def test_histograms_of_a_run_have_before_and_now(
    tiny: TrainConfig, store: RunStore, artifacts: Path, data_root: Path
) -> None:
    run = trained(store, artifacts, data_root, replace(tiny, {"model.name": "cnn3", "training.epochs": 1}))
    name = f"run:{run.id}"
    stamp = subject_stamp(artifacts, data_root, parse_subject(name))
    answer = ask("weight_histograms", network=name, stamp=stamp)
    first = answer.data["tensors"][0]
    assert (first["name"], first["shape"], len(first["edges"])) == ("conv1.conv.weight", [16, 1, 5, 5], 61)
    assert sum(first["now"]) == sum(first["before"]) == 400
    assert first["changed"] > 0
    assert (answer.data["note"], answer.lasting, answer.data["pending"]) == ("", True, False)
    json.dumps(answer.data, allow_nan=False)


def test_histograms_of_others_say_why_there_is_nothing_before() -> None:
    answer = ask("weight_histograms")
    assert answer.data["note"].endswith("never trained.")
    assert all(tensor["before"] is None for tensor in answer.data["tensors"])


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("layers", {"network": "untrained:resnet19"}, "no network named 'resnet19'"),
    ("feature_maps", {"layer": "output"}, "The layer output has no maps to look at"),
    ("feature_maps", {"layer": "conv1.conv", "count": 65}, "count cannot be 65"),
    ("feature_maps", {"layer": "conv1.conv", "order": "size"}, "order cannot be 'size'"),
    ("feature_maps", {"layer": "conv1.conv", "first": 16}, "conv1.conv has no map 16"),
    ("unit", {"layer": "conv1.conv", "unit": 16, "row": 0, "column": 0}, "conv1.conv has no unit 16"),
    ("unit", {"layer": "conv1.conv", "unit": 0, "row": -1, "column": 0}, "row cannot be -1"),
    ("unit", {"layer": "conv1.conv", "unit": 0, "row": 0, "column": 24}, "conv1.conv has no column 24"),
    ("filters", {"layer": "conv2.conv"}, "no convolution that sees the pixels named 'conv2.conv'"),
    ("weight_histograms", {"network": "run:abcdef"}, "The files of run abcdef are gone"),
]


@pytest.mark.parametrize(("question", "asked", "sentence"), REFUSED, ids=lambda value: str(value)[:24])
def test_what_cannot_be_answered_is_one_sentence(question: str, asked: dict[str, Any], sentence: str) -> None:
    picture = {"picture": PICTURE} if question in ("feature_maps", "unit") else {}
    with pytest.raises(LabError) as caught:
        ask(question, **{**picture, **asked})
    assert sentence in caught.value.message
    assert "\n" not in str(caught.value)


def test_names_are_not_longer_than_names_are() -> None:
    with pytest.raises(ConfigError, match="layer cannot be"):
        ask("filters", layer="x" * 300)
