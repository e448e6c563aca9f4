"""The lesson on augmentation: a dial answers in the browser and is written to the link; draws are made anew."""

from __future__ import annotations

from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Page, expect

from pages.components.lesson_augmentation import SIDE
from tests.browser.conftest import Server

RESULT = ".st-key-learn_board_augmentation .lab-board-picture:last-child canvas"
COLD_MS = 60_000
"""How long the first answer of a service may take on a busy machine."""
DRAW = ".st-key-learn_board_augmentation_draws .lab-board-picture canvas"


def param(page: Page, name: str) -> str:
    return parse_qs(urlparse(page.url).query).get(name, [""])[0]


def pixels(page: Page, selector: str) -> str:
    return page.locator(selector).first.evaluate("canvas => canvas.toDataURL()")


def wait_for_others(page: Page, selector: str, before: str) -> None:
    """The frames are unpacked beside the page's script, so that they may come a moment later."""
    page.wait_for_function(
        "([selector, before]) => document.querySelector(selector).toDataURL() !== before", arg=[selector, before]
    )


def test_a_dial_and_new_draws(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/learn?lesson=augmentation&picture=digit")
    dial = page.get_by_role("slider", name="Rotated clockwise")
    expect(dial).to_have_value("30")
    expect(page.locator(DRAW)).to_have_count(12)
    page.wait_for_function("([canvas, side]) => document.querySelector(canvas).width === side", arg=[RESULT, SIDE])
    before = pixels(page, RESULT)
    dial.press("ArrowRight")
    wait_for_others(page, RESULT, before)
    page.wait_for_url(lambda _: param(page, "degrees") == "35")
    drawn = pixels(page, DRAW)
    page.get_by_role("button", name="Draw again").click()
    page.wait_for_url(lambda _: param(page, "seed") == "1")
    wait_for_others(page, DRAW, drawn)
    page.get_by_role("slider", name="Strength").press("ArrowLeft")
    page.wait_for_url(lambda _: param(page, "strength") == "9")


def test_digits_upside_down(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/learn?lesson=augmentation&view=label&change=flip_vertical")
    tiles = page.locator(".lab-labels-tile")
    expect(tiles.nth(5)).to_contain_text("taken for 2", timeout=COLD_MS)
    page.get_by_role("slider", name="Upside down").press("ArrowLeft")
    expect(tiles.nth(5)).to_contain_text("taken for 5")
    page.wait_for_url(lambda _: param(page, "flip") == "0")
    tiles.nth(2).click()
    page.wait_for_url(lambda _: param(page, "digit") == "2")
    expect(page.locator(".lab-labels-title")).to_have_text("What the 2 is taken for")
