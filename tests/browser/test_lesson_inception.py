"""The lesson on Inception: a slider that is dragged changes the numbers at once, and the link in the end."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server


def test_a_width_changes_the_numbers_and_the_link(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/learn?lesson=inception")
    words = page.locator(".lab-board-words")
    expect(words).to_contain_text("192 channels in, 256 out: 163,696 parameters")
    inputs = page.get_by_role("slider", name="Input channels")
    inputs.focus()
    inputs.press("ArrowRight")
    expect(words).to_contain_text("193 channels in, 256 out: 163,904 parameters")
    expect(page).to_have_url(re.compile("inputs=193"))
    page.get_by_text("Naive", exact=True).first.click()
    expect(words).to_contain_text("417 out")
    expect(words).to_contain_text("times for the 5 × 5 branch")
