"""What one waits for in the Inspector, what it survives, and what it takes from a training.

    python -m benchmarks.inspector [--quick] [--part looks visitors page training]

A real service on folders of its own: feature maps and Grad-CAM of a ResNet-50 at 224 × 224 (random weights, imported as
a run), warm and from a service that is not running; second looks; mixed requests of ten visitors with the service
killed in between; a digit drawn in Chromium on a real server, from the end of the stroke to the prediction on the page;
LeNet training on MNIST while somebody looks at something new every few seconds, and while nobody does, in turn.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.first_minute import CHROMIUM_NAMES, PATIENCE_MS, READY
from benchmarks.inspector_lab import RESNET_LAYER, Lab, digit, kill_service, make_lab, timed, whole
from benchmarks.live_tick import free_port, start_server
from benchmarks.report import Report, Target, parser, quantile, spread, table
from benchmarks.viewers import images_per_s, real_run
from cnncore.answers import Answer
from cnncore.catalog import at_hand
from cnncore.errors import LabError
from cnncore.runs.runner import kill_tree
from cnncore.runs.store import Run

WARM_S, COLD_S, SECOND_S, DIGIT_MS, SLOWDOWN = 1.0, 6.0, 0.2, 300.0, 0.15
VISITORS = 10
LOOK_EVERY_S = 3.0
SETTLE_S = 2.0

_NOTE_ANSWER = """() => {
  const seen = () => document.querySelector(".st-key-inspector_said img[alt^='what it saw']")?.src;
  const before = seen();
  window.labMs = undefined;
  window.addEventListener('pointerup', () => {
    const begin = performance.now();
    const timer = setInterval(() => {
      const now = seen();
      if (!now || now === before) return;
      window.labMs = performance.now() - begin;
      clearInterval(timer);
    }, 5);
  }, { capture: true, once: true });
}"""
"""Notes how long after the next stroke the page shows what the network says of another picture."""


def measure_looks(report: Report, lab: Lab, repeats: int) -> None:
    """Feature maps and Grad-CAM of ResNet-50, from nothing, warm, and a second time."""
    rows: list[tuple[str, ...]] = []
    for title, ask_new in (("feature maps", lab.maps), ("Grad-CAM", lab.gradcam)):
        cold, warm, second = [], [], []
        for _ in range(max(1, repeats // 3)):
            kill_service(lab)
            cold.append(timed(*ask_new()))
        timed(*ask_new())
        for _ in range(repeats):
            question = ask_new()
            warm.append(timed(*question))
            second.append(timed(*question))
        report.data[title] = {"cold_s": cold, "warm_s": warm, "second_s": second}
        rows.append(
            (title, *(f"{statistics.median(each):.3f} ({spread(each, '.3f')})" for each in (cold, warm, second)))
        )
        for kind, values, most in (("cold", cold, COLD_S), ("warm", warm, WARM_S), ("second look", second, SECOND_S)):
            worst = max(values)
            report.targets.append(
                Target(
                    name=f"{title} of ResNet-50 at 224 × 224, {kind}, worst of {len(values)}",
                    required=f"< {most:g} s",
                    measured=f"{worst:.3f} s",
                    met=worst < most,
                )
            )
    report.sections.append(
        f"## Looking into a ResNet-50\n\nRandom weights, 224 × 224; seconds, median (range). Cold: the service is not "
        f"running, the weights are on disk. Layer of the maps: {RESNET_LAYER}.\n\n"
        + table(("", "cold", "warm", "second look"), rows)
    )


# Many visitors


def mixture(lab: Lab, *, kept: bool) -> list[tuple[str, dict[str, Any]]]:
    """The questions of a visitor, three impossible ones among them.

    Args:
        lab: What they are about.
        kept: Whether answers may be kept and found again.
    """
    stamp = lab.stamp(lab.digits) if kept else ""

    def request(picture: str, **more: Any) -> dict[str, Any]:
        return {"network": lab.digits, "stamp": stamp, "picture": picture, **more}

    small = {"in_shape": (1, 28, 28), "num_classes": 10, "batch_size": 1, "optimizer": "sgd"}
    found: list[tuple[str, dict[str, Any]]] = [
        ("layers", {"network": lab.digits, "stamp": stamp}),
        ("profile", {"model": {}, **small}),
        ("feature_maps", request(digit(0), layer="fc1")),
        ("inspect", request(f"kept:{'0' * 32}")),
        ("inspect", request(digit(0), network="run:0123456789ab")),
    ]
    for number in range(3):
        found += [
            ("inspect", request(digit(number))),
            ("feature_maps", request(digit(number), layer=f"conv{1 + number % 2}")),
            ("attribution", request(digit(number), method="gradcam", target=number)),
            ("attribution", request(digit(number), method="occlusion")),
            ("attribution", request(digit(number), method="integrated_gradients", steps=200 + number)),
        ]
    return found


def outcome(name: str, request: Mapping[str, Any]) -> Answer | str:
    """The answer, or the sentence that says why there is none."""
    try:
        return whole(name, request)
    except LabError as error:
        return str(error)


def same(a: Answer | str, b: Answer | str) -> bool:
    """Whether two outcomes are the same, to the last number."""
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return a.data == b.data and all(np.array_equal(a.arrays[name], b.arrays[name]) for name in (*a.arrays, *b.arrays))


def measure_visitors(report: Report, lab: Lab) -> None:
    """Two hundred mixed requests of ten visitors, the service killed twice meanwhile; then the time to recover."""
    expected = [outcome(*question) for question in mixture(lab, kept=False)]
    asked = mixture(lab, kept=True)
    jobs = [(number + visitor) % len(asked) for number in range(len(asked)) for visitor in range(VISITORS)]
    kills = [threading.Timer(delay, kill_service, (lab,)) for delay in (1.0, 6.0)]
    begin = time.perf_counter()
    for kill in kills:
        kill.start()
    with ThreadPoolExecutor(VISITORS) as pool:
        answers = list(pool.map(lambda job: outcome(*asked[job]), jobs))
    seconds = time.perf_counter() - begin
    for kill in kills:
        kill.join()
    wrong = [asked[job][0] for job, answer in zip(jobs, answers, strict=True) if not same(answer, expected[job])]
    kill_service(lab)
    recovery = timed("inspect", lab.request(lab.digits, digit(100)))
    report.data["visitors"] = {"requests": len(jobs), "wrong": wrong, "seconds": seconds, "recovery_s": recovery}
    report.sections.append(
        f"## {len(jobs)} requests of {VISITORS} visitors\n\n{len(asked)} different questions, three of them "
        f"impossible, in {seconds:.1f} s; the service was killed after 1 s and after 6 s. Compared with the answers to "
        f"one visitor alone, to the last number: {len(wrong)} differ. After another kill the next prediction took "
        f"{recovery:.1f} s."
    )
    report.targets += [
        Target(
            name=f"of {len(jobs)} mixed requests of {VISITORS} visitors, the service killed twice: unanswered or wrong",
            required="0",
            measured=str(len(wrong)),
            met=not wrong,
        ),
        Target(
            name="a killed service: until the next prediction",
            required=f"< {COLD_S:g} s",
            measured=f"{recovery:.1f} s",
            met=recovery < COLD_S,
        ),
    ]


# The page


@contextmanager
def opened(lab: Lab) -> Iterator[tuple[Page, str, psutil.Process]]:
    """A real server and a page in Chromium, the address and the server's process."""
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        raise SystemExit("Chromium is not installed; this measurement needs it.")
    port = free_port()
    server = start_server(lab.artifacts, port)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1_300, "height": 900})
            page.set_default_timeout(PATIENCE_MS)
            yield page, f"http://localhost:{port}", psutil.Process(server.pid)
            browser.close()
    finally:
        kill_tree(psutil.Process(server.pid))
        server.wait()


