"""The table of runs in a real browser: check boxes write the link, and the selection stays with its runs."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests import fake_runs
from tests.browser.conftest import Server

ROW, HEAD, BOX = 36, 40, 17
"""Heights of a row and of the head of the table, and where its check boxes are, in pixels."""


def _tick(page: Page, row: int) -> None:
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + BOX, box["y"] + HEAD + ROW * row + ROW / 2)


def test_the_selection_stays_with_its_runs_while_others_arrive(page: Page, own_server: Server) -> None:
    store, folder = own_server.store, own_server.artifacts
    done = fake_runs.finish(store, folder, fake_runs.open_run(store, folder, steps=80, name="Done"))
    on = fake_runs.open_run(store, folder, steps=80, upto=40, name="On")
    page.goto(f"{own_server.url}/compare?view=runs")
    expect(page.get_by_text("2 runs", exact=True)).to_be_visible()
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    page.wait_for_timeout(1_000)  # the table takes clicks a moment after it is drawn
    _tick(page, 1)
    expect(page).to_have_url(re.compile(f"runs={done.id}$"))
    expect(page.get_by_text("1 selected")).to_be_visible()
    new = fake_runs.finish(store, folder, fake_runs.open_run(store, folder, steps=80, name="New"))
    expect(page.get_by_text("3 runs", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(f"runs={done.id}$"))
    page.wait_for_timeout(500)
    _tick(page, 0)
    expect(page).to_have_url(re.compile(f"runs={done.id}%2C{new.id}$"))
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.wait_for_timeout(500)
    _tick(page, 2)
    expect(page).to_have_url(re.compile(f"runs={new.id}$"))
    store.end(on.id, "stopped")
