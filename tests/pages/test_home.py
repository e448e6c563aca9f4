"""Home: it starts the quick run, shows the machine, and offers what is built."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.config import TrainConfig, preset
from cnncore.errors import LabError
from cnncore.lessons.contents import LESSONS
from cnncore.places import PROJECT_ROOT
from cnncore.runs.store import RunStore
from tests.pages.conftest import MACHINE, address, assert_clean


def _html(app: AppTest) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def test_a_cold_link_is_framed_by_the_app(asked: object):
    cold = AppTest.from_file(str(PROJECT_ROOT / "app.py"), default_timeout=30)
    cold.switch_page("pages/train.py").run()
    assert_clean(cold)
    assert cold.title[0].value == "Train"
    assert "lab-strip" in _html(cold)


def test_shows_the_quick_start_and_the_machine(app: AppTest):
    app.run()
    assert_clean(app)
    assert app.title[0].value == "CNN Lab"
    text = _html(app)
    assert "A processor, 2 cores" in text
    assert "A GPU, 8.59 GB" in text
    assert "An old GPU" not in text
    assert "MNIST digits" in text


def test_the_bare_address_with_a_run_opens_the_run(app: AppTest, store: RunStore):
    run = store.create(TrainConfig().model_dump(mode="json"), name="A run")
    app.query_params["run"] = run.id
    app.run()
    assert_clean(app)
    assert app.header[0].value == "A run"
    assert address(app) == {"run": run.id}


def test_leads_to_every_page(app: AppTest):
    app.run()
    ways = [link.proto.page for link in app.get("page_link")]
    starts = {button.key for button in app.button if button.key}
    assert {"inspector", "learn"} <= set(ways)
    assert {f"home_start_pages/{page}.py" for page in ("train", "compare", "transfer")} <= starts
    assert any(f"{len(LESSONS)} lessons:" in element.value for element in app.markdown)


def test_quick_start_creates_the_run_and_opens_it(app: AppTest, store: RunStore):
    app.run().button(key="home_quick_start").click().run()
    (run,) = store.list()
    assert run.status == "queued"
    assert TrainConfig.model_validate(run.config) == preset("lenet_20s")
    assert run.name == "LeNet (tutorial) on MNIST digits"
    assert address(app) == {"run": run.id}


def test_says_why_a_gpu_is_unusable(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    reason = "This machine has an NVIDIA GPU, but it cannot be used: its driver is not loaded."
    monkeypatch.setitem(MACHINE, "unusable_gpu", reason)
    monkeypatch.setitem(MACHINE, "devices", MACHINE["devices"][:1])
    app.run()
    assert [element.value for element in app.warning] == [reason]
    assert "present, not usable" in _html(app)


def test_is_usable_without_the_service(app: AppTest, broken_service: None):
    app.run()
    assert not app.exception
    assert any("The service is not there." in element.value for element in app.caption)
    assert not app.button(key="home_quick_start").disabled


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (LabError("The disk is full.", "Delete runs."), "The disk is full. Delete runs."),
        (RuntimeError("secret detail"), "Something went wrong that the lab did not expect."),
    ],
)
def test_errors_become_one_sentence(app: AppTest, monkeypatch: pytest.MonkeyPatch, error: Exception, shown: str):
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("pages.components.lab.RunStore.create", fail)
    app.run().button(key="home_quick_start").click().run()
    assert not app.exception
    (message,) = (element.value for element in app.error)
    assert message.startswith(shown)
    assert "secret" not in message
