"""The settings last used on the Train page outlast the tab: the browser keeps them, and the way back forgets them."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Server

EPOCHS = ".st-key-train_training_epochs input"
FORGET = ".st-key-train_last_forget button"


def _epochs(page: Page) -> Locator:
    # While a page is drawn again, an input can be there twice for a moment.
    return page.locator(EPOCHS).first


def _kept(page: Page) -> str | None:
    return page.evaluate("localStorage.getItem('cnnlab-train')")


def test_the_last_settings_are_there_in_a_new_tab(page: Page, server: Server):
    page.goto(f"{server.url}/train")
    expect(_epochs(page)).to_have_value("8")
    expect(page.locator(FORGET)).to_have_count(0)
    _epochs(page).fill("3")
    _epochs(page).press("Enter")
    page.wait_for_function("localStorage.getItem('cnnlab-train')?.includes('epochs')")
    kept = _kept(page)

    tab = page.context.new_page()
    tab.goto(f"{server.url}/train")
    expect(tab.locator(FORGET)).to_be_visible()
    expect(_epochs(tab)).to_be_visible()
    expect(_epochs(tab)).to_have_value("3")
    expect(tab).to_have_url(re.compile("epochs=3"))
    assert _kept(tab) == kept

    tab.locator(FORGET).click()
    expect(_epochs(tab)).to_have_value("8")
    tab.wait_for_function("localStorage.getItem('cnnlab-train') === null")

    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_role("heading", name="CNN Lab")).to_be_visible()
    page.get_by_role("link", name="Train", exact=True).click()
    expect(_epochs(page)).to_have_value("3")
    assert _kept(page) is None, "a tab does not say again what it said before"
