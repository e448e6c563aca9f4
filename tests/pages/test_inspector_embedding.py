"""The view Embedding: what it asks, what the link says, what the browser gets, and what it may send back."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.figures.embedding import MOST_COLORED
from cnncore.images.picture_reference import parse_images
from pages.components.inspector_embedding_board import opened_row, picture_names, pictures_content, table_of
from pages.components.inspector_images import ChosenImages
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.transfer_runs import words

Asked = list[tuple[str, Mapping[str, Any]]]
COUNT = 24


def embedded(request: Mapping[str, Any], *, classes: int = 3, comparable: bool = True) -> Answer:
    """Images of all classes in turn; every fourth is taken for the first class."""
    labels = np.arange(COUNT) % classes
    facts = {
        "pending": False,
        "classes": [f"class {place} <b>" for place in range(classes)],
        "says": [f"class {place} <b>" if comparable else f"other {place}" for place in range(classes)],
        "comparable": comparable,
        "names": [str(100 + place) for place in range(COUNT)] if request["images"].startswith("set:") else None,
        "num_features": 84,
        "total": 1_000,
        "variance": [0.3, 0.2] if request["method"] == "pca" else None,
        "perplexity": None,
        "trustworthiness": 0.9,
        "judged": 10,
        "same_class": 0.75,
        "note": "How far <it> can be trusted.",
    }
    arrays = {
        "points": np.random.default_rng(0).normal(size=(COUNT, 2)).astype(np.float32),
        "labels": labels.astype(np.int32),
        "predicted": np.where(np.arange(COUNT) % 4, labels, 0).astype(np.int32),
        "confidence": np.linspace(0.2, 1, COUNT).astype(np.float32),
        "places": 10 * np.arange(COUNT, dtype=np.int32),
        "thumbnails": np.arange(COUNT * 16, dtype=np.uint16).astype(np.uint8).reshape(COUNT, 4, 4, 1),
        "similar": np.tile(np.arange(11, dtype=np.int16), (COUNT, 1)),
    }
    return Answer(facts, arrays)


def page() -> None:
    from pages.components.inspector_embedding import show_embedding
    from pages.components.inspector_link import Look

    show_embedding(
        Look(
            network="untrained:lenet_tutorial",
            title="A *net*",
            stamp="untrained",
            picture="data:mnist5k:test:40",
            size=28,
            classes=("0",),
            channels=1,
        )
    )


@pytest.fixture
def view(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The view, not drawn yet."""
    monkeypatch.setitem(ANSWERS, "embedding", embedded)
    monkeypatch.setattr("pages.components.waiting.PATIENCE_S", 20.0)
    return AppTest.from_function(page, default_timeout=30)


def opened(view: AppTest, **params: str) -> AppTest:
    for name, value in params.items():
        view.query_params[name] = value
    return view.run()


def last(asked: Asked) -> Mapping[str, Any]:
    (*_, (name, request)) = asked
    assert name == "embedding"
    return request


def chart(view: AppTest) -> dict[str, Any]:
    """What the browser got of the chart."""
    found = [each.proto.bytes for each in view.get("bidi_component") if each.proto.component_name == "lab_live_chart"]
    return json.loads(found[-1])


def test_the_view_asks_as_the_link_says(view: AppTest, asked: Asked) -> None:
    opened(view, split="test", projection="tsne", images="data:mnist5k", points="300")
    assert_clean(view)
    expected = {"images": "data:mnist5k", "split": "test", "method": "tsne", "most_images": 300}
    assert {name: last(asked)[name] for name in expected} == expected
    assert last(asked)["stamp"] == "untrained"
    assert "means little" in words(view)
    assert "24 of 1,000 test images, of each class its share" in words(view)
    assert "How far &lt;it&gt; can be trusted." in words(view)


def test_a_choice_goes_into_the_link(view: AppTest, asked: Asked) -> None:
    opened(view)
    assert last(asked)["method"] == "pca"
    view.segmented_control(key="inspector_embedding_projection").set_value("tsne").run()
    view.segmented_control(key="inspector_embedding_split").set_value("train").run()
    assert address(view) == {"projection": "tsne", "split": "train"}
    assert (last(asked)["method"], last(asked)["split"]) == ("tsne", "train")


