"""What a person who drags waits for in Learn: from the movement of a slider to the changed figure, in every lesson.

    python -m benchmarks.lessons [--quick] [--part opening sliders visitors] [--lessons pooling field]

A real server on folders of its own and Chromium. Every slider of every figure, in each of the lesson's views, is moved
from place to place; what is measured goes from the input event to the frame after the one that has drawn the answer:
the drawing of the browser's own numbers, or of what the server has sent for this very place. A move that changes
nothing on canvases or in the text beside the slider is counted as one, since some settings do not matter. Then five
visitors drag at once, and the server's processor time is divided by their moves.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.first_minute import CHROMIUM_NAMES, PATIENCE_MS, READY
from benchmarks.live_tick import free_port, start_server
from benchmarks.report import Report, Target, parser, quantile, spread, table
from cnncore.lessons.contents import LESSONS
from cnncore.runs.runner import kill_tree
from pages.components.lessons import STATES

MOST_MS = 150.0
MOVES = 12
VISITORS = 5
_VIEWS = ("view", "mode", "part", "layer")
"""Names of the fields by which a link chooses what a lesson's figure shows."""
_DRAWN = "() => [...document.querySelectorAll('.lab-board')].some((root) => root.board?.received)"
_LIVE_LESSON, _LIVE_VIEW = "field", {"stack": "own"}
"""A figure that comes from the server at every move."""
_MORE_VIEWS = {_LIVE_LESSON: [_LIVE_VIEW]}
"""Views with sliders that other choices bring up."""

_WATCH = """() => {
  if (window.labChanges !== undefined) return;
  window.labChanges = 0;
  const ink = CanvasRenderingContext2D.prototype;
  for (const name of ['fillRect', 'strokeRect', 'putImageData', 'drawImage', 'stroke', 'fill', 'fillText']) {
    const draw = ink[name];
    ink[name] = function (...given) { window.labChanges += 1; return draw.apply(this, given); };
  }
  const outside = ({ target }) => !(target.closest ?? target.parentElement?.closest)?.call(
    target.closest ? target : target.parentElement, '.lab-board-slider');
  new MutationObserver((changes) => { window.labChanges += changes.filter(outside).length; }).observe(
    document.querySelector('.st-key-learn_figure'),
    { subtree: true, childList: true, characterData: true, attributes: true });
}"""
"""Counts what changes in the figure."""

_MOVE = """async ({ label, moves, patience }) => {
  const range = [...document.querySelectorAll('.lab-board input[type=range]')].find(
    (each) => each.ariaLabel === label && each.offsetParent);
  if (!range) return null;
  const board = range.closest('.lab-board').board;
  const name = Object.entries(board.settings).find(([, setting]) => setting.range === range)[0];
  const frame = () => new Promise((done) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(0);
  }));
  const [low, high, step] = [range.min, range.max, range.step].map(Number);
  const places = Math.round((high - low) / step);
  if (places < 1) return null;
  const times = [];
  let unchanged = 0, asked = 0;
  for (let move = 1; move <= moves; move++) {
    const before = range.value;
    const place = places < moves ? move % (places + 1) : Math.round(places * move / moves);
    range.value = low + step * place;
    if (range.value === before) range.value = low + step * (place ? place - 1 : 1);
    const changes = window.labChanges, value = board.settings[name].value, begin = performance.now();
    range.dispatchEvent(new Event('input', { bubbles: true }));
    const live = board.live[name] !== undefined;
    asked += live;
    while (live && board.received[1][name] !== value && performance.now() < begin + patience) await frame();
    await frame();
    times.push(performance.now() - begin);
    unchanged += window.labChanges === changes;
    await new Promise((done) => setTimeout(done, 30));
  }
  range.dispatchEvent(new Event('change', { bubbles: true }));
  return { times, unchanged, asked };
}"""
"""Moves a slider from place to place: milliseconds of each move, how many changed nothing and asked the server."""

_DRAW_NOTHING = "() => { document.querySelector('.lab-board').board.figure.show = () => {}; }"


@dataclass(frozen=True, kw_only=True)
class Slider:
    """What moving one slider took.

    Attributes:
        lesson: Key of the lesson.
        view: What the link chooses in its figure, empty where there is no choice.
        name: What the slider is called.
        times: Milliseconds of each move.
        unchanged: Moves after which nothing had changed.
        asked: Moves that the server was asked about.
    """

    lesson: str
    view: str
    name: str
    times: list[float]
    unchanged: int
    asked: int


