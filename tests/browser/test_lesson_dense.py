"""The lesson on dense layers in a real browser: a slider and the arrow keys change the figure and the link."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server


def test_a_shift_and_an_output_are_chosen_by_keys(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/learn?lesson=dense&hide=contents")
    outputs = page.get_by_label("All outputs of the convolution")
    outputs.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".lab-board-words")).to_contain_text("Output in row 6, column 7")
    expect(page).to_have_url(re.compile(r"column=6"))
    slider = page.get_by_role("slider", name="Shift the image to the right")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Outputs: the earlier ones, moved along")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Outputs: \d+ % off"))).to_be_visible()
    expect(page).to_have_url(re.compile(r"shift=1"))
    page.get_by_text("Count the weights").click()
    before = page.get_by_text("416 parameters")
    expect(before).to_be_visible()
    page.get_by_role("slider", name="Side of the image").press("ArrowRight")
    expect(page.get_by_text("13,472 parameters")).to_be_visible()
    expect(before).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
