"""The last step of the Transfer page: the choice of a classifier, and the views of what it does."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.config import TrainConfig, replace
from cnncore.runs.artifacts import WEIGHTS, run_dir
from cnncore.runs.store import RunStore
from tests.pages.conftest import address, assert_clean
from tests.pages.transfer_runs import SET, SETTINGS, image_set, trained, use, words

# The choice of the classifier


def test_without_a_run_it_leads_to_the_training(app: AppTest) -> None:
    use(app)
    assert_clean(app)
    assert "What your classifier says" in words(app)
    app.button(key="transfer_use_start").click().run()
    assert address(app)["step"] == "train"


def test_runs_of_the_set_are_offered_newest_first(app: AppTest, store: RunStore, artifacts: Path) -> None:
    first = trained(store, artifacts, name="First")
    trained(store, artifacts, name="Of another set", data__image_set="ba9876543210@1")
    second = trained(store, artifacts, name="Second", data__image_set=f"{SET}@2")
    use(app, set=SET, view="compare")
    assert_clean(app)
    choice = app.selectbox(key="transfer_use_run")
    assert choice.options == ["Second · 75.0 % validation", "First · 75.0 % validation"]
    assert choice.value == second.id
    choice.set_value(first.id).run()
    assert address(app)["run"] == first.id
    assert_clean(app)


def test_the_image_set_of_a_run_is_named(app: AppTest, store: RunStore, artifacts: Path, data_root: Path) -> None:
    trained(store, artifacts, name="First", data__image_set=image_set(data_root).reference)
    use(app, view="compare")
    assert_clean(app)
    assert app.selectbox(key="transfer_use_run").options == ["First · Pets · 75.0 % validation"]


def test_a_link_to_a_run_that_is_gone_says_so(app: AppTest) -> None:
    use(app, run="ffffffffffff")
    assert_clean(app)
    assert "There is no run 'ffffffffffff'" in words(app)
    assert app.button(key="transfer_use_start")


@pytest.mark.parametrize("run_id", ["../../etc/passwd", "<script>" * 50])
def test_hostile_links_are_told_in_a_sentence(app: AppTest, run_id: str) -> None:
    use(app, run=run_id, view="<b>")
    assert_clean(app)
    assert "There is no run" in words(app)


def test_a_run_without_weights_says_so(app: AppTest, store: RunStore, artifacts: Path) -> None:
    run = trained(store, artifacts)
    (run_dir(artifacts, run.id) / WEIGHTS).unlink()
    use(app, run=run.id, view="mistakes")
    assert_clean(app)
    assert "has no weights on this machine" in words(app)
    app.segmented_control(key="transfer_use_view").set_value("compare").run()
    assert address(app)["view"] == "compare"
    assert "What was freezing worth?" in words(app)


def test_an_open_run_shows_how_far_it_is(app: AppTest, store: RunStore) -> None:
    run = store.create(replace(TrainConfig(), SETTINGS).model_dump(mode="json"), name="On", status="starting")
    use(app, run=run.id)
    assert_clean(app)
    assert "fills in by itself" in words(app)
    app.button(key="transfer_use_watch").click().run()
    assert (address(app)["step"], address(app)["run"]) == ("train", run.id)


# Compare


def test_one_button_queues_all_three_with_seeds(app: AppTest, store: RunStore, artifacts: Path) -> None:
    run = trained(store, artifacts)
    use(app, run=run.id, view="compare")
    assert_clean(app)
    app.segmented_control(key="transfer_compare_seeds").set_value(2).run()
    button = app.button(key="transfer_compare_queue")
    assert button.label == "Queue 5 trainings", "the run itself is one of the frozen ones"
    assert "frozen ≈ 4 s, fine-tuned ≈" in words(app)
    button.click().run()
    assert_clean(app)
    queued = store.queue()
    assert sorted(each.config["training"]["seed"] for each in queued) == [0, 0, 1, 1, 1]
    (tag,) = {tag for each in queued for tag in each.tags}
    assert app.button(key="transfer_compare_queue").disabled
    assert "5 of them are on or in the queue" in words(app)
    # A reload of another one of the runs finds them again.
    scratch = next(each for each in queued if each.config["training"]["start_from"] is None)
    again = use(app, run=scratch.id, view="compare")
    assert_clean(again)
    assert "5 of them are on or in the queue" in words(again)
    assert tag.startswith("approaches-")


def test_the_answer_tells_what_is_beyond_chance(app: AppTest, store: RunStore, artifacts: Path) -> None:
    results = {"frozen": (0.90, 0.91, 0.92), "tuned": (0.90, 0.92, 0.93), "scratch": (0.40, 0.43, 0.41)}
    first = ""
    for approach, values in results.items():
        for seed, value in enumerate(values):
            every = {"transfer.frozen": (), "transfer.stage_lr": ()}
            learning = {"frozen": {}, "tuned": {**every, "optimizer.lr": 1e-4}}.get(
                approach, {**every, "training.start_from": None}
            )
            changed = {key.replace(".", "__"): each for key, each in learning.items()}
            run = trained(store, artifacts, summary={"best_val_accuracy": value}, training__seed=seed, **changed)
            first = first or run.id
    use(app, run=first, view="compare")
    assert_clean(app)
    told = words(app)
    assert "Frozen and Fine-tuned are not distinguishable" in told
    assert "Frozen is better than From scratch" in told
    table = app.dataframe[0].value
    assert table["Seeds"].tolist() == ["3 of 3"] * 3
    assert table["Validation accuracy"].tolist()[0].startswith("91.0 % ±")
    assert all(each.endswith("s") for each in table["Time, mean"])


def test_a_run_from_random_weights_has_nothing_to_compare(app: AppTest, store: RunStore, artifacts: Path) -> None:
    run = trained(store, artifacts, training__start_from=None, transfer__frozen=())
    use(app, run=run.id, view="compare")
    assert_clean(app)
    assert "nothing to freeze" in words(app)
    app.button(key="transfer_compare_backbone").click().run()
    assert address(app)["step"] == "backbone"


# The service


def test_the_service_knows_every_question_of_this_step() -> None:
    # It loads torch, which no page may.
    from cnncore.questions import QUESTIONS

    assert {"predict", "grad_cam", "outcomes_on", "read_bundle", "transfer_costs"} <= QUESTIONS.keys()
