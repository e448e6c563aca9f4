"""What only a browser can do in the step Use it: click a cell of the matrix, paste a picture; a phone."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from cnncore.runs.run import Run
from tests.browser.conftest import PATIENCE_MS, Server
from tests.pages.transfer_runs import image_set, said, trained

PASTE = """async () => {
  const canvas = document.createElement('canvas');
  canvas.width = 3000;
  canvas.height = 1500;
  canvas.getContext('2d').fillRect(0, 0, 3000, 1500);
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
  const data = new DataTransfer();
  data.items.add(new File([blob], 'image.png', { type: 'image/png' }));
  window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def run(server: Server) -> Run:
    """A run whose weights cannot be read: what it said is known, and the service has a reason to complain."""
    found = image_set(server.data)
    run = trained(server.store, server.artifacts, data__image_set=found.reference)
    said(server.artifacts, run, found, {3: 0.95, 4: 0.6})
    return run


def _url(server: Server, **params: str) -> str:
    return f"{server.url}/transfer?{urlencode({'step': 'use', **params})}"


def test_a_click_on_a_cell_opens_the_images_behind_it(page: Page, server: Server, run: Run):
    page.goto(_url(server, run=run.id, view="mistakes"))
    drag = page.locator(".js-plotly-plot .nsewdrag")
    expect(drag).to_be_visible()
    expect(page.locator("[class*=st-key-mistake_class_]")).to_have_count(2)
    box = drag.bounding_box()
    assert box is not None
    # Right below: dogs that were recognized.
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.75 * box["height"])
    page.wait_for_url("**cell=1-1**")
    expect(page.locator(".st-key-mistake_class_5")).to_be_visible()
    assert not page.get_by_test_id("stException").count()


def test_a_pasted_picture_is_looked_at(page: Page, server: Server, run: Run):
    page.goto(_url(server, run=run.id))
    page.locator(".st-key-transfer_given_source").get_by_role("radio", name="Paste").click()
    expect(page.locator(".lab-paste")).to_be_visible()
    page.evaluate(PASTE)
    # It came as far as the network, which cannot be read.
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    assert not page.get_by_text("did not expect").count()
    (kept,) = (server.artifacts / "uploads").iterdir()
    assert kept.read_bytes().startswith(b"\x89PNG")


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, server: Server, run: Run):
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme="dark")
    page = context.new_page()
    for view, there in (
        ("mistakes", ".lab-card"),
        ("compare", ".st-key-transfer_compare_offer"),
        ("take", "table, .stDataFrame"),
    ):
        page.goto(_url(server, run=run.id, view=view))
        expect(page.locator(there).first).to_be_visible(timeout=PATIENCE_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, view
    context.close()
