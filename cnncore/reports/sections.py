"""The parts of a report as HTML; every text from outside is escaped where it is put in."""

from __future__ import annotations

import html
import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from cnncore.catalog import OPTIMIZERS
from cnncore.config import TrainConfig, command, flatten, format_value, nearest_preset
from cnncore.figures.chart import Chart
from cnncore.figures.confusion import MAX_CLASSES, top_confusions
from cnncore.figures.examples import example_cards
from cnncore.reports.charts import evaluation_charts, overlay_charts, run_charts, run_style
from cnncore.reports.subject import Subject, duration, known, percent
from cnncore.runs.groups import group_runs, verdicts
from cnncore.runs.statistics import mean_interval

FOLDED_EPOCHS = 30
"""Epochs from which on their table is folded."""

_EPOCH_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("epoch", "epoch", "d"),
    ("train_loss", "training loss", ".4f"),
    ("train_accuracy", "training accuracy", "%"),
    ("val_loss", "validation loss", ".4f"),
    ("val_accuracy", "validation accuracy", "%"),
    ("lr", "learning rate", ".3g"),
    ("seconds", "seconds", ".1f"),
)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, marks: Sequence[str] = (), words: int = 1) -> str:
    """A table of texts, which are escaped.

    Args:
        head: Titles of the columns.
        rows: Texts of the cells.
        marks: HTML in front of the first cell of each row.
        words: How many columns on the left hold words; the others hold numbers and are set to the right.
    """
    titles = "".join(f"<th{_align(index, words)}>{html.escape(title)}</th>" for index, title in enumerate(head))
    body = "".join(
        f"<tr>{''.join(_cell(index, text, mark, words) for index, text in enumerate(row))}</tr>"
        for row, mark in zip(rows, itertools.chain(marks, itertools.repeat("")), strict=False)
    )
    return f"<div class='scroll'><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"


def _align(index: int, words: int) -> str:
    return "" if index < words else " class='number'"


def _cell(index: int, text: str, mark: str, words: int) -> str:
    return f"<td{_align(index, words)}>{mark if index == 0 else ''}{html.escape(text)}</td>"


def chart_figure(chart: Chart, title: str = "") -> str:
    """A chart that the page's script draws: its JSON within the figure, where no `<` can end it."""
    data = chart.to_bytes().decode().replace("<", "\\u003c").replace("&", "\\u0026")
    heading = f"<h4>{html.escape(title)}</h4>" if title else ""
    return (
        f"<div class='cell'>{heading}<figure class='chart' role='img' aria-label='{html.escape(chart.label)}' "
        f"style='height:{chart.height}px'><script type='application/json'>{data}</script></figure></div>"
    )


def _charts(charts: Sequence[Chart], titles: Sequence[str] = ()) -> str:
    named = zip(charts, itertools.chain(titles, itertools.repeat("")), strict=False)
    return f"<div class='charts'>{''.join(chart_figure(chart, title) for chart, title in named)}</div>"


def section(title: str, content: str, *, level: int = 2) -> str:
    """A part with its heading; nothing where there is no content."""
    return f"<section><h{level}>{html.escape(title)}</h{level}>{content}</section>" if content else ""


def _bullets(texts: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(text)}</li>' for text in texts)}</ul>"


# One run


def facts(subject: Subject) -> str:
    """What was trained on what, in one line."""
    summary, config = subject.summary, subject.config
    sizes = [f"{summary[f'num_{s}']:,} {s}" for s in ("train", "validation", "test") if f"num_{s}" in summary]
    parts = [
        subject.title,
        subject.images,
        f"{OPTIMIZERS[config.optimizer.name].title}, learning rate {config.optimizer.lr:g}" if config else "",
        f"{summary['num_params']:,} parameters" if "num_params" in summary else "",
        f"images: {', '.join(sizes)}" if sizes else "",
    ]
    return html.escape(" · ".join(part for part in parts if part))


