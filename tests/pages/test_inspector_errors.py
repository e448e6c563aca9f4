"""The view Where it errs: its parts, the images behind the numbers, several networks, links of any kind."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.catalog.disturbances import DISTURBANCES
from cnncore.config import TrainConfig, replace
from cnncore.errors import DataError
from cnncore.images.image_set import ImageSet
from cnncore.places import PROJECT_ROOT
from cnncore.runs.artifacts import run_dir
from cnncore.runs.log_csv import outcomes_csv
from cnncore.runs.outcomes import Outcomes
from cnncore.runs.store import Run, RunStore
from pages.components.inspector_errors_gallery import Case, opened_case, sheet_png
from pages.components.inspector_errors_robustness import strength_words
from tests import fake_runs
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.transfer_runs import image_set, words

Asked = list[tuple[str, Mapping[str, Any]]]
CLASSES = ("cat", "dog <b>", "=cow")
CARD = {
    "model": {"name": "lenet_tutorial"},
    "config": {},
    "preprocessing": {},
    "in_shape": [1, 28, 28],
    "classes": CLASSES,
}
SAID = np.array(
    [[0.9, 0.05, 0.05], [0.2, 0.7, 0.1], [0.05, 0.9, 0.05], [0.1, 0.3, 0.6], [0.3, 0.1, 0.6], [0.96, 0.02, 0.02]] * 10,
    np.float32,
)
LABELS = np.array([0, 1, 0, 2, 0, 0] * 10, np.int64)
"""Of six two are wrong: a cat taken for a dog with 90 %, and for a cow with 60 %."""
PLACES = np.arange(60) * 2


def outcomes(request: Mapping[str, Any]) -> Answer:
    names = np.array([f"image {place}" for place in PLACES])
    facts = {
        "pending": False,
        "classes": CLASSES,
        "split": request["split"],
        "total": 120,
        "calibration": {"error": 0.09, "by_chance": 0.04},
    }
    if request["split"] == "validation":
        facts["calibration"] |= {"temperature": 1.5, "error_after": 0.03}
    return Answer(facts, {"labels": LABELS, "probabilities": SAID, "names": names, "places": PLACES})


def thumbnails(request: Mapping[str, Any]) -> Answer:
    return Answer({}, {"pixels": np.zeros((len(request["places"]), 8, 8, 1), np.uint8)})


def disturbed(request: Mapping[str, Any]) -> Answer:
    strengths = DISTURBANCES[request["change"]].at(28)
    count = len(strengths)
    facts = {
        "pending": False,
        "change": request["change"],
        "severities": strengths,
        "counts": [max(0, 50 - 5 * place) for place in range(count)],
        "count": 60,
        "total": 120,
        "seed": 0,
        "size": 28,
        "classes": CLASSES,
    }
    arrays = {
        "pixels": np.zeros((2, count, 8, 8, 1), np.uint8),
        "said": np.tile([1] + [2] * (count - 1), (2, 1)),
        "confidence": np.full((2, count), 0.75, np.float32),
        "labels": np.array([1, 2]),
        "places": np.array([0, 4]),
    }
    return Answer(facts, arrays)


def make_run(store: RunStore, artifacts: Path, name: str = "Pets", **changes: Any) -> Run:
    """A finished run for three classes."""
    run = fake_runs.finish(store, artifacts, fake_runs.open_run(store, artifacts, steps=16, epochs=2, name=name))
    store.set_summary(run.id, {**run.summary, "classes": CLASSES, **changes})
    card = {**CARD, "epoch": 2}
    (run_dir(artifacts, run.id) / "model.json").write_text(json.dumps(card))
    return store.get(run.id)


@pytest.fixture
def run(store: RunStore, artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setitem(ANSWERS, "split_outcomes", outcomes)
    monkeypatch.setitem(ANSWERS, "thumbnails", thumbnails)
    monkeypatch.setitem(ANSWERS, "robustness", disturbed)
    # A busy machine may take longer than the usual moment.
    monkeypatch.setattr("pages.components.waiting.PATIENCE_S", 10.0)
    monkeypatch.setattr("pages.components.inspector_picture.choose_picture", lambda look: look)
    monkeypatch.setattr("pages.components.inspector_prediction.show_prediction", lambda look: None)
    return make_run(store, artifacts)


def inspect(app: AppTest, network: str, **params: str) -> AppTest:
    app.switch_page(str(PROJECT_ROOT / "pages" / "inspector.py"))
    for name, value in {"network": network, "view": "errors", **params}.items():
        app.query_params[name.rstrip("_")] = value
    return app.run()


def requests(asked: Asked, name: str) -> list[Mapping[str, Any]]:
    return [request for asked_name, request in asked if asked_name == name]


def test_the_overview_tells_accuracy_classes_and_calibration(app: AppTest, run: Run, asked: Asked) -> None:
    inspect(app, f"run:{run.id}")
    assert_clean(app)
    told = words(app)
    assert "66.7 %** of 60 validation images right, 20 wrong" in told
    assert "evenly spread among all 120" in told
    assert "When it says about 90 % (85 to 95 %), it is right in 50 % of cases: 10 of 20 images" in told
    assert "Expected calibration error: 9.0 %" in told
    assert "this is more than chance" in told
    assert "Temperature 1.50" in told
    assert "the error would be 3.0 %, measured on images it was not fitted on" in told
    (request,) = requests(asked, "split_outcomes")
    assert (request["images"], request["split"]) == (f"run:{run.id}", "validation")
    assert request["stamp"]
    table = next(each.value for each in app.dataframe if "class" in each.value.columns)
    assert table["class"].tolist() == ["cat", "dog <b>", "=cow"]


def test_groups_of_equally_many_images_are_in_the_link(app: AppTest, run: Run) -> None:
    inspect(app, f"run:{run.id}")
    app.segmented_control(key="inspector_errors_bins").set_value("mass").run()
    assert_clean(app)
    assert address(app)["bins"] == "mass"


def test_test_images_are_shown_once_they_have_been_scored(app: AppTest, run: Run, asked: Asked) -> None:
    inspect(app, f"run:{run.id}", split="test")
    assert_clean(app)
    told = words(app)
    assert "test images were scored once" in told
    assert "Temperature" not in told, "it is fitted on validation images"
    assert requests(asked, "split_outcomes")[-1]["split"] == "test"


def test_unscored_test_images_are_left_alone(
    app: AppTest, run: Run, store: RunStore, artifacts: Path, asked: Asked
) -> None:
    other = make_run(store, artifacts, test_scored=0)
    inspect(app, f"run:{other.id}", split="test")
    assert [each.value for each in app.warning] == [
        f"The test images of this run have not been scored yet, so they are left alone here. Let the training end, or "
        f"use `python -m cnncore evaluate {other.id}`."
    ]
    assert app.segmented_control(key="inspector_errors_split").options == ["Validation", "Training"]
    assert {request["split"] for request in requests(asked, "split_outcomes")} == {"validation"}


def test_without_validation_images_the_training_images_are_told_as_such(
    app: AppTest, run: Run, store: RunStore, artifacts: Path, asked: Asked
) -> None:
    other = make_run(store, artifacts, test_scored=0, num_validation=0)
    inspect(app, f"run:{other.id}")
    assert_clean(app)
    assert "It has learned these very images" in words(app)
    assert {request["split"] for request in requests(asked, "split_outcomes")} == {"train"}


def test_mistakes_come_in_pages_each_with_what_was_said(app: AppTest, run: Run, asked: Asked) -> None:
    inspect(app, f"run:{run.id}", part="mistakes")
    assert_clean(app)
    (request,) = requests(asked, "thumbnails")
    wrong = [int(PLACES[row]) for row in range(60) if row % 6 in (2, 4)]
    assert sorted(request["places"]) == wrong
    assert [place // 2 % 6 for place in request["places"]] == [2] * 10 + [4] * 10, "the surest first"
    inspect(app, f"run:{run.id}", part="unsure")
    assert_clean(app)
    first = requests(asked, "thumbnails")[-1]["places"]
    assert len(first) == 24
    assert first[0] // 2 % 6 in (3, 4), "60 against 30 % is closest"


def test_a_cell_shows_the_images_behind_it(app: AppTest, run: Run, asked: Asked) -> None:
    inspect(app, f"run:{run.id}", part="confusions")
    assert_clean(app)
    shown = app.selectbox(key="inspector_errors_cell")
    assert shown.options[:2] == ["cat taken for dog <b> (10)", "cat taken for =cow (10)"]
    assert {place // 2 % 6 for place in requests(asked, "thumbnails")[-1]["places"]} == {2}
    shown.set_value("0-2").run()
    assert_clean(app)
    assert address(app)["cell"] == "0-2"
    assert {place // 2 % 6 for place in requests(asked, "thumbnails")[-1]["places"]} == {4}


@pytest.mark.parametrize("cell", ["9-9", "<b>", "1", "-1--1", "2-0"])
def test_a_cell_that_is_not_there_is_told(app: AppTest, run: Run, cell: str) -> None:
    inspect(app, f"run:{run.id}", part="confusions", cell=cell)
    assert_clean(app)
    assert f"No image is behind the cell {cell!r}" in words(app)


def test_a_network_without_mistakes_is_praised(app: AppTest, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def right(request: Mapping[str, Any]) -> Answer:
        answer = outcomes(request)
        answer.arrays["labels"] = SAID.argmax(axis=1)
        return answer

    monkeypatch.setitem(ANSWERS, "split_outcomes", right)
    inspect(app, f"run:{run.id}", part="mistakes")
    assert_clean(app)
    assert "All 60 images are right" in words(app)


def test_robustness_draws_a_curve_and_what_the_network_sees(app: AppTest, run: Run, asked: Asked) -> None:
    inspect(app, f"run:{run.id}", part="robustness")
    assert_clean(app)
    (request,) = requests(asked, "robustness")
    assert (request["change"], request["most_images"], request["split"]) == ("shift", 500, "validation")
    told = words(app)
    assert "60 of 120 validation images" in told
    assert "seed 0" in told
    assert "✓ dog &lt;b&gt;" in told
    assert "✗ =cow" in told
    assert "dog <b>" not in told
    app.segmented_control(key="inspector_errors_change").set_value("noise").run()
    app.selectbox(key="inspector_errors_most").set_value(100).run()
    assert_clean(app)
    assert (address(app)["change"], address(app)["most"]) == ("noise", "100")
    assert requests(asked, "robustness")[-1]["change"] == "noise"


def test_other_networks_are_laid_over_it(
    app: AppTest, run: Run, store: RunStore, artifacts: Path, asked: Asked
) -> None:
    other = make_run(store, artifacts, name="Other pets")
    inspect(app, f"run:{run.id}", part="robustness")
    app.multiselect(key="inspector_errors_with").set_value([f"run:{other.id}"]).run()
    assert_clean(app)
    assert address(app)["with"] == f"run:{other.id}"
    request = requests(asked, "robustness")[-1]
    assert (request["network"], request["images"]) == (f"run:{other.id}", f"run:{run.id}")
    table = next(each.value for each in app.dataframe if "network" in each.value.columns)
    assert set(table["network"]) == {"Pets", "Other pets"}


def test_a_network_that_may_have_learned_the_images_is_not_laid_over(
    app: AppTest, run: Run, store: RunStore, artifacts: Path
) -> None:
    other = make_run(store, artifacts)
    config = replace(TrainConfig(), {"training.epochs": 2, "data.seed": 5})
    third = store.create(config.model_dump(mode="json"), name="Divided differently")
    folder = run_dir(artifacts, third.id)
    folder.mkdir(parents=True)
    for name in ("model.safetensors", "model.json"):
        (folder / name).write_bytes((run_dir(artifacts, other.id) / name).read_bytes())
    inspect(app, f"run:{run.id}", part="robustness", with_=f"run:{third.id},backbone:resnet18,<b>")
    assert not app.exception
    assert ["cannot be laid over this one" in each.value for each in app.warning] == [True]
    assert app.multiselect(key="inspector_errors_with").options == ["Pets #2"]


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"part": "<script>"}, "There is no part '<script>' here"),
        ({"split": "../x"}, "There are no ../x images here"),
        ({"images": "data:nope"}, "cannot be judged by the images 'data:nope'"),
        ({"images": "run:" + "a" * 500}, "cannot be judged by the images"),
        ({"part": "robustness", "change": "**melt**"}, "There is no disturbance '**melt**'"),
        ({"bins": "many"}, "Groups cannot be 'many'"),
    ],
)
def test_what_a_link_says_wrongly_is_one_sentence_and_the_default(
    app: AppTest, run: Run, params: dict[str, str], sentence: str
) -> None:
    inspect(app, f"run:{run.id}", **params)
    assert_clean(app)
    (warning,) = [each.value.replace("\\", "") for each in app.warning]
    assert sentence in warning


def test_a_wrong_number_of_images_is_the_usual_one(app: AppTest, run: Run, asked: Asked) -> None:
    inspect(app, f"run:{run.id}", part="robustness", most="1e9")
    assert_clean(app)
    assert requests(asked, "robustness")[-1]["most_images"] == 500


def test_images_that_are_gone_are_one_sentence(app: AppTest, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(request: Mapping[str, Any]) -> Answer:
        raise DataError("The data set mnist is not on this machine.", "Train something on it, which downloads it.")

    monkeypatch.setitem(ANSWERS, "split_outcomes", gone)
    for part in ("overview", "confusions", "mistakes"):
        inspect(app, f"run:{run.id}", part=part)
        assert not app.exception
        assert [each.value.replace("\\", "") for each in app.error] == [
            "The data set mnist is not on this machine. Train something on it, which downloads it."
        ]


def test_how_far_it_is_is_shown(app: AppTest, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    part = Answer({"pending": True, "done": 25, "total": 100}, lasting=False)
    monkeypatch.setitem(ANSWERS, "split_outcomes", lambda request: part)
    inspect(app, f"run:{run.id}")
    assert_clean(app)
    (bar,) = app.get("progress")
    assert bar.proto.text == "The network looks at the validation images… 25 %"
    monkeypatch.setitem(ANSWERS, "split_outcomes", outcomes)
    app.run()
    assert "66.7 %" in words(app)


def test_a_network_nobody_has_images_for_says_what_to_do(app: AppTest, run: Run, asked: Asked) -> None:
    inspect(app, "untrained:lenet5")
    assert_clean(app)
    assert "Train a head for your images on it" in words(app)
    assert not requests(asked, "split_outcomes")


def test_imported_weights_without_images_say_what_to_do(
    app: AppTest, run: Run, store: RunStore, artifacts: Path, asked: Asked
) -> None:
    config = TrainConfig().model_dump(mode="json")
    config["data"]["dataset"] = "folder"
    imported = store.create(config, name="Imported", kind="import")
    folder = run_dir(artifacts, imported.id)
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"{}")
    (folder / "model.json").write_text(json.dumps(CARD))
    inspect(app, f"run:{imported.id}")
    assert_clean(app)
    assert "imported without images" in words(app)
    assert not requests(asked, "split_outcomes")


def test_image_sets_with_its_classes_can_judge_it(
    app: AppTest, run: Run, store: RunStore, artifacts: Path, data_root: Path, asked: Asked
) -> None:
    pets: ImageSet = image_set(data_root)
    other = make_run(store, artifacts)
    card = {**CARD, "in_shape": [3, 28, 28], "classes": [*pets.classes, "cow"]}
    (run_dir(artifacts, other.id) / "model.json").write_text(json.dumps(card))
    name = f"set:{pets.reference}"
    inspect(app, f"run:{other.id}", images=name, part="mistakes")
    assert not app.exception
    assert requests(asked, "split_outcomes")[-1]["images"] == name
    assert "used to choose the best epoch" not in words(app), "they are not its own"


def test_a_browser_can_open_only_what_it_was_shown() -> None:
    case = Case(key="sample:abcdef:test:3", said=("says cat", "90 %"), other=("is dog", "9 %"), right=False)
    assert opened_case({"opened": case.key}, [case]) == case.key
    for state in (None, {}, {"opened": None}, {"opened": "drawn:x"}, {"opened": [case.key]}, [case.key]):
        assert opened_case(state, [case]) is None


def test_a_sheet_holds_all_images_crisply() -> None:
    pixels = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1) * 100 * np.ones((1, 8, 8, 1), np.uint8)
    sheet = np.asarray(Image.open(io.BytesIO(sheet_png(pixels))))
    assert sheet.shape == (260, 260)
    assert [sheet[5, 5], sheet[5, 140], sheet[140, 5], sheet[140, 140]] == [0, 100, 200, 255]
    assert set(np.unique(sheet)) == {0, 100, 200, 255}


def test_the_table_of_every_image_is_safe_for_spreadsheets() -> None:
    said = Outcomes(
        split="test", classes=CLASSES, names=np.array(["=1+1", "b"]), labels=np.array([0, 2]), probabilities=SAID[2:4]
    )
    head, first, second = outcomes_csv(said, np.array([7, 9])).decode().splitlines()
    assert head == "image,place,true,told,right,confidence,p(cat),p(dog <b>),p(=cow)"
    assert first == "'=1+1,7,cat,dog <b>,False,0.900000,0.05,0.9,0.05"
    assert second.startswith("b,9,'=cow,'=cow,True,0.600000")


def test_strengths_are_told_with_their_units() -> None:
    told = [strength_words(DISTURBANCES[name], 2) for name in ("shift", "rotation", "blur", "noise", "brightness")]
    assert told == ["2 px", "2°", "2 px", "2", "× 2"]
    assert strength_words(DISTURBANCES["brightness"], 1) == "as it is"
