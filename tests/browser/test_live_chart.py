"""The live charts in a real browser: they grow, keep the zoom and the legend, follow the theme, and fail in words."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from cnncore.runs.store import Run
from tests import fake_runs
from tests.browser.charts import CHARTS, last_step
from tests.browser.conftest import PATIENCE_MS, Server

STEPS, EPOCHS = 4_000, 8
NEXT_TICKS_MS = 2_500


@pytest.fixture
def on(server: Server) -> Iterator[Run]:
    """A run that goes on while the test looks at it."""
    run = fake_runs.open_run(server.store, server.artifacts, steps=STEPS, upto=1_200, epochs=EPOCHS, name="Live")
    over = threading.Event()
    arguments = {"steps": STEPS, "epochs": EPOCHS, "over": over}
    writer = threading.Thread(
        target=fake_runs.log_slowly, args=(server.store, server.artifacts, run), kwargs=arguments, daemon=True
    )
    writer.start()
    yield run
    over.set()
    writer.join()
    if server.store.get(run.id).is_open:
        server.store.end(run.id, "stopped")


def _open(page: Page, server: Server, run: Run) -> None:
    page.goto(server.run_url(run.id))
    page.wait_for_selector(f"{CHARTS} .xtick")
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot .xtick').length > 9")


def _x_range(page: Page, chart: int = 0) -> list[float]:
    return page.evaluate(f"document.querySelectorAll('{CHARTS}')[{chart}].layout.xaxis.range")


def _drag(page: Page, chart: int) -> None:
    box = page.locator(f"{CHARTS} .nsewdrag").nth(chart).bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], y, steps=8)
    page.mouse.up()


def test_the_zoom_and_hidden_lines_survive_the_next_ticks(page: Page, server: Server, on: Run):
    _open(page, server, on)
    page.evaluate(f"document.querySelectorAll('{CHARTS}').forEach((chart) => {{ chart.mark = 7; }})")
    whole, step = _x_range(page), last_step(page)
    _drag(page, 0)
    page.locator(f"{CHARTS} .legendtoggle").nth(1).click()
    page.wait_for_timeout(800)  # a double click on the legend would show everything else
    zoomed = _x_range(page)
    assert zoomed[1] - zoomed[0] < 0.5 * (whole[1] - whole[0])
    page.wait_for_timeout(NEXT_TICKS_MS)
    assert last_step(page) > step, "the curve grows"
    assert _x_range(page) == zoomed
    assert page.evaluate(f"document.querySelectorAll('{CHARTS}')[0]._fullData.some((t) => t.visible === 'legendonly')")
    assert page.evaluate(f"[...document.querySelectorAll('{CHARTS}')].slice(0, 3).every((chart) => chart.mark === 7)")
    server.store.end(on.id, "stopped")
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=PATIENCE_MS)
    assert _x_range(page) == zoomed, "the zoom outlives the run"


def test_an_epoch_s_end_brings_its_evaluation(page: Page, server: Server, on: Run):
    _open(page, server, on)
    latest = page.get_by_text("Latest epoch (")
    expect(latest).to_be_visible()
    before = latest.inner_text()
    expect(latest).not_to_have_text(before, timeout=PATIENCE_MS)
    expect(page.locator(".lab-examples figure").first).to_be_visible()


def test_the_charts_follow_the_theme(page: Page, server: Server, on: Run):
    _open(page, server, on)
    ink = f"document.querySelectorAll('{CHARTS}')[0]._fullLayout.font.color"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{ink} !== {light!r}")


def test_without_plotly_one_sentence_stands_in_the_chart(page: Page, server: Server, on: Run):
    page.route("**/plotly-*.min.js", lambda route: route.abort())
    page.goto(server.run_url(on.id))
    expect(page.get_by_text("plotly.js could not be loaded").first).to_be_visible()
    assert not page.locator(CHARTS).count()


def test_the_page_fits_a_phone(browser: Browser, server: Server, on: Run):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    _open(page, server, on)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = [page.locator(CHARTS).nth(chart).bounding_box() for chart in range(2)]
    assert all(box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    context.close()
