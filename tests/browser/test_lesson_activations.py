"""The lesson on activations in a real browser: curves are read off, and layers of a stack chosen, by keys."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server


def test_a_slope_is_read_off_and_a_layer_chosen(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/learn?lesson=activations&bias=-0.5")
    unit, stack = page.locator(".lesson-part-words").nth(0), page.locator(".lesson-part-words").nth(1)
    expect(unit).to_contain_text("At x = 1 it puts out 1")
    page.get_by_role("slider", name="x, the sum").focus()
    page.keyboard.press("Home")
    expect(unit).to_contain_text(
        "At x = −4 it puts out 0, and a gradient that comes back is multiplied by its slope there, 0"
    )
    expect(page).to_have_url(re.compile("x=-4"))
    expect(stack).to_contain_text("the first one gets 0 ")
    page.get_by_role("application", name=re.compile("Dead units")).focus()
    page.keyboard.press("End")
    expect(page.locator(".lab-board-words").nth(1)).to_contain_text("Layer 20: gradient")
    page.keyboard.press("Enter")
    expect(stack).to_contain_text("In layer 20, 100 % of the units are dead")
    expect(page).to_have_url(re.compile("layer=20"))
