"""The figure of the lesson on reading curves: recorded trainings, one at a time; what is wrong with each?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import streamlit as st
from pydantic import AfterValidator, Field

from cnncore.catalog import DEFAULT_PRESET
from cnncore.config import TrainConfig, parse_value, replace
from cnncore.errors import ConfigError
from cnncore.figures import theme
from cnncore.lessons.curves import CASES, DIAGNOSES, Case
from cnncore.lessons.recordings import COMMAND, Recording, read_recorded
from pages.components.lesson_board import draw_board
from pages.components.lesson_state import LessonState, change_state, read_state
from pages.components.links import link_params
from pages.components.navigation import TRAIN

MOST_EPOCHS = 100
_KEYS = list(CASES)
_LOG_FROM = 100.0
"""Highest loss from which on the axis is logarithmic."""
_FIRST_EPOCHS = 0.2
"""Steps before that do not decide how far the axis goes."""
_LOSS_ROOM, _MOST_BEYOND = 1.05, 1.2


def _checked(said: str) -> str:
    """The answers so far, by case, with dots between them; empty where there is none yet.

    Raises:
        ConfigError: where one is no diagnosis, or there are more than cases.
    """
    parts = said.split(".") if said else []
    if unknown := [part for part in parts if part and part not in DIAGNOSES]:
        raise ConfigError("said", f"{unknown[0][:20]!r} is no diagnosis.", f"Allowed: {', '.join(DIAGNOSES)}.")
    if len(parts) > len(CASES):
        raise ConfigError("said", f"There are {len(CASES)} cases, not {len(parts)}.", "One answer a case is read.")
    return said


class CurvesState(LessonState):
    """What the link says."""

    case: Annotated[int, Field(ge=1, le=len(CASES))] = 1
    said: Annotated[str, AfterValidator(_checked), Field(title="answers")] = ""
    epoch: Annotated[int, Field(ge=0, le=MOST_EPOCHS)] = 0

    @property
    def answers(self) -> list[str]:
        """What was said of each case, "" for nothing."""
        parts = self.said.split(".")
        return [*parts, *[""] * (len(CASES) - len(parts))]


def show_curves() -> None:
    """Draw the figure."""
    state = read_state(CurvesState)
    key = _KEYS[state.case - 1]
    case, recording = CASES[key], read_recorded().recordings[key]
    _choose_case(state)
    st.markdown(setting_out(recording))
    said = state.answers[state.case - 1]
    data, arrays = drawn(case, recording, marked=bool(said))
    draw_board("curves", state, data, arrays)
    _ask(state, said)
    with st.container(key="learn_curves_verdict", border=False):
        if said:
            _explain(state, case, recording, said)
        else:
            st.caption("The explanation appears here once you have answered.")
    _tell_source()


def drawn(case: Case, recording: Recording, *, marked: bool) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the browser draws: facts and arrays; accuracies in percent, losses as logarithms where the axis is.

    Args:
        case: Of CASES.
        recording: How it went.
        marked: Whether the stretch is marked in which one sees what is the matter.
    """
    chart, (first, last) = case.chart, case.span(recording)
    untested = np.isnan(recording.test_accuracy)
    shares = np.concatenate((recording.train_accuracy, recording.val_accuracy))
    data = {
        "high": float(recording.num_epochs or recording.step_epochs[-1]),
        "loss": _loss_axis(recording),
        "accuracy": [float(np.floor(10 * shares.min()) * 10) if len(shares) else 0.0, 100.0],
        "every": recording.every,
        "test": None if untested else 100 * recording.test_accuracy,
        "scored": recording.scored_epoch,
        "stopped": recording.stopped,
        "band": {"chart": chart, "from": first, "to": last, "words": case.where} if marked else None,
        "colors": theme.SPLIT_COLORS,
    }
    arrays = {name: getattr(recording, name) for name in ("step_epochs", "step_loss", "train_loss", "val_loss")}
    if data["loss"]["log"]:
        arrays["step_loss"] = np.log10(recording.step_loss)
    arrays |= {name: 100 * getattr(recording, name) for name in ("train_accuracy", "val_accuracy")}
    return data, arrays


