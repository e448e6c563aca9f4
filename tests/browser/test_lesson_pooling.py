from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server


def test_a_shift_changes_the_maps_and_the_link(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/learn?lesson=pooling")
    slider = page.get_by_role("slider", name="Shift to the side")
    changed = page.locator(".lab-pooling-bars tbody .value")
    expect(changed.first).to_have_text("0 %")
    slider.press("ArrowRight")
    expect(changed).to_have_text(["58 %", "0 %", "41 %", "47 %", "32 %", "37 %"])
    slider.press("ArrowRight")
    expect(page.locator(".lab-pooling-note")).to_contain_text("moved back by 1 place to the side")
    expect(changed.nth(3)).to_have_text("0 %")
    expect(page).to_have_url(re.compile("right=2"))

    grid = page.get_by_label(re.compile("After pooling by 2 × 2"))
    grid.press("ArrowDown")
    grid.press("ArrowRight")
    expect(page.get_by_text("Row 2, column 2 of the map keeps")).to_be_visible()
    expect(page).to_have_url(re.compile(r"at=apart\.1\.1"))
