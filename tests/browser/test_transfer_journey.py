"""The journey that transfer learning is for: from a folder of photographs to a classifier that needs no lab."""

from __future__ import annotations

import math
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse

import numpy as np
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

from cnncore.catalog import stages_of
from cnncore.runs.run import Run
from tests.browser.conftest import Server

COUNT = 12
"""Photographs of each class."""
TRAINED_MS = 90_000
QUICK = {
    "step": "train",
    "backbone": "efficientnet_lite0",
    "data.image_size": "96",
    "training.epochs": "1500",
    "training.precision": "fp32",
}
"""Small images, and more epochs than the test waits for: it shortens the training once it has seen enough."""


def photograph(kind: str, seed: int) -> Image.Image:
    """A shape of about one color somewhere on a noisy background."""
    random = np.random.default_rng(seed)
    image = Image.fromarray(random.integers(90, 160, (96, 128, 3)).astype(np.uint8))
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
    """The button with this key; with a tooltip Streamlit draws a second, hidden one."""
    return page.locator(f".st-key-{key} button").filter(visible=True)


def param(page: Page, name: str) -> str:
    return parse_qs(urlparse(page.url).query).get(name, [""])[0]


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + TRAINED_MS / 1000
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def assert_no_traceback(page: Page) -> None:
    assert not page.get_by_test_id("stException").count()
    assert not page.get_by_text("did not expect").count()


def upload(page: Page, server: Server, folder: Path) -> str:
    """Drop the folder; returns the id of the image set it becomes."""
    page.goto(f"{server.url}/transfer")
    page.locator("input[type=file]").set_input_files(folder)
    page.get_by_role("button", name=f"Add {2 * COUNT} pictures").click()
    page.wait_for_url("**set=*")
    expect(page.get_by_text(f"{2 * COUNT} images in 2 classes")).to_be_visible()
    expect(button(page, "transfer_images_go")).to_be_enabled()
    return param(page, "set")


def train(page: Page, server: Server, set_id: str) -> Run:
    """Train the head on the frozen network, let the last stage learn while it is on; returns the finished run."""
    page.goto(f"{server.url}/transfer?{urlencode({**QUICK, 'set': set_id})}")
    expect(button(page, "transfer_train_button")).to_be_enabled()
    button(page, "transfer_train_button").click()
    page.wait_for_url("**run=*")
    run_id = param(page, "run")
    wait_for(lambda: server.store.get(run_id).summary.get("epoch", 0) > 1, "the head learns")
    assert server.store.get(run_id).summary["num_trainable"] < 10_000, "only the head learns"
    last = stages_of(QUICK["backbone"])[-1].key
    button(page, f"transfer_live_{last}").click()
    wait_for(lambda: last in server.store.get(run_id).summary.get("learning", ()), "the last stage learns too")
    (change,) = server.store.changes(run_id)
    assert (change.setting, change.value) == (f"transfer.frozen.{last}", 0.0)
    assert change.step, "it was frozen until then"
    shorten(page, server, run_id)
    wait_for(lambda: server.store.get(run_id).status == "finished", "it has ended")
    return server.store.get(run_id)


def shorten(page: Page, server: Server, run_id: str) -> None:
    """Stop the run and let it end two epochs after its last step, so that nobody waits for the rest."""
    button(page, "run_stop").click()
    expect(button(page, "run_resume")).to_be_visible()
    run = server.store.get(run_id)
    per_epoch = math.ceil(run.summary["num_train"] / run.config["training"]["batch_size"])
    epochs = run.summary["step"] // per_epoch + 2
    server.store.set_config(run_id, {**run.config, "training": {**run.config["training"], "epochs": epochs}})
    button(page, "run_resume").click()


def predict(page: Page, folder: Path) -> None:
    """Give it photographs it has never seen."""
    button(page, "transfer_to_use").click()
    for kind in ("circles", "squares"):
        path = folder / f"new {kind}.jpg"
        photograph(kind, 5_000).save(path)
        page.locator(".st-key-transfer_given_files input[type=file]").set_input_files(path)
        expect(page.locator(".lab-said")).to_have_text(kind)
        expect(page.get_by_text(f"Bright: speaks for {kind}")).to_be_visible()
        page.reload()


def take_away(page: Page, folder: Path) -> Path:
    """Download the ZIP and unpack it."""
    page.locator(".st-key-transfer_use_view").get_by_text("Take it away").click()
    button(page, "transfer_take_make").click()
    expect(button(page, "transfer_take_get")).to_be_visible(timeout=TRAINED_MS)
    with page.expect_download() as download:
        button(page, "transfer_take_get").click()
    download.value.save_as(folder / "taken.zip")
    with zipfile.ZipFile(folder / "taken.zip") as archive:
        archive.extractall(folder / "taken")
    return folder / "taken"


def test_from_a_folder_of_photographs_to_a_script_that_names_them(page: Page, own_server: Server, tmp_path: Path):
    set_id = upload(page, own_server, photographs(tmp_path / "photographs"))
    run = train(page, own_server, set_id)
    assert run.status == "finished"
    assert run.summary["best_val_accuracy"] == 1
    predict(page, tmp_path)
    assert_no_traceback(page)
    taken = take_away(page, tmp_path)
    assert_no_traceback(page)
    for kind in ("circles", "squares"):
        told = subprocess.run(
            (sys.executable, "classify.py", tmp_path / f"new {kind}.jpg"),
            cwd=taken, capture_output=True, text=True, check=True, timeout=60,
        ).stdout  # fmt: skip
        assert told.splitlines()[1].split()[-1] == kind
