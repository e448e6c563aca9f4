"""The lesson on residual connections in a real browser: its slider draws at once, and the link follows."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server


def test_deeper_stacks_are_drawn_and_told(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/learn?lesson=residual")
    plain = page.locator(".lesson-residual-tiles b").first
    expect(plain).to_have_text(re.compile("10⁻⁹"))
    page.get_by_role("slider", name="Layers").focus()
    page.keyboard.press("End")
    expect(plain).to_have_text(re.compile("10⁻⁴⁶"))
    expect(page).to_have_url(re.compile("layers=100"))
    page.get_by_role("application", name=re.compile("Size of the gradient")).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    words = re.compile(r"^Layer 1 .+: gradient .+ plain, .+ with shortcuts")
    expect(page.locator(".lab-board-words")).to_have_text(words)
