"""Frozen against fine-tuned against from scratch: one button queues all three with seeds, the answer fills in."""

from __future__ import annotations

import math
import socket
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import pandas as pd
import streamlit as st

from cnncore.errors import ConfigError
from cnncore.figures.approaches import approach_dots
from cnncore.runs.approaches import (
    APPROACHES,
    DEFAULT_SEEDS,
    MAX_SEEDS,
    Comparison,
    compare_approaches,
    differing_settings,
    result_name,
)
from cnncore.runs.groups import Group, verdicts
from cnncore.runs.repeats import Plan, plan_seconds, queue_plan
from cnncore.runs.run import Run
from cnncore.runs.search import Search, changed_runs, find_runs
from cnncore.runs.statistics import mean_interval
from cnncore.runs.store import ALL
from cnncore.transfer.costs import outlook
from pages.components.clicks import clicked
from pages.components.form_fields import setting_title
from pages.components.lab import look_after, serve_queue, shown_errors, store
from pages.components.live_chart import still_chart
from pages.components.navigation import COMPARE
from pages.components.run_words import duration, fraction_done, percent, progress_words, read_config
from pages.components.transfer_link import go_to
from pages.components.transfer_train_costs import Costs, known_costs
from pages.components.waiting import fill_in
from pages.components.wording import duration_text, plain

_TICK_S = 2.0
_SEEDS = "transfer_compare_seeds"
_RESULTS = {"test_accuracy": "test accuracy", "best_val_accuracy": "validation accuracy"}


def show_comparison(run: Run) -> None:
    """Draw this view."""
    st.markdown(
        "**What was freezing worth?** The same images, epochs and augmentation in three ways: with the pretrained "
        "weights frozen, with all of them fine-tuned, and from random weights."
    )
    comparison = _comparison(run)
    if comparison is None:
        return
    count = len(_open_runs(comparison))
    st.fragment(_results, run_every=_TICK_S if count else None)(comparison, count)
    fill_in("transfer_compare", lambda: _offer(comparison, run))


def _comparison(run: Run) -> Comparison | None:
    """The comparison that a run belongs to; from-scratch runs find it by their tag."""
    tags = [tag for tag in run.tags if tag.startswith("approaches-")]
    relatives = find_runs(store(), Search(tag=tags[0])) if tags else ()
    problem: ConfigError | None = None
    for candidate in (run, *relatives):
        config = read_config(candidate)
        if config is None:
            continue
        try:
            return compare_approaches(config)
        except ConfigError as error:
            problem = problem or error
    reason = f"{problem.message} {problem.hint}" if problem else "Its settings are of another version of the lab."
    st.info(plain(reason), icon=":material/balance:")
    st.button(
        "Choose a backbone",
        icon=":material/account_tree:",
        key="transfer_compare_backbone",
        on_click=go_to,
        args=("backbone",),
        kwargs={"run": ""},
    )
    return None


def _past() -> tuple[Run, ...]:
    return store().list(kind="train", limit=ALL)


def _open_runs(comparison: Comparison) -> tuple[Run, ...]:
    groups = comparison.groups(_past(), changed_runs(store()))
    return tuple(run for group in groups.values() for run in group.runs if run.is_open)


def _results(comparison: Comparison, drawn: int) -> None:
    """The answer as far as it is known; the whole page follows when a run has ended."""
    with shown_errors():
        groups = comparison.groups(_past(), changed_runs(store()))
        on = [run for group in groups.values() for run in group.runs if run.is_open]
        if len(on) != drawn:
            st.rerun()
        _show_answer(comparison, groups)
        if on:
            _show_progress(on)


# The answer


def _show_answer(comparison: Comparison, groups: Mapping[str, Group]) -> None:
    name = result_name(list(groups.values()))
    what = _RESULTS[name]
    values = {group.label: list(group.values(name).values()) for group in groups.values()}
    left, right = st.columns([5, 4], gap="medium")
    with left:
        still_chart(approach_dots(values, what), key="transfer_compare_chart")
    with right:
        if any(values.values()):
            told = verdicts(list(groups.values()), name, what)
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in told))
        else:
            st.html("<div class='lab-empty' style='margin-top:2.5rem'>The answer in words appears here.</div>")
    st.dataframe(
        pd.DataFrame([_row(key, group, comparison, name) for key, group in groups.items()]),
        hide_index=True,
        key="transfer_compare_table",
        placeholder="–",
        column_config={
            "Starts and learns": st.column_config.TextColumn(width="large"),
            "Time, mean": st.column_config.TextColumn(
                help="From the start of the process to the result: loading, computing features, training, scoring."
            ),
        },
    )
    _show_notes(comparison, name)


def _row(key: str, group: Group, comparison: Comparison, name: str) -> dict[str, Any]:
    values = list(group.values(name).values())
    mean = mean_interval(values) if values else None
    spread = f" ± {100 * (mean.high - mean.value):.1f}" if mean and math.isfinite(mean.high) else ""
    seconds = _seconds(group)
    return {
        "Approach": group.label,
        "Starts and learns": APPROACHES[key].about,
        "Learning rate": f"{comparison.configs[key].optimizer.lr:g}",
        "Seeds": f"{len(values)} of {len(group.runs)}" if group.runs else None,
        _RESULTS[name].capitalize(): f"{percent(mean.value)}{spread}" if mean else None,
        "Time, mean": duration(fmean(seconds)) if seconds else None,
    }


