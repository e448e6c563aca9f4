"""A report holds everything it promises, escapes what people wrote, and loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from cnncore.config import TrainConfig, replace
from cnncore.errors import RunError
from cnncore.figures.intervals import wilson
from cnncore.figures.plotly_js import plotly_js_file
from cnncore.reports import MAX_RUNS, html_report
from cnncore.runs.artifacts import TEST, run_dir, save_evaluation
from cnncore.runs.events import Row
from cnncore.runs.store import Run, RunStore
from tests import fake_runs

MADE = datetime(2026, 11, 22, 21, 5, tzinfo=UTC)
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"&amp;${x}"


class Page(HTMLParser):
    """The parts of a page: its text, its tags with attributes, its scripts."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self._within = ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._within = tag

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "script":
            self.scripts.append(data)
        elif self._within != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def charts(self) -> list[dict[str, object]]:
        """What the page's script draws."""
        return [json.loads(script) for script in self.scripts if script.startswith('{"label"')]

    def attributes(self, *names: str) -> list[str]:
        return [value or "" for _, attributes in self.tags for name, value in attributes.items() if name in names]


def page(store: RunStore, artifacts: Path, *runs: Run) -> Page:
    return Page(html_report(store, artifacts, [run.id for run in runs], made=MADE))


@pytest.fixture
def finished(store: RunStore, artifacts: Path) -> Run:
    return fake_runs.finish(store, artifacts, fake_runs.open_run(store, artifacts, steps=80, name="My run"))


def test_everything_about_a_run_is_there(store: RunStore, artifacts: Path, finished: Run):
    found = page(store, artifacts, finished)
    summary = finished.summary
    low, high = wilson(summary["test_correct"], summary["test_count"])
    for words in (
        "My run",
        "November 22, 2026, 21:05 UTC",
        f"{100 * summary['test_accuracy']:.2f} %",
        f"{100 * low:.1f}–{100 * high:.1f} (Wilson)",
        "431,080 parameters",
        "3,500 train, 500 validation, 1,000 test",
        "scored once",
        "seed 0 (n = 1)",
        "python -m cnncore train --preset",
        "optimizer.lr",
        "Measured on the test images: 1,000 images.",
        "These digits come from MNIST's training images.",
        finished.id,
    ):
        assert words in found.text, words
    labels = [str(chart["label"]) for chart in found.charts()]
    for shown in ("Loss", "Accuracy in percent", "Learning rate", "gradient", "Confusion matrix", "Accuracy of each"):
        assert any(shown in label for label in labels), shown
    images = [value for value in found.attributes("src") if value.startswith("data:image/png")]
    assert len(images) == 8
    assert sum(tag == "tr" for tag, _ in found.tags) > 8 + len(TrainConfig().model_dump())


def test_it_is_one_small_file_that_loads_nothing(store: RunStore, artifacts: Path, finished: Run):
    content = html_report(store, artifacts, [finished.id], made=MADE)
    assert len(content.encode()) < 6_000_000
    own = content.replace(plotly_js_file().read_text(encoding="utf-8"), "")
    assert len(own) < 300_000, "plotly.js is in it once"
    assert re.findall(r"https?://|@import|url\(", own) == []
    found = Page(own)
    assert all(value.startswith("data:") for value in found.attributes("src", "href", "srcset", "data", "action"))


