"""The lesson on receptive fields: a click and the arrow keys choose a unit, in the figure and in the link."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server


def test_a_unit_is_chosen_by_click_and_by_keys(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/learn?lesson=field")
    words = page.locator(".lab-board-words")
    expect(words).to_contain_text("Layer 3, row 21, column 21 sees 7 × 7 pixels")
    second = page.get_by_role("application", name="Map of layer 2")
    second.click(position={"x": 1, "y": 1})
    expect(words).to_contain_text("Layer 2, row 1, column 1 sees 5 × 5 pixels: rows 1 to 5 and columns 1 to 5")
    for chosen in ("layer=2", "row=1", "column=1"):
        expect(page).to_have_url(re.compile(rf"\b{chosen}\b"))
    page.keyboard.press("ArrowRight")
    expect(words).to_contain_text("row 1, column 2 sees 5 × 5 pixels: rows 1 to 5 and columns 2 to 6")
    page.get_by_role("button", name="Show how much each pixel counts").click()
    expect(words).to_contain_text("of the influence")
    for chosen in ("column=2", "effective=true"):
        expect(page).to_have_url(re.compile(rf"\b{chosen}\b"))
