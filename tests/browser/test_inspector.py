"""The Inspector with a network that reads digits: draw, look at maps, ask why, find mistakes, select points."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse

import psutil
import pytest
from playwright.sync_api import Locator, Page, expect

from cnncore.config import TrainConfig, replace
from cnncore.runs.run import Run
from tests.browser.conftest import PATIENCE_MS, Server
from tests.photographs import trained

COLD_MS = 60_000
"""How long the first answer of a service may take on a busy machine."""
SAID = ".lab-look-said"


@pytest.fixture(scope="module")
def run(server: Server) -> Run:
    """A network that reads most of the digits, and not all of them."""
    settings = {"data.train_images": 600, "training.batch_size": 50, "training.epochs": 2, "training.precision": "fp32"}
    return trained(server.store, server.artifacts, server.data, replace(TrainConfig(), settings))


def url(server: Server, run: Run, **params: str) -> str:
    return f"{server.url}/inspector?{urlencode({'network': f'run:{run.id}', **params})}"


def param(page: Page, name: str) -> str:
    return parse_qs(urlparse(page.url).query).get(name, [""])[0]


def wait_for_param(page: Page, name: str, beginning: str, *, unlike: str = "") -> str:
    """Its value, once it begins so and is another one."""
    page.wait_for_url(lambda _: param(page, name).startswith(beginning) and param(page, name) != unlike)
    return param(page, name)


def open_view(page: Page, title: str) -> None:
    page.locator(".st-key-inspector_view").get_by_role("radio", name=title).click()


def drag(page: Page, field: Locator, *places: tuple[float, float]) -> None:
    """Drag the mouse over these places of a field, each from 0 to 1."""
    box = field.bounding_box()
    assert box is not None
    spots = [(box["x"] + across * box["width"], box["y"] + down * box["height"]) for across, down in places]
    page.mouse.move(*spots[0])
    page.mouse.down()
    for spot in spots[1:]:
        page.mouse.move(*spot, steps=4)
    page.mouse.up()


def point_at(page: Page, point: Locator) -> None:
    """Move the mouse onto a point until its image is there: what is above the chart may still grow."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not page.locator(".lab-points-card").is_visible():
        assert time.monotonic() < end, "the image beside the mouse"
        page.mouse.move(0, 0)
        point.hover(force=True)
        page.wait_for_timeout(200)


def services(artifacts: Path) -> list[psutil.Process]:
    """The processes that answer for these runs."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            own = process.environ().get("CNNLAB_ARTIFACTS") == str(artifacts)
            if own and "cnncore.service" in process.cmdline():
                found.append(process)
    return found


def assert_whole(page: Page) -> None:
    """Nothing on the page speaks of an error."""
    assert not page.get_by_test_id("stException").count()
    assert not page.get_by_test_id("stAlert").count()


def test_a_drawn_digit_is_looked_into(page: Page, server: Server, run: Run) -> None:
    page.goto(url(server, run))
    field = page.locator(".lab-pad canvas")
    expect(page.locator(SAID)).to_be_visible(timeout=COLD_MS)
    before = param(page, "picture")
    page.get_by_role("button", name="Clear", exact=True).click()
    drag(page, field, (0.5, 0.15), (0.5, 0.85))
    drawn = wait_for_param(page, "picture", "drawn:", unlike=before)
    expect(page.locator(SAID)).to_have_text("1")

    open_view(page, "Maps")
    tiles = page.locator(".lab-maps-grid button")
    tiles.nth(1).click()
    unit = wait_for_param(page, "unit", "")
    seen = page.locator(".lab-place-words")
    expect(seen).to_contain_text("It sees rows")
    page.locator(".lab-place-field").first.click(position={"x": 8, "y": 8})
    wait_for_param(page, "place", "0,")
    expect(seen).to_contain_text("rows 0–")

    open_view(page, "Why")
    maps = page.locator("[class*=st-key-why_card_] img")
    expect(maps.first).to_be_visible()
    assert_whole(page)

    page.goto(url(server, run, picture=drawn, unit=unit, view="maps"))
    expect(page.locator(SAID)).to_have_text("1")
    expect(seen).to_contain_text("It sees rows")
    assert_whole(page)


def test_a_mistake_opens_and_its_link_shows_the_same(page: Page, server: Server, run: Run) -> None:
    page.goto(url(server, run, view="errors", part="mistakes", split="test"))
    page.locator(".lab-cases button").first.click(timeout=COLD_MS)
    picture = wait_for_param(page, "picture", f"sample:{run.id}:test:")
    wait_for_param(page, "view", "why")
    verdict = page.locator(".st-key-inspector_prediction")
    expect(verdict).to_contain_text("wrong")
    said = page.locator(SAID).inner_text()
    page.reload()
    expect(page.locator(SAID)).to_have_text(said)
    expect(verdict).to_contain_text("wrong")
    assert param(page, "picture") == picture
    assert_whole(page)


def test_points_show_their_images(page: Page, server: Server, run: Run) -> None:
    page.goto(url(server, run, view="embedding", split="test", points="300"))
    plot = page.locator(".st-key-inspector_embedding_board .nsewdrag")
    expect(plot).to_be_visible(timeout=COLD_MS)
    words = page.locator(".lab-points-words")
    expect(words).to_contain_text("Point at an image")
    plot.scroll_into_view_if_needed()
    point_at(page, page.locator(".scatterlayer .trace").first.locator("path.point").first)
    drag(page, plot, (0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98))
    expect(words).to_contain_text("selected")
    page.get_by_label("Show images").select_option(label="Class 3 (30)")
    expect(words).to_contain_text("Class 3: 30 images")
    page.locator(".lab-points-tiles button").first.click()
    wait_for_param(page, "picture", f"sample:{run.id}:test:")
    wait_for_param(page, "view", "why")
    expect(page.locator(".st-key-inspector_prediction")).to_contain_text("3")
    assert_whole(page)


def test_the_page_recovers_from_a_killed_service(page: Page, server: Server, run: Run) -> None:
    page.goto(url(server, run, view="embedding", split="train", points="1000", projection="tsne"))
    bar = page.get_by_text("laying them out")
    expect(bar).to_be_visible(timeout=COLD_MS)
    for service in services(server.artifacts):
        service.kill()
        service.wait()
    expect(page.locator(".st-key-inspector_embedding_board .nsewdrag")).to_be_visible(timeout=COLD_MS)
    assert_whole(page)
    assert "libtorch" not in Path(f"/proc/{server.pid}/maps").read_text()