def result(subject: Subject) -> str:
    """The number that counts with its interval, and the others beside it."""
    summary, interval = subject.summary, subject.test_interval
    tiles = [
        ("Best validation accuracy", percent(summary.get("best_val_accuracy"), 2), _best_words(summary)),
        ("Training accuracy", percent(summary.get("train_accuracy"), 2), "at the end"),
        ("Epochs", f"{summary.get('epoch', 0):,}", f"of {summary.get('epochs', 0):,} planned"),
        ("Training time", duration(summary.get("elapsed_s")), _machine(subject)),
    ]
    if interval is not None:
        low, high = interval
        words = (
            f"95 % interval {100 * low:.1f}–{100 * high:.1f} (Wilson), "
            f"{summary['test_correct']:,} of {summary['test_count']:,} right"
        )
        tiles.insert(0, ("Test accuracy", percent(summary["test_accuracy"], 2), words))
    shown = "".join(
        f"<div class='tile{' main' if index == 0 else ''}'><div class='label'>{html.escape(label)}</div>"
        f"<div class='value'>{html.escape(value)}</div><div class='note'>{html.escape(note)}</div></div>"
        for index, (label, value, note) in enumerate(tiles)
    )
    return f"<div class='tiles'>{shown}</div>"


def _best_words(summary: Any) -> str:
    return f"after epoch {summary['best_epoch']}" if summary.get("best_epoch") else "no validation images"


def _machine(subject: Subject) -> str:
    summary = subject.summary
    name = str(summary.get("device_name") or summary.get("device") or "")
    count = summary.get("threads") if summary.get("device") == "cpu" else None
    threads = f", {count} thread{'s' if count > 1 else ''}" if count else ""
    return f"on {name}{threads}" if name else ""


def caveats(subject: Subject) -> list[str]:
    """What a reader must know not to read too much into the numbers."""
    run, summary, config = subject.run, subject.summary, subject.config
    found = []
    if run.status != "finished":
        found.append(f"The run is {run.status}, at step {summary.get('step', 0):,}; these are the numbers until there.")
    if run.error:
        found.append(f"It ended with: {run.error}")
    found += _test_caveats(summary)
    if summary.get("split_note"):
        found.append(str(summary["split_note"]))
    if config and run.kind == "train":
        found.append(
            f"One run with seed {config.training.seed} (n = 1): another seed gives another number, and the interval "
            "does not cover that. Whether one network is better than another takes several seeds of each."
        )
    for change in subject.log.changes:
        values = change.values
        found.append(
            f"{values['setting']} was set to {values['value']:g} by hand after step {change.step:,}; the command below "
            "does not repeat that."
        )
    if run.attempt > 1:
        found.append(f"It was carried out in {run.attempt} attempts, each going on exactly from the last checkpoint.")
    return found


def _test_caveats(summary: Any) -> list[str]:
    if not known(summary.get("test_accuracy")):
        return [
            "The test images have not been scored. The validation accuracy chose the weights, so that it is a little "
            "higher than what new images would give."
        ]
    epoch, scored = summary.get("scored_epoch"), summary.get("test_scored", 1)
    which = "the best on the validation images" if epoch == summary.get("best_epoch") else "the last ones"
    times = "once" if scored == 1 else f"{scored} times; the more often, the less it says about new images"
    weights = f" with the weights of epoch {epoch}, {which}" if epoch else ""
    return [f"Test accuracy was measured{weights}. The test images were scored {times}."]


def evaluation(subject: Subject, level: int) -> str:
    """Which classes are confused, how well each is recognized, and examples."""
    found = subject.evaluation
    if found is None or not found.count:
        return ""
    classes = subject.classes(len(found.confusion))
    by_class = "Accuracy by class, with 95 % intervals (Wilson)"
    titles = ["Confusion matrix: rows are the true classes", by_class]
    content = f"<p class='soft'>Measured on {html.escape(subject.source)}: {found.count:,} images.</p>"
    content += _charts(evaluation_charts(subject), titles if len(classes) <= MAX_CLASSES else titles[1:])
    confused = top_confusions(found.confusion, classes, limit=10)
    if len(confused):
        rows = [[str(value) for value in row] for row in confused.itertuples(index=False)]
        content += f"<h4>Most frequent confusions</h4>{table(list(confused.columns), rows, words=2)}"
    if found.examples is not None and len(found.examples.labels):
        content += f"<h4>Predictions, wrong ones first</h4>{example_cards(found.examples, classes)}"
    return section("What it gets right and wrong", content, level=level)


