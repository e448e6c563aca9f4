"""The settings last used on the Train page outlast the tab: the browser keeps them, and the way back forgets them."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server

WATCH = """
window.shown = new Set();
const watch = () => {
  const input = document.querySelector('.st-key-train_training_epochs input');
  if (input?.checkVisibility({ visibilityProperty: true })) window.shown.add(input.value);
  requestAnimationFrame(watch);
};
watch();
"""
"""Notes every number of epochs that the form lets be seen."""
EPOCHS = ".st-key-train_training_epochs input"
FORGET = ".st-key-train_last_forget button"


def _kept(page: Page) -> str | None:
    return page.evaluate("localStorage.getItem('cnnlab-train')")


def test_the_last_settings_are_there_in_a_new_tab(page: Page, server: Server):
    page.goto(f"{server.url}/train")
    expect(page.locator(EPOCHS)).to_have_value("8")
    expect(page.locator(FORGET)).to_have_count(0)
    page.locator(EPOCHS).fill("3")
    page.locator(EPOCHS).press("Enter")
    page.wait_for_function("localStorage.getItem('cnnlab-train')?.includes('epochs')")
    kept = _kept(page)

    tab = page.context.new_page()
    tab.add_init_script(WATCH)
    tab.goto(f"{server.url}/train")
    expect(tab.locator(FORGET)).to_be_visible()
    expect(tab.locator(EPOCHS)).to_be_visible()
    expect(tab.locator(EPOCHS)).to_have_value("3")
    expect(tab).to_have_url(re.compile("epochs=3"))
    assert _kept(tab) == kept
    assert "8" not in tab.evaluate("[...window.shown]"), "the defaults are not seen before"

    tab.locator(FORGET).click()
    expect(tab.locator(EPOCHS)).to_have_value("8")
    tab.wait_for_function("localStorage.getItem('cnnlab-train') === null")

    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_role("heading", name="CNN Lab")).to_be_visible()
    page.get_by_role("link", name="Train", exact=True).click()
    expect(page.locator(EPOCHS)).to_have_value("3")
    assert _kept(page) is None, "a tab does not say again what it said before"
