"""What a run has learned: its test result, and after every epoch which classes and images it gets wrong."""

from __future__ import annotations

import html
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from cnncore.figures.confusion import MAX_CLASSES, confusion, top_confusions
from cnncore.figures.examples import example_cards
from cnncore.figures.intervals import wilson
from cnncore.figures.per_class import per_class, per_class_table
from cnncore.runs.artifacts import TEST, epoch_file, load_evaluation, run_dir
from cnncore.runs.events import Evaluation
from cnncore.runs.history import History
from cnncore.runs.store import Run
from pages.components.lab import artifacts, shown_errors, store
from pages.components.live_chart import still_chart
from pages.components.run_files import PERCENT, show_epochs, show_files
from pages.components.run_live import RESULTS, history
from pages.components.run_words import known, percent
from pages.components.wording import plain

_COUNTS, _SHARES = "Images", "% of the class"


def show_outcome(run: Run) -> None:
    """Why a run ended early, or how well it does on images it has never seen; nothing while it is on."""
    with st.container(key="run_outcome"):
        if run.error:
            st.error(plain(f"{run.error} {run.hint or ''}".strip()), icon=":material/error:")
        if not run.is_open and known(run.summary.get("test_accuracy")):
            st.html(test_words(run))


def test_words(run: Run) -> str:
    """The test accuracy with its interval and where it comes from, as HTML."""
    summary = run.summary
    correct, count = summary.get("test_correct", 0), summary.get("test_count", 0)
    low, high = wilson(correct, count)
    epoch = summary.get("scored_epoch")
    best = epoch is not None and epoch == summary.get("best_epoch")
    weights = f"the weights of epoch {epoch}, {'the best on the validation images' if best else 'the last ones'}"
    scored = summary.get("test_scored", 1)
    times = "once" if scored == 1 else f"{scored} times; the more often, the less it says about new images"
    notes = [
        f"Measured with {weights}." if epoch else "",
        f"The test images were scored {times}.",
        "The range in brackets is Wilson's 95 % interval.",
        html.escape(summary.get("split_note") or ""),
    ]
    return (
        "<div class='lab-result lab-numbers'><div style='opacity:.75'>Test accuracy</div>"
        f"<div style='font-size:1.2rem'><b style='font-size:2.4rem'>{percent(summary['test_accuracy'])}</b> "
        f"({100 * low:.1f}–{100 * high:.1f}), {correct:,} of {count:,} right</div>"
        f"<div class='lab-note'>{' '.join(note for note in notes if note)}</div></div>"
    )


def show_results(run: Run) -> None:
    """The latest evaluation and the table of epochs, drawn again only when an epoch has ended; then the files."""
    st.subheader("What it gets right and wrong", anchor=False)
    st.fragment(_results, key=RESULTS)(run.id)
    if not run.is_open:
        show_files(run)


def _results(run_id: str) -> None:
    with shown_errors():
        run, log = store().get(run_id), history(run_id)
        log.refresh(store())
        sources = _sources(run, log)
        if not sources:
            st.caption("After the first epoch: which classes are confused, how well each is recognized, and examples.")
        else:
            _show_evaluation(run, log, sources)
        show_epochs(log)


@dataclass(frozen=True)
class _Source:
    """An evaluation that can be shown; `stamp` tells it from an older one in the same file."""

    label: str
    path: Path
    stamp: Hashable


def _sources(run: Run, log: History) -> dict[str, _Source]:
    folder = run_dir(artifacts(), run.id)
    summary = run.summary
    candidates: dict[str, _Source] = {}
    if log.epochs:
        epoch = int(log.epochs[-1]["epoch"])
        path = folder / epoch_file(epoch)
        candidates["latest"] = _Source(f"Latest epoch ({epoch})", path, (run.attempt, epoch))
    best = summary.get("best_epoch")
    if best:
        candidates["best"] = _Source(f"Best epoch ({best})", folder / epoch_file(best), (run.attempt, best))
    if "test_accuracy" in summary:
        candidates["test"] = _Source("Test images", folder / TEST, (run.attempt, summary.get("test_scored")))
    return {name: source for name, source in candidates.items() if source.path.is_file()}


def _show_evaluation(run: Run, log: History, sources: dict[str, _Source]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="run_results_view"):
        choice = st.segmented_control(
            "Evaluation of",
            list(sources),
            default=next(iter(sources)),
            required=True,
            format_func=lambda name: sources[name].label,
            key="run_evaluation",
        )
        unit = st.segmented_control(
            "Confusion matrix in", [_COUNTS, _SHARES], default=_COUNTS, required=True, key="run_confusion_unit"
        )
    source = sources.get(choice) or next(iter(sources.values()))
    evaluation = log.drawn(("evaluation", source.path.name), source.stamp, lambda: load_evaluation(source.path))
    if evaluation is None:
        return
    classes = _class_names(run, len(evaluation.confusion))
    left, right = st.columns(2)
    with left:
        _show_confusion(evaluation, classes, percent=unit == _SHARES)
    with right:
        st.markdown(f"**Accuracy by class**, of {evaluation.count:,} images")
        still_chart(per_class(evaluation.confusion, classes, evaluation.split), key="run_per_class")
    if evaluation.examples is not None and len(evaluation.examples.labels):
        st.markdown("**Predictions**, wrong ones first")
        examples = evaluation.examples
        st.html(log.drawn(("cards", source.path.name), source.stamp, lambda: example_cards(examples, classes)))
    with st.expander("These numbers as a table", icon=":material/table:"):
        _show_tables(evaluation, classes)


def _show_confusion(evaluation: Evaluation, classes: Sequence[str], *, percent: bool) -> None:
    st.markdown("**Confusion matrix**: rows are the true classes")
    if len(classes) > MAX_CLASSES:
        st.dataframe(top_confusions(evaluation.confusion, classes), hide_index=True, height=440)
    else:
        still_chart(confusion(evaluation.confusion, classes, percent=percent), key="run_confusion")


def _show_tables(evaluation: Evaluation, classes: Sequence[str]) -> None:
    table, shares = per_class_table(evaluation.confusion, classes), ["accuracy", "low", "high"]
    table[shares] *= 100
    st.dataframe(table, hide_index=True, column_config=dict.fromkeys(shares, PERCENT))
    matrix = pd.DataFrame(evaluation.confusion, index=list(classes), columns=list(classes))
    if matrix.columns.is_unique:
        st.dataframe(matrix)


def _class_names(run: Run, count: int) -> list[str]:
    names = [str(name) for name in run.summary.get("classes", ())]
    return names if len(names) == count else [str(index) for index in range(count)]
