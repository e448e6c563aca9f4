"""A report opened from disk, without a network: its charts are drawn, it says nothing on the console, it fits."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from cnncore.reports import html_report
from cnncore.runs.store import RunStore
from tests import fake_runs
from tests.browser.charts import CHARTS
from tests.browser.conftest import PATIENCE_MS

HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
_UNREADABLE = """[...document.querySelectorAll('.js-plotly-plot .xtick text')].filter((tick) => {
  const [red, green, blue] = getComputedStyle(tick).fill.match(/\\d+/g).map(Number);
  return (red + green + blue > 380) !== DARK;
}).length"""


@pytest.fixture
def report(store: RunStore, artifacts: Path, tmp_path: Path) -> Path:
    runs = [
        fake_runs.finish(store, artifacts, fake_runs.open_run(store, artifacts, steps=80, name=name))
        for name in ("First", HOSTILE)
    ]
    path = tmp_path / "report.html"
    text = html_report(store, artifacts, [run.id for run in runs], made=datetime(2026, 11, 22, tzinfo=UTC))
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("scheme", "width"), [("light", 1_200), ("dark", 390)])
def test_it_opens_anywhere(browser: Browser, report: Path, scheme: str, width: int):
    context = browser.new_context(
        offline=True, color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    page.wait_for_selector("html[data-drawn]", timeout=PATIENCE_MS, state="attached")
    drawn = int(page.evaluate("document.documentElement.dataset.drawn"))
    assert drawn == page.locator(CHARTS).count() >= 10
    assert page.locator(f"{CHARTS} .trace, {CHARTS} .hm, {CHARTS} .bars").count() >= drawn
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert page.title() == "2 runs compared"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(_UNREADABLE.replace("DARK", "true" if scheme == "dark" else "false")) == 0
    context.close()


def test_it_prints_light_and_within_the_paper(browser: Browser, report: Path):
    context = browser.new_context(offline=True, color_scheme="dark", viewport={"width": 1_200, "height": 800})
    page = context.new_page()
    page.goto(report.as_uri())
    page.wait_for_selector("html[data-drawn]", timeout=PATIENCE_MS, state="attached")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("Math.max(...[...document.querySelectorAll('.main-svg')].map((s) => s.clientWidth))") <= 345
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    assert page.evaluate(_UNREADABLE.replace("DARK", "false")) == 0
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    context.close()
