"""The lesson on normalization: a slider, a key on the maps and a channel of the table change figure and link."""

from __future__ import annotations

from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server


def param(page: Page, name: str) -> str:
    return parse_qs(urlparse(page.url).query).get(name, [""])[0]


def test_scale_place_and_channel(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/learn?lesson=normalization&picture=digit")
    edges = page.locator(".lab-norm-line").nth(3)
    expect(edges).to_contain_text("0 ± 1")
    before = edges.inner_text()
    page.get_by_role("slider", name="Activations times").press("End")
    page.wait_for_url(lambda _: param(page, "scale") == "100")
    expect(edges).not_to_have_text(before)
    expect(edges).to_contain_text("0 ± 1")
    maps = page.locator(".lab-norm-maps canvas").first
    maps.press("ArrowRight")
    expect(page.locator(".st-key-learn_board_normalization .lab-board-words")).to_contain_text("column 13")
    page.wait_for_url(lambda _: param(page, "column") == "13")
    page.locator(".lab-norm-line").nth(5).click()
    page.wait_for_url(lambda _: param(page, "channel") == "5")
    expect(page.locator(".lab-norm-said")).to_contain_text("Brighter →")
