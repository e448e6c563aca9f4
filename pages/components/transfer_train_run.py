"""A run on the Transfer page: the Train page's view of it, with the freeze diagram; switches act while it trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from cnncore.catalog import Stage, frozen_stages, stages_of
from cnncore.config import TrainConfig
from cnncore.errors import LabError
from cnncore.figures.intervals import wilson
from cnncore.images.store import open_sets
from cnncore.runs.events import Row
from cnncore.runs.run import Change, Run
from cnncore.transfer.costs import HEAD
from pages.components.lab import data_root, shown_errors, store
from pages.components.run_live import TICK_S, history
from pages.components.run_view import show_run
from pages.components.run_words import known, percent, read_config
from pages.components.transfer_link import change_link, go_to
from pages.components.transfer_run_link import settings_params
from pages.components.transfer_train_costs import show_cost
from pages.components.transfer_train_diagram import FROZEN, LEARNING, Tile, draw_diagram, draw_style
from pages.components.transfer_train_subject import sample_picture
from pages.components.wording import compact

SETTING = "transfer.frozen."
"""What the name of a live change of a stage begins with; 1 is frozen, 0 is learning."""
_LIVE = "transfer_live"


@dataclass(frozen=True, kw_only=True)
class Freezing:
    """What is frozen while a run is on.

    Attributes:
        frozen: Stages that are frozen now.
        asked: Stages that a person has switched and the training has not yet: whether each is to be frozen.
    """

    frozen: frozenset[str]
    asked: Mapping[str, bool]


def show_trained(run_id: str) -> None:
    """The run that the link names."""
    st.button(
        "New training",
        key="transfer_new",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=_leave,
        args=(run_id,),
        help="Back to the form, with the settings of this run.",
    )
    draw_style()
    show_run(run_id, before_curves=_show_freezing, after_result=_show_next)


def _leave(run_id: str) -> None:
    """Callback: the settings of the run, on the newest version of its image set."""
    with shown_errors():
        params = settings_params(store().get(run_id))
        st.query_params.from_dict({**params, "step": "train"})
        return
    change_link(run="")


def _show_next(run: Run) -> None:
    """Where to go from a run that is over."""
    if run.is_open or not run.summary.get("epoch"):
        return
    st.html(f"<div class='lab-note'>{_validation_words(run.summary)}</div>")
    st.button(
        "Next: use it",
        key="transfer_to_use",
        # Where it can go on, that is the first thing to do.
        type="primary" if run.status == "finished" else "secondary",
        icon=":material/center_focus_strong:",
        on_click=go_to,
        args=("use",),
        help="Try it on new images, see its mistakes, take it away.",
    )


def _validation_words(summary: Mapping[str, Any]) -> str:
    """How good it is and how sure that is; nothing where the test images say it better."""
    share, count = summary.get("best_val_accuracy"), summary.get("num_validation", 0)
    if not known(share) or not count or known(summary.get("test_accuracy")):
        return ""
    right = round(share * count)
    low, high = wilson(right, count)
    return (
        f"The best epoch gets <b>{right:,} of {count:,} validation images right: {percent(share)}</b> (Wilson's 95 % "
        f"interval {100 * low:.1f}–{100 * high:.1f}). It was chosen by these images, which flatters it a little; only "
        "images kept apart for a test tell how it does on new ones."
    )


def _show_freezing(run: Run) -> None:
    """The diagram; it moves by itself as long as the run is open."""
    config = read_config(run)
    if config is None or not config.transfer.active or run.kind != "train":
        return
    st.fragment(_draw_live, run_every=TICK_S if run.is_open else None)(run.id, config)


def _draw_live(run_id: str, config: TrainConfig) -> None:
    with shown_errors():
        run = store().get(run_id)
        log = history(run_id)
        log.refresh(store())
        now = freezing(config, store().changes(run_id) if run.is_open else (), log.freezes)
        num_classes = len(run.summary.get("classes", ())) or 2
        with st.container(border=True, key="transfer_live"):
            draw_diagram(
                _LIVE,
                [_tile(stage, config, now, run) for stage in stages_of(config.model.name)],
                on_switch=partial(_switch, run_id),
                image=_picture(config),
                cost=partial(show_cost, config, num_classes),
                head=lambda: _draw_head(config, num_classes),
                live=True,
            )
            st.html(f"<div class='lab-note'>{_words(run, moved=bool(log.freezes))}</div>")


def freezing(config: TrainConfig, changes: Sequence[Change], log: Sequence[Row]) -> Freezing:
    """What is frozen in a run now, and what will be as soon as the training sees it.

    Args:
        config: The run's configuration.
        changes: What persons asked for, in that order.
        log: Its rows of the phase "freeze": what was really frozen and unfrozen, when.
    """
    frozen = set(frozen_stages(config.model.name, config.transfer.frozen))
    seen: dict[str, int] = {}
    for row in log:
        for stage, value in row.values.items():
            (frozen.add if value else frozen.discard)(stage)
            seen[stage] = row.step
    wanted = {stage.key: stage.key in frozen for stage in stages_of(config.model.name)}
    for change in changes:
        stage = change.setting.removeprefix(SETTING)
        # A change is logged a moment after it was taken; what the schedule did later wins over it.
        if change.setting.startswith(SETTING) and (change.step is None or change.step >= seen.get(stage, -1)):
            wanted[stage] = change.value > 0
    asked = {stage: value for stage, value in wanted.items() if value != (stage in frozen)}
    return Freezing(frozen=frozenset(frozen), asked=asked)


def _tile(stage: Stage, config: TrainConfig, now: Freezing, run: Run) -> Tile:
    key = stage.key
    stages = [each.key for each in stages_of(config.model.name)]
    factors = dict(zip(stages, config.transfer.stage_lr, strict=False))
    to_freeze = now.asked.get(key)
    notes = {None: "", True: f"{LEARNING} → {FROZEN}", False: f"{FROZEN} → {LEARNING}"}
    return Tile(
        key=key,
        title=stage.title,
        learning=key not in now.frozen if to_freeze is None else not to_freeze,
        note=notes[to_freeze],
        rate=factors.get(key, 1.0),
        fixed=not run.is_open,
    )


def _switch(run_id: str, stage: str, learns: bool) -> None:
    """Callback of a switch: ask the training to freeze or unfreeze the stage."""
    with shown_errors():
        store().ask_change(run_id, f"{SETTING}{stage}", 0.0 if learns else 1.0)


def _picture(config: TrainConfig) -> str:
    size = config.data.image_size
    try:
        picture = sample_picture(open_sets(data_root()).at(config.data.image_set or ""))
    except LabError:
        picture = ""
    return f"{picture}<span>{size} × {size}<br>pixels</span>"


def _draw_head(config: TrainConfig, num_classes: int) -> None:
    st.markdown(LEARNING)
    words = {"network": "the network's own", "linear": "one layer", "hidden": "with a hidden layer"}
    st.caption(words[config.transfer.head])
    show_cost(config, num_classes, HEAD)


def _words(run: Run, *, moved: bool) -> str:
    """How much learns, and what the switches do; `moved` says whether stages were frozen or unfrozen on the way."""
    total, trainable = run.summary.get("num_params"), run.summary.get("num_trainable")
    share = f"{compact(trainable)} of {compact(total)} parameters" if total and trainable else ""
    if run.is_open:
        return (
            f"{share and f'{share} learn now. '}A switch acts within a second, between two steps; the moment is marked "
            "on the curves and repeated when the run is resumed."
        )
    marks = " The dotted lines in the curves show when stages were frozen or began to learn." if moved else ""
    return f"{share and f'At the end {share} learned.'}{marks}" or "The run is over."
