"""What the selected runs reached, part by part: settings, groups, confusions, classes, costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from cnncore.figures.compared import MAX_CLASSES, Scored, against_parameters, against_time, class_dots, class_table
from cnncore.figures.confusion import MAX_CLASSES as MAX_MATRIX
from cnncore.figures.confusion import confusion, top_confusions
from cnncore.runs.artifacts import TEST, epoch_file, load_evaluation, run_dir
from cnncore.runs.events import Evaluation
from cnncore.runs.groups import Group, differing, verdicts
from cnncore.runs.run import Run
from cnncore.runs.statistics import mean_interval
from pages.components.compare_runs_curves import Compared, follow
from pages.components.form_fields import setting_title
from pages.components.lab import artifacts
from pages.components.live_chart import still_chart
from pages.components.run_words import known
from pages.components.wording import plain

MAX_MATRICES = 6
"""Confusion matrices that are shown beside each other; two in a row."""
_KEY = "runs_show"


def show_details(compared: Sequence[Compared], detail: str) -> None:
    """One part at a time, the one that the link names."""
    st.session_state[_KEY] = detail
    st.segmented_control(
        "More about them",
        list(_PARTS),
        format_func=lambda name: _PARTS[name][0],
        required=True,
        key=_KEY,
        label_visibility="collapsed",
        on_change=follow,
        args=("show", _KEY, "settings"),
    )
    with st.container(key=f"runs_part_{detail}"):
        _PARTS[detail][1](compared)


def _runs(compared: Sequence[Compared]) -> list[Run]:
    return [run for one in compared for run in one.group.runs]


def _names(runs: Sequence[Run]) -> list[str]:
    """Names that are all different, for the columns of a table."""
    names = [run.name for run in runs]
    return [name if names.count(name) == 1 else f"{name} ({run.id[:6]})" for name, run in zip(names, runs, strict=True)]


# Settings


def _settings(compared: Sequence[Compared]) -> None:
    runs = _runs(compared)
    if len(runs) < 2:
        st.caption("Select a second run to see in which settings they differ.")
        return
    found = differing(runs)
    if not found:
        st.caption("All settings are the same, the seed too.")
        return
    table = pd.DataFrame(list(found.values()), index=[setting_title(name) for name in found], columns=_names(runs))
    st.dataframe(table, key="runs_settings")
    st.caption("Only settings that differ; everything else is the same in all selected runs.")


# Groups


def _groups(compared: Sequence[Compared]) -> None:
    groups = [one.group for one in compared]
    rows = [_group_row(group) for group in groups]
    share = st.column_config.NumberColumn(format="percent")
    columns = ("Test, mean", "Validation, mean")
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="runs_groups", column_config=dict.fromkeys(columns, share))
    if len(groups) > 1:
        told = verdicts(groups, "test_accuracy", "test accuracy")
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in told))
    st.caption(
        "Runs that differ in the seed only are a group. ± is half the width of Student's 95 % t-interval of the mean; "
        "it covers the choice of the seed, not that of the test images. Runs of which a setting was changed on the way "
        "stand alone; unfinished runs do not count, and a seed counts once."
    )


def _group_row(group: Group) -> dict[str, Any]:
    row: dict[str, Any] = {"Group": group.label, "Runs": len(group.runs)}
    for title, name in (("Test", "test_accuracy"), ("Validation", "best_val_accuracy")):
        values = list(group.values(name).values())
        mean = mean_interval(values) if values else None
        row["Seeds finished"] = max(row.get("Seeds finished", 0), len(values))
        row[f"{title}, mean"] = mean.value if mean else None
        row[f"{title}, ±"] = f"{100 * (mean.high - mean.value):.2f}" if mean and math.isfinite(mean.high) else "–"
    return row


# Confusions and classes


@st.cache_data(show_spinner=False, max_entries=64)
def _evaluation(run_id: str, file: str, stamp: str) -> Evaluation | None:
    """`stamp` tells an evaluation from an older one in the same file."""
    return load_evaluation(run_dir(artifacts(), run_id) / file)


def _evaluations(compared: Sequence[Compared]) -> list[tuple[Run, str, Evaluation]]:
    """Runs with their color and the evaluation on the test images, else that of the best epoch."""
    found: list[tuple[Run, str, Evaluation]] = []
    for one in compared:
        for run in one.group.runs:
            epoch = run.summary.get("best_epoch") or run.summary.get("epoch")
            file = TEST if "test_accuracy" in run.summary else epoch_file(int(epoch)) if epoch else ""
            stamp = f"{run.attempt} {run.summary.get('test_scored')} {epoch}"
            evaluation = _evaluation(run.id, file, stamp) if file else None
            if evaluation is not None:
                found.append((run, one.style[0], evaluation))
    return found


def _confusions(compared: Sequence[Compared]) -> None:
    found = _evaluations(compared)
    if not found:
        st.caption("A run's confusion matrix appears after its first epoch.")
        return
    for start in range(0, min(len(found), MAX_MATRICES), 2):
        for column, (run, _, evaluation) in zip(st.columns(2), found[start : start + 2], strict=False):
            with column:
                _matrix(run, evaluation)
    if len(found) > MAX_MATRICES:
        st.caption(f"The first {MAX_MATRICES} of {len(found)} runs; select fewer to see the others.")


def _matrix(run: Run, evaluation: Evaluation) -> None:
    st.markdown(f"**{plain(run.name)}**, {evaluation.count:,} {evaluation.split} images")
    classes = _classes(run, len(evaluation.confusion))
    if len(classes) > MAX_MATRIX:
        st.dataframe(top_confusions(evaluation.confusion, classes), hide_index=True, height=440)
    else:
        still_chart(confusion(evaluation.confusion, classes, percent=True), key=f"runs_confusion_{run.id}")


def _class_differences(compared: Sequence[Compared]) -> None:
    found = _evaluations(compared)
    if not found:
        st.caption("Accuracies class by class appear after the first epoch.")
        return
    first = _classes(found[0][0], len(found[0][2].confusion))
    same = [
        (run, color, evaluation)
        for run, color, evaluation in found
        if _classes(run, len(evaluation.confusion)) == first and evaluation.split == found[0][2].split
    ]
    runs, matrices = [run for run, *_ in same], [evaluation.confusion for *_, evaluation in same]
    names = _names(runs)
    st.markdown("**Accuracy by class**, the largest difference first")
    still_chart(class_dots(matrices, names, [color for _, color, _ in same], first), key="runs_classes")
    left_out = len(found) - len(same)
    notes = [
        f"The {MAX_CLASSES} classes that differ most of {len(first)}." if len(first) > MAX_CLASSES else "",
        f"{left_out} of the runs know other classes or were scored on other images; left out." if left_out else "",
        "Bars: Wilson's 95 % intervals.",
    ]
    st.caption(" ".join(note for note in notes if note))
    table = class_table(matrices, names, first)
    share = st.column_config.NumberColumn(format="percent")
    with st.expander("These numbers as a table", icon=":material/table:"):
        st.dataframe(table, hide_index=True, column_config=dict.fromkeys([*names, "apart"], share))


def _classes(run: Run, count: int) -> list[str]:
    names = [str(name) for name in run.summary.get("classes", ())]
    return names if len(names) == count else [str(index) for index in range(count)]


# Costs


def _costs(compared: Sequence[Compared]) -> None:
    scored = [
        _scored(run, one)
        for one in compared
        for run in one.group.runs
        if known(run.summary.get("test_accuracy")) and run.summary.get("test_count")
    ]
    left, right = st.columns(2)
    with left:
        still_chart(against_parameters(scored), key="runs_parameters")
    with right:
        still_chart(against_time(scored), key="runs_time")
    datasets = {str((run.config.get("data") or {}).get("dataset")) for run in _runs(compared)}
    mixed = (
        " These runs were scored on different test images: read their heights with care." if len(datasets) > 1 else ""
    )
    st.caption(f"Bars: Wilson's 95 % intervals of the test accuracy. Times hold for the machine of each run.{mixed}")


def _scored(run: Run, one: Compared) -> Scored:
    def number(name: str) -> float:
        return float(run.summary[name]) if known(run.summary.get(name)) else math.nan

    return Scored(
        name=run.name,
        group=one.index,
        color=one.style[0],
        correct=int(run.summary["test_correct"]),
        count=int(run.summary["test_count"]),
        num_params=number("num_params"),
        seconds=number("elapsed_s"),
    )


_PARTS: dict[str, tuple[str, Callable[[Sequence[Compared]], None]]] = {
    "settings": ("Settings", _settings),
    "groups": ("Groups", _groups),
    "confusion": ("Confusions", _confusions),
    "classes": ("Classes", _class_differences),
    "cost": ("Accuracy and cost", _costs),
}
