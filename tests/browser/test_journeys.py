"""What people do with the app, with real runs: from a click on Home to the test accuracy, whatever comes between."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlparse

import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cnncore.runs.store import Run
from tests import fake_runs
from tests.browser.charts import CHARTS, grown, last_step
from tests.browser.conftest import PATIENCE_MS, Server

TRAINED_MS = 120_000
"""How long a short run may take on a busy machine."""
ENDLESS = {"schedule.name": "constant", "training.epochs": "900"}
MAX_RSS = 250_000_000


def _form(page: Page, server: Server, **settings: str) -> None:
    page.goto(f"{server.url}/train?{urlencode(settings)}")
    expect(_button(page, "train_button")).to_be_enabled()


def _button(page: Page, key: str) -> Locator:
    """The button with this key; with a tooltip Streamlit draws a second, hidden one."""
    return page.locator(f".st-key-{key} button").filter(visible=True)


def _input(page: Page, setting: str) -> Locator:
    return page.locator(f".st-key-train_{setting} input")


def _run_id(page: Page) -> str:
    page.wait_for_url("**/train?run=*")
    return parse_qs(urlparse(page.url).query)["run"][0]


def _endless_run(page: Page, server: Server) -> str:
    """Start a run that outlasts its test from a form link; returns once its curve is there."""
    _form(page, server, **ENDLESS)
    _button(page, "train_button").click()
    run_id = _run_id(page)
    grown(page)
    return run_id


def _accuracy(page: Page) -> float:
    """The test accuracy in percent, once the run has finished."""
    result = page.locator(".lab-result")
    expect(result).to_contain_text("Test accuracy", timeout=TRAINED_MS)
    return float(result.locator("b").inner_text().removesuffix("%"))


def _assert_no_traceback(page: Page) -> None:
    assert not page.get_by_test_id("stException").count()
    assert not page.get_by_text("Traceback").count()
    assert not page.get_by_text("did not expect").count()


def _shorten(server: Server, run: Run) -> None:
    """Let a run that was stopped end two epochs after its last step, so that nobody waits for the rest."""
    per_epoch = math.ceil(run.summary["num_train"] / run.config["training"]["batch_size"])
    epochs = run.summary["step"] // per_epoch + 2
    server.store.set_config(run.id, {**run.config, "training": {**run.config["training"], "epochs": epochs}})


def test_from_home_to_the_test_accuracy(page: Page, server: Server):
    page.goto(server.url)
    _button(page, "home_quick_start").click()
    run_id = _run_id(page)
    first = grown(page)
    assert server.store.get(run_id).is_open, "the curve is there while it trains"
    grown(page, first)
    assert _accuracy(page) >= 90
    assert server.store.get(run_id).status == "finished"
    _assert_no_traceback(page)


def test_a_run_is_reloaded_watched_by_two_stopped_and_resumed(page: Page, browser: Browser, server: Server):
    run_id = _endless_run(page, server)
    before = last_step(page)
    page.reload()
    assert _run_id(page) == run_id
    grown(page, before)

    context = browser.new_context()
    other = context.new_page()
    other.goto(server.run_url(run_id))
    theirs, mine = grown(other), last_step(page)
    grown(other, theirs)
    grown(page, mine)
    context.close()

    _button(page, "run_stop").click()
    expect(_button(page, "run_resume")).to_be_visible()
    stopped = server.store.get(run_id)
    assert stopped.status == "stopped"
    _shorten(server, stopped)
    _button(page, "run_resume").click()
    assert _accuracy(page) >= 90
    finished = server.store.get(run_id)
    assert (finished.status, finished.attempt) == ("finished", 2)
    steps = [row.step for row in server.store.since(run_id, phases=["step"]).rows]
    assert steps == list(range(1, finished.summary["step"] + 1)), "no step is missing and none was taken twice"


def test_a_run_goes_on_without_the_server(page: Page, own_server: Server):
    run_id = _endless_run(page, own_server)
    own_server.kill()
    before = own_server.store.get(run_id).summary["step"]
    end = time.monotonic() + PATIENCE_MS / 1000
    while own_server.store.get(run_id).summary["step"] <= before and time.monotonic() < end:
        time.sleep(0.1)
    alone = own_server.store.get(run_id).summary["step"]
    assert alone > before
    own_server.start()
    page.goto(own_server.run_url(run_id))
    grown(page, alone)
    assert own_server.store.get(run_id).attempt == 1


def test_a_learning_rate_is_found_and_taken_into_the_form(page: Page, server: Server):
    _form(page, server)
    _button(page, "train_find_lr").click()
    run = server.store.get(_run_id(page))
    train = _button(page, "run_rate_train")
    expect(train).to_be_visible(timeout=TRAINED_MS)
    found = server.store.get(run.id).summary["suggested_lr"]
    assert 1e-5 < found < 1
    page.wait_for_function(f"document.querySelector('{CHARTS}')?.data?.some((trace) => trace.name === 'suggested')")
    train.click()
    page.wait_for_url(f"**optimizer.lr={found:g}*")
    expect(_input(page, "optimizer_lr")).to_have_value(f"{found:g}")


@pytest.mark.parametrize("run_id", ["doesnotexist", "../<b>nonsense</b> é%00", "x" * 5_000])
def test_a_dead_link_says_so_and_leads_on(page: Page, server: Server, run_id: str):
    page.goto(f"{server.url}/train?{urlencode({'run': run_id})}")
    warning = page.get_by_test_id("stAlert")
    expect(warning).to_have_count(1)
    assert len(warning.inner_text()) < 200
    _assert_no_traceback(page)
    page.get_by_role("link", name="Train a network").click()
    expect(_button(page, "train_button")).to_be_enabled()


def test_nonsense_in_a_form_link_is_named_and_starts_nothing(page: Page, server: Server):
    runs = server.store.list()
    _form(page, server, **{"optimizer.lr": "banana", "model.name": "lenet5", "training.epochs": "3"})
    expect(page.get_by_test_id("stAlert")).to_contain_text("optimizer.lr cannot be 'banana'")
    expect(_input(page, "training_epochs")).to_have_value("3")
    expect(page.get_by_text("LeNet-5 on MNIST digits")).to_be_visible()
    _assert_no_traceback(page)
    assert server.store.list() == runs


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_server_stays_small_and_never_loads_torch(page: Page, own_server: Server):
    run = fake_runs.open_run(own_server.store, own_server.artifacts, steps=4_000, upto=2_000)
    page.goto(own_server.url)
    menu = page.get_by_test_id("stTopNavLink")
    expect(menu.first).to_be_visible()
    addresses = [link.get_attribute("href") or "" for link in menu.all()]
    for address in (own_server.run_url(run.id), *addresses):
        page.goto(urljoin(own_server.url, address))
        page.locator("[data-test-script-state=notRunning]").wait_for()
        _assert_no_traceback(page)
    assert "libtorch" not in Path(f"/proc/{own_server.pid}/maps").read_text(encoding="utf-8")
    assert psutil.Process(own_server.pid).memory_info().rss < MAX_RSS