def measure_page(report: Report, lab: Lab, strokes: int) -> None:
    """From the end of a stroke to the prediction on the page; a kill; what the server has loaded."""
    with opened(lab) as (page, url, server):
        page.goto(f"{url}/inspector?network={lab.digits}&picture={digit(0)}")
        page.wait_for_selector(".st-key-inspector_said img[alt^='what it saw']")
        page.wait_for_selector(READY)
        times = [draw_stroke(page, number) for number in range(strokes + 1)][1:]
        kill_service(lab)
        recovered = draw_stroke(page, strokes + 1)
        for view in ("maps", "why"):
            page.goto(f"{url}/inspector?network={lab.resnet}&picture={next(lab.pictures)}&view={view}")
            page.wait_for_selector(READY)
            page.wait_for_timeout(5_000)
        loads_torch = "libtorch" in Path(f"/proc/{server.pid}/maps").read_text()
    report.data["digit_ms"] = times
    report.data["digit_after_kill_ms"] = recovered
    report.sections.append(
        f"## A drawn digit\n\nIn Chromium, from the end of the stroke to the prediction on the page, LeNet, "
        f"{len(times)} strokes: median {statistics.median(times):.0f} ms ({spread(times)}). With the service killed "
        f"before the stroke: {recovered / 1000:.1f} s, without a reload."
    )
    report.targets += [
        Target(
            name="a drawn digit's prediction after the stroke's end, 95 % within",
            required=f"< {DIGIT_MS:g} ms",
            measured=f"{quantile(times, 0.95):.0f} ms",
            met=quantile(times, 0.95) < DIGIT_MS,
        ),
        Target(
            name="libtorch in the web server's memory map",
            required="no",
            measured="yes" if loads_torch else "no",
            met=not loads_torch,
        ),
    ]


