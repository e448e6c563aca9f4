"""Head to head: two networks, two runs, their disagreements, and links that name nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.catalog import MODELS
from cnncore.runs.run import Run
from cnncore.runs.store import RunStore
from cnncore.runs.tidying import delete
from tests.fake_runs import CLASSES, finish, open_run
from tests.pages.conftest import ANSWERS, assert_clean

Asked = list[tuple[str, Mapping[str, Any]]]


def disagreement(request: Mapping[str, Any]) -> Answer:
    arrays: dict[str, Any] = {}
    for kind in ("a_only", "b_only", "both_wrong"):
        arrays |= {f"{kind}_images": np.zeros((2, 8, 8, 1), np.uint8), f"{kind}_labels": np.array([1, 2])}
        for name in "ab":
            arrays |= {f"{kind}_{name}_top": np.array([[1, 0], [0, 1]]), f"{kind}_{name}_shares": np.full((2, 2), 0.5)}
    counts = {"both_right": 900, "a_only": 40, "b_only": 10, "same_mistake": 30, "both_wrong": 20}
    return Answer({"classes": CLASSES, "total": 1_000, "count": 1_000, "counts": counts}, arrays)


@pytest.fixture
def pair(store: RunStore, artifacts: Path) -> tuple[Run, Run]:
    first, second = (finish(store, artifacts, open_run(store, artifacts, name=name)) for name in ("One", "Two <b>"))
    return first, second


def heads(app: AppTest, **params: str) -> AppTest:
    app.switch_page("pages/compare.py")
    app.query_params["view"] = "heads"
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def text_of(app: AppTest) -> str:
    parts = [element.proto.body for element in app.get("html")]
    return " ".join([*parts, *(element.value for kind in (app.markdown, app.caption, app.info) for element in kind)])


def test_two_networks(app: AppTest) -> None:
    heads(app, a="resnet34", b="plain34")
    assert_clean(app)
    shown = text_of(app)
    assert all(f"{MODELS[key].num_params:,}" in shown for key in ("resnet34", "plain34"))
    assert "ImageNet, 10 crops" in shown
    assert app.selectbox(key="heads_a").value == "resnet34"


def test_two_runs(app: AppTest, pair: tuple[Run, Run], asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "disagreement", disagreement)
    heads(app, a=pair[0].id, b=pair[1].id)
    assert_clean(app)
    shown = text_of(app)
    assert "Two &lt;b&gt;" in shown
    assert "Two <b>" not in shown
    assert "Only A is right on 40 images, only B on 10" in shown
    assert "A is better than B" in shown
    assert "Class by class" in [each.value for each in app.subheader]
    (request,) = [request for name, request in asked if name == "disagreement"]
    assert (request["a"], request["b"], request["split"]) == (pair[0].id, pair[1].id, "test")
    app.segmented_control(key="heads_kind").set_value("both_wrong").run()
    assert_clean(app)
    app.segmented_control(key="heads_images").set_value("validation").run()
    assert [request["split"] for name, request in asked if name == "disagreement"] == ["test", "validation"]


def test_swap(app: AppTest, pair: tuple[Run, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "disagreement", disagreement)
    heads(app, a="lenet5", b=pair[0].id)
    app.button(key="heads_swap").click().run()
    assert_clean(app)
    assert app.selectbox(key="heads_a").value == pair[0].id
    assert app.selectbox(key="heads_b").value == "lenet5"


def test_runs_on_other_images_are_refused_in_a_sentence(
    app: AppTest, pair: tuple[Run, Run], store: RunStore, asked: Asked
) -> None:
    config = dict(pair[1].config)
    store.set_config(pair[1].id, {**config, "data": {**config["data"], "dataset": "fashion_mnist"}})
    heads(app, a=pair[0].id, b=pair[1].id)
    assert not app.exception
    assert "no images in common" in text_of(app).replace("\\", "")
    assert "disagreement" not in [name for name, _ in asked]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("resnet43", "Did you mean resnet44"),
        ("0123456789ab", "There is no run 0123456789ab"),
        ("../../etc/passwd", "no network or run"),
        ("<script>" * 50, "no network or run"),
    ],
)
def test_links_that_name_nothing(app: AppTest, value: str, words: str) -> None:
    heads(app, a=value, b="lenet5")
    assert_clean(app)
    assert words in " ".join(each.value for each in app.warning).replace("\\", "")
    assert app.selectbox(key="heads_b").value == "lenet5"


def test_a_deleted_run_says_so(app: AppTest, pair: tuple[Run, Run], store: RunStore) -> None:
    delete(store, [pair[0].id])
    heads(app, a=pair[0].id, b=pair[1].id)
    assert_clean(app)
    assert "was deleted" in app.warning[0].value


def test_the_empty_view_offers_a_pair(app: AppTest, pair: tuple[Run, Run]) -> None:
    heads(app)
    assert_clean(app)
    assert "images on which they disagree" in text_of(app)
    heads(app, a="lenet5", b="lenet5")
    assert "one and the same" in text_of(app)