def test_only_its_own_scripts_may_run(store: RunStore, artifacts: Path, finished: Run):
    content = html_report(store, artifacts, [finished.id], made=MADE)
    scripts = re.findall(r"<script>(.*?)</script>", content, flags=re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', content)
    assert re.findall(r"'sha256-([^']*)'", policy) == hashes
    assert len(hashes) == 2
    assert policy.startswith("default-src 'none'")
    assert "\r" not in scripts[0], "a browser would hash it with other line ends"


def test_names_from_outside_stay_text(store: RunStore, artifacts: Path, finished: Run):
    store.rename(finished.id, HOSTILE)
    classes = [f"{HOSTILE} {index}" for index in range(10)]
    store.set_summary(finished.id, {**finished.summary, "classes": classes, "split_note": HOSTILE})
    settings = {"data.dataset": "folder", "data.path": f"/photos/{HOSTILE}"}
    store.set_config(finished.id, replace(TrainConfig(), settings).model_dump(mode="json"))
    second = fake_runs.open_run(store, artifacts, steps=80, name="<b>Second</b>")
    for runs in ((store.get(finished.id),), (store.get(finished.id), second)):
        found = page(store, artifacts, *runs)
        tags = [tag for tag, _ in found.tags]
        assert tags.count("script") == len(found.charts()) + 2
        assert "onerror" not in {name for _, attributes in found.tags for name in attributes}
        assert HOSTILE in found.text
        named = json.dumps(found.charts())
        assert "<script" not in named
        assert "<img" not in named


def test_several_runs_are_compared(store: RunStore, artifacts: Path, finished: Run):
    other = fake_runs.open_run(store, artifacts, steps=80, name="Other")
    values = replace(fake_runs.fake_config(), {"optimizer.lr": 0.0123}).model_dump(mode="json")
    store.set_config(other.id, values)
    found = page(store, artifacts, finished, store.get(other.id), finished)
    assert "2 runs compared" in found.text
    assert "Other (running)" in found.text
    assert "0.0123" in found.text
    assert "All settings are the same." not in found.text
    overlays = [chart for chart in found.charts() if "of 2 runs" in str(chart["label"])]
    titles = {chart["layout"]["title"]["text"] for chart in overlays}  # type: ignore[index]
    assert {"Training loss", "Validation loss", "Training accuracy", "Validation accuracy"} <= titles
    assert all(len(chart["traces"]) == 2 for chart in overlays)  # type: ignore[arg-type]
    assert "differ in their seed only" not in found.text, "no configuration has several seeds"


def test_runs_that_differ_in_the_seed_are_told_together(store: RunStore, artifacts: Path):
    runs = []
    for seed in range(3):
        run = fake_runs.open_run(store, artifacts, steps=80, name="Same")
        store.set_config(run.id, replace(fake_runs.fake_config(), {"training.seed": seed}).model_dump(mode="json"))
        run = fake_runs.finish(store, artifacts, store.get(run.id))
        store.set_summary(run.id, {**run.summary, "test_accuracy": 0.9 + seed / 100})
        runs.append(run)
    text = page(store, artifacts, *runs).text
    # Half the width: 4.303 (t of two degrees of freedom) times 1 % over the root of three.
    assert "3 91.00 % 88.52 % to 93.48 % 90.00 % to 92.00 %" in text
    assert "training.seed 0 1 2" in text


def test_two_groups_are_compared_by_their_seeds(store: RunStore, artifacts: Path):
    runs = []
    for name, lr in (("Slow", 1e-3), ("Fast", 1e-2)):
        for seed in (0, 0, 1):
            run = fake_runs.open_run(store, artifacts, steps=80, name=name)
            settings = {"training.seed": seed, "optimizer.lr": lr}
            store.set_config(run.id, replace(fake_runs.fake_config(), settings).model_dump(mode="json"))
            run = fake_runs.finish(store, artifacts, store.get(run.id))
            store.set_summary(run.id, {**run.summary, "test_accuracy": 0.9 + seed / 100 + lr * (1 + seed)})
            runs.append(run)
    text = page(store, artifacts, *runs).text
    assert "Slow 2 90.65 %" in text, "the same seed tells the same again"
    assert "Fast and Slow are not distinguishable" in text or "Slow and Fast are not distinguishable" in text


def test_an_import_has_no_seed_and_no_training_to_repeat(store: RunStore, artifacts: Path):
    run = store.create(fake_runs.fake_config().model_dump(mode="json"), name="Brought", kind="import")
    text = page(store, artifacts, run).text
    assert "One run with seed" not in text
    assert "Train it again" not in text


def test_a_run_that_has_not_begun_has_a_report(store: RunStore, artifacts: Path):
    run = store.create(TrainConfig().model_dump(mode="json"), name="Waiting")
    content = html_report(store, artifacts, [run.id], made=MADE)
    assert len(content) < 100_000, "no charts, no plotly.js"
    assert "The run is queued" in Page(content).text
    assert "have not been scored" in Page(content).text


def test_a_diverged_run_of_another_version_has_a_report(store: RunStore, artifacts: Path):
    run = fake_runs.open_run(store, artifacts, steps=80, upto=40)
    nan = float("nan")
    store.set_config(run.id, {"training": {"spells": 3}})
    store.log(
        run.id,
        [Row(phase="step", step=41, values={"loss": nan, "lr": nan, "epoch": 4.1, "grad_norm": nan})],
        {**run.summary, "train_loss": nan, "best_val_accuracy": nan, "train_accuracy": None},
    )
    store.end(run.id, "failed", error="The loss stopped being a number at step 41.")
    text = page(store, artifacts, store.get(run.id)).text
    assert "The loss stopped being a number at step 41." in text
    assert '"spells": 3' in text
    assert "validation images after epoch 4" in text


def test_changes_and_attempts_are_confessed(store: RunStore, artifacts: Path, finished: Run):
    store.log(finished.id, [Row(phase="change", step=40, values={"setting": "optimizer.lr", "value": 5e-4})])
    store.begin_attempt(finished.id, 80)
    store.set_summary(finished.id, {**finished.summary, "test_scored": 3})
    text = page(store, artifacts, store.get(finished.id)).text
    assert "optimizer.lr was set to 0.0005 by hand after step 40" in text
    assert "2 attempts" in text
    assert "scored 3 times" in text


def test_many_classes_are_told_by_their_confusions(store: RunStore, artifacts: Path, finished: Run):
    evaluation = fake_runs.evaluation("test", classes=80, count=4_000)
    save_evaluation(run_dir(artifacts, finished.id) / TEST, evaluation)
    names = [f"kind {index}" for index in range(80)]
    store.set_summary(finished.id, {**finished.summary, "classes": names})
    found = page(store, artifacts, finished)
    assert not any("Confusion matrix" in str(chart["label"]) for chart in found.charts())
    assert "Most frequent confusions" in found.text
    assert np.trace(evaluation.confusion) == evaluation.correct


def test_too_many_or_no_runs_are_refused(store: RunStore, artifacts: Path):
    for count in (0, MAX_RUNS + 1):
        with pytest.raises(RunError, match="1 to 30 runs"):
            html_report(store, artifacts, [f"{index:012x}" for index in range(count)], made=MADE)
    for run_id in ("0123456789ab", "../../etc"):
        with pytest.raises(RunError):
            html_report(store, artifacts, [run_id], made=MADE)