def epochs(subject: Subject, level: int) -> str:
    """The table of all epochs, folded where it is long."""
    rows = subject.log.epochs
    if not rows:
        return ""
    columns = [column for column in _EPOCH_COLUMNS if any(row.get(column[0]) is not None for row in rows)]
    best = subject.summary.get("best_epoch")
    texts = [[_number(row.get(name), form) for name, _, form in columns] for row in rows]
    marks = ["<b class='best' title='best'>★</b> " if row.get("epoch") == best else "" for row in rows]
    content = table([title for _, title, _ in columns], texts, marks=marks, words=0)
    if len(rows) > FOLDED_EPOCHS:
        content = f"<details><summary>All {len(rows):,} epochs</summary>{content}</details>"
    return section("Epochs", content, level=level)


def _number(value: Any, form: str) -> str:
    if not isinstance(value, int | float):
        return "–"
    return percent(value, 2) if form == "%" else format(value, form)


def configuration(subject: Subject, level: int) -> str:
    """Every setting; what differs from the defaults is marked."""
    if subject.config is None:
        content = html.escape(json.dumps(subject.run.config, indent=2))
        words = "It was made by a version of the lab that had other settings; they are shown as they were stored."
        return section("Configuration", f"<p>{words}</p><pre>{content}</pre>", level=level)
    default = flatten(TrainConfig())
    values = flatten(subject.config)
    rows = [[name, format_value(value, name), format_value(default[name], name)] for name, value in values.items()]
    marks = ["<b class='changed' title='not the default'>●</b> " if row[1] != row[2] else "" for row in rows]
    full = table(["setting", "value", "default"], rows, marks=marks, words=3)
    changed = [row for row in rows if row[1] != row[2]]
    short = table(["differs from the defaults", "value", "default"], changed, words=3) if changed else ""
    return section(
        "Configuration", f"{short}<details><summary>All {len(rows)} settings</summary>{full}</details>", level=level
    )


def reproduction(subject: Subject, level: int) -> str:
    """The command that trains it again, and what the numbers depend on besides."""
    config, summary = subject.config, subject.summary
    if config is None or subject.run.kind != "train":
        return ""
    versions = summary.get("versions") or {}
    used = ", ".join(
        f"{ {'torch': 'PyTorch'}.get(name, name.capitalize()) } {value}" for name, value in versions.items()
    )
    exact = (
        "The same seed gives the same numbers bit for bit on a CPU with as many threads and the same versions; on a "
        "GPU only with training.deterministic=true."
    )
    notes = [
        f"Seeds: {config.training.seed} for the weights, the order of the images, augmentation and dropout; "
        f"{config.data.seed} for the division of the images.",
        f"Machine: {_machine(subject).removeprefix('on ') or 'not recorded'}; "
        f"precision {summary.get('precision', 'not recorded')}.",
        f"Versions: {used or 'not recorded'}.",
        exact,
    ]
    if not config.dataset_spec.num_train:
        notes.append("The images are on this machine; somebody else needs a copy of them.")
    text = command(config, nearest_preset(config))
    return section("Train it again", f"<pre>{html.escape(text)}</pre>{_bullets(notes)}", level=level)


def run_parts(subject: Subject, *, level: int = 2, curves: bool = True) -> str:
    """Everything about one run below its title; `level` is that of the headings."""
    parts = [result(subject), section("What to keep in mind", _bullets(caveats(subject)), level=level)]
    charts = run_charts(subject) if curves else []
    if charts:
        parts.append(section("Learning curves", _charts(charts), level=level))
    parts += [part(subject, level) for part in (evaluation, epochs, configuration, reproduction)]
    return "".join(parts)


# Several runs


def overview(subjects: Sequence[Subject]) -> str:
    """A row a run: what, how good, how long, in the color of its curves."""
    head = [
        "run",
        "network",
        "images",
        "seed",
        "test accuracy",
        "95 % (Wilson)",
        "best validation",
        "parameters",
        "time",
    ]
    rows = []
    for subject in subjects:
        summary, interval = subject.summary, subject.test_interval
        rows.append(
            [
                subject.run.name if subject.run.status == "finished" else f"{subject.run.name} ({subject.run.status})",
                subject.title,
                subject.images,
                str(subject.config.training.seed) if subject.config else "–",
                percent(summary.get("test_accuracy"), 2),
                f"{100 * interval[0]:.1f}–{100 * interval[1]:.1f}" if interval else "–",
                percent(summary.get("best_val_accuracy"), 2),
                f"{summary['num_params']:,}" if "num_params" in summary else "–",
                duration(summary.get("elapsed_s")),
            ]
        )
    return table(head, rows, marks=[_swatch(index) for index in range(len(subjects))], words=3)


