"""The ways into the Inspector: offered where there is a network to look into, with the link to it."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from cnncore.config import TrainConfig
from cnncore.runs.artifacts import WEIGHTS, run_dir
from cnncore.runs.run import Run
from cnncore.runs.store import RunStore
from pages.components.inspect_link import can_be_inspected, inspector_params
from tests.fake_runs import finish, open_run
from tests.pages.conftest import address, assert_clean, link


def finished(store: RunStore, artifacts: Path, name: str = "A run") -> Run:
    return finish(store, artifacts, open_run(store, artifacts, name=name))


def test_a_finished_run_can_be_inspected(app: AppTest, store: RunStore, artifacts: Path) -> None:
    run = finished(store, artifacts)
    link(app, run=run.id).button(key="run_inspect").click().run()
    assert app.title[0].value == "Inspector"
    assert address(app)["network"] == f"run:{run.id}"


def test_without_weights_there_is_nothing_to_inspect(app: AppTest, store: RunStore, artifacts: Path) -> None:
    run = finished(store, artifacts)
    (run_dir(artifacts, run.id) / WEIGHTS).unlink()
    link(app, run=run.id)
    assert_clean(app)
    assert "run_inspect" not in {button.key for button in app.button}
    searched = store.create(TrainConfig().model_dump(mode="json"), name="A search", kind="find_lr")
    assert not can_be_inspected(searched)


def test_a_run_that_is_on_can_be_inspected(app: AppTest, store: RunStore, artifacts: Path) -> None:
    run = open_run(store, artifacts)
    assert "run_inspect" in {button.key for button in link(app, run=run.id).button}


def test_selected_runs_stand_side_by_side(app: AppTest, store: RunStore, artifacts: Path) -> None:
    runs = [finished(store, artifacts, name) for name in ("One", "Two")]
    app.switch_page("pages/compare.py")
    app.query_params["view"] = "runs"
    app.query_params["runs"] = ",".join(run.id for run in runs)
    app.run()
    (button,) = (each for each in app.button if each.key == "runs_inspect")
    assert button.label == "Inspect side by side"
    button.click().run()
    assert app.title[0].value == "Inspector"
    there = address(app)
    assert {there["network"], there["with"]} == {f"run:{run.id}" for run in runs}
    assert there["view"] == "why"


def test_the_link_with_a_picture(store: RunStore, artifacts: Path) -> None:
    run = finished(store, artifacts)
    params = inspector_params([run], picture="drawn:abc", view="maps")
    assert params == {"network": f"run:{run.id}", "picture": "drawn:abc", "view": "maps"}


def test_home_leads_there(app: AppTest) -> None:
    app.run()
    assert_clean(app)
    assert "inspector" in {each.proto.page.rsplit("/", 1)[-1] for each in app.get("page_link")}
