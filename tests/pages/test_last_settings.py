"""The settings last used on the Train page: when the browser's count, what it is told to keep, and the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.config import preset, replace
from cnncore.runs.store import RunStore
from pages.components.last_settings import HEARD, read_last
from tests.pages.conftest import address, assert_clean, link

LAST = {"preset": "cnn3_fast", "training.epochs": "3"}
EPOCHS = "train_training_epochs"


def _said(app: AppTest) -> dict[str, Any]:
    """What the page told the browser."""
    (found,) = [each.proto for each in app.get("bidi_component") if each.proto.component_name == "lab_last_settings"]
    return json.loads(found.json)


def _answer(app: AppTest, **settings: str) -> AppTest:
    """Let the browser answer with what it holds; settings by name, with two underscores for the dot."""
    params = LAST | {name.replace("__", "."): text for name, text in settings.items()}
    app.session_state[HEARD] = json.dumps(params)
    return app


def _words(app: AppTest) -> list[str]:
    return [each.value.replace("\\", "") for each in app.caption if each.value.startswith("Your last settings")]


def test_the_browser_is_asked_once_where_nothing_else_says_what_to_fill_in(train: AppTest):
    assert _said(train) == {"asks": True, "kept": None}
    assert train.number_input(key=EPOCHS).value == 8, "the form is whole, whether or not a browser answers"
    assert address(train) == {}, "an address with the defaults would win over the last settings the next time"
    train.run()
    assert _said(train) == {"asks": False, "kept": None}
    assert address(train) == {"preset": "lenet_20s"}


def test_what_it_holds_fills_the_form_in(train: AppTest):
    _answer(train).run()
    assert_clean(train)
    assert address(train) == LAST
    assert train.selectbox(key="train_preset").value == "cnn3_fast"
    assert train.number_input(key=EPOCHS).value == 3
    assert _words(train) == ["Your last settings: Three-layer CNN on MNIST, 3 epochs"]
    assert _said(train)["kept"] is None, "what was only read is not written again, over another tab's"


def test_whatever_was_entered_in_the_meantime_wins(train: AppTest):
    train.number_input(key=EPOCHS).set_value(5)
    _answer(train).run()
    assert address(train) == {"preset": "lenet_20s", "training.epochs": "5"}
    assert not _words(train)
    train.selectbox(key="train_preset").set_value("lenet_tuned")
    _answer(train).run()
    assert address(train) == {"preset": "lenet_tuned"}


def test_a_link_wins(app: AppTest):
    link(app, training__epochs="2")
    assert _said(app) == {"asks": False, "kept": None}
    _answer(app).run()
    assert address(app) == {"preset": "lenet_20s", "training.epochs": "2"}


def test_the_session_wins(train: AppTest):
    train.number_input(key=EPOCHS).set_value(5).run()
    train.switch_page("pages/home.py").run()
    train.query_params.clear()
    train.switch_page("pages/train.py").run()
    assert not _said(train)["asks"]
    assert train.number_input(key=EPOCHS).value == 5


def test_changes_are_kept_until_the_form_is_as_it_was(train: AppTest):
    train.number_input(key=EPOCHS).set_value(5).run()
    first = _said(train)["kept"]
    assert first["settings"] == {"preset": "lenet_20s", "training.epochs": "5"}
    train.run()
    assert _said(train)["kept"] == first, "a page drawn again has nothing new to say"
    train.slider(key="train_augment_mixup").set_value(0.2).run()
    train.slider(key="train_augment_cutmix").set_value(1.0).run()
    assert _said(train)["kept"]["settings"]["augment.mixup"] == "0.2"
    assert "augment.cutmix" not in _said(train)["kept"]["settings"], "the two cannot be on together"
    train.button(key="train_back_to_preset").click().run()
    assert _said(train)["kept"] == {"turn": 3, "settings": None}


def test_a_link_is_kept_once_its_settings_are_used(app: AppTest, store: RunStore):
    run = store.create(replace(preset("lenet_tuned"), {"training.epochs": 7}).model_dump(mode="json"), name="a run")
    link(app, preset="cnn3_fast")
    link(app, **{"from": run.id})
    app.run()
    assert _said(app)["kept"] is None
    app.button(key="train_button").click().run()
    assert address(app).keys() == {"run"}
    used = {"turn": 1, "settings": {"preset": "lenet_tuned", "training.epochs": "7"}}
    assert _said(app) == {"asks": False, "kept": used}
    app.button(key="train_new").click().run()
    app.button(key="train_find_lr").click().run()
    assert _said(app)["kept"] == {**used, "turn": 2}, "used again, maybe after another tab"


def test_the_way_back_to_the_defaults(train: AppTest):
    _answer(train).run()
    train.button(key="train_last_forget").click().run()
    assert_clean(train)
    assert address(train) == {"preset": "lenet_20s"}
    assert train.number_input(key=EPOCHS).value == 8
    assert not _words(train)
    assert _said(train)["kept"]["settings"] is None


def test_what_is_not_possible_any_more_is_left_out(train: AppTest):
    _answer(train, optimizer__lr="banana", model__gone="1", **{"from": "../../etc", "run": "x"}).run()
    assert_clean(train)
    assert not train.warning
    assert address(train) == LAST
    (words,) = _words(train)
    assert words.endswith("3 epochs. Some of them are not possible any more and were left out.")


def test_the_defaults_are_nobodys_last_settings(train: AppTest):
    _answer(train, preset="lenet_20s", training__epochs="8").run()
    assert not _words(train)
    assert address(train) == {"preset": "lenet_20s"}


@pytest.mark.parametrize(
    "text",
    [
        None,
        3,
        "",
        "banana",
        "[]",
        "null",
        '"preset"',
        '{"preset": 3}',
        '{"preset": "nope", "training.epochs": "3"}',
        '{"training.epochs": "3"}',
        '{"preset": "cnn3_fast", "training.epochs": {"a": "b"}}',
        "[" * 7_000,
        json.dumps({"preset": "cnn3_fast", "data.path": "x" * 9_000}),
    ],
    ids=lambda text: str(text)[:30],
)
def test_what_is_not_ours_is_not_taken(text: object):
    assert read_last(json.dumps(LAST))
    assert read_last(text) is None


def test_what_is_not_ours_leaves_the_page_whole(train: AppTest):
    train.session_state[HEARD] = "[" * 7_000
    train.run()
    assert_clean(train)
    assert not train.warning
    assert address(train) == {"preset": "lenet_20s"}
