"""The page of a run in every status: what it says, what can be done, what links that lead nowhere say."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.config import TrainConfig, replace
from cnncore.runs.events import Row
from cnncore.runs.run import STATUSES, Run
from cnncore.runs.store import RunStore
from pages.components.run_header import MORE_EPOCHS
from pages.components.run_words import STATUS_LOOKS, duration, fraction_done, progress_words
from tests import fake_runs
from tests.pages.conftest import address, assert_clean, link


def _buttons(app: AppTest) -> set[str]:
    return {button.key.removeprefix("run_") for button in app.button if button.key and button.key.startswith("run_")}


def _text(app: AppTest) -> str:
    """Everything the page says."""
    said = [element.value for elements in (app.header, app.markdown, app.caption) for element in elements]
    said += [element.proto.body for element in app.get("html")]
    said += [element.proto.text for element in app.get("progress")]
    return "\n".join(said)


@pytest.fixture
def running(store: RunStore, artifacts: Path) -> Run:
    return fake_runs.open_run(store, artifacts, steps=400, upto=210, name="My run")


@pytest.fixture
def finished(store: RunStore, artifacts: Path) -> Run:
    return fake_runs.finish(store, artifacts, fake_runs.open_run(store, artifacts, steps=400, name="My run"))


def test_every_status_has_a_look():
    assert set(STATUS_LOOKS) == set(STATUSES)


def test_a_running_run(app: AppTest, running: Run):
    link(app, run=running.id)
    assert_clean(app)
    text = _text(app)
    assert "My run" in text
    assert "Running" in text
    assert "Epoch 5 of 8 · step 210 of 400 · 3,210 images/s · 4 s left" in text
    assert "431,080 parameters" in text
    assert {"pause", "stop"} <= _buttons(app)
    assert "Latest epoch (4)" in app.segmented_control(key="run_evaluation").options
    assert not app.get("download_button")


def test_stopping_and_pausing_are_asked_for_once(app: AppTest, store: RunStore, running: Run):
    link(app, run=running.id).button(key="run_pause").click().run()
    assert_clean(app)
    assert (store.get(running.id).status, store.get(running.id).wanted) == ("stopping", "pause")
    assert not {"pause", "stop", "resume"} & _buttons(app)


@pytest.mark.parametrize("status", ["stopped", "paused", "failed", "interrupted"])
def test_a_run_that_ended_early_can_go_on(app: AppTest, store: RunStore, running: Run, status: str):
    store.end(running.id, status, error="It broke at step 210." if status == "failed" else None, hint="Mend it.")
    link(app, run=running.id)
    assert not app.exception
    assert [error.value for error in app.error] == (["It broke at step 210. Mend it."] if status == "failed" else [])
    assert app.segmented_control(key="run_evaluation"), "what was learned stays visible"
    app.button(key="run_resume").click().run()
    assert store.get(running.id).status == "queued"
    assert "in the queue" in _text(app)


@pytest.mark.parametrize("status", ["stopped", "failed"])
def test_a_run_that_never_trained_says_so_instead_of_showing_empty_charts(
    app: AppTest, store: RunStore, artifacts: Path, status: str
):
    run = store.create(TrainConfig().model_dump(mode="json"), name="Refused", status="starting")
    store.end(run.id, status, error="There is no such folder." if status == "failed" else None)
    link(app, run=run.id)
    assert not app.exception
    assert "before its first step" in _text(app)
    assert not app.get("download_button")
    assert {"again", "resume"} <= _buttons(app)
    app.button(key="run_resume").click().run()
    assert store.get(run.id).status == "queued"


def test_a_run_alone_in_the_queue_is_not_listed_a_second_time(app: AppTest, store: RunStore):
    first = store.create(TrainConfig().model_dump(mode="json"), name="First")
    link(app, run=first.id)
    assert "Queue" not in [heading.value for heading in app.subheader]
    store.create(TrainConfig().model_dump(mode="json"), name="Second")
    app.run()
    assert "Queue" in [heading.value for heading in app.subheader]


def test_the_learning_rate_is_changed_while_it_runs(app: AppTest, store: RunStore, running: Run):
    link(app, run=running.id).text_input(key="run_lr").set_value("0.0005")
    next(button for button in app.button if button.label == "Change it").click().run()
    assert_clean(app)
    assert [(change.setting, change.value) for change in store.changes(running.id)] == [("optimizer.lr", 0.0005)]


@pytest.mark.parametrize("text", ["banana", "-1", "nan", "1e999", ""])
def test_a_nonsense_learning_rate_is_refused_in_a_sentence(app: AppTest, store: RunStore, running: Run, text: str):
    link(app, run=running.id).text_input(key="run_lr").set_value(text)
    next(button for button in app.button if button.label == "Change it").click().run()
    assert not app.exception
    assert len(app.error) == 1
    shown = re.sub(r"\\(.)", r"\1", app.error[0].value)
    assert shown == f"The learning rate cannot be {text!r}. Allowed: more than 0 up to 10."
    assert not store.changes(running.id)
    assert "Epoch 5 of 8" in _text(app), "the rest of the page stays"


def test_a_finished_run_tells_its_test_accuracy_with_the_interval(app: AppTest, finished: Run):
    link(app, run=finished.id)
    assert_clean(app)
    text = html.unescape(re.sub(r"<[^>]+>", "", _text(app)))
    correct = finished.summary["test_correct"]
    assert f"{correct / 10:.1f} % (" in text
    assert f"{correct:,} of 1,000 right" in text
    assert "weights of epoch 8, the best on the validation images" in text
    assert "scored once" in text
    assert "MNIST's training images" in text
    assert len(app.get("download_button")) == 5
    assert app.segmented_control(key="run_evaluation").options == ["Latest epoch (8)", "Best epoch (8)", "Test images"]


def test_a_finished_run_can_be_trained_for_longer(app: AppTest, store: RunStore, finished: Run):
    link(app, run=finished.id).button(key="run_train_more").click().run()
    again = store.get(finished.id)
    assert again.status == "queued"
    assert again.config["training"]["epochs"] == 8 + MORE_EPOCHS


def test_run_again_opens_the_form_with_its_settings(app: AppTest, finished: Run):
    link(app, run=finished.id).button(key="run_again").click().run()
    assert not app.exception
    assert app.button(key="train_button")


@pytest.mark.parametrize("view", ["Learning rate", "Gradients", "Hardware"])
@pytest.mark.parametrize("x", ["step", "epoch", "time"])
def test_every_view_of_the_curves(app: AppTest, running: Run, view: str, x: str):
    link(app, run=running.id)
    app.segmented_control(key="run_x").set_value(x)
    app.segmented_control(key="run_detail").set_value(view).run()
    assert_clean(app)


@pytest.mark.parametrize("choice", ["latest", "best", "test"])
def test_every_evaluation(app: AppTest, finished: Run, choice: str):
    link(app, run=finished.id)
    app.segmented_control(key="run_evaluation").set_value(choice).run()
    assert_clean(app)
    assert ("of 1,000 images" in _text(app)) == (choice == "test")


def test_a_queued_run_tells_its_position(app: AppTest, store: RunStore, running: Run):
    runs = [store.create(running.config, name=f"Waiting {number}") for number in range(3)]
    link(app, run=runs[2].id)
    assert_clean(app)
    text = _text(app)
    assert "Number 3 in the queue, after My run, Waiting 0 and 1 more" in text
    assert text.index("Number 1 in the queue") < text.index("Number 2 in the queue")
    app.button(key=f"queue_stop_{runs[0].id}").click().run()
    assert_clean(app)
    assert store.get(runs[0].id).status == "stopped"
    assert "Number 2 in the queue, after My run, Waiting 1" in _text(app)


def test_a_run_is_renamed_and_its_name_shown_literally(app: AppTest, store: RunStore, finished: Run):
    name = "*Best* <b>run</b> [x](http://y)"
    link(app, run=finished.id).text_input(key=f"run_name_{finished.id}").set_value(name)
    next(button for button in app.button if button.label == "Rename").click().run()
    assert_clean(app)
    assert store.get(finished.id).name == name
    assert r"\*Best\* \<b\>run\</b\> \[x\]" in app.header[0].value


def test_a_finished_run_leads_to_its_comparison(app: AppTest, finished: Run):
    link(app, run=finished.id).button(key="run_compare").click().run()
    assert_clean(app)
    assert address(app) == {"view": "runs", "runs": finished.id}


def test_a_run_is_deleted_after_asking_and_can_be_restored(
    app: AppTest, store: RunStore, artifacts: Path, finished: Run
):
    link(app, run=finished.id).checkbox(key=f"run_delete_{finished.id}").check().run()
    assert store.get(finished.id)
    app.button(key="run_delete").click().run()
    assert_clean(app)
    assert store.list() == ()
    assert "was deleted" in app.warning[0].value
    assert (artifacts / finished.id).exists(), "the files stay as long as it can be restored"
    app.button(key="run_restore").click().run()
    assert store.get(finished.id).deleted is None
    assert not app.warning


def test_a_run_that_is_on_cannot_be_deleted(app: AppTest, running: Run):
    assert not [box for box in link(app, run=running.id).checkbox if (box.key or "").startswith("run_delete")]


@pytest.mark.parametrize("run_id", ["0123456789ab", "nonsense", "../../etc/passwd", "x" * 10_000, "%00", "é"])
def test_a_dead_link_says_so_in_one_sentence(app: AppTest, run_id: str):
    link(app, run=run_id)
    assert_clean(app)
    assert len(app.warning) == 1
    assert len(app.warning[0].value) < 150
    assert not app.get("progress")


def test_a_run_of_another_version_is_still_shown(app: AppTest, store: RunStore):
    run = store.create({"training": {"spells": 3}}, name="Old run")
    store.ask(run.id, "stop")
    link(app, run=run.id)
    assert_clean(app)
    assert "Old run" in _text(app)


def test_a_search_for_a_learning_rate_is_shown_without_results(app: AppTest, store: RunStore):
    run = store.create(fake_runs.fake_config().model_dump(mode="json"), name="Search", kind="find_lr")
    store.claim(run.id, "somewhere")
    store.set_running(run.id)
    store.log(run.id, [Row(phase="step", step=1, values={"loss": float("nan"), "lr": 1e-6})])
    link(app, run=run.id)
    assert_clean(app)
    assert _buttons(app) & {"stop", "pause"} == {"stop"}


def test_a_summary_full_of_gaps_is_shown(app: AppTest, store: RunStore, running: Run):
    nan = float("nan")
    store.log(running.id, [], {"train_loss": nan, "rate": nan, "eta_s": None, "spark_loss": [nan, None], "step": 3})
    link(app, run=running.id)
    assert_clean(app)


@pytest.mark.parametrize(
    ("seconds", "words"), [(-3, "0 s"), (0.42, "0.4 s"), (41.6, "42 s"), (200, "3 min 20 s"), (3_900, "1 h 05 min")]
)
def test_durations(seconds: float, words: str):
    assert duration(seconds) == words


def test_more_epochs_do_not_begin_with_a_full_bar(store: RunStore):
    config = replace(TrainConfig(), {"training.epochs": 5, "training.batch_size": 128})
    run = store.create(config.model_dump(mode="json"), name="Run")
    store.claim(run.id, "somewhere")
    store.set_running(run.id)
    store.log(run.id, [], {"step": 140, "total_steps": 140, "num_train": 3_500})
    store.end(run.id, "finished")
    assert fraction_done(store.get(run.id)) == 1
    store.requeue(run.id, replace(config, {"training.epochs": 10}).model_dump(mode="json"))
    assert fraction_done(store.get(run.id)) == 0.5
    store.log(run.id, [], {"stage": "preparing", "stage_done": 1, "stage_total": 4})
    assert fraction_done(store.get(run.id)) == 0.25


def test_progress_before_the_first_step(store: RunStore):
    run = store.create({}, name="Run")
    store.claim(run.id, "somewhere")
    assert progress_words(store.get(run.id)) == "Starting the training process…"
    store.set_running(run.id)
    stage = {"stage": "preparing", "stage_text": "Decoding 50,000 images", "stage_done": 3, "stage_total": 4}
    store.log(run.id, [], stage)
    assert progress_words(store.get(run.id)) == "Decoding 50,000 images · 75 %"
    assert fraction_done(store.get(run.id)) == 0.75
    compiling = {"stage_text": "Compiling the network, 7 s so far", "stage_done": 0, "stage_total": 0}
    store.log(run.id, [], stage | compiling | {"step": 30, "total_steps": 40})
    assert progress_words(store.get(run.id)) == "Compiling the network, 7 s so far…"
    assert fraction_done(store.get(run.id)) == 0.75
