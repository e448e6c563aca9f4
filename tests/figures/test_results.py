"""Confusion matrix, classes, examples, intervals and tiles."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from cnncore.figures.confusion import confusion, top_confusions
from cnncore.figures.examples import example_cards, image_uri
from cnncore.figures.intervals import wilson
from cnncore.figures.per_class import MAX_BARS, per_class, per_class_table
from cnncore.figures.tiles import Tile, sparkline, tiles
from tests import fake_runs
from tests.figures.charts import numbers, sent

MATRIX = np.array([[8, 2, 0], [0, 10, 0], [0, 0, 0]])
NAMES = ["cat", "dog", "<b>yak</b>"]


@pytest.mark.parametrize(
    ("correct", "count", "low", "high"),
    # Newcombe 1998, table I, method 3, and the run of the page's mock-up.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (972, 1_000, 0.9599, 0.9806)],
)
def test_wilson_agrees_with_the_literature(correct: int, count: int, low: float, high: float):
    assert wilson(correct, count) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_wilson_at_the_edges():
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10)[1] == pytest.approx(1.0)


def test_the_matrix_colors_right_and_wrong_apart_and_leaves_zeros_empty():
    right, wrong = sent(confusion(MATRIX, NAMES, percent=False))["traces"]
    assert np.isnan(numbers(right["z"])).tolist() == (~np.eye(3, dtype=bool)).tolist()
    assert wrong["zmax"] == pytest.approx(0.2)
    assert right["text"] == [["8", "2", ""], ["", "10", ""], ["", "", ""]]


def test_the_matrix_in_percent_and_names_from_outside():
    content = sent(confusion(MATRIX, NAMES, percent=True))
    assert content["traces"][0]["text"][0] == ["80.0", "20.0", ""]
    assert content["layout"]["yaxis"]["ticktext"][2] == "&lt;b&gt;yak&lt;/b&gt;"
    assert content["traces"][0]["customdata"][0][1] == "really cat, said dog<br>2 images, 20.0 %"


@pytest.mark.parametrize("classes", [1, 2, 10, 50])
def test_matrices_of_many_sizes(classes: int):
    matrix = fake_runs.evaluation("validation", classes=classes).confusion
    content = sent(confusion(matrix, [str(index) for index in range(classes)], percent=False))
    assert ("text" in content["traces"][0]) == (classes <= 20)


def test_top_confusions_of_many_classes():
    matrix = fake_runs.evaluation("validation", classes=100, count=5_000).confusion
    table = top_confusions(matrix, [f"class {index}" for index in range(100)])
    assert len(table) == 20
    assert table["images"].is_monotonic_decreasing
    assert all(table["really is"].ne(table["taken for"]))
    assert top_confusions(np.diag([3, 4]), ["a", "b"]).empty


def test_classes_come_worst_first_with_their_intervals():
    table = per_class_table(MATRIX, NAMES)
    assert table["class"].tolist() == ["cat", "dog", "<b>yak</b>"]
    assert table["accuracy"].iloc[0] == 0.8
    assert table["low"].to_list()[0] < 0.8 < table["high"].to_list()[0]
    bars, beyond = sent(per_class(MATRIX, NAMES, "validation"))["traces"]
    assert bars["text"] == ["80.0 %", "100.0 %", ""]
    assert (beyond["y"], beyond["text"]) == ([2], [" no images"])


def test_the_number_of_a_short_bar_stands_beyond_its_interval():
    chart = sent(per_class(np.array([[1, 9], [5, 5]]), ["a", "b"], "test"))
    bars, beyond = chart["traces"]
    assert chart["layout"]["showlegend"] is False
    assert (bars["text"], beyond["text"]) == (["", "50.0 %"], [" 10.0 %"])
    assert numbers(beyond["x"])[0] == pytest.approx(100 * wilson(1, 10)[1])


def test_of_many_classes_the_worst_are_shown():
    matrix = fake_runs.evaluation("test", classes=100, count=5_000).confusion
    (bars,) = sent(per_class(matrix, [str(index) for index in range(100)], "test"))["traces"]
    assert len(bars["y"]) == MAX_BARS


def test_cards_show_wrong_ones_first_and_escape_names():
    examples = fake_runs.evaluation("validation").examples
    assert examples is not None
    cards = example_cards(examples, ["<script>", *map(str, range(1, 10))])
    assert cards.count("<figure") == len(examples.labels)
    assert cards.index("class='wrong'") < cards.index("class='right'")
    assert "<script>" not in cards
    assert "&lt;script&gt;" in cards


@pytest.mark.parametrize("channels", [1, 3])
def test_large_images_are_shrunk(channels: int):
    uri = image_uri(np.zeros((300, 400, channels), dtype=np.uint8))
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert max(image.size) == 160


def test_tiles_escape_and_leave_gaps():
    assert "<b>" not in tiles([Tile(label="<b>", value="<b>", note="<b>")])
    assert sparkline([1.0]) == sparkline([float("nan"), 1.0]) == ""
    assert sparkline([1.0, 2.0, float("nan"), 3.0, 4.0]).count("M") == 2
    assert sparkline([2.0, 2.0])
