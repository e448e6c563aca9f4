"""The lesson on images: a pixel by click and arrow keys, the resolution, and where the numbers lie."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from cnncore.lessons.images import LAYOUTS, strides
from cnncore.lessons.pictures import SAMPLES
from pages.components.lesson_images import BATCH
from tests.browser.conftest import Server


def words_of(side: int, row: int, column: int, layout: str, place: int) -> str:
    """What the figure must say of a pixel of the flower."""
    pixel = SAMPLES["flower"].load(side)[row, column]
    sizes = {"n": BATCH, "c": 3, "h": side, "w": side}
    steps = strides(sizes, LAYOUTS[layout])
    said = []
    for channel, name in enumerate(("red", "green", "blue")):
        index = {"n": place, "c": channel, "h": row, "w": column}
        position = sum(index[axis] * steps[axis] for axis in steps)
        said.append(f"{name} {pixel[channel]} at position {position:,}")
    return f"Row {row}, column {column}: {', '.join(said)}."


def test_a_pixel_and_the_resolution_are_chosen(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/learn?lesson=images&layout=hwc&place=5")
    words = page.locator(".lab-board-words")
    expect(words).to_have_text(words_of(24, 11, 8, "hwc", 5))
    picture = page.get_by_role("application", name="The picture")
    picture.click(position={"x": 2, "y": 2})
    expect(words).to_have_text(words_of(24, 0, 0, "hwc", 5))
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(words).to_have_text(words_of(24, 1, 2, "hwc", 5))
    for chosen in ("row=1", "column=2"):
        expect(page).to_have_url(re.compile(rf"\b{chosen}\b"))
    page.get_by_role("slider", name="Resolution").focus()
    page.keyboard.press("Home")
    expect(words).to_have_text(words_of(8, 0, 0, "hwc", 5))
    for chosen in ("side=8", "row=0", "column=0"):
        expect(page).to_have_url(re.compile(rf"\b{chosen}\b"))
    page.get_by_role("radio", name="Channels first").click()
    expect(words).to_have_text(words_of(8, 0, 0, "chw", 5))