@pytest.mark.parametrize(
    ("name", "value"),
    [("projection", "umap"), ("color", "taste"), ("points", "7"), ("split", "holdout"), ("images", "data:<b>")],
)
def test_what_a_link_cannot_mean_is_one_sentence(view: AppTest, asked: Asked, name: str, value: str) -> None:
    opened(view, **{name: value})
    assert_clean(view)
    assert len(view.warning) == 1
    assert last(asked)["method"] == "pca"


def test_colors_by_class_and_by_error(view: AppTest) -> None:
    by_class = chart(opened(view, split="test"))
    assert [trace["name"] for trace in by_class["traces"]] == [
        *(f"class {place} &lt;b&gt;" for place in range(3)),
        "the picture above",
    ]
    assert by_class["traces"][-1]["customdata"] == [4]
    assert by_class["layout"]["xaxis"]["title"]["text"] == "first component: 30 % of the variance"
    view.segmented_control(key="inspector_embedding_color").set_value("error").run()
    assert [trace["name"] for trace in chart(view)["traces"]][:2] == ["right (20)", "wrong (4)"]


def test_images_of_classes_that_the_network_does_not_know(view: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "embedding", lambda request: embedded(request, comparable=False))
    opened(view, color="error", split="test")
    assert_clean(view)
    assert "neither right nor wrong" in view.info[0].value
    assert len(chart(view)["traces"]) == 4


def test_many_classes_are_gray_but_for_some(view: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "embedding", lambda request: embedded(request, classes=MOST_COLORED + 2))
    names = [trace["name"] for trace in chart(opened(view, split="test"))["traces"]]
    assert names[0] == "other classes"
    assert "class 0 &lt;b&gt;" in names, "which others are taken for"
    view.multiselect(key="inspector_embedding_marked").set_value(["class 7 <b>", "class 2 <b>"]).run()
    assert address(view)["marked"] == "7,2"
    names = [trace["name"] for trace in chart(view)["traces"]]
    assert names == ["other classes", "class 7 &lt;b&gt;", "class 2 &lt;b&gt;", "the picture above"]


def test_what_the_browser_gets_of_the_images() -> None:
    answer = embedded({"images": "", "method": "pca"})
    content = pictures_content(table_of(answer), answer, "stem")
    (length,) = struct.unpack("<I", content[:4])
    facts = json.loads(content[4 : 4 + length])
    assert facts["rows"][1] == ["class 1 <b>", "class 1 <b>", pytest.approx(23.5), True]
    assert facts["rows"][4][3] is False
    assert facts["similar"][0] == list(range(11))
    sheet = facts["sheet"]
    pixels = np.asarray(Image.open(io.BytesIO(content[4 + length :])))
    row, column = divmod(7, sheet["columns"])
    top, left = row * sheet["cell"], column * sheet["cell"]
    assert np.array_equal(pixels[top : top + 4, left : left + 4], answer.arrays["thumbnails"][7, :, :, 0])


@pytest.mark.parametrize(
    ("images", "first"),
    [
        ("run:abcdef123456", "sample:abcdef123456:test:0"),
        ("data:mnist5k", "data:mnist5k:test:0"),
        ("set:abcdef123456@3", "set:abcdef123456@3:100"),
    ],
)
def test_points_lead_to_pictures(images: str, first: str) -> None:
    chosen = ChosenImages(reference=parse_images(images), title="", split="test")
    assert picture_names(chosen, embedded({"images": images, "method": "pca"}))[0] == first


@pytest.mark.parametrize("state", [None, {}, {"opened": None}, {"opened": "1"}, {"opened": 9}, {"opened": -1}, [1]])
def test_nonsense_opens_nothing(state: object) -> None:
    assert opened_row(state, 9) is None
    assert opened_row({"opened": 8}, 9) == 8


def test_the_points_as_a_file(view: AppTest) -> None:
    opened(view)
    (button,) = view.get("download_button")
    assert button.proto.label == "Points (CSV)"
    table = table_of(embedded({"images": "", "method": "pca"}))
    again = pd.read_csv(io.StringIO(table.to_csv(index_label="row")))
    assert again.columns.tolist() == ["row", "class", "said", "probability", "right", "x", "y"]
