"""The Runs view of Compare: its state is the link, what a link cannot have is said, and what is done can be undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.catalog import DATASETS
from cnncore.config import TrainConfig, replace
from cnncore.config.latency import published_latency
from cnncore.runs.curves import Curves, read_curves
from cnncore.runs.run import Run
from cnncore.runs.search import Choices
from cnncore.runs.store import RunStore
from cnncore.runs.tidying import delete, set_tags
from pages.components.compare_runs_link import DETAILS, MAX_COMPARED, read_asked
from pages.components.compare_runs_table import run_table
from tests import fake_runs
from tests.pages.conftest import address, assert_clean

Open = Callable[..., AppTest]
EMPTY = Choices(models=(), datasets=(), statuses=(), tags=())


@pytest.fixture
def runs(store: RunStore, artifacts: Path) -> list[Run]:
    """Two seeds of one configuration, one of another network, and one that is on; oldest first."""
    made = [_run(store, artifacts, "Twin", {"training.seed": seed}) for seed in (0, 1)]
    made.append(_run(store, artifacts, "Other", {"model.name": "cnn3"}))
    made.append(fake_runs.open_run(store, artifacts, steps=80, upto=40, name="On"))
    return made


def _run(store: RunStore, artifacts: Path, name: str, settings: dict[str, Any]) -> Run:
    run = fake_runs.finish(store, artifacts, fake_runs.open_run(store, artifacts, steps=80, name=name))
    store.set_config(run.id, replace(fake_runs.fake_config(), settings).model_dump(mode="json"))
    return store.get(run.id)


@pytest.fixture
def view(app: AppTest) -> Open:
    def opened(*selected: Run | str, **params: str) -> AppTest:
        app.switch_page("pages/compare.py")
        ids = [each if isinstance(each, str) else each.id for each in selected]
        for name, value in {"view": "runs", **({"runs": ",".join(ids)} if ids else {}), **params}.items():
            app.query_params[name] = value
        return app.run()

    return opened


def _table(app: AppTest) -> list[str]:
    return app.dataframe[0].value["Run"].tolist()


def _text(app: AppTest) -> str:
    return " ".join(str(element.value) for element in [*app.markdown, *app.caption])


def test_without_runs_the_next_step_is_offered(view: Open, store: RunStore) -> None:
    app = view()
    assert_clean(app)
    assert not app.dataframe
    app.button(key="runs_quick").click().run()
    assert_clean(app)
    assert store.list()[0].config["model"]["name"] == "lenet_tutorial"


def test_every_run_is_in_the_table(view: Open, runs: list[Run]) -> None:
    app = view()
    assert_clean(app)
    assert _table(app) == ["On", "Other", "Twin #2", "Twin"]
    row = app.dataframe[0].value.iloc[-1]
    assert row["Test"] == pytest.approx(100 * runs[0].summary["test_accuracy"])
    assert row["Data"] == DATASETS["mnist5k"].title.partition(",")[0]
    assert len(row["Loss"]) > 10
    assert "Select runs" in _text(app)


@pytest.mark.parametrize("detail", DETAILS)
def test_a_link_selects_and_shows(view: Open, runs: list[Run], detail: str) -> None:
    app = view(*runs, show=detail, x="time", images="both", steps="1", log="1")
    assert_clean(app)
    assert not app.warning
    assert sorted(app.session_state["runs_table"]["selection"]["rows"]) == [0, 1, 2, 3]
    assert app.segmented_control(key="runs_show").value == detail
    assert app.segmented_control(key="runs_x").value == "time"


def test_seeds_of_one_configuration_are_a_group_and_what_is_said_is_honest(view: Open, runs: list[Run]) -> None:
    text = _text(view(*runs[:3], show="groups"))
    assert "No claim" in text
    assert "Other" in text


def test_differences_of_settings_only(view: Open, runs: list[Run]) -> None:
    app = view(*runs[:3], show="settings")
    table = app.dataframe[1].value
    assert set(table.index) == {"Seed (training.seed)", "Network (model.name)"}
    assert table.loc["Network (model.name)"].tolist() == ["lenet_tutorial", "lenet_tutorial", "cnn3"]


def test_a_selection_leads_on_and_can_be_downloaded(view: Open, runs: list[Run]) -> None:
    app = view()
    assert not [each for each in _keys(app) if "export" in each]
    assert "import_open" in _keys(app)
    app = view(runs[0])
    assert {"runs_open", "runs_export_log"} <= _keys(app)
    app = view(runs[0], runs[2])
    assert {"runs_export_report", "runs_export_tables", "runs_export_tensorboard"} <= _keys(app)
    assert "runs_heads" in _keys(app)
    assert "runs_heads" not in _keys(view(*runs[:3]))


def _keys(app: AppTest) -> set[str]:
    return {str(each.key) for kind in ("button", "download_button") for each in app.get(kind)}


def test_a_measurement_of_latency_is_no_run_to_compare(view: Open, runs: list[Run], store: RunStore) -> None:
    measured = store.create(published_latency("lenet5").model_dump(mode="json"), name="Latency", kind="latency")
    store.end(measured.id, "finished")
    app = view()
    assert_clean(app)
    assert "Latency" not in _table(app)
    for detail in DETAILS:
        assert_clean(view(measured, runs[0], show=detail))
    assert len(run_table([store.get(measured.id), runs[0]])) == 2


def test_filters_are_in_the_link(view: Open, runs: list[Run], store: RunStore) -> None:
    set_tags(store, [runs[0].id], add=["mine"])
    app = view(model="cnn3")
    assert _table(app) == ["Other"]
    app.selectbox(key="runs_model").select("").run()
    app.selectbox(key="runs_tag").select("mine").run()
    assert _table(app) == ["Twin"]
    assert address(app) == {"view": "runs", "tag": "mine"}
    app.selectbox(key="runs_tag").select("").run()
    app.text_input(key="runs_q").set_value("twin").run()
    app.selectbox(key="runs_sort").select("name").run()
    assert _table(app) == ["Twin", "Twin #2"]
    assert address(app) == {"view": "runs", "q": "twin", "sort": "name"}


def test_a_status_that_no_run_has_any_more_is_no_mistake(view: Open, runs: list[Run]) -> None:
    app = view(status="failed")
    assert_clean(app)
    assert not app.warning
    assert app.selectbox(key="runs_status").value == "failed"


def test_nothing_matches(view: Open, runs: list[Run]) -> None:
    app = view(q="nothing like it")
    assert_clean(app)
    assert not app.dataframe
    assert any("No run matches" in element.proto.body for element in app.get("html"))


def test_the_axis_is_in_the_link(view: Open, runs: list[Run]) -> None:
    app = view(runs[0])
    app.segmented_control(key="runs_x").set_value("images").run()
    assert address(app)["x"] == "images"
    app.segmented_control(key="runs_x").set_value("epoch").run()
    assert "x" not in address(app)


def test_curves_are_read_again_exactly_when_the_run_went_on(
    view: Open, runs: list[Run], store: RunStore, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(store: RunStore, run: Run) -> Curves:
        read.append(run.id)
        return read_curves(store, run)

    monkeypatch.setattr("pages.components.compare_runs_curves.read_curves", counted)
    on = runs[3]
    app = view(on)
    app.run()
    assert read == [on.id]
    store.log(on.id, [], {**on.summary, "step": 50})
    app.run()
    assert read == [on.id] * 2
    fake_runs.finish(store, artifacts, store.get(on.id))
    app.run()
    app.run()
    assert_clean(app)
    assert read == [on.id] * 3


def test_deleting_can_be_undone(view: Open, runs: list[Run], store: RunStore) -> None:
    app = view(runs[0], runs[1])
    app.pills(key="runs_action").set_value("Delete").run()
    app.button(key="runs_delete").click().run()
    assert_clean(app)
    assert _table(app) == ["On", "Other"]
    assert "Deleted 2 runs." in _text(app)
    assert "runs" not in address(app)
    app.button(key="runs_undo_button").click().run()
    assert_clean(app)
    assert len(_table(app)) == 4
    assert address(app)["runs"] == f"{runs[0].id},{runs[1].id}"
    assert "Deleted" not in _text(app)


def test_a_run_that_is_on_is_not_deleted(view: Open, runs: list[Run]) -> None:
    app = view(*runs)
    app.pills(key="runs_action").set_value("Delete").run()
    assert app.button(key="runs_delete").disabled


def test_tags_are_added_and_taken_away(view: Open, runs: list[Run], store: RunStore) -> None:
    app = view(runs[0], runs[1])
    app.pills(key="runs_action").set_value("Tag").run()
    app.text_input(key="runs_new_tags").set_value("good, seeds")
    app.button(key="runs_add_tags").click().run()
    assert_clean(app)
    assert [store.get(run.id).tags for run in runs[:3]] == [("good", "seeds"), ("good", "seeds"), ()]
    app.pills(key="runs_old_tags").set_value("good").run()
    assert store.get(runs[1].id).tags == ("seeds",)


def test_a_tag_that_is_too_long_is_refused_in_a_sentence(view: Open, runs: list[Run]) -> None:
    app = view(runs[0])
    app.pills(key="runs_action").set_value("Tag").run()
    app.text_input(key="runs_new_tags").set_value("x" * 60)
    app.button(key="runs_add_tags").click().run()
    assert not app.exception
    assert "at most 40 characters" in app.error[0].value


def test_renaming(view: Open, runs: list[Run], store: RunStore) -> None:
    app = view(runs[0])
    app.pills(key="runs_action").set_value("Rename").run()
    app.text_input(key=f"runs_name_{runs[0].id}").set_value("Best run")
    app.button(key="runs_rename").click().run()
    assert store.get(runs[0].id).name == "Best run"
    assert "Best run" in _table(app)


def test_missing_seeds_are_queued_after_a_preview(view: Open, runs: list[Run], store: RunStore) -> None:
    app = view(runs[0], runs[2])
    app.pills(key="runs_action").set_value("Repeat with more seeds").run()
    app.number_input(key="runs_seeds").set_value(3).run()
    preview = app.dataframe[1].value
    assert preview["Seeds that exist"].tolist() == [2, 1]
    assert preview["Seeds to queue"].tolist() == ["2", "1, 2"]
    assert store.queue() == ()
    app.button(key="runs_repeat_button").click().run()
    assert_clean(app)
    queued = [(run.config["model"]["name"], run.config["training"]["seed"]) for run in store.queue()]
    assert queued == [("lenet_tutorial", 2), ("cnn3", 1), ("cnn3", 2)]


def test_a_grid_is_queued_after_a_preview(view: Open, runs: list[Run], store: RunStore) -> None:
    app = view(runs[0])
    app.pills(key="runs_action").set_value("Vary settings").run()
    app.text_input(key="runs_values_0_optimizer.lr").set_value("1e-3, 1e-2").run()
    app.selectbox(key="runs_vary_1").select("training.batch_size").run()
    app.text_input(key="runs_values_1_training.batch_size").set_value("64,128").run()
    app.button(key="runs_grid_button").click().run()
    assert_clean(app)
    assert len(store.queue()) == 3, "one of the four exists"


@pytest.mark.parametrize(("values", "words"), [("fast", "cannot be"), (",", "no values"), ("20", "up to 10")])
def test_an_impossible_grid_is_one_sentence(view: Open, runs: list[Run], values: str, words: str) -> None:
    app = view(runs[0])
    app.pills(key="runs_action").set_value("Vary settings").run()
    app.text_input(key="runs_values_0_optimizer.lr").set_value(values).run()
    assert not app.exception
    assert words in app.error[0].value.replace("\\", "")


def test_a_deleted_run_in_a_link_says_so_and_the_rest_stays(view: Open, runs: list[Run], store: RunStore) -> None:
    delete(store, [runs[0].id])
    app = view(runs[0], runs[2], "abcdef123456")
    assert_clean(app)
    warnings = [warning.value for warning in app.warning]
    assert len(warnings) == 2
    assert "Twin was deleted" in warnings[0]
    assert "no run abcdef123456" in warnings[1]
    assert "1 selected" in _text(app)
    app.button(key=f"runs_restore_{runs[0].id}").click().run()
    assert "2 selected" in _text(app)


@pytest.mark.parametrize(
    "params",
    [
        {"runs": "../../etc/passwd,%00,é"},
        {"runs": "x" * 10_000},
        {"runs": ",,,,"},
        {"runs": ",".join(f"{number:012x}" for number in range(500))},
        {"model": "<script>", "dataset": "'; --", "status": "gone", "tag": "%", "sort": "__class__"},
        {"x": "banana", "images": "all", "show": "nothing", "steps": "?", "log": ""},
        {"q": "\x00" + "[x](y)" * 500},
        {"view": "nothing"},
    ],
)
def test_hostile_links(view: Open, runs: list[Run], params: dict[str, str]) -> None:
    app = view(**params)
    assert_clean(app)
    assert all(len(line) < 250 for warning in app.warning for line in warning.value.splitlines())


def test_links_are_read_without_a_page() -> None:
    asked = read_asked({"runs": f"abcdef,abcdef, {'1' * 12},zz", "x": "time", "model": "cnn9"}, EMPTY)
    assert asked.selected == ("abcdef", "1" * 12)
    assert asked.curves.x == "time"
    assert asked.search.model == ""
    assert len(asked.problems) == 2
    many = read_asked({"runs": ",".join(f"{number:06x}" for number in range(30))}, EMPTY)
    assert len(many.selected) == MAX_COMPARED
    assert "too many" in many.problems[0]


def test_runs_of_other_versions_and_diverged_ones_have_rows(store: RunStore) -> None:
    store.create({"training": {"spells": 3}}, name="old")
    run = store.create(TrainConfig().model_dump(mode="json"), name="diverged")
    store.set_summary(run.id, {"spark_loss": [1.0, float("nan")], "test_accuracy": float("nan"), "num_params": None})
    table = run_table(store.list())
    assert table["Loss"].tolist() == [[1.0], []]
    assert all(table["Test"].isna())
    assert "spells 3" in table["Settings"][1]
