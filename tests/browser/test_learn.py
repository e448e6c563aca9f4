"""Learn in Chromium: through the lessons and back, dragging, a phone, the dark theme, paper."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from cnncore.lessons.contents import LESSONS
from tests.browser.conftest import PATIENCE_MS, Server

READY = "[data-testid='stApp'][data-test-script-state='notRunning']"
SLIDER = "input[aria-label='Shift to the side']"


def heading(page: Page, key: str) -> None:
    """Wait until a lesson is open."""
    title = f"{list(LESSONS).index(key) + 1}. {LESSONS[key].title}"
    expect(page.locator(".st-key-learn_lesson").get_by_role("heading", name=title)).to_be_visible()


def open_lesson(page: Page, server: Server, key: str, more: str = "") -> None:
    page.goto(f"{server.url}/learn?lesson={key}{more}")
    heading(page, key)
    page.wait_for_selector(READY)


def test_a_walk_through_lessons(server: Server, page: Page) -> None:
    """From the menu, by the contents, on and back, with what one has changed."""
    page.goto(server.url)
    page.get_by_role("link", name="Learn", exact=True).first.click()
    heading(page, next(iter(LESSONS)))
    page.locator(".lab-rail").get_by_role("link", name="Pooling").click()
    heading(page, "pooling")
    expect(page.locator(".lab-rail [aria-current=page]")).to_contain_text("Pooling")
    expect(page.locator(".lab-rail p")).to_have_text(f"2 of {len(LESSONS)} opened in this browser")
    page.locator(SLIDER).press("ArrowRight")
    page.wait_for_url(re.compile("right=1"))
    page.locator(".st-key-learn_task").get_by_text("Answer", exact=True).click()
    expect(page.locator(".lab-rail-mark.is-answered")).to_have_count(1)

    page.get_by_role("button", name="Next:").click()
    heading(page, "dense")
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop === 0")
    expect(page.locator(".st-key-learn_lesson h2")).to_be_focused()
    page.go_back()
    heading(page, "pooling")
    expect(page.locator(SLIDER)).to_have_value("1")
    page.go_back()
    expect(page.locator(SLIDER)).to_have_value("0")
    page.go_forward()
    expect(page.locator(SLIDER)).to_have_value("1")
    page.reload()
    expect(page.locator(SLIDER)).to_have_value("1")
    expect(page.locator(".lab-rail-mark.is-answered")).to_have_count(1)

    page.get_by_role("link", name="Train with this").click()
    page.wait_for_url(re.compile(r"/train\?.*model\.pool=overlapping"))
    expect(page.get_by_text("cannot be taken")).to_have_count(0)


def test_a_drag_changes_the_figure_at_once_and_the_link_once(server: Server, page: Page) -> None:
    open_lesson(page, server, "pooling", "&hide=contents")
    slider = page.locator(SLIDER)
    page.wait_for_function("document.querySelector('.lab-board canvas')?.width > 100")
    before = page.evaluate("history.length"), pixels(page)
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(1, 21):
        page.mouse.move(box["x"] + box["width"] * (0.5 + step / 41), box["y"] + box["height"] / 2)
    assert pixels(page) != before[1], "the figure must follow while the mouse is down"
    assert "right" not in page.url
    page.mouse.up()
    page.wait_for_url(re.compile("right=4"))
    assert page.evaluate("history.length") == before[0] + 1


def pixels(page: Page) -> str:
    return page.evaluate("document.querySelector('.lab-board canvas').toDataURL()")


def test_a_change_and_a_click_on_next_at_the_same_moment(server: Server, page: Page) -> None:
    """What the slider tells and the click reach the server together."""
    open_lesson(page, server, "pooling")
    page.locator(SLIDER).press("ArrowRight")
    page.get_by_role("button", name="Next:").click()
    heading(page, "dense")
    assert "lesson=dense" in page.url
    assert "right" not in page.url
    page.get_by_role("button", name="Pooling", exact=True).click()
    heading(page, "pooling")
    expect(page.locator(SLIDER)).to_have_value("1")


def test_a_link_without_controls_and_what_it_shares(server: Server, page: Page) -> None:
    open_lesson(page, server, "pooling", "&right=2&hide=controls,contents,answer")
    expect(page.locator(".lab-board canvas").first).to_be_visible()
    expect(page.locator(SLIDER)).to_be_hidden()
    expect(page.locator(".st-key-learn_controls_pooling")).to_be_hidden()
    expect(page.locator(".lab-rail")).to_have_count(0)
    expect(page.locator(".st-key-learn_task").get_by_text("Answer", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Share").click()
    link = page.locator("[data-testid=stPopoverBody] code")
    expect(link).to_contain_text("hide=contents%2Ccontrols%2Canswer")
    shared = link.inner_text()
    page.goto(shared)
    heading(page, "pooling")
    assert "right=2" in page.url
    expect(page.locator(SLIDER)).to_be_hidden()


def test_paper(server: Server, page: Page) -> None:
    """Nothing but the lesson, dark on white; the answer only where it is open."""
    page.emulate_media(color_scheme="dark")
    open_lesson(page, server, "pooling")
    page.emulate_media(media="print")
    for gone in (
        "header",
        ".lab-rail",
        ".st-key-learn_ways",
        ".st-key-learn_top",
        SLIDER,
        ".st-key-learn_task details",
    ):
        expect(page.locator(gone).first).to_be_hidden()
    for part in ("h2", ".lab-board canvas", ".st-key-learn_task"):
        expect(page.locator(f".st-key-learn_lesson {part}").first).to_be_visible()
    color, background = page.evaluate(
        "[getComputedStyle(document.querySelector('.st-key-learn_lesson h2')).color, "
        "getComputedStyle(document.querySelector('.stApp')).backgroundColor]"
    )
    assert (color, background) == ("rgb(27, 33, 48)", "rgb(255, 255, 255)")
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True, is_mobile=True
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def test_all_lessons_fit_a_phone(server: Server, phone: Page) -> None:
    """One after the other by the button below, without scrolling sideways, in the dark theme."""
    open_lesson(phone, server, next(iter(LESSONS)))
    expect(phone.locator(".lab-rail summary")).to_be_visible()
    expect(phone.locator(".lab-rail ol")).to_be_hidden()
    wide = {}
    for key in LESSONS:
        heading(phone, key)
        phone.wait_for_selector(READY)
        expect(phone.locator(".st-key-learn_figure .lab-board-stage > *").first).to_be_visible()
        wide[key] = phone.evaluate(
            "(main => Math.max(main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - 390))"
            "(document.querySelector('[data-testid=stMain]'))"
        )
        if key != list(LESSONS)[-1]:
            phone.get_by_role("button", name="Next:").tap()
    assert {key: width for key, width in wide.items() if width > 0} == {}


def test_a_link_without_controls_fixes_the_fields_within_figures(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/learn?lesson=convolution&hide=controls")
    expect(page.get_by_label("Kernel: row 1, column 1")).to_be_disabled()
    page.goto(f"{server.url}/learn?lesson=size&hide=controls")
    expect(page.get_by_label("Layer 1: stride")).to_be_disabled()
    page.get_by_label("Layer 1: show what it sees").click()
    expect(page.get_by_label("Layer 1: stride")).to_be_disabled()
    expect(page.get_by_label("Layer 1: show what it sees")).to_have_attribute("aria-pressed", "true")
