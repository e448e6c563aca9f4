"""The lesson on convolution: the window walks, the kernel is edited, and both are in the link."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server

MAP = "The feature map; arrow keys move the window"


def test_the_window_walks_and_the_kernel_is_edited(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/learn?lesson=convolution")
    words, total = page.locator(".lab-board-words"), page.locator(".lab-conv-sum strong")
    expect(words).to_contain_text("Row 1, column 1 of the feature map: ")
    page.get_by_role("button", name="Whole map").click()
    expect(page).to_have_url(re.compile(r"upto=143"))
    page.get_by_label(MAP).press("ArrowLeft")
    expect(words).to_contain_text("Row 12, column 11")
    expect(page).to_have_url(re.compile("at=142"))
    before = total.text_content()
    page.get_by_label("Kernel: row 3, column 1").hover()
    expect(page.locator(".lab-conv-touched")).to_contain_text("× −1")
    middle = page.get_by_label("Kernel: row 2, column 2")
    middle.fill("10")
    expect(total).not_to_have_text(before or "")
    middle.press("Enter")
    expect(page).to_have_url(re.compile(r"k=-1%2C0%2C1%2C-2%2C10%2C2%2C-1%2C0%2C1"))
    after = total.text_content()
    page.reload()
    expect(total).to_have_text(after or "")
    expect(words).to_contain_text("Row 12, column 11")


def test_signals_slide_and_filters_are_chosen(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/learn?lesson=convolution&mode=signals&lag=6&flip=true")
    words = page.locator(".lab-board-words")
    expect(words).to_have_text("Result at 6: 1, of 4 products.")
    page.get_by_role("slider", name="Place of the sliding signal").press("ArrowRight")
    expect(words).to_have_text("Result at 7: 0.5, of 4 products.")
    expect(page).to_have_url(re.compile("lag=7"))
    page.get_by_text("Channels and filters").click()
    page.get_by_label("Map of filter 2").press("Enter")
    expect(page).to_have_url(re.compile("chosen=1"))
    expect(page.locator(".lab-conv-sum")).to_contain_text("Filter 2: red")
