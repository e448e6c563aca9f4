"""The freeze diagram in a real browser: switches by mouse and keyboard, in the form and while a run trains; a phone."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cnncore.catalog import stages_of
from cnncore.config.transfer import transfer_base
from cnncore.images.image_set import ImageSet
from cnncore.runs.events import Row
from cnncore.runs.run import Run
from tests import fake_runs
from tests.browser.conftest import PATIENCE_MS, Server
from tests.pages.fake_sets import make_set

BACKBONE = "resnet18"
STAGES = [stage.key for stage in stages_of(BACKBONE)]


@pytest.fixture
def image_set(server: Server) -> ImageSet:
    return make_set(server.data)


@pytest.fixture
def running(server: Server, image_set: ImageSet) -> Iterator[Run]:
    """A run that stands still at step 210, as seen from the page."""
    run = fake_runs.open_run(server.store, server.artifacts, steps=400, upto=210, name="Pets")
    server.store.set_config(run.id, transfer_base(BACKBONE, image_set.reference).model_dump(mode="json"))
    yield run
    server.store.end(run.id, "stopped")


def _url(server: Server, **params: str) -> str:
    return f"{server.url}/transfer?{urlencode(params)}"


def _switch(page: Page, stage: str, kind: str = "stage") -> Locator:
    return _tile(page, stage, kind).locator("[data-testid=stCheckbox] input")


def _button(page: Page, stage: str) -> Locator:
    """What switches a stage of a run."""
    return page.locator(f".st-key-transfer_live_{stage} button").filter(visible=True)


def _learns(page: Page, stage: str) -> Locator:
    """It is there where the stage is drawn as learning."""
    return _tile(page, stage, "live").locator("[class*=st-key-transfer_on_]")


def _tile(page: Page, stage: str, kind: str = "stage") -> Locator:
    return page.locator(f".st-key-transfer_tile_transfer_{kind}_{stage}")


def _color(tile: Locator) -> str:
    """The color of a tile's border once it has stopped changing."""
    return tile.evaluate(
        """async (node) => {
            await Promise.allSettled(node.getAnimations().map((each) => each.finished));
            return getComputedStyle(node).borderTopColor;
        }"""
    )


def _expect_frozen(page: Page, expected: str | None) -> None:
    """Wait until the address says that these stages are frozen."""

    def said() -> str | None:
        return parse_qs(urlparse(page.url).query).get("transfer.frozen", [None])[0]

    for _ in range(PATIENCE_MS // 100):
        if said() == expected:
            return
        page.wait_for_timeout(100)
    assert said() == expected


def test_stages_are_switched_by_mouse_and_keyboard(page: Page, server: Server, image_set: ImageSet):
    page.goto(_url(server, step="train", set=image_set.id, backbone=BACKBONE))
    expect(_switch(page, "stage4")).to_be_visible()
    frozen = _color(_tile(page, "stage4"))
    _tile(page, "stage4").locator("[data-testid=stCheckbox] label").click()
    _expect_frozen(page, "stem,stage1,stage2,stage3")
    expect(_tile(page, "stage4")).to_contain_text("learning")
    assert _color(_tile(page, "stage4")) != frozen
    assert _color(_tile(page, "stage3")) == frozen
    _switch(page, "stage3").focus()
    page.keyboard.press("Space")
    _expect_frozen(page, "stem,stage1,stage2")
    assert _switch(page, "stage3").evaluate("(node) => node === document.activeElement"), "the focus stays"
    page.locator(".st-key-transfer_way").get_by_text("Feature extraction").click()
    _expect_frozen(page, None)
    expect(_tile(page, "stage4")).to_contain_text("frozen")
    page.go_back()
    page.wait_for_timeout(500)
    assert not page.get_by_test_id("stException").count()


def test_switches_act_on_a_run_and_their_moment_is_marked(page: Page, server: Server, running: Run):
    page.goto(_url(server, run=running.id))
    expect(_button(page, "stage4")).to_be_enabled()
    _button(page, "stage4").focus()
    page.keyboard.press("Enter")
    expect(_tile(page, "stage4", "live")).to_contain_text("→")
    expect(_learns(page, "stage4")).to_be_visible()
    assert _button(page, "stage4").evaluate("(node) => node === document.activeElement"), "the focus stays"
    (change,) = server.store.changes(running.id)
    assert (change.setting, change.value) == ("transfer.frozen.stage4", 0.0)
    server.store.set_change_step(change.id, 212)
    learning = {**running.summary, "learning": ["stage4", "head"]}
    server.store.log(running.id, [Row(phase="freeze", step=212, values={"stage4": 0.0})], learning)
    expect(_tile(page, "stage4", "live")).not_to_contain_text("→")
    expect(_tile(page, "stage4", "live")).to_contain_text("learning")
    expect(page.locator(".js-plotly-plot .annotation").first).to_contain_text("Stage 4 learning")


def test_looking_on_moves_no_switch(page: Page, server: Server, running: Run):
    row = Row(phase="freeze", step=200, values=dict.fromkeys(STAGES[2:], 0.0))
    server.store.log(running.id, [row], running.summary)
    page.goto(_url(server, run=running.id))
    expect(_tile(page, "stage4", "live")).to_contain_text("learning", timeout=PATIENCE_MS)
    page.wait_for_timeout(3_000)
    for stage in STAGES:
        expect(_learns(page, stage)).to_have_count(int(stage in STAGES[2:]))
    assert server.store.changes(running.id) == ()


def test_the_schedule_moves_switches_before_ones_eyes_and_that_is_no_click(page: Page, server: Server, running: Run):
    page.goto(_url(server, run=running.id))
    expect(_button(page, "stage4")).to_be_enabled()
    expect(_learns(page, "stage4")).to_have_count(0)
    for step, stage in ((220, "stage4"), (230, "stage3")):
        server.store.log(running.id, [Row(phase="freeze", step=step, values={stage: 0.0})], running.summary)
        expect(_learns(page, stage)).to_have_count(1)
        page.wait_for_timeout(3_000)
        expect(_learns(page, stage)).to_have_count(1)
    assert server.store.changes(running.id) == ()


def test_on_a_phone_the_network_stands_upright(browser: Browser, server: Server, image_set: ImageSet):
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme="dark")
    page = context.new_page()
    page.goto(_url(server, step="train", set=image_set.id, backbone=BACKBONE))
    expect(_switch(page, "stage4")).to_be_visible(timeout=PATIENCE_MS)
    boxes = [_tile(page, stage).bounding_box() for stage in STAGES]
    tops = [box["y"] for box in boxes if box]
    assert len(tops) == len(STAGES)
    assert tops == sorted(tops)
    assert len(set(tops)) == len(tops)
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes if box)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
