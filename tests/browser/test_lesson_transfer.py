"""The lesson on transfer in Chromium: costs at every move, maps of a real network, the way into Transfer."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server

COLD_MS = 60_000
"""How long the first answer of a service may take on a busy machine."""


def test_what_learning_costs_follows_the_slider(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/learn?lesson=transfer&part=training&hide=contents,idea")
    slider = page.get_by_role("slider", name="Stages that learn")
    expect(page.locator(".lab-stages-table .is-learning")).to_have_count(1)
    first = page.locator(".lab-stages-facts dd").first.inner_text()
    slider.press("ArrowRight")
    expect(page.locator(".lab-stages-table .is-learning")).to_have_count(2)
    assert page.locator(".lab-stages-facts dd").first.inner_text() != first
    slider.press("End")
    expect(page.locator(".lab-stages-table .is-frozen")).to_have_count(0)
    page.wait_for_url(re.compile("learning=6"))
    page.reload()
    expect(slider).to_have_value("6")
    page.get_by_role("link", name="Do it with your own images in Transfer").click()
    page.wait_for_url(re.compile(r"/transfer\?.*backbone=efficientnet_lite0"))


def test_maps_from_early_to_late(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/learn?lesson=transfer&hide=contents,idea")
    tiles = page.locator(".lab-transfer-tile:visible")
    expect(tiles).to_have_count(8, timeout=COLD_MS)
    title = page.locator(".lab-transfer-title").first
    expect(title).to_contain_text("one number sees 3 × 3 pixels")
    slider = page.get_by_role("slider", name="How deep")
    page.wait_for_function("document.querySelector('.lab-board').board.received[0].stages.every(({count}) => count)")
    slider.press("End")
    expect(title).to_contain_text("1,280 maps, 7 × 7 numbers each")
    page.wait_for_url(re.compile("depth=5"))
    expect(tiles.first).to_have_attribute("aria-pressed", "true")
    tiles.nth(2).click()
    page.wait_for_url(re.compile(r"unit=\d+"))
    expect(tiles.nth(2)).to_have_attribute("aria-pressed", "true")
    tiles.nth(2).locator("canvas").hover()
    expect(page.locator(".lab-board-words")).to_contain_text("this place sees")
