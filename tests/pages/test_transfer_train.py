"""The step Train of the Transfer page: what learns, links, what cannot be, the start, and the switches of a run."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Toggle

from cnncore.catalog import stages_of
from cnncore.config import TrainConfig
from cnncore.config.freezing import FREEZINGS, freezing_of
from cnncore.config.transfer import transfer_base
from cnncore.images.image_set import ImageSet
from cnncore.images.store import open_sets
from cnncore.runs.events import Row
from cnncore.runs.run import Change, Run
from cnncore.runs.store import RunStore
from pages.components.transfer_train_diagram import FROZEN, LEARNING
from pages.components.transfer_train_run import freezing
from tests import fake_runs
from tests.pages.conftest import address, assert_clean, link
from tests.pages.fake_sets import make_set

BACKBONE = "resnet18"
STAGES = [stage.key for stage in stages_of(BACKBONE)]


@pytest.fixture
def image_set(data_root: Path) -> ImageSet:
    return make_set(data_root)


def open_step(app: AppTest, **params: str) -> AppTest:
    """Open the Transfer page by a link; names take two underscores for the dot."""
    app.switch_page("pages/transfer.py")
    for name, value in params.items():
        app.query_params[name.replace("__", ".")] = value
    return app.run()


@pytest.fixture
def form(app: AppTest, image_set: ImageSet) -> AppTest:
    """The form of a backbone on a set, nothing changed."""
    open_step(app, step="train", set=image_set.id, backbone=BACKBONE)
    assert_clean(app)
    return app


def started(app: AppTest, store: RunStore) -> TrainConfig:
    """What is queued by the button."""
    app.button(key="transfer_train_button").click().run()
    assert_clean(app)
    (run,) = store.list()
    assert address(app)["run"] == run.id
    return TrainConfig.model_validate(run.config)


def switch(app: AppTest, stage: str) -> Toggle:
    """The switch of a stage; its key has a number behind it once the server has moved it."""
    (found,) = [toggle for toggle in app.toggle if re.fullmatch(rf"transfer_stage_{stage}(_\d+)?", toggle.key or "")]
    return found


def switches(app: AppTest) -> Mapping[str, bool]:
    return {stage: switch(app, stage).value for stage in STAGES}


def learning_live(app: AppTest) -> list[str]:
    """The stages of a run that learn, or are about to."""
    states = [text for text in _marks(app) if text.startswith((FROZEN, LEARNING))][: len(STAGES)]
    return [stage for stage, text in zip(STAGES, states, strict=True) if LEARNING in text.rpartition("→")[2]]


def settings(app: AppTest) -> dict[str, str]:
    return {name: value for name, value in address(app).items() if "." in name}


def test_what_is_recommended_starts_as_it_is(form: AppTest, store: RunStore, image_set: ImageSet):
    assert settings(form) == {}
    assert switches(form) == dict.fromkeys(STAGES, False)
    assert started(form, store) == transfer_base(BACKBONE, image_set.reference)


@pytest.mark.parametrize("way", list(FREEZINGS))
def test_every_way_sets_what_is_frozen(form: AppTest, store: RunStore, way: str):
    if way == "features":  # the present one
        form.segmented_control(key="transfer_way").set_value("all").run()
    form.segmented_control(key="transfer_way").set_value(way).run()
    learning = {"last": STAGES[-1:], "last_two": STAGES[-2:], "all": STAGES, "scratch": STAGES}.get(way, [])
    assert [stage for stage, learns in switches(form).items() if learns] == learning
    assert form.segmented_control(key="transfer_way").value == way
    config = started(form, store)
    assert freezing_of(config) == way
    assert (config.transfer.backbone is None) == (way == "scratch")
    assert (config.transfer.unfreeze_every > 0) == (way == "gradual")


def test_a_switch_changes_the_link_and_the_way(form: AppTest):
    switch(form, "stage4").set_value(True).run()
    assert settings(form) == {"transfer.frozen": "stem,stage1,stage2,stage3"}
    assert form.segmented_control(key="transfer_way").value == "last"
    switch(form, "stem").set_value(True).run()
    assert settings(form) == {"transfer.frozen": "stage1,stage2,stage3"}
    assert form.segmented_control(key="transfer_way").value is None
    switch(form, "stem").set_value(False)
    switch(form, "stage4").set_value(False).run()
    assert settings(form) == {}, "two switches at once, back to what is recommended"


def test_a_link_fills_the_form_and_comes_out_again(app: AppTest, store: RunStore, image_set: ImageSet):
    said = {
        "transfer.frozen": "stem,stage1",
        "transfer.stage_lr": "0.01,0.02,0.05,0.1,0.1",
        "transfer.head": "hidden",
        "transfer.hidden_units": "64",
        "transfer.batch_norm": "adapting",
        "training.epochs": "7",
        "augment.flip_horizontal": "0.5",
    }
    open_step(app, step="train", set=image_set.id, backbone=BACKBONE, **said)
    assert_clean(app)
    assert not app.warning
    assert settings(app) == said
    assert [stage for stage, learns in switches(app).items() if learns] == ["stage2", "stage3", "stage4"]
    assert app.number_input(key="transfer_training_epochs").value == 7
    config = started(app, store)
    assert config.transfer.stage_lr == (0.01, 0.02, 0.05, 0.1, 0.1)
    assert (config.transfer.head, config.transfer.hidden_units) == ("hidden", 64)


def test_nonsense_in_a_link_is_named_and_the_rest_is_taken(app: AppTest, image_set: ImageSet):
    nonsense = {"training.epochs": "banana", "transfer.frozen": "stage9", "no.such": "1", "training.batch_size": "16"}
    open_step(app, step="train", set=image_set.id, backbone=BACKBONE, **nonsense)
    assert_clean(app)
    (warning,) = app.warning
    for words in ("banana", "stage9", "no.such"):
        assert words in warning.value.replace("\\", "")
    assert settings(app) == {"training.batch_size": "16"}


def _numbers(app: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def test_what_it_costs_follows_the_switches(app: AppTest, image_set: ImageSet):
    form = open_step(app, step="train", set=image_set.id, backbone=BACKBONE, optimizer__name="sgd")
    # Five stages and a head of a million operations and a millisecond each; eight images.
    assert _numbers(form) == {
        "Learning": ("500", "5,000 frozen"),
        "Work of a step": ("16.7 %", "of training everything"),
        "Time of an epoch": ("≈ 24 ms", "and 40 ms once"),
        "Memory of a step": ("24 kB", "batches of 32"),
    }
    switch(form, "stage4").set_value(True).run()
    # Four stages forward, one and the head three times.
    assert _numbers(form)["Learning"] == ("1,500", "4,000 frozen")
    assert _numbers(form)["Work of a step"][0] == "55.6 %"
    assert _numbers(form)["Time of an epoch"] == ("≈ 80 ms", "1 step, without evaluation")
    form.segmented_control(key="transfer_way").set_value("all").run()
    assert _numbers(form)["Work of a step"][0] == "100 %"


def test_without_the_service_the_diagram_is_still_there(app: AppTest, broken_service: None, image_set: ImageSet):
    open_step(app, step="train", set=image_set.id, backbone=BACKBONE)
    assert not app.exception
    assert switches(app) == dict.fromkeys(STAGES, False)
    assert _numbers(app)["Time of an epoch"][0] == "–"
    assert not app.button(key="transfer_train_button").disabled


def test_rates_fall_towards_the_input(form: AppTest, store: RunStore):
    form.select_slider(key="transfer_last_rate").set_value(0.1).run()
    form.select_slider(key="transfer_slowdown").set_value(2.0).run()
    assert started(form, store).transfer.stage_lr == (0.00625, 0.0125, 0.025, 0.05, 0.1)


def test_augmentation_keeps_views_enough_to_be_seen_and_says_where_there_are_not(form: AppTest, store: RunStore):
    form.segmented_control(key="transfer_augment_strength").set_value("gentle").run()
    assert settings(form)["transfer.views"] == "4"
    assert not any("no effect" in caption.value for caption in form.caption)
    form.number_input(key="transfer_transfer_views").set_value(1).run()
    assert any("no effect" in caption.value for caption in form.caption)
    form.segmented_control(key="transfer_augment_strength").set_value("strong").run()
    form.segmented_control(key="transfer_augment_strength").set_value("off").run()
    assert settings(form) == {}
    assert started(form, store).transfer.views == 1


def test_what_is_impossible_is_explained_and_cannot_start(form: AppTest):
    form.slider(key="transfer_augment_mixup").set_value(0.2).run()
    (error,) = form.error
    assert "Mixup" in error.value
    assert form.button(key="transfer_train_button").disabled
    form.segmented_control(key="transfer_way").set_value("all").run()
    assert_clean(form)
    assert not form.button(key="transfer_train_button").disabled


def test_without_a_set_the_step_leads_back(app: AppTest):
    open_step(app, step="train")
    assert_clean(app)
    app.button(key="transfer_back").click().run()
    assert address(app) == {"step": "images"}


@pytest.mark.parametrize("name", ["0123456789ab", "../../etc", "cats"])
def test_a_set_that_is_not_there_is_said_to_be_so(app: AppTest, name: str):
    open_step(app, step="train", set=name)
    assert not app.exception
    assert len(app.error) == 1
    app.button(key="transfer_back").click().run()
    assert address(app)["step"] == "images"


def test_a_deleted_set_is_said_to_be_so(app: AppTest, image_set: ImageSet, data_root: Path):
    open_sets(data_root).delete(image_set.id)
    open_step(app, step="train", set=image_set.id)
    assert ["deleted" in error.value for error in app.error] == [True]


def test_an_unknown_backbone_is_named(app: AppTest, image_set: ImageSet):
    open_step(app, step="train", set=image_set.id, backbone="resnet81")
    assert not app.exception
    assert ["resnet81" in error.value for error in app.error] == [True]


# A run


@pytest.fixture
def running(store: RunStore, artifacts: Path, image_set: ImageSet) -> Run:
    run = fake_runs.open_run(store, artifacts, steps=400, upto=210, name="Pets")
    store.set_config(run.id, transfer_base(BACKBONE, image_set.reference).model_dump(mode="json"))
    learning = {**run.summary, "learning": ["stage4", "head"], "num_trainable": 8_000}
    store.log(run.id, [Row(phase="freeze", step=120, values={"stage4": 0.0})], learning)
    return store.get(run.id)


def test_switches_act_while_it_trains(app: AppTest, store: RunStore, running: Run):
    open_step(app, run=running.id)
    assert_clean(app)
    assert any("Cats and dogs, version 1" in caption.value for caption in app.caption), "the set by its name"
    assert learning_live(app) == ["stage4"]
    app.button(key="transfer_live_stage3").click().run()
    assert [(change.setting, change.value) for change in store.changes(running.id)] == [("transfer.frozen.stage3", 0.0)]
    waiting = [text for text in _marks(app) if "→" in text]
    assert waiting == [f"{_arrow('frozen', 'learning')} :small[× 0.1]"], "shown as not done yet"
    (change,) = store.changes(running.id)
    store.set_change_step(change.id, 215)
    learning = {**running.summary, "learning": ["stage3", "stage4", "head"]}
    store.log(running.id, [Row(phase="freeze", step=215, values={"stage3": 0.0})], learning)
    time.sleep(0.6)  # one look at the log serves all who watch for half a second
    app.run()
    assert not [text for text in _marks(app) if "→" in text]
    assert learning_live(app) == ["stage3", "stage4"]


def test_the_schedule_moves_switches_and_asks_for_nothing(app: AppTest, store: RunStore, running: Run):
    open_step(app, run=running.id)
    store.log(running.id, [Row(phase="freeze", step=180, values={"stage3": 0.0})], running.summary)
    time.sleep(0.6)
    app.run()
    assert learning_live(app) == ["stage3", "stage4"]
    app.button(key="transfer_live_stage4").click().run()
    assert [(change.setting, change.value) for change in store.changes(running.id)] == [("transfer.frozen.stage4", 1.0)]


def test_what_was_asked_stays_until_the_training_has_logged_it():
    config = transfer_base(BACKBONE, "0123456789ab@1")
    log = [Row(phase="freeze", step=100, values={"stage4": 0.0})]

    def asked(value: float, step: int | None, setting: str = "transfer.frozen.stage4") -> Change:
        return Change(id=1, setting=setting, value=value, step=step)

    assert freezing(config, [asked(1.0, None)], log).asked == {"stage4": True}
    assert freezing(config, [asked(1.0, 120)], log).asked == {"stage4": True}, "taken, and not logged yet"
    log += [Row(phase="freeze", step=120, values={"stage4": 1.0})]
    assert freezing(config, [asked(1.0, 120)], log).asked == {}
    log += [Row(phase="freeze", step=200, values={"stage4": 0.0})]
    later = freezing(config, [asked(1.0, 120)], log)
    assert (later.asked, "stage4" in later.frozen) == ({}, False), "the schedule came later"
    assert freezing(config, [asked(0.5, None, "optimizer.lr")], []).asked == {}


def test_a_run_that_is_over_cannot_be_switched(app: AppTest, store: RunStore, artifacts: Path, running: Run):
    fake_runs.finish(store, artifacts, running)
    open_step(app, run=running.id)
    assert_clean(app)
    assert all(app.button(key=f"transfer_live_{stage}").disabled for stage in STAGES)
    assert "validation images right" not in _html(app), "the test images say it better"
    assert app.button(key="run_again").proto.type != "primary", "one primary button"
    app.button(key="transfer_to_use").click().run()
    assert {name: address(app)[name] for name in ("step", "run")} == {"step": "use", "run": running.id}


def test_the_result_is_told_with_its_interval(app: AppTest, store: RunStore, running: Run):
    counted = {**running.summary, "best_val_accuracy": 0.75, "num_validation": 8}
    store.log(running.id, [], counted)
    store.end(running.id, "finished")
    open_step(app, run=running.id)
    assert_clean(app)
    assert "6 of 8 validation images right: 75.0 %</b> (Wilson's 95 % interval 40.9–92.9)" in _html(app)


@pytest.mark.parametrize("wrong", [{"backbone": "nope"}, {"from": "nope"}])
def test_a_wrong_backbone_in_the_link_leads_to_the_backbones(app: AppTest, image_set: ImageSet, wrong: dict[str, str]):
    open_step(app, step="train", set=image_set.id, **wrong)
    (error,) = app.error
    assert "nope" in error.value
    app.button(key="transfer_back").click().run()
    assert address(app) == {"step": "backbone", "set": image_set.id}


def test_a_run_leads_back_to_its_settings(app: AppTest, store: RunStore, running: Run, image_set: ImageSet):
    changed = {**running.config, "training": {**running.config["training"], "epochs": 3}}
    store.set_config(running.id, changed)
    open_step(app, run=running.id)
    app.button(key="transfer_new").click().run()
    assert_clean(app)
    expected = {"step": "train", "set": image_set.id, "backbone": BACKBONE, "training.epochs": "3"}
    assert address(app) == expected


def test_the_train_page_leads_here(app: AppTest, store: RunStore, artifacts: Path, running: Run, image_set: ImageSet):
    fake_runs.finish(store, artifacts, running)
    link(app, run=running.id)
    assert_clean(app)
    (there,) = [each for each in app.get("page_link") if each.proto.label == "Open in Transfer"]
    assert f"run={running.id}" in there.proto.query_string
    app.button(key="run_again").click().run()
    assert address(app) == {"step": "train", "set": image_set.id, "backbone": BACKBONE}


def _html(app: AppTest) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def _marks(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown]


def _arrow(before: str, after: str) -> str:
    icons = {"frozen": ":blue-badge[:material/ac_unit: frozen]"}
    icons["learning"] = ":orange-badge[:material/local_fire_department: learning]"
    return f"{icons[before]} → {icons[after]}"
