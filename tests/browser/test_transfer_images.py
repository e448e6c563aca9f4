"""The images of the Transfer page in a real browser: a folder comes in, images are selected, moved, and moved back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cnncore.images.image_set import ImageSet
from cnncore.images.intake import add_images
from cnncore.images.store import ImageSets, open_sets
from tests.browser.conftest import Server
from tests.pages.test_transfer_images import incoming, named


@pytest.fixture
def sets(server: Server) -> ImageSets:
    return open_sets((server.artifacts.parent / "data").resolve())


@pytest.fixture
def pets(sets: ImageSets) -> ImageSet:
    """Twelve cats and ten dogs, each dog of another one."""
    made = sets.create("Pets")
    add_images(sets, made.id, incoming(cat=12, dog=10))
    return sets.get(made.id)


def tiles(page: Page) -> Locator:
    return page.locator(".lab-gallery-tiles > [role=option]")


def selected(page: Page) -> Locator:
    return page.locator(".lab-gallery-tiles > [aria-selected=true]")


def open_set(page: Page, server: Server, image_set: ImageSet) -> None:
    page.goto(f"{server.url}/transfer?set={image_set.id}")
    expect(tiles(page).first).to_be_visible()


def overflow(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_a_folder_from_the_disk_becomes_a_set(page: Page, server: Server, sets: ImageSets, tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    for name, content in named(cat=12, dog=12):
        path = folder / name.removeprefix("photos/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "dog" / "shopping.jpg").write_text("Buy milk")
    page.goto(f"{server.url}/transfer")
    page.locator("input[type=file]").set_input_files(folder)
    page.get_by_role("button", name=re.compile("^.*Add 25 pictures")).click()
    expect(page.get_by_text("24 images added")).to_be_visible()
    expect(tiles(page)).to_have_count(24)
    expect(page).to_have_url(re.compile(r"set=[0-9a-f]{12}$"))
    page.get_by_text("1 file not added").click()
    expect(page.get_by_text("shopping.jpg")).to_be_visible()
    # A reload loses nothing.
    page.reload()
    expect(tiles(page)).to_have_count(24)
    expect(page.get_by_role("button", name="Next: choose a backbone")).to_be_enabled()


def test_images_are_selected_moved_to_a_new_class_and_back(
    page: Page, server: Server, sets: ImageSets, pets: ImageSet
) -> None:
    open_set(page, server, pets)
    tiles(page).nth(1).click()
    tiles(page).nth(4).click(modifiers=["Shift"])
    expect(selected(page)).to_have_count(4)
    page.get_by_role("button", name="To class").click()
    page.get_by_role("combobox", name="Class").last.fill("kitten/🐈")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Move", exact=True).click()
    undo = page.get_by_role("button", name="Undo: moved 4 images to kitten/🐈")
    expect(undo).to_be_visible()
    expect(selected(page)).to_have_count(0)
    assert [record.label for record in sets.get(pets.id).images.values()].count("kitten/🐈") == 4
    undo.click()
    expect(page.get_by_role("button", name="Redo: moved 4 images")).to_be_visible()
    assert sets.get(pets.id).images == pets.images
    assert sets.get(pets.id).classes == pets.classes


def test_the_keyboard_selects_too(page: Page, server: Server, sets: ImageSets, pets: ImageSet) -> None:
    open_set(page, server, pets)
    tiles(page).first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(selected(page)).to_have_count(3)
    page.keyboard.press("Escape")
    expect(selected(page)).to_have_count(0)
    page.keyboard.press("End")
    page.keyboard.press("Space")
    expect(tiles(page).last).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="Exclude").click()
    expect(page.get_by_role("button", name="Undo: excluded 1 image")).to_be_visible()
    expect(tiles(page)).to_have_count(21)
    assert sets.get(pets.id).images[max(pets.images)].excluded


def test_a_narrow_screen_needs_no_scrolling_sideways(browser: Browser, server: Server, pets: ImageSet) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True)
    page = context.new_page()
    page.goto(f"{server.url}/transfer")
    page.locator(f".st-key-transfer_images_card_{pets.id}").get_by_role("button", name="Open").tap()
    tiles(page).nth(2).tap()
    expect(selected(page)).to_have_count(1)
    expect(page.get_by_role("button", name="Exclude")).to_be_visible()
    assert overflow(page) <= 0
    page.get_by_role("button", name="All image sets").tap()
    expect(page.get_by_role("button", name="Use the camera")).to_be_visible()
    assert overflow(page) <= 0
    context.close()
