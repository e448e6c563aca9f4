"""The Train page before a run: presets, dependent fields, impossible combinations, links, the start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.catalog import MODELS, OPTIMIZERS, PRESETS, SCHEDULES
from cnncore.config import FIELDS, TrainConfig, flatten, format_value, preset, replace
from cnncore.runs.store import RunStore
from pages.components.form_fields import FORM, GROUPS
from tests.pages.conftest import address, assert_clean, link


def _inputs(app: AppTest) -> set[str]:
    kinds = (app.selectbox, app.number_input, app.slider, app.toggle, app.text_input)
    keys = {element.key for kind in kinds for element in kind}
    return {name for name in FIELDS if f"train_{name.replace('.', '_')}" in keys}


def test_the_form_has_every_setting_once():
    assert set(FORM) == set(FIELDS)
    placed = [name for group in GROUPS for name in group.all_fields]
    assert sorted(placed) == sorted(FIELDS)
    assert all(field.help and field.title for field in FORM.values())


@pytest.mark.parametrize("key", list(PRESETS))
def test_every_preset_fills_the_form_and_can_be_trained(train: AppTest, store: RunStore, key: str):
    train.selectbox(key="train_preset").set_value(key).run()
    assert_clean(train)
    assert address(train) == {"preset": key}
    train.button(key="train_button").click().run()
    (run,) = store.list()
    assert TrainConfig.model_validate(run.config) == preset(key)
    assert address(train) == {"run": run.id}


def test_only_settings_that_are_read_are_shown(train: AppTest):
    for key, spec in OPTIMIZERS.items():
        train.selectbox(key="train_optimizer_name").set_value(key).run()
        shown = {name.partition(".")[2] for name in _inputs(train) if name.startswith("optimizer.")}
        assert shown == {"name", "lr", "weight_decay", *spec.settings}
    for key, spec in SCHEDULES.items():
        train.selectbox(key="train_schedule_name").set_value(key).run()
        shown = {name.partition(".")[2] for name in _inputs(train) if name.startswith("schedule.")}
        assert shown == {"name", "warmup_epochs", *spec.settings}
    for key, spec in MODELS.items():
        train.selectbox(key="train_model_name").set_value(key).run()
        shown = {name.partition(".")[2] for name in _inputs(train) if name.startswith("model.")}
        assert shown == {"name", "width", "input_size", *spec.defaults}
    assert not train.exception


def test_a_data_set_with_validation_images_of_its_own_offers_no_share(train: AppTest):
    train.selectbox(key="train_data_dataset").set_value("mnist").run()
    assert "data.validation" in _inputs(train)
    train.selectbox(key="train_data_dataset").set_value("mnist5k").run()
    assert "data.validation" not in _inputs(train)
    assert_clean(train)


def test_switching_forth_and_back_loses_nothing(train: AppTest):
    train.number_input(key="train_optimizer_beta1").set_value(0.8).run()
    train.selectbox(key="train_optimizer_name").set_value("sgd").run()
    assert address(train) == {"preset": "lenet_20s", "optimizer.name": "sgd"}
    train.selectbox(key="train_optimizer_name").set_value("adam").run()
    assert train.number_input(key="train_optimizer_beta1").value == 0.8
    assert address(train) == {"preset": "lenet_20s", "optimizer.beta1": "0.8"}


def test_an_impossible_combination_is_explained_and_cannot_start(train: AppTest):
    train.slider(key="train_augment_mixup").set_value(0.2).run()
    train.slider(key="train_augment_cutmix").set_value(1.0).run()
    assert [element.value for element in train.error] == [
        "Mixup and CutMix cannot be on together. Set one of them to 0."
    ]
    assert train.button(key="train_button").disabled
    assert train.slider(key="train_augment_cutmix").value == 1.0
    train.slider(key="train_augment_mixup").set_value(0.0).run()
    assert_clean(train)
    assert not train.button(key="train_button").disabled


def test_an_option_the_new_network_refuses_stays_in_view_with_the_reason(train: AppTest):
    train.selectbox(key="train_model_norm").set_value("lrn").run()
    train.selectbox(key="train_model_name").set_value("resnet20").run()
    (error,) = train.error
    assert error.value.startswith(MODELS["resnet20"].refusals["norm=lrn"])
    assert train.selectbox(key="train_model_norm").value == "lrn"
    train.selectbox(key="train_model_norm").set_value("batch").run()
    assert_clean(train)


def test_a_broken_text_is_kept_and_explained(train: AppTest):
    train.selectbox(key="train_schedule_name").set_value("multistep").run()
    train.text_input(key="train_schedule_milestones").set_value("2, x").run()
    assert train.error[0].value.startswith("schedule.milestones cannot be '2, x'.")
    assert train.text_input(key="train_schedule_milestones").value == "2, x"
    train.text_input(key="train_schedule_milestones").set_value("2, 4").run()
    assert_clean(train)
    assert address(train)["schedule.milestones"] == "2,4"


def test_the_last_values_are_there_when_one_comes_back(train: AppTest):
    train.number_input(key="train_training_epochs").set_value(3).run()
    train.selectbox(key="train_model_name").set_value("cnn3").run()
    train.switch_page("pages/home.py").run()
    train.query_params.clear()
    train.switch_page("pages/train.py").run()
    assert train.number_input(key="train_training_epochs").value == 3
    assert train.selectbox(key="train_model_name").value == "cnn3"
    assert address(train) == {"preset": "lenet_20s", "model.name": "cnn3", "training.epochs": "3"}


def test_normalization_can_be_switched_off(train: AppTest, store: RunStore):
    train.selectbox(key="train_preset").set_value("resnet20_cifar10").run()
    train.selectbox(key="train_model_norm").set_value("none").run()
    assert address(train) == {"preset": "resnet20_cifar10", "model.norm": "none"}
    train.button(key="train_button").click().run()
    (run,) = store.list()
    assert run.config["model"]["norm"] == "none"


def test_back_to_the_preset(train: AppTest):
    train.number_input(key="train_training_epochs").set_value(3).run()
    train.button(key="train_back_to_preset").click().run()
    assert address(train) == {"preset": "lenet_20s"}
    assert train.number_input(key="train_training_epochs").value == 8


def test_a_link_fills_the_form_and_starts_nothing(app: AppTest, store: RunStore):
    link(app, preset="cnn3_fast", training__epochs="2", optimizer__name="nesterov", schedule__warmup_epochs="0.5")
    assert_clean(app)
    assert not app.warning
    assert app.selectbox(key="train_preset").value == "cnn3_fast"
    assert app.number_input(key="train_training_epochs").value == 2
    assert app.selectbox(key="train_optimizer_name").value == "nesterov"
    assert not store.list()


def test_what_a_link_asks_in_vain_is_named_once_and_the_rest_is_kept(app: AppTest):
    link(app, preset="nope", training__epochs="2", optimizer__lr="banana", lr="3", model__name="resnet-20")
    (warning,) = app.warning
    for part in ("preset named 'nope'", "optimizer.lr cannot be 'banana'", "Did you mean optimizer.lr?", "resnet20"):
        assert part in warning.value
    assert address(app) == {"preset": "lenet_20s", "training.epochs": "2"}
    assert_clean(app)
    app.run()
    assert len(app.warning) == 1
    app.selectbox(key="train_preset").set_value("cnn3_fast").run()
    assert not app.warning


NONSENSE = ("banana", "-1", "1e400", "nan", "<b>x</b>", "../../etc", "9" * 3_000, "\x00", "none")
_AT_PRESET = {name for name, value in flatten(preset("lenet_20s")).items() if format_value(value, name) == "none"}
"""Settings that may take "none" from a link without the address repeating it."""


def _assert_read(app: AppTest, names: Iterable[str]) -> None:
    """Every setting of the link was taken or refused in words, and the page is whole."""
    assert not app.exception
    assert app.button(key="train_button").label == "Train"
    assert not any("did not expect" in element.value for element in app.error)
    warned = app.warning[0].value if app.warning else ""
    taken = {name: text for name, text in address(app).items() if name in FIELDS}
    assert len(taken) + warned.count("\n- ") >= len(set(names) - _AT_PRESET)


@pytest.mark.parametrize("name", list(FIELDS))
def test_nonsense_in_a_setting_is_refused_in_words(app: AppTest, name: str):
    link(app, **{name.replace(".", "__"): "banana"})
    _assert_read(app, [name])
    assert len(app.warning) == 1


@pytest.mark.parametrize("nonsense", NONSENSE, ids=[text[:6] for text in NONSENSE])
def test_nonsense_everywhere_never_breaks_the_page(app: AppTest, nonsense: str):
    link(app, **{name.replace(".", "__"): nonsense for name in FIELDS})
    _assert_read(app, FIELDS)


def test_a_second_link_in_the_same_session_is_taken_over(train: AppTest):
    link(train, preset="resnet20_cifar10", training__epochs="4")
    assert train.selectbox(key="train_model_name").value == "resnet20"
    assert train.number_input(key="train_training_epochs").value == 4


def test_run_again_with_changes_fills_the_form(app: AppTest, store: RunStore):
    config = replace(preset("lenet_tuned"), {"training.epochs": 7, "model.activation": "tanh"})
    run = store.create(config.model_dump(mode="json"), name="a run")
    link(app, **{"from": run.id})
    assert_clean(app)
    assert address(app) == {"preset": "lenet_tuned", "model.activation": "tanh", "training.epochs": "7"}
    assert app.selectbox(key="train_model_activation").value == "tanh"


def test_run_again_takes_further_settings_from_the_link(app: AppTest, store: RunStore):
    run = store.create(preset("lenet_tuned").model_dump(mode="json"), name="a run")
    link(app, **{"from": run.id, "optimizer.lr": "0.02", "training.epochs": "many"})
    assert address(app) == {"preset": "lenet_tuned", "optimizer.lr": "0.02"}
    assert "training.epochs cannot be 'many'" in app.warning[0].value


def test_a_learning_rate_is_searched_for(train: AppTest, store: RunStore):
    train.button(key="train_find_lr").click().run()
    (run,) = store.list()
    assert (run.kind, run.name) == ("find_lr", "Learning rate for LeNet (tutorial) on MNIST digits")
    assert address(train) == {"run": run.id}


def test_from_a_run_back_to_the_form(train: AppTest):
    train.number_input(key="train_training_epochs").set_value(3).run()
    train.button(key="train_button").click().run()
    train.button(key="train_new").click().run()
    assert train.number_input(key="train_training_epochs").value == 3
    assert address(train) == {"preset": "lenet_20s", "training.epochs": "3"}


@pytest.mark.parametrize("run_id", ["0123456789ab", "../../etc/passwd"])
def test_run_again_from_a_run_that_is_gone(app: AppTest, run_id: str):
    link(app, **{"from": run_id})
    assert "There is no run" in app.warning[0].value
    assert app.selectbox(key="train_preset").value == "lenet_20s"


def test_mirroring_digits_is_warned_of(train: AppTest):
    train.slider(key="train_augment_flip_horizontal").set_value(0.5).run()
    assert any("mirrored image of MNIST digits" in element.value for element in train.warning)
    train.selectbox(key="train_data_dataset").set_value("cifar10").run()
    assert not train.warning


def test_augmentation_is_previewed_and_drawn_again(train: AppTest, asked: list[tuple[str, Mapping[str, Any]]]):
    assert not any(name == "preview" for name, _ in asked)
    train.slider(key="train_augment_rotation").set_value(20.0).run()
    train.button(key="train_draw_again").click().run()
    previews = [request for name, request in asked if name == "preview"]
    assert [request["seed"] for request in previews] == [0, 1]
    assert previews[0]["augment"]["rotation"] == 20.0


def test_devices_are_those_of_the_machine(train: AppTest):
    assert train.selectbox(key="train_training_device").options == [
        "automatic",
        "A processor (cpu)",
        "A GPU (cuda:0)",
    ]


def test_the_page_works_without_the_service(app: AppTest, broken_service: None):
    app.switch_page("pages/train.py").run()
    assert not app.exception
    assert app.metric[0].value == "431,080"
    assert not app.button(key="train_button").disabled
