"""The step Backbone of the Transfer page: what is at hand, the choice in the link, runs of this lab, dead links."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.catalog.backbones import BACKBONES, DEFAULT_BACKBONE
from cnncore.config.transfer import transfer_base
from cnncore.runs.run import Run
from cnncore.runs.store import RunStore
from pages.components.transfer_backbone_imagenet import at_hand_words
from tests import fake_runs
from tests.pages.conftest import address, assert_clean
from tests.pages.fake_sets import make_set


def open_step(app: AppTest, **params: str) -> AppTest:
    app.switch_page("pages/transfer.py")
    for name, value in {"step": "backbone", **params}.items():
        app.query_params[name] = value
    return app.run()


def _text(app: AppTest) -> str:
    said = [element.value for elements in (app.subheader, app.caption, app.markdown) for element in elements]
    return "\n".join([*said, *(element.proto.body for element in app.get("html"))])


def _titles(app: AppTest) -> list[str]:
    return app.dataframe[0].value["title"].tolist()


def test_every_backbone_is_there_and_the_default_is_chosen(app: AppTest):
    open_step(app)
    assert_clean(app)
    assert _titles(app) == [spec.title for spec in BACKBONES.values()]
    assert app.subheader[0].value == BACKBONES[DEFAULT_BACKBONE].title
    app.button(key="transfer_to_train").click().run()
    assert address(app) == {"step": "train", "backbone": DEFAULT_BACKBONE}


@pytest.mark.parametrize("key", [DEFAULT_BACKBONE, "googlenet", "xception", "resnet50_v2", "vgg19_bn"])
def test_a_backbone_says_what_it_takes_before_it_is_chosen(app: AppTest, key: str):
    open_step(app, backbone=key)
    assert_clean(app)
    spec, text = BACKBONES[key], _text(app)
    assert app.subheader[0].value == spec.title
    assert f"{spec.image_size} × {spec.image_size} pixels" in text
    assert spec.license in text
    at_hand = key == DEFAULT_BACKBONE
    assert ("are downloaded from" in text) == (not at_hand)


def test_only_what_is_at_hand_can_be_shown(app: AppTest, data_root: Path):
    open_step(app)
    app.toggle(key="transfer_backbone_at_hand").set_value(True).run()
    assert_clean(app)
    assert _titles(app) == [BACKBONES[DEFAULT_BACKBONE].title]


def test_what_is_at_hand_is_one_sentence():
    assert at_hand_words(()).startswith("None of these weights is on this machine yet")
    two = at_hand_words(("efficientnet_lite0", "squeezenet1_1"))
    assert "EfficientNet-Lite0 and SqueezeNet 1.1" in two
    assert f"The other {len(BACKBONES) - 2} are downloaded" in two
    assert "The other" not in at_hand_words(tuple(BACKBONES))


def test_weights_in_the_data_folder_are_found(app: AppTest, data_root: Path):
    file = BACKBONES["squeezenet1_1"].aliases[0]
    path = data_root / "weights" / file.name
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as stream:
        stream.truncate(file.num_bytes)
    try:
        open_step(app, backbone="squeezenet1_1")
        assert "are downloaded from" not in _text(app)
        assert "EfficientNet-Lite0 and SqueezeNet 1.1" in _text(app)
    finally:
        path.unlink()


def test_an_unknown_backbone_is_named_and_the_default_offered(app: AppTest):
    open_step(app, backbone="resnet81")
    assert_clean(app)
    (warning,) = app.warning
    assert "resnet81" in warning.value
    assert app.subheader[0].value == BACKBONES[DEFAULT_BACKBONE].title


# Runs


@pytest.fixture
def trained(store: RunStore, artifacts: Path) -> Run:
    """A finished run on color images."""
    run = fake_runs.open_run(store, artifacts, name="Colors")
    config = transfer_base("resnet18", "0123456789ab@1").model_dump(mode="json")
    store.set_config(run.id, config)
    return fake_runs.finish(store, artifacts, run)


def test_without_runs_the_place_says_what_will_be_there(app: AppTest, store: RunStore, artifacts: Path):
    fake_runs.finish(store, artifacts, fake_runs.open_run(store, artifacts, name="Gray digits"))
    open_step(app)
    app.segmented_control(key="transfer_backbone_source").set_value("runs").run()
    assert_clean(app)
    assert not app.dataframe
    assert "appear here" in _text(app)


def test_a_run_can_lend_its_stages(app: AppTest, trained: Run, data_root: Path):
    image_set = make_set(data_root)
    open_step(app, set=image_set.id, **{"from": trained.id})
    assert_clean(app)
    assert app.dataframe[0].value["name"].tolist() == ["Colors"]
    app.button(key="transfer_to_train").click().run()
    assert_clean(app)
    assert address(app) == {"step": "train", "set": image_set.id, "from": trained.id}
    assert app.toggle(key="transfer_stage_stage4").value is False


def test_another_choice_drops_what_was_made_for_the_first(app: AppTest, trained: Run, data_root: Path):
    image_set = make_set(data_root)
    said = {"transfer.frozen": "stem,stage1", "training.epochs": "7"}
    open_step(app, set=image_set.id, **{"from": trained.id}, **said)
    app.segmented_control(key="transfer_backbone_source").set_value("imagenet").run()
    app.button(key="transfer_to_train").click().run()
    assert_clean(app)
    assert not app.warning
    expected = {"step": "train", "set": image_set.id, "backbone": DEFAULT_BACKBONE, "training.epochs": "7"}
    assert address(app) == expected


def test_the_same_choice_keeps_it(app: AppTest, trained: Run, data_root: Path):
    said = {"transfer.frozen": "stem,stage1", "training.epochs": "7"}
    for choice in ({"from": trained.id}, {"backbone": DEFAULT_BACKBONE}, {}):
        open_step(app, set=make_set(data_root).id, **choice, **said)
        app.button(key="transfer_to_train").click().run()
        assert {name: address(app).get(name) for name in said} == said
        app.query_params.clear()


def test_a_run_that_saw_gray_images_is_refused(app: AppTest, store: RunStore, artifacts: Path):
    gray = fake_runs.finish(store, artifacts, fake_runs.open_run(store, artifacts, name="Gray digits"))
    open_step(app, **{"from": gray.id})
    assert_clean(app)
    assert ["gray" in warning.value for warning in app.warning] == [True]


def test_a_dead_link_to_a_run_is_said_to_be_so(app: AppTest):
    open_step(app, **{"from": "0123456789ab"})
    assert_clean(app)
    assert ["no run" in warning.value for warning in app.warning] == [True]