@dataclass(frozen=True, kw_only=True)
class Place:
    """A browser on a server."""

    browser: Browser
    url: str
    server: psutil.Process

    @contextmanager
    def page(self) -> Iterator[Page]:
        """A window of another person."""
        context = self.browser.new_context(viewport={"width": 1_300, "height": 1_000})
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()
        context.close()

    def address(self, lesson: str, **params: str) -> str:
        return f"{self.url}/learn?{urlencode({'lesson': lesson, **params})}"

    def cpu_s(self) -> float:
        """Processor time that the server has taken."""
        times = self.server.cpu_times()
        return times.user + times.system


@contextmanager
def opened() -> Iterator[Place]:
    """A fresh server and Chromium."""
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        raise SystemExit("Chromium is not installed; this measurement needs it.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        port = free_port()
        server = start_server(Path(folder), port)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
                yield Place(browser=browser, url=f"http://localhost:{port}", server=psutil.Process(server.pid))
                browser.close()
        finally:
            kill_tree(psutil.Process(server.pid))
            server.wait()


def views_of(lesson: str) -> list[dict[str, str]]:
    """What a link can choose of a lesson's figure, as parameters; one empty choice where there is none."""
    for name, field in STATES[lesson].model_fields.items():
        if name in _VIEWS and typing.get_origin(field.annotation) is Literal:
            return [{name: str(value)} for value in typing.get_args(field.annotation)] + _MORE_VIEWS.get(lesson, [])
    return [{}]


def measure_opening(report: Report, place: Place, lessons: list[str], quick: bool) -> None:
    """From the address to a drawn figure: the first time on a fresh server, and by another person afterwards."""
    rows: list[tuple[str, ...]] = []
    found: dict[str, list[float]] = {}
    for lesson in lessons:
        times: list[float] = []
        for _ in range(2):
            with place.page() as page:
                begin = time.perf_counter()
                page.goto(place.address(lesson))
                page.wait_for_function(_DRAWN)
                times.append(time.perf_counter() - begin)
        found[lesson] = times
        rows.append((LESSONS[lesson].title, *(f"{each:.2f}" for each in times)))
    report.data["opening_s"] = found
    report.sections.append(
        "## Opening a lesson\n\nSeconds from the address in a new window to the drawn figure, by two people in turn on "
        "a fresh server; the first one also waits for what the server imports.\n\n"
        + table(("lesson", "first", "second"), rows)
    )


def measure_sliders(report: Report, place: Place, lessons: list[str], quick: bool) -> None:
    """Every slider of every view."""
    found = [
        slider for lesson in lessons for view in views_of(lesson) for slider in sliders_of(place, lesson, view, quick)
    ]
    report.data["sliders"] = [asdict(slider) for slider in found]
    report.sections.append(
        "## Dragging\n\nMilliseconds from the input event to the frame after the one that has drawn it; *asked* is how "
        "many moves the server was asked about, *same* after how many nothing had changed.\n\n"
        + table(("slider", "moves", "asked", "same", "median", "smallest–largest"), [_row(slider) for slider in found])
    )
    for words, wanted in (("drawn from numbers that came along", False), ("asked of the server", True)):
        of_kind = [slider for slider in found if bool(slider.asked) == wanted]
        times = [each for slider in of_kind for each in slider.times]
        if not times:
            continue
        slowest = max(of_kind, key=lambda slider: statistics.median(slider.times))
        report.targets += [
            Target(
                name=f"a slider's figure, {words}, the slowest slider's median ({slowest.lesson}: {slowest.name})",
                required=f"< {MOST_MS:g} ms",
                measured=f"{statistics.median(slowest.times):.0f} ms",
                met=statistics.median(slowest.times) < MOST_MS,
            ),
            Target(
                name=f"likewise, 95 % of {len(times):,} moves within",
                required=f"< {MOST_MS:g} ms",
                measured=f"{quantile(times, 0.95):.0f} ms (worst {max(times):.0f} ms)",
                met=quantile(times, 0.95) < MOST_MS,
            ),
        ]


def sliders_of(place: Place, lesson: str, view: dict[str, str], quick: bool) -> list[Slider]:
    """What moving each slider of a view takes."""
    with place.page() as page:
        page.goto(place.address(lesson, **view))
        page.wait_for_function(_DRAWN)
        page.wait_for_selector(READY)
        page.evaluate(_WATCH)
        labels = page.eval_on_selector_all(
            ".lab-board input[type=range]",
            "(found) => found.filter((each) => each.offsetParent).map((each) => each.ariaLabel)",
        )
        found: list[Slider] = []
        for label in dict.fromkeys(labels[:1] if quick else labels):
            told = page.evaluate(_MOVE, {"label": label, "moves": 3 if quick else MOVES, "patience": PATIENCE_MS})
            if told is not None:
                found.append(Slider(lesson=lesson, view=" ".join(view.values()), name=label, **told))
            # The address follows, and what the server draws for it.
            page.wait_for_timeout(900)
            page.wait_for_selector(READY)
        return found


def _row(slider: Slider) -> tuple[str, ...]:
    name = f"{LESSONS[slider.lesson].title}{f' ({slider.view})' if slider.view else ''}: {slider.name}"
    median = f"{statistics.median(slider.times):.0f}"
    return (name, str(len(slider.times)), str(slider.asked), str(slider.unchanged), median, spread(slider.times))


def measure_visitors(report: Report, place: Place, lessons: list[str], quick: bool) -> None:
    """Several people drag at once in the lesson that asks the server most; what a move costs it."""
    moves = 3 if quick else 4 * MOVES
    contexts = [place.browser.new_context(viewport={"width": 1_300, "height": 1_000}) for _ in range(VISITORS)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.set_default_timeout(PATIENCE_MS)
        page.goto(place.address(_LIVE_LESSON, **_LIVE_VIEW))
        page.wait_for_function(_DRAWN)
        page.wait_for_selector(READY)
        page.evaluate(_WATCH)
    label = pages[0].locator(".lab-board input[type=range]").first.get_attribute("aria-label")
    order = {"label": label, "moves": moves, "patience": PATIENCE_MS}
    alone_before = place.cpu_s()
    alone: list[float] = pages[0].evaluate(_MOVE, order)["times"]
    alone_cpu = place.cpu_s() - alone_before
    before, begin = place.cpu_s(), time.perf_counter()
    for page in pages[1:]:
        page.evaluate(_DRAW_NOTHING)
    for page in pages:
        page.evaluate(f"(order) => {{ window.labMoves = ({_MOVE})(order); }}", order)
    each_page: list[list[float]] = [page.evaluate("() => window.labMoves")["times"] for page in pages]
    together = each_page[0]
    seconds, cpu = time.perf_counter() - begin, place.cpu_s() - before
    for context in contexts:
        context.close()
    num_moves = sum(map(len, each_page))
    costs = [1000 * alone_cpu / len(alone), 1000 * cpu / num_moves]
    report.data["visitors"] = {"alone_ms": alone, "together_ms": each_page, "cpu_ms_a_move": costs}
    rows = [
        (who, len(times), *(f"{each:.0f}" for each in (statistics.median(times), quantile(times, 0.95), cost)))
        for who, times, cost in zip(("alone", f"one of {VISITORS}"), (alone, together), costs, strict=True)
    ]
    report.sections.append(
        f"## {VISITORS} people who drag\n\n{LESSONS[_LIVE_LESSON].title}, *{label}*: the server is asked at every "
        f"move, the next one when its answer is there. All windows are of one Chromium on the server's machine; those "
        f"of the other {VISITORS - 1} take the answers and draw nothing, as if they were drawn elsewhere.\n\n"
        + table(("", "moves", "median ms", "95 %", "server's processor time a move, ms"), rows)
        + f"\n\nTogether they moved {num_moves / seconds:.1f} times a second."
    )
    report.targets += [
        Target(
            name=f"{VISITORS} people who drag at once, the server asked at every move: median of one",
            required=f"< {MOST_MS:g} ms",
            measured=f"{statistics.median(together):.0f} ms",
            met=statistics.median(together) < MOST_MS,
        ),
        Target(
            name=f"the server's processor time a move, so that it answers {VISITORS} in turn",
            required=f"< {MOST_MS / VISITORS:g} ms",
            measured=f"{costs[1]:.0f} ms",
            met=costs[1] < MOST_MS / VISITORS,
        ),
    ]


PARTS: dict[str, Callable[[Report, Place, list[str], bool], None]] = {
    "opening": measure_opening,
    "sliders": measure_sliders,
    "visitors": measure_visitors,
}
"""What is measured, in order."""


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--quick", action="store_true", help="to see that it works; its numbers mean nothing")
    command_line.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    command_line.add_argument("--lessons", nargs="+", choices=list(STATES), default=list(STATES))
    arguments = command_line.parse_args()
    report = Report(name="lessons", title="The lessons")
    with opened() as place:
        for part in arguments.part:
            begin = time.monotonic()
            PARTS[part](report, place, arguments.lessons, arguments.quick)
            print(f"{part}: {time.monotonic() - begin:.0f} s", flush=True)
    report.save(arguments.results)


if __name__ == "__main__":
    main()
