"""Import of weights on the Train page, and the page of an imported run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.config import TrainConfig, replace
from cnncore.errors import WeightsError
from cnncore.runs.store import Run, RunStore
from cnncore.runs.uploads import keep_upload, stored_file, stored_files, upload_file
from tests.pages.conftest import ANSWERS, address, assert_clean, link

FACTS = {
    "classes": [str(digit) for digit in range(10)],
    "num_params": 269_434,
    "imported_from": "a<b>.pth",
    "imported_by": "torchvision's names",
    "imported_tensors": 116,
    "imported_notes": ["Converted from float16 to float32."],
}


def imported(store: RunStore, **settings: Any) -> Run:
    config = replace(TrainConfig(), {"model.name": "resnet20"} | settings)
    run = store.create(config.model_dump(mode="json"), name="ResNet-20 from a.pth", kind="import", status="starting")
    store.log(run.id, [], FACTS)
    store.end(run.id, "finished")
    return store.get(run.id)


def again(app: AppTest) -> None:
    """Keep the dialog open: AppTest runs the whole page where a browser would run the dialog only."""
    app.button(key="import_open").click()


def plainly(text: str) -> str:
    return text.replace("\\", "")


def test_an_upload_becomes_a_run(
    app: AppTest, asked: list[tuple[str, Mapping[str, Any]]], store: RunStore, artifacts: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    run = imported(store)
    read: list[bytes] = []

    def answer(request: Mapping[str, Any]) -> Answer:
        read.append(upload_file(artifacts, request["upload"]).read_bytes())
        return Answer({"run": run.id})

    monkeypatch.setitem(ANSWERS, "import_weights", answer)
    monkeypatch.setattr("pages.components.import_weights.PATIENCE_S", 5)
    link(app, model__name="resnet20", model__width="0.5", data__train_images="300")
    app.button(key="import_open").click().run()
    assert_clean(app)
    assert app.button(key="import_start").disabled
    again(app)
    app.file_uploader(key="import_file").upload("../../a.pth", b"tensors").run()
    again(app)
    app.button(key="import_start").click().run()
    (request,) = [request for name, request in asked if name == "import_weights"]
    assert (request["label"], request["model"]["width"]) == ("a.pth", 0.5)
    assert (request["data"]["dataset"], request["data"]["train_images"]) == ("mnist5k", 300)
    assert read == [b"tensors"]
    assert list((artifacts / "uploads").iterdir()) == []
    assert address(app) == {"run": run.id}


def test_a_file_that_does_not_fit_is_told_in_the_dialog(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, data_root: Path
) -> None:
    def refuse(request: Mapping[str, Any]) -> Answer:
        raise WeightsError(f"{request['stored']} does not fit.", "Choose another network.")

    (data_root / "weights").mkdir(exist_ok=True)
    (data_root / "weights" / "b.pth").write_bytes(b"")
    monkeypatch.setitem(ANSWERS, "import_weights", refuse)
    app.switch_page("pages/train.py").run()
    app.button(key="import_open").click().run()
    again(app)
    app.segmented_control(key="import_source").set_value("From the data folder").run()
    again(app)
    app.button(key="import_start").click().run()
    assert [plainly(error.value) for error in app.error] == ["b.pth does not fit. Choose another network."]


def test_the_page_of_an_import(app: AppTest, store: RunStore) -> None:
    run = imported(store)
    link(app, run=run.id)
    assert_clean(app)
    shown = " ".join(element.proto.body for element in app.get("html"))
    assert "a&lt;b&gt;.pth" in shown
    assert "Converted from float16" in shown
    app.button(key="run_score").click().run()
    assert store.get(run.id).status == "queued"


def test_fine_tuning_opens_the_form_with_these_weights(app: AppTest, store: RunStore) -> None:
    run = imported(store)
    link(app, run=run.id)
    app.button(key="run_train_on").click().run()
    assert_clean(app)
    assert address(app)["training.start_from"] == run.id
    assert app.selectbox(key="train_training_start_from").value == run.id
    app.button(key="train_button").click().run()
    tuned = store.list(kind="train")[0]
    assert tuned.config["training"]["start_from"] == run.id
    store.set_summary(tuned.id, {"start_notes": ["The last layer is new."]})
    link(app, run=tuned.id)
    assert f"from the weights of run {run.id} (The last layer is new.)" in " ".join(
        each.value for each in app.caption
    ).replace("\\", "")


def test_without_images_there_is_nothing_to_score(app: AppTest, store: RunStore) -> None:
    run = imported(store)
    store.set_config(run.id, {**run.config, "data": {**run.config["data"], "dataset": "folder"}})
    link(app, run=run.id)
    assert_clean(app)
    assert not [button for button in app.button if button.key == "run_score"]
    app.button(key="run_train_on").click().run()
    assert_clean(app)
    assert app.selectbox(key="train_data_dataset").value == "mnist5k"


def test_names_from_outside_never_become_paths(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "a.pth").write_bytes(b"")
    (tmp_path / "weights" / "notes.txt").write_bytes(b"")
    (tmp_path / "secret.pth").write_bytes(b"")
    assert stored_files(tmp_path) == ("a.pth",)
    assert stored_file(tmp_path, "a.pth").is_file()
    token = keep_upload(tmp_path, b"x")
    assert upload_file(tmp_path, token).read_bytes() == b"x"
    for name in ("../secret.pth", "/etc/passwd", "", "notes.txt"):
        with pytest.raises(WeightsError):
            stored_file(tmp_path, name)
        with pytest.raises(WeightsError):
            upload_file(tmp_path, name)