def draw_stroke(page: Page, number: int) -> float:
    """Draw a short stroke; milliseconds from its end until the page shows what the network says."""
    box = page.locator(".lab-pad-ink").bounding_box()
    assert box is not None
    page.evaluate(_NOTE_ANSWER)
    left, top = (
        box[name] + (0.15 + 0.7 * share) * box["width"] for name, share in zip(("x", "y"), places(number), strict=True)
    )
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + 15, top + 12)
    page.mouse.up()
    page.wait_for_function("window.labMs !== undefined", timeout=PATIENCE_MS)
    took = float(page.evaluate("window.labMs"))
    # The link follows when the pen has rested, which draws the whole page.
    page.wait_for_timeout(2_500)
    page.wait_for_selector(READY)
    return took


def places(number: int) -> tuple[float, float]:
    """Where a stroke begins, as shares of the field."""
    return (number * 0.37) % 1, (number * 0.61) % 1


# Beside a training


def measure_slowdown(report: Report, lab: Lab, rounds: int, seconds: float) -> None:
    """LeNet on MNIST, in turn with and without somebody who looks at something new every few seconds."""
    if not at_hand("mnist", lab.data):
        report.targets.append(
            Target(name="a training slows", required=f"< {SLOWDOWN:.0%}", measured="no MNIST", met=None)
        )
        return
    rates: dict[bool, list[float]] = {False: [], True: []}
    timed(*lab.maps())
    with real_run(lab.store, lab.artifacts, lab.data) as run:
        for _ in range(rounds):
            for looking in (False, True):
                rates[looking].append(_window(lab, run, seconds, looking=looking))
    pairs = [1 - busy / alone for alone, busy in zip(rates[False], rates[True], strict=True)]
    slowdown = statistics.median(pairs)
    report.data["slowdown"] = {"alone": rates[False], "inspected": rates[True], "ratios": pairs}
    report.sections.append(
        f"## Beside a training\n\nLeNet on MNIST, batch 256, {rounds} pairs of windows of {seconds:g} s; every "
        f"{LOOK_EVERY_S:g} s feature maps or Grad-CAM of ResNet-50 for a new picture.\n\n"
        + table(
            ("", "images/s, median", "smallest–largest"),
            [
                (title, f"{statistics.median(rates[looking]):,.0f}", spread(rates[looking]))
                for title, looking in (("nobody looks", False), ("somebody looks", True))
            ],
        )
        + f"\n\nSlower by {slowdown:.1%}, the median of the pairs ({spread(pairs, '.1%')})."
    )
    report.targets.append(
        Target(
            name="a training slows while someone inspects by",
            required=f"< {SLOWDOWN:.0%}",
            measured=f"{slowdown:.1%}",
            met=slowdown < SLOWDOWN,
        )
    )


def _window(lab: Lab, run: Run, seconds: float, *, looking: bool) -> float:
    """Images a second over a window."""
    begin, number = time.time(), 0
    while looking and time.time() < begin + seconds - 1:
        whole(*(lab.maps, lab.gradcam)[number % 2]())
        number += 1
        time.sleep(max(0.0, begin + number * LOOK_EVERY_S - time.time()))
    time.sleep(max(0.0, begin + seconds - time.time()))
    end = time.time()
    # The last steps reach the store a moment later.
    time.sleep(SETTLE_S)
    return images_per_s(lab.store, run, begin, end)


PARTS: dict[str, Callable[[Report, Lab, bool], None]] = {
    "looks": lambda report, lab, quick: measure_looks(report, lab, 1 if quick else 9),
    "visitors": lambda report, lab, quick: measure_visitors(report, lab),
    "page": lambda report, lab, quick: measure_page(report, lab, 2 if quick else 12),
    "training": lambda report, lab, quick: measure_slowdown(report, lab, 1 if quick else 6, 5 if quick else 9),
}
"""What is measured, in order; quick or not."""


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--quick", action="store_true", help="to see that it works; its numbers mean nothing")
    command_line.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    arguments = command_line.parse_args()
    report = Report(name="inspector", title="The Inspector")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        artifacts = Path(folder) / "runs"
        artifacts.mkdir()
        lab = make_lab(artifacts, arguments.data)
        try:
            for part in arguments.part:
                begin = time.monotonic()
                PARTS[part](report, lab, arguments.quick)
                print(f"{part}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
        finally:
            kill_service(lab)
            lab.store.engine.dispose()
    report.save(arguments.results)


if __name__ == "__main__":
    main()
