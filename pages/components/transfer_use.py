"""The last step of the Transfer page: what a trained classifier says, gets wrong, is worth, and how to take it away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from cnncore.errors import LabError, RunError
from cnncore.runs.artifacts import WEIGHTS, run_dir
from cnncore.runs.run import Run
from cnncore.runs.search import Search, find_runs
from pages.components.lab import artifacts, look_after, shown_errors, store
from pages.components.run_words import STATUS_LOOKS, fraction_done, known, percent, progress_words
from pages.components.transfer_images_edits import image_sets
from pages.components.transfer_link import change_link, go_to, param
from pages.components.transfer_use_compare import show_comparison
from pages.components.transfer_use_mistakes import show_mistakes
from pages.components.transfer_use_sources import reference_of
from pages.components.transfer_use_take import draw_open_zip, show_take
from pages.components.transfer_use_try import show_try
from pages.components.wording import plain

_TICK_S = 1.5
_MOST_OFFERED = 200
_CHOICE = "transfer_use_run"


@dataclass(frozen=True, kw_only=True)
class View:
    """One view of the step.

    Attributes:
        title: On its button.
        icon: Likewise.
        show: Draws it.
        needs_weights: Whether it needs a trained network on this machine.
    """

    title: str
    icon: str
    show: Callable[[Run], None]
    needs_weights: bool = True


VIEWS: dict[str, View] = {
    "try": View(title="Try it", icon=":material/center_focus_strong:", show=show_try),
    "mistakes": View(title="Mistakes", icon=":material/rule:", show=show_mistakes),
    "compare": View(title="Compare", icon=":material/balance:", show=show_comparison, needs_weights=False),
    "take": View(title="Take it away", icon=":material/archive:", show=show_take),
}


def show_use() -> None:
    """Draw this step: the choice of the classifier, the choice of the view, the view."""
    run = _choose_run()
    if run is None:
        _show_start()
        return
    view = VIEWS[_choose_view()]
    if view.needs_weights and run.is_open:
        st.fragment(_wait, run_every=_TICK_S)(run.id)
    elif view.needs_weights and not (run_dir(artifacts(), run.id) / WEIGHTS).is_file():
        _show_no_weights(run)
    else:
        view.show(run)


def _offered(image_set: str) -> dict[str, Run]:
    """The latest networks that one's own images were or may be given to, by id, newest first."""
    found = find_runs(store(), Search(limit=_MOST_OFFERED))
    return {run.id: run for run in found if run.status != "queued" and _belongs(run, image_set)}


def _belongs(run: Run, image_set: str) -> bool:
    reference = str((run.config.get("data") or {}).get("image_set") or "")
    return reference.startswith(f"{image_set}@") if image_set else bool(reference) or run.kind == "import"


def _choose_run() -> Run | None:
    """The run that the link names, else the newest of this image set; None where there is none."""
    asked, runs = param("run"), _offered(param("set"))
    if asked:
        try:
            runs = {**runs, asked: store().get(asked)}
        except RunError as error:
            st.warning(plain(f"{error.message} {error.hint}"), icon=":material/link_off:")
            asked = ""
    if not runs:
        return None
    asked = asked or next(iter(runs))
    st.session_state[_CHOICE] = asked
    choice, opening = st.columns([5, 2], vertical_alignment="bottom")
    with choice:
        st.selectbox(
            "Classifier",
            list(runs),
            format_func=lambda run_id: _words(runs[run_id]),
            key=_CHOICE,
            on_change=_follow_run,
        )
    with opening:
        draw_open_zip()
    return runs[asked]


def _words(run: Run) -> str:
    """Its name, its images, how good it is."""
    parts = [run.name, _set_name(run)]
    for name, label in (("test_accuracy", "test"), ("best_val_accuracy", "validation")):
        if known(run.summary.get(name)):
            parts.append(f"{percent(run.summary[name])} {label}")
            break
    else:
        parts.append(STATUS_LOOKS[run.status].label.lower())
    return " · ".join(part for part in parts if part)


def _set_name(run: Run) -> str:
    try:
        return image_sets().card(reference_of(run).partition("@")[0]).name
    except LabError:
        return ""


def _follow_run() -> None:
    change_link(run=st.session_state[_CHOICE], cell="", image="")


def _choose_view() -> str:
    asked = param("view")
    current = asked if asked in VIEWS else next(iter(VIEWS))
    key = "transfer_use_view"
    st.session_state[key] = current
    st.segmented_control(
        "View",
        list(VIEWS),
        required=True,
        format_func=lambda name: f"{VIEWS[name].icon} {VIEWS[name].title}",
        key=key,
        label_visibility="collapsed",
        on_change=lambda: change_link(view=st.session_state[key]),
    )
    return current


def _show_start() -> None:
    with st.container(border=True):
        st.markdown(
            "**What your classifier says.** Here it names new photographs and shows where it looked, lists its "
            "mistakes so that you can mend the images, says what freezing was worth, and goes into one ZIP."
        )
        with st.container(horizontal=True):
            st.button(
                "Train a classifier first",
                type="primary",
                icon=":material/model_training:",
                key="transfer_use_start",
                on_click=go_to,
                args=("train",),
            )
            draw_open_zip()


def _show_no_weights(run: Run) -> None:
    why = f" {run.error} {run.hint or ''}".rstrip() if run.error else ""
    st.info(
        plain(f"{run.name} has no weights on this machine, so it cannot look at images.{why}"),
        icon=":material/image_not_supported:",
    )
    st.button(
        "To its training", icon=":material/model_training:", key="transfer_use_train", on_click=go_to, args=("train",)
    )


def _wait(run_id: str) -> None:
    """How far an open run is; draws the page anew when it has ended."""
    with shown_errors():
        run = store().get(run_id)
        if not run.is_open:
            st.rerun()
        look_after(run)
        st.progress(fraction_done(run), text=progress_words(run))
        st.caption("This fills in by itself when the training has ended.")
        st.button(
            "Watch it learn",
            icon=":material/monitoring:",
            key="transfer_use_watch",
            on_click=go_to,
            args=("train",),
            kwargs={"run": run.id},
        )