def _swatch(index: int) -> str:
    color, dash = run_style(index)
    pattern = {"solid": "", "dash": "8 4", "dot": "2 3", "dashdot": "8 3 2 3"}[dash]
    return (
        "<svg class='swatch' width='26' height='8' aria-hidden='true'><line x1='1' x2='25' y1='4' y2='4' "
        f"stroke='{color}' stroke-width='3' stroke-dasharray='{pattern}'/></svg> "
    )


def differing(subjects: Sequence[Subject]) -> str:
    """The settings in which the runs differ, a column a run."""
    values = [flatten(subject.config) if subject.config else {} for subject in subjects]
    names = dict.fromkeys(itertools.chain.from_iterable(values))
    rows = []
    for name in names:
        texts = [format_value(each[name], name) if name in each else "–" for each in values]
        if len(set(texts)) > 1:
            rows.append([name, *texts])
    if not rows:
        return "<p>All settings are the same.</p>"
    return table(["setting", *(subject.run.name for subject in subjects)], rows, words=1 + len(subjects))


def by_seed(subjects: Sequence[Subject]) -> str:
    """Runs that differ in their seed only, together, and what the seeds say; empty where nothing has several seeds."""
    changed = {subject.run.id for subject in subjects if subject.log.changes}
    groups = group_runs([subject.run for subject in subjects], changed)
    values = [list(group.values("test_accuracy").values()) for group in groups]
    if all(len(scores) < 2 for scores in values):
        return ""
    rows = []
    for group, scores in zip(groups, values, strict=True):
        if scores:
            mean = mean_interval(scores)
            interval = f"{percent(mean.low, 2)} to {percent(mean.high, 2)}" if len(scores) > 1 else "–"
            spread = f"{percent(min(scores), 2)} to {percent(max(scores), 2)}" if len(scores) > 1 else "–"
            rows.append([group.label, str(len(scores)), percent(mean.value, 2), interval, spread])
    head = ["runs that differ in their seed only", "seeds", "mean test accuracy", "95 % (Student's t)", "range"]
    return table(head, rows) + _bullets(verdicts(groups, "test_accuracy", "test accuracy"))


def comparison_caveats(subjects: Sequence[Subject]) -> list[str]:
    """What a reader of several runs must know."""
    found = [
        "A difference between two runs can be chance: another seed moves each of them. Only several seeds of each "
        "configuration can tell; the intervals here are of the sampling of the test images alone.",
    ]
    if len({subject.images for subject in subjects}) > 1:
        found.append("The runs were trained on different images; their accuracies cannot be compared directly.")
    counts = {subject.summary.get("test_count") for subject in subjects} - {None}
    if len(counts) > 1:
        found.append("They were scored on test sets of different sizes.")
    overlapping = [subject.test_interval for subject in subjects if subject.test_interval]
    if len(overlapping) > 1 and max(low for low, _ in overlapping) <= min(high for _, high in overlapping):
        found.append("All the intervals of the test accuracies overlap.")
    return found


def _overlays(subjects: Sequence[Subject]) -> str:
    charts = overlay_charts(subjects)
    names = "".join(
        f"<span>{_swatch(index)}{html.escape(subject.run.name)}</span>" for index, subject in enumerate(subjects)
    )
    return f"<div class='legend'>{names}</div>{_charts(charts)}" if charts else ""


def comparison_parts(subjects: Sequence[Subject]) -> str:
    """The runs side by side, then each by itself."""
    parts = [
        section("The runs", overview(subjects)),
        section("What to keep in mind", _bullets(comparison_caveats(subjects))),
        section("Seeds", by_seed(subjects)),
        section("What differs", differing(subjects)),
        section("Learning curves", _overlays(subjects)),
    ]
    for index, subject in enumerate(subjects):
        title = f"<h2>{_swatch(index)}{html.escape(subject.run.name)}</h2><p class='soft'>{facts(subject)}</p>"
        parts.append(f"<article>{title}{run_parts(subject, level=3, curves=False)}</article>")
    return "".join(parts)
