"""Compare as a person uses it: a block of a network opened, two runs over each other, the images they disagree on."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from cnncore.catalog import MODELS
from cnncore.config import TrainConfig, readable_name, replace
from cnncore.runs.run import Run
from tests import fake_runs
from tests.browser.charts import CHARTS
from tests.browser.conftest import Server

TRAINED_MS = 60_000
SHORT = {"data.train_images": 300, "training.epochs": 1}


def test_a_block_of_the_drawing_opens_and_closes(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/compare?net=resnet18")
    expect(page.get_by_role("heading", name=MODELS["resnet18"].title)).to_be_visible()
    drawing = page.locator(".lab-graph-view")
    opener = drawing.locator(".toggle[aria-label^='Open ']").first
    opener.wait_for()
    frames = drawing.locator(".frame").count()
    opener.click()
    expect(drawing.locator(".frame")).to_have_count(frames + 1)
    drawing.locator(".box", has_text="conv").first.click()
    expect(page.locator(".lab-graph-facts")).to_contain_text("Parameters")
    page.locator(".lab-graph-buttons button[data-do=reset]").click()
    expect(drawing.locator(".frame")).to_have_count(frames)


def test_two_selected_runs_lie_over_each_other(page: Page, own_server: Server) -> None:
    store, folder = own_server.store, own_server.artifacts
    first, second = (
        fake_runs.finish(store, folder, fake_runs.open_run(store, folder, steps=80, name=name))
        for name in ("First", "Second")
    )
    faster = replace(fake_runs.fake_config(), {"optimizer.lr": 0.003})
    store.set_config(second.id, faster.model_dump(mode="json"))
    page.goto(f"{own_server.url}/compare?view=runs&runs={first.id},{second.id}")
    expect(page.get_by_text("2 selected")).to_be_visible()
    loss = page.locator(f".st-key-runs_loss {CHARTS}")
    expect(loss.locator(".scatterlayer .trace")).to_have_count(2)
    with page.expect_download() as download:
        page.locator(".st-key-runs_export_report button").filter(visible=True).click()
    assert "plotly" in download.value.path().read_text(encoding="utf-8")
    page.locator(".st-key-runs_heads button").filter(visible=True).click()
    expect(page).to_have_url(re.compile(f"view=heads&a={first.id}&b={second.id}$"))


def test_two_trained_networks_show_the_images_on_which_they_disagree(page: Page, server: Server) -> None:
    a, b = (_trained(server, seed) for seed in (0, 1))
    page.goto(f"{server.url}/train?run={b.id}")
    expect(page.locator(".lab-result")).to_contain_text("Test accuracy", timeout=TRAINED_MS)
    page.goto(f"{server.url}/compare?view=heads&a={a.id}&b={b.id}")
    expect(page.get_by_text("exact McNemar test")).to_be_visible()
    only_a = page.get_by_role("radio", name=re.compile(r"Only A is right \(\d+\)"))
    expect(only_a).to_be_visible()
    assert page.locator(".lab-pairs img").count() > 0


def _trained(server: Server, seed: int) -> Run:
    """A run of a few seconds in the queue; the runner starts when somebody looks at it."""
    config = replace(TrainConfig(), {**SHORT, "training.seed": seed})
    return server.store.create(config.model_dump(mode="json"), name=f"{readable_name(config)}, seed {seed}")
