"""Queues what is missing: more seeds of the selected runs, or a small grid around one of them, after a preview."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cnncore.config import FIELDS, flatten, format_value
from cnncore.errors import LabError
from cnncore.runs.groups import SEED, base_name, group_runs
from cnncore.runs.repeats import MAX_RUNS, MAX_SEEDS, Plan, plan_grid, plan_repeats, plan_seconds, queue_plan
from cnncore.runs.run import Run
from cnncore.runs.search import changed_runs
from cnncore.runs.store import ALL
from pages.components.form_fields import setting_title
from pages.components.lab import serve_queue, show_problem, store
from pages.components.run_words import read_config
from pages.components.wording import duration_text, plain

ACTION = "runs_action"
"""Key of the action that is chosen; None closes its panel."""
_NOTHING = ""
_FIRST_CHOICES = ("optimizer.lr", "training.batch_size", "optimizer.name", "model.name", "optimizer.weight_decay")
"""Settings that are varied most often; the others follow."""
_SETTINGS = (*_FIRST_CHOICES, *(name for name in FIELDS if name not in (*_FIRST_CHOICES, SEED)))


def draw_repeat(runs: Sequence[Run]) -> None:
    """More seeds for the configuration of each selected run."""
    st.caption("Runs that differ in the seed only form a group; three seeds or more say how far its results spread.")
    seeds = int(st.number_input("Seeds in all", min_value=1, max_value=MAX_SEEDS, value=5, key="runs_seeds", width=160))
    past, changed = store().list(kind="train", limit=ALL), changed_runs(store())
    plans: dict[str, Plan] = {}
    names: list[str] = []
    for group in group_runs(runs, changed):
        config = read_config(group.runs[0])
        if config is None:
            st.caption(f"{plain(group.label)} was made by another version of the lab and cannot be repeated.")
            continue
        plans[group.label] = plan_repeats(config, seeds, past, changed)
        names.append(base_name(group.runs[0]))
    st.dataframe(
        pd.DataFrame(
            {
                "Configuration": list(plans),
                "Seeds that exist": [plan.existing for plan in plans.values()],
                "Seeds to queue": [
                    ", ".join(str(each.training.seed) for each in plan.configs) for plan in plans.values()
                ],
            }
        ),
        hide_index=True,
        key="runs_repeat_preview",
    )
    _offer(list(zip(names, plans.values(), strict=True)), past, "runs_repeat")


def draw_grid(runs: Sequence[Run]) -> None:
    """Every combination of one or two settings around the first selected run."""
    base = read_config(runs[0])
    if base is None:
        st.caption("The first selected run was made by another version of the lab and cannot be varied.")
        return
    st.caption(
        f"Everything else is as in {plain(runs[0].name)}. Values with commas between them, for example 0.001, 0.003."
    )
    own = flatten(base)
    vary: dict[str, str] = {}
    for number, column in enumerate(st.columns(2)):
        with column:
            options = _SETTINGS if number == 0 else (_NOTHING, *_SETTINGS)
            name = st.selectbox(
                "Setting" if number == 0 else "Second setting",
                options,
                format_func=lambda name: setting_title(name) if name else "none",
                key=f"runs_vary_{number}",
            )
            if name:
                start = format_value(own[name], name)
                vary[name] = st.text_input("Values", value=start, key=f"runs_values_{number}_{name}", max_chars=500)
    seeds = int(
        st.number_input("Seeds of each", min_value=1, max_value=MAX_SEEDS, value=1, key="runs_grid_seeds", width=160)
    )
    past = store().list(kind="train", limit=ALL)
    try:
        plan = plan_grid(base, vary, seeds, past, changed_runs(store()))
    except LabError as error:
        show_problem(error)
        return
    names = [*vary, SEED]
    rows = [{name: format_value(flatten(config)[name], name) for name in names} for config in plan.configs]
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="runs_grid_preview", height=min(300, 40 + 36 * len(rows)))
    if plan.existing:
        there = (
            "1 of these runs exists already and is"
            if plan.existing == 1
            else f"{plan.existing} of these runs exist already and are"
        )
        st.caption(f"{there} not trained again.")
    _offer([("", plan)], past, "runs_grid")


def _offer(plans: Sequence[tuple[str, Plan]], past: Sequence[Run], key: str) -> None:
    """How many runs and how long, and the button that queues them; each plan with the name of its runs."""
    configs = tuple(config for _, plan in plans for config in plan.configs)
    count = len(configs)
    if not count:
        st.caption("Nothing is missing.")
        return
    if count > MAX_RUNS:
        st.caption(f"That would be {count:,} runs; at most {MAX_RUNS} are queued at once. Take fewer seeds.")
        return
    finished = [run for run in past if run.status == "finished"]
    seconds = plan_seconds(Plan(configs=configs), finished, socket.gethostname())
    time = (
        f"about {duration_text(seconds)} of training on this machine" if seconds else "nothing like them has run here"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        words = f"Queue {count} {'run' if count == 1 else 'runs'}"
        st.button(
            words, key=f"{key}_button", type="primary", icon=":material/playlist_add:", on_click=_queue, args=(plans,)
        )
        st.caption(time, width="content")


def _queue(plans: Sequence[tuple[str, Plan]]) -> None:
    made = [run for name, plan in plans for run in queue_plan(store(), plan, name=name)]
    serve_queue()
    st.session_state[ACTION] = None
    st.toast(
        f"{len(made)} {'run is' if len(made) == 1 else 'runs are'} in the queue.", icon=":material/playlist_add_check:"
    )