def _seconds(group: Group) -> list[float]:
    """From the start of the process to the result, of runs that went through at once."""
    return [
        run.ended - run.started
        for run in group.runs
        if run.status == "finished" and run.attempt <= 1 and run.started is not None and run.ended is not None
    ]


def _show_notes(comparison: Comparison, name: str) -> None:
    epochs = comparison.configs["frozen"].training.epochs
    validation = (
        " The best epoch was chosen on the same validation images, which flatters each of the three a little."
        if name == "best_val_accuracy"
        else ""
    )
    st.caption(
        "Dots: seeds; diamond and bar: their mean and Student's 95 % interval, which covers the choice of the seed, "
        "not that of the images. Where nothing differs, one of the three still seems to in about one case of seven."
        f"{validation} All three have {epochs:,} {'epoch' if epochs == 1 else 'epochs'}; from "
        "random weights many more may be needed. Features of a frozen network are computed once and shared by its "
        "seeds, so the first one takes longest."
    )
    with st.expander("What differs between the three", icon=":material/difference:"):
        found = differing_settings(comparison)
        columns = [approach.title for approach in APPROACHES.values()]
        rows = [["none" if value in (None, ()) else _text(value) for value in values] for values in found.values()]
        st.dataframe(pd.DataFrame(rows, index=[setting_title(name) for name in found], columns=columns))
        st.caption("Everything else is the same.")


def _text(value: Any) -> str:
    return (
        ", ".join(map(str, value))
        if isinstance(value, tuple)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _show_progress(on: Sequence[Run]) -> None:
    busy = next((run for run in on if run.status != "queued"), on[-1])
    look_after(busy)
    st.progress(fraction_done(busy), text=f"{plain(busy.name)}: {progress_words(busy)}")
    st.caption(f"{len(on)} of them {'is' if len(on) == 1 else 'are'} on or in the queue; this page may be closed.")


# The offer


def _offer(comparison: Comparison, run: Run) -> None:
    past, changed = _past(), changed_runs(store())
    groups = comparison.groups(past, changed)
    queued = max((len(group.runs) for group in groups.values()), default=0)
    is_on = any(each.is_open for group in groups.values() for each in group.runs)
    st.session_state.setdefault(_SEEDS, min(MAX_SEEDS, max(queued, 1) if is_on else DEFAULT_SEEDS))
    with st.container(horizontal=True, vertical_alignment="bottom", key="transfer_compare_offer"):
        st.segmented_control(
            "Seeds of each",
            list(range(1, MAX_SEEDS + 1)),
            required=True,
            key=_SEEDS,
            help="Each seed is one training with other random numbers. From two on there is an interval; one says "
            "nothing about chance.",
        )
        seeds = int(st.session_state[_SEEDS] or DEFAULT_SEEDS)
        plans = comparison.plans(seeds, past, changed)
        count = sum(len(plan.configs) for plan in plans.values())
        words = f"Queue {count} {'training' if count == 1 else 'trainings'}" if count else "Nothing is missing"
        if clicked(
            words, type="primary", icon=":material/playlist_add:", key="transfer_compare_queue", disabled=not count
        ):
            _queue(comparison, seeds)
            st.rerun()
        st.page_link(
            COMPARE,
            label="All of their curves",
            icon=":material/show_chart:",
            query_params={"view": "runs", "tag": comparison.tag},
        )
    if count:
        st.caption(_cost(comparison, plans, past, run))


def _cost(comparison: Comparison, plans: Mapping[str, Plan], past: Sequence[Run], run: Run) -> str:
    """About how long each approach takes on this machine: from runs like it, else from the time of its steps."""
    finished, host = [each for each in past if each.status == "finished"], socket.gethostname()
    costs = known_costs(comparison.configs["frozen"], len(run.summary.get("classes", ())), measure=True)
    known: list[str] = []
    unknown: list[str] = []
    for key, plan in plans.items():
        if plan.configs:
            title = APPROACHES[key].title.lower()
            seconds = plan_seconds(plan, finished, host) or _from_steps(costs, plan, run)
            (known if seconds else unknown).append(f"{title} ≈ {duration_text(seconds)}" if seconds else title)
    told = f"Computing time on this machine: {', '.join(known)}." if known else ""
    if unknown:
        waiting = "being measured…" if costs.measuring else "known after the first one."
        told = f"{told} {' and '.join(unknown).capitalize()}: {waiting}"
    return told.strip()


def _from_steps(costs: Costs, plan: Plan, run: Run) -> float | None:
    """What the steps of the missing runs take together, features included where they are kept."""
    num_train, config = run.summary.get("num_train"), plan.configs[0]
    found = outlook(costs.network, config) if costs.network else None
    if found is None or found.step_s is None or not num_train:
        return None
    steps = math.ceil(num_train / config.training.batch_size) * config.training.epochs
    return len(plan.configs) * found.step_s * steps + (found.first_s or 0.0) * num_train


def _queue(comparison: Comparison, seeds: int) -> None:
    """Queue what is missing, one seed of each approach after the other, so that the answer narrows evenly."""
    plans = comparison.plans(seeds, _past(), changed_runs(store()))
    ordered = sorted(
        ((place, key, config) for key, plan in plans.items() for place, config in enumerate(plan.configs)),
        key=lambda each: each[0],
    )
    for _, key, config in ordered:
        name = f"{config.model_spec.title}, {APPROACHES[key].title.lower()}"
        queue_plan(store(), Plan(configs=(config,)), name=name, tags=(comparison.tag,))
    serve_queue()
    st.toast(f"{len(ordered)} trainings are in the queue.", icon=":material/playlist_add_check:")