def _loss_axis(recording: Recording) -> dict[str, Any]:
    """Its ends, as logarithms to the base of ten where it is logarithmic.

    With the highest loss of steps where that of the first ones lies beyond it: they would flatten the rest.
    """
    highest = recording.highest_loss
    if highest >= _LOG_FROM:
        low = np.floor(np.log10(np.nanmin(recording.step_loss)))
        return {"range": [float(low), float(np.ceil(np.log10(highest)))], "log": True, "beyond": None}
    later = recording.step_loss[recording.step_epochs > _FIRST_EPOCHS]
    high = _LOSS_ROOM * float(np.concatenate((later, recording.train_loss, recording.val_loss)).max())
    return {"range": [0.0, high], "log": False, "beyond": highest if highest > _MOST_BEYOND * high else None}


def setting_out(recording: Recording) -> str:
    """What is known before one looks at the curves."""
    return (
        f"Built-in digits of ten classes: **{recording.num_train:,}** training images, {recording.num_validation:,} "
        f"for validation, {recording.num_test:,} for the test. The network has **{recording.num_params:,}** parameters."
    )


def train_params(case: Case, recording: Recording) -> Mapping[str, str] | None:
    """The link to the Train page with what was trained; None where the images had been tampered with."""
    if case.tampered:
        return None
    settings = {name: parse_value(name, text) for name, text in recording.settings.items()}
    return link_params(replace(TrainConfig(), settings), DEFAULT_PRESET)


def _choose_case(state: CurvesState) -> None:
    marks = [_mark(case, said) for case, said in zip(CASES.values(), state.answers, strict=True)]
    st.session_state["learn_curves_case"] = state.case

    def changed() -> None:
        change_state(CurvesState, case=st.session_state["learn_curves_case"], epoch=0)

    with st.container(key="learn_controls_curves_case"):
        st.segmented_control(
            f"Case: {sum(map(bool, state.answers))} of {len(CASES)} answered, {marks.count('✓')} right",
            range(1, len(CASES) + 1),
            required=True,
            format_func=lambda number: f"{number} {marks[number - 1]}".strip(),
            key="learn_curves_case",
            on_change=changed,
        )


def _mark(case: Case, said: str) -> str:
    return "" if not said else "✓" if said == case.answer else "✗"


def _ask(state: CurvesState, said: str) -> None:
    place = state.case - 1
    key = f"learn_curves_answer_{state.case}"
    st.session_state[key] = said or None

    def changed() -> None:
        answers = state.answers
        answers[place] = st.session_state[key] or ""
        change_state(CurvesState, said=".".join(answers).rstrip("."))

    # To answer is what the figure is for: this stays where controls are hidden.
    with st.container(key="learn_curves_ask"):
        st.pills(
            "**What is wrong here?**",
            list(DIAGNOSES),
            format_func=lambda name: DIAGNOSES[name].title,
            key=key,
            on_change=changed,
        )


def _explain(state: CurvesState, case: Case, recording: Recording, said: str) -> None:
    """Right or wrong, why, how to mend it, and the way to the next one."""
    right = DIAGNOSES[case.answer]
    if said == case.answer:
        st.success(f"**Right: {right.name}.** Its sign: {right.sign}.", icon=":material/check_circle:")
    else:
        other = DIAGNOSES[said]
        why = case.nearly.get(said, f"The sign of {other.name} would be: {other.sign}.")
        first = "Nearly" if said in case.nearly else "No"
        st.warning(f"**{first}: this is {right.name}.** Its sign: {right.sign}. {why}", icon=":material/cancel:")
    st.markdown(f"{case.why.format(**recording.facts())}\n\n**What to do.** {case.fix}")
    with st.container(key="learn_controls_curves_on", horizontal=True, vertical_alignment="center"):
        _offer_training(case, recording)
        if state.case < len(CASES):
            st.button(
                "Next case",
                key="learn_curves_next",
                icon=":material/arrow_forward:",
                on_click=change_state,
                args=(CurvesState,),
                kwargs={"case": state.case + 1, "epoch": 0},
            )
    st.caption(f"Trained with: {', '.join(f'{name} = {value}' for name, value in recording.settings.items())}.")


def _offer_training(case: Case, recording: Recording) -> None:
    params = train_params(case, recording)
    if params is not None:
        st.page_link(
            TRAIN,
            label="Train with these settings",
            icon=":material/model_training:",
            query_params=dict(params),
            width="content",
        )


def _tell_source() -> None:
    recorded = read_recorded()
    facts = recorded.machine
    versions: Sequence[str] = [f"{name} {version}" for name, version in facts["versions"].items()]
    st.caption(
        f"Real trainings, recorded by `{COMMAND}` on {facts['device']}, {facts['threads']} thread, "
        f"{facts['precision']}, seed {facts['seed']}, {', '.join(versions)}; each once."
    )
