"""The lesson on reading curves in a real browser: an epoch is read off by keys, an answer is judged and marked."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server


def test_an_epoch_is_read_off_and_an_answer_judged(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/learn?lesson=curves&case=2&hide=contents")
    loss = page.get_by_label("Loss; arrow keys")
    loss.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".lab-board-words")).to_contain_text("Epoch 5: loss")
    expect(page).to_have_url(re.compile(r"epoch=5"))
    page.get_by_text("Over-fitting", exact=True).click()
    expect(page.get_by_text("Right: over-fitting.")).to_be_visible()
    expect(page.get_by_text("Marked: training falls on, validation rises.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"said=\.over"))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
