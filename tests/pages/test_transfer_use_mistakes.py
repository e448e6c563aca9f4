"""What a classifier gets wrong: the images behind the numbers, and what a person does about them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.errors import LabError
from cnncore.images.image_set import ImageSet
from cnncore.images.store import open_sets
from cnncore.runs.store import Run, RunStore
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.transfer_runs import CLASSES, image_set, said, trained, use, words

Asked = list[tuple[str, Mapping[str, Any]]]
WRONG = {3: 0.95, 4: 0.6}
"""A dog taken for a cat for sure, a cat for a dog not so sure; four others are right."""


def heat(request: Mapping[str, Any]) -> Answer:
    count = len(request["classes"])
    arrays = {"maps": np.full((count, 8, 8), 99, np.uint8), "pixels": np.zeros((count, 8, 8, 3), np.uint8)}
    facts = {"places": list(range(count)), "refused": {}, "left": [], "classes": CLASSES, "layer": "stage4"}
    return Answer(facts, arrays | {"shown": np.array(request["classes"])})


@pytest.fixture
def pets(data_root: Path) -> ImageSet:
    return image_set(data_root)


@pytest.fixture
def run(store: RunStore, artifacts: Path, pets: ImageSet, monkeypatch: pytest.MonkeyPatch) -> Run:
    found = trained(store, artifacts, data__image_set=pets.reference)
    said(artifacts, found, pets, WRONG)
    monkeypatch.setitem(ANSWERS, "grad_cam", heat)
    return found


def newest(data_root: Path, pets: ImageSet) -> ImageSet:
    return open_sets(data_root).get(pets.id)


def test_the_most_confident_mistakes_come_first_each_with_its_heat(app: AppTest, run: Run, asked: Asked) -> None:
    use(app, run=run.id, view="mistakes")
    assert_clean(app)
    told = words(app)
    assert "66.7 %** of 6 validation images right, 2 wrong" in told
    assert told.index("95.0 %") < told.index("60.0 %")
    assert "why dog &lt;b&gt;" in told
    assert "dog <b>" not in told.replace("dog <b> taken for cat", "")
    (request,) = [request for name, request in asked if name == "grad_cam"]
    assert (request["keys"], request["classes"]) == ([3, 4], [0, 1])
    assert request["image_set"] == run.config["data"]["image_set"]
    shown = app.selectbox(key="transfer_mistakes_shown")
    assert shown.options[0] == "Most confident mistakes (2)"
    assert "cat taken for dog <b> (1)" in shown.options


def test_a_cell_opens_the_images_behind_it(app: AppTest, run: Run, asked: Asked) -> None:
    use(app, run=run.id, view="mistakes", cell="1-1")
    assert_clean(app)
    (request,) = [request for name, request in asked if name == "grad_cam"]
    assert request["keys"] == [5, 7]
    app.selectbox(key="transfer_mistakes_shown").set_value("0-1").run()
    assert address(app)["cell"] == "0-1"
    assert [request["keys"] for name, request in asked if name == "grad_cam"][-1] == [4]


@pytest.mark.parametrize("cell", ["9-9", "<b>", "1", "-1--1"])
def test_a_cell_that_is_not_there_is_told(app: AppTest, run: Run, cell: str) -> None:
    use(app, run=run.id, view="mistakes", cell=cell)
    assert_clean(app)
    assert f"No image is behind {cell!r}" in words(app)


def test_changes_are_listed_and_taken_back(app: AppTest, run: Run, pets: ImageSet, data_root: Path) -> None:
    use(app, run=run.id, view="mistakes")
    assert "No changes since this run" in words(app)
    app.selectbox(key="mistake_class_3").set_value("cat").run()
    assert_clean(app)
    app.button(key="mistake_exclude_4").click().run()
    assert_clean(app)
    told = words(app)
    assert "2 changes since this run" in told
    assert "3.jpg: dog <b> → cat" in told
    assert "4.jpg: left out" in told
    assert "now cat" in told
    now = newest(data_root, pets)
    assert (now.images[3].label, now.images[4].excluded) == ("cat", True)
    assert now.images[3].split == "validation", "a relabeled image stays in its split"
    app.button(key="transfer_take_back_0").click().run()
    app.button(key="mistake_restore_4").click().run()
    assert_clean(app)
    assert "No changes since this run" in words(app)
    assert newest(data_root, pets).images == pets.images


def test_a_kept_image_is_remembered(app: AppTest, run: Run) -> None:
    use(app, run=run.id, view="mistakes")
    app.button(key="mistake_keep_3").click().run()
    assert_clean(app)
    assert "looked at, kept" in words(app)
    again = use(app, run=run.id, view="mistakes")
    assert again.button(key="mistake_keep_3").label == "Look again"
    again.button(key="mistake_keep_3").click().run()
    assert "looked at, kept" not in words(again)


def test_retraining_takes_the_same_settings_on_the_new_version(
    app: AppTest, run: Run, store: RunStore, pets: ImageSet
) -> None:
    use(app, run=run.id, view="mistakes")
    app.selectbox(key="mistake_class_3").set_value("cat").run()
    app.button(key="transfer_retrain").click().run()
    assert_clean(app)
    (again,) = store.queue()
    assert again.config["data"]["image_set"] == f"{pets.id}@{pets.version + 1}"
    assert again.config["training"] == run.config["training"]
    assert again.tags == (f"after-{run.id}",)
    assert "Before and after the changes" in words(app)
    # A reload finds it again, and offers nothing twice.
    use(app, run=run.id, view="mistakes")
    assert "Before and after the changes" in words(app)
    assert "transfer_retrain" not in [each.key for each in app.button]


def test_before_and_after_are_compared_on_the_same_images(
    app: AppTest, run: Run, store: RunStore, artifacts: Path, pets: ImageSet, data_root: Path, asked: Asked,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    use(app, run=run.id, view="mistakes")
    app.selectbox(key="mistake_class_3").set_value("cat").run()
    now = newest(data_root, pets)
    after = trained(store, artifacts, data__image_set=now.reference, tags=(f"after-{run.id}",))
    said(artifacts, after, now, {})
    before = said(artifacts, run, now, {4: 0.6})
    answer = {"names": before.names, "labels": before.labels, "probabilities": before.probabilities}
    monkeypatch.setitem(ANSWERS, "outcomes_on", lambda request: Answer({"classes": CLASSES}, answer))
    use(app, run=run.id, view="mistakes")
    assert_clean(app)
    (request,) = [request for name, request in asked if name == "outcomes_on"]
    assert (request["run"], request["image_set"], request["split"]) == (run.id, now.reference, "validation")
    table = next(each.value for each in app.dataframe if "Right" in each.value.columns)
    assert table["Right"].tolist() == ["5 of 6", "6 of 6"]
    assert "not distinguishable on these images" in words(app)
    app.button(key="transfer_go_on").click().run()
    assert address(app)["run"] == after.id
    assert_clean(app)
    assert "Before and after the changes" in words(app), "the new run tells the same"


def test_without_a_service_everything_but_the_heat_is_there(app: AppTest, run: Run, broken_service: None) -> None:
    use(app, run=run.id, view="mistakes")
    assert_clean(app)
    assert "The service is not there. Try again." in words(app)
    assert app.button(key="mistake_exclude_3")


def test_an_edit_that_is_refused_is_told_in_a_sentence(app: AppTest, run: Run, data_root: Path, pets: ImageSet) -> None:
    use(app, run=run.id, view="mistakes")
    open_sets(data_root).delete(pets.id)
    app.button(key="mistake_exclude_3").click().run()
    assert not app.exception
    assert "This image set was deleted. Restore it first." in words(app)


def test_a_run_without_outcomes_leads_to_its_page(app: AppTest, store: RunStore, artifacts: Path) -> None:
    found = trained(store, artifacts)
    use(app, run=found.id, view="mistakes")
    assert_clean(app)
    assert "this one is none" in words(app)


def test_everything_right_says_so(app: AppTest, run: Run, artifacts: Path, pets: ImageSet) -> None:
    said(artifacts, run, pets, {})
    use(app, run=run.id, view="mistakes", cell="mistakes")
    assert_clean(app)
    assert "Every image is right." in words(app)


def test_the_heat_of_a_broken_network_is_told(app: AppTest, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: Mapping[str, Any]) -> Answer:
        raise LabError("This network keeps no maps.", "Use a network with convolutions.")

    monkeypatch.setitem(ANSWERS, "grad_cam", refuse)
    use(app, run=run.id, view="mistakes")
    assert_clean(app)
    assert "This network keeps no maps. Use a network with convolutions." in words(app)
