"""The journey that transfer learning is for: from a folder of photographs to a classifier that needs no lab."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import numpy as np
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, Server

COUNT = 12
"""Photographs of each class."""
TRAINED_MS = 60_000
QUICK = {
    "step": "train",
    "backbone": "efficientnet_lite0",
    "data.image_size": "64",
    "training.epochs": "2000",
    "training.precision": "fp32",
}
"""Small images, and epochs for longer than the test lasts: it ends the training itself."""


def photograph(kind: str, seed: int) -> Image.Image:
    """A shape of about one color somewhere on a noisy background."""
    random = np.random.default_rng(seed)
    noise = random.integers(90, 160, (96, 128, 3)).astype(np.uint8)
    image = Image.fromarray(noise)
    x, y, size = (int(random.integers(*ends)) for ends in ((8, 60), (8, 40), (36, 50)))
    shade = int(random.integers(200, 255))
    draw = ImageDraw.Draw(image)
    if kind == "circles":
        draw.ellipse((x, y, x + size, y + size), fill=(shade, 40, 30))
    else:
        draw.rectangle((x, y, x + size, y + size), fill=(30, 60, shade))
    return image


def photographs(folder: Path) -> Path:
    """A folder with a folder for each class."""
    for offset, kind in ((0, "circles"), (1_000, "squares")):
        (folder / kind).mkdir(parents=True)
        for number in range(COUNT):
            photograph(kind, offset + number).save(folder / kind / f"{number:02d}.jpg", quality=92)
    return folder


def button(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key} button").filter(visible=True)


def param(page: Page, name: str) -> str:
    return parse_qs(urlparse(page.url).query).get(name, [""])[0]


def assert_no_traceback(page: Page) -> None:
    assert not page.get_by_test_id("stException").count()
    assert not page.get_by_text("did not expect").count()


def upload(page: Page, server: Server, folder: Path) -> str:
    """Drop the folder; returns the id of the image set it becomes."""
    page.goto(f"{server.url}/transfer")
    page.locator("[class*=st-key-transfer_images_upload_directory] input[type=file]").set_input_files(folder)
    page.locator("[class*=st-key-transfer_images_add_new] button").filter(visible=True).click()
    page.wait_for_url("**set=*")
    expect(page.get_by_text(f"{2 * COUNT} images were added")).to_be_visible()
    expect(button(page, "transfer_images_go")).to_be_enabled()
    return param(page, "set")


def wait_for(condition, what: str) -> None:
    end = time.monotonic() + PATIENCE_MS / 1000
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)
