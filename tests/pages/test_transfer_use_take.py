"""A classifier as a ZIP: made by a process of its own, offered, opened again."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.answers import Answer
from cnncore.errors import DataError
from cnncore.runs.artifacts import run_dir
from cnncore.runs.bundle_files import BUNDLE, BUNDLE_CARD, LOG, MODEL_CARD, SCRIPT
from cnncore.runs.onnx_files import weights_stamp
from cnncore.runs.store import Run, RunStore
from cnncore.runs.uploads import upload_file
from pages.components import transfer_use_take
from tests.pages.conftest import ANSWERS, address, assert_clean
from tests.pages.transfer_runs import trained, use, words


@pytest.fixture
def run(store: RunStore, artifacts: Path) -> Iterator[Run]:
    found = trained(store, artifacts)
    yield found
    maker = transfer_use_take._makers().pop(found.id, None)
    if maker is not None:
        maker.kill()
        maker.wait()


def pack(artifacts: Path, run: Run) -> None:
    """A ZIP as the process leaves it."""
    folder = run_dir(artifacts, run.id)
    with zipfile.ZipFile(folder / BUNDLE, "w") as archive:
        archive.writestr(SCRIPT, "print('cat')  # <b>")
        archive.writestr(MODEL_CARD, "# Cats and dogs")
    card = {
        "files": {SCRIPT: 19, MODEL_CARD: 15},
        "bytes": (folder / BUNDLE).stat().st_size,
        "max_difference": 2e-6,
        "weights": weights_stamp(folder),
    }
    (folder / BUNDLE_CARD).write_text(json.dumps(card))


def process(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen((sys.executable, "-S", "-c", code))


def test_it_is_packed_by_a_process_and_then_offered(
    app: AppTest, run: Run, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pages.components.transfer_use_take.start_bundle", lambda folder, run_id: process("import time; time.sleep(60)")
    )
    use(app, run=run.id, view="take")
    assert_clean(app)
    assert "transfer_take_get" not in [each.key for each in app.get("download_button")]
    app.button(key="transfer_take_make").click().run()
    assert_clean(app)
    assert app.button(key="transfer_take_wait").disabled
    maker = transfer_use_take._makers()[run.id]
    pack(artifacts, run)
    maker.kill()
    maker.wait()
    app.run()
    assert_clean(app)
    assert "differ by at most 2e-06" in words(app)
    assert [each.value for each in app.code][1:] == ["print('cat')  # <b>", "# Cats and dogs"]
    assert app.dataframe[0].value["File"].tolist() == [MODEL_CARD, SCRIPT]


def test_a_failure_is_told_in_the_processs_words(
    app: AppTest, run: Run, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.components.transfer_use_take.start_bundle", lambda folder, run_id: process(""))
    (run_dir(artifacts, run.id) / LOG).write_text("error: The disk is full. Make room.\n")
    use(app, run=run.id, view="take")
    app.button(key="transfer_take_make").click().run()
    transfer_use_take._makers()[run.id].wait()
    app.run()
    assert not app.exception
    assert [each.value.replace("\\", "") for each in app.error] == ["The disk is full. Make room."]


def test_a_zip_is_opened_again(app: AppTest, run: Run, artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[tuple[str, bytes]] = []

    def answer(request: Mapping[str, Any]) -> Answer:
        taken.append((request["label"], upload_file(artifacts, request["upload"]).read_bytes()))
        return Answer({"run": run.id})

    monkeypatch.setitem(ANSWERS, "read_bundle", answer)
    use(app)
    app.button(key="transfer_open_zip").click().run()
    assert app.button(key="transfer_zip_open").disabled
    app.button(key="transfer_open_zip").click()
    app.file_uploader(key="transfer_zip_file").upload("../../pets.zip", b"PK").run()
    app.button(key="transfer_open_zip").click()
    app.button(key="transfer_zip_open").click().run()
    assert_clean(app)
    assert taken == [("pets.zip", b"PK")]
    assert list((artifacts / "uploads").iterdir()) == []
    assert (address(app)["run"], address(app)["view"]) == (run.id, "try")


def test_a_hostile_zip_is_told_in_the_dialog(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: Mapping[str, Any]) -> Answer:
        raise DataError("This ZIP is no bundle of a network.", "Take a ZIP as this lab writes it.")

    monkeypatch.setitem(ANSWERS, "read_bundle", refuse)
    use(app)
    app.button(key="transfer_open_zip").click().run()
    app.button(key="transfer_open_zip").click()
    app.file_uploader(key="transfer_zip_file").upload("bomb.zip", b"PK").run()
    app.button(key="transfer_open_zip").click()
    app.button(key="transfer_zip_open").click().run()
    assert not app.exception
    assert [each.value.replace("\\", "") for each in app.error] == [
        "This ZIP is no bundle of a network. Take a ZIP as this lab writes it."
    ]
