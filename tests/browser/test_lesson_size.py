from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server


def test_sliders_and_layers_answer_and_are_in_the_link(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/learn?lesson=size&n=32")
    kernel = page.get_by_role("slider", name="Kernel k")
    kernel.press("ArrowLeft")
    expect(page.locator(".lab-size-formula strong")).to_have_text("15")
    kernel.press("ArrowLeft")
    # (32 − 3) / 2 = 14.5: half a step is left over.
    expect(page.locator(".lab-size .lab-board-words")).to_have_text(
        "15 windows fit. The last 1 pixel is not seen: another step of 2 would not fit."
    )
    expect(page).to_have_url(re.compile("k=3"))

    page.get_by_role("button", name="One that breaks").click()
    row = page.locator(".lab-stack-row.broken")
    expect(row).to_contain_text("A window of 5 pixels does not fit into 2 pixels")
    window = page.get_by_label("Layer 3: window")
    window.fill("2")
    expect(page.locator(".lab-stack-row.broken .lab-stack-mark")).to_have_text("4")
    window.press("Tab")
    expect(page).to_have_url(re.compile("c256k2-m3s2"))
    page.get_by_role("button", name="Remove layer 4").click()
    expect(row).to_have_count(0)
    expect(page.locator(".lab-stack-totals")).to_contain_text("5 layers")
    expect(page).to_have_url(re.compile("stack=c96k11s4-m3s2-c256k2-f-d10"))
