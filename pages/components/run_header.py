"""The head of a run's page: name, status, what can be done with it now, and the settings that change while it is on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from cnncore.config import TrainConfig, parse_value, replace
from cnncore.errors import ConfigError, LabError
from cnncore.runs.store import Run
from cnncore.runs.tidying import delete
from pages.components.clicks import clicked, submitted
from pages.components.inspect_link import inspect_button
from pages.components.lab import resume_run, shown_errors, store
from pages.components.links import address
from pages.components.navigation import COMPARE, TRAIN, TRANSFER
from pages.components.run_import import has_images
from pages.components.run_words import STATUS_LOOKS, facts_words, known, read_config
from pages.components.transfer_run_link import belongs_here, settings_params
from pages.components.wording import plain

MORE_EPOCHS = 5

Action = Callable[[Run], None]


def show_header(run: Run) -> None:
    """Name, status and the actions that the status allows; drawn again when one of them changes."""
    look = STATUS_LOOKS[run.status]
    with st.container(horizontal=True, vertical_alignment="center", key="run_head"):
        with st.container(horizontal=True, vertical_alignment="center", width="stretch"):
            st.header(plain(run.name), anchor=False, width="content")
            st.badge(look.label, icon=look.icon, color=look.color)
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            for action in _actions(run):
                action(run)
            _more(run)
    st.caption(plain(facts_words(run)))


def _actions(run: Run) -> Sequence[Action]:
    """What can be done with it now; a search for a learning rate can only be stopped."""
    if run.kind == "train":
        return (_start_afresh, _again_first) if never_trained(run) else _ACTIONS[run.status]
    if run.kind == "import" and not run.is_open:
        return (_inspect, _compare, _score, _train_on) if has_images(run) else (_inspect, _train_on)
    return (_stop,) if run.is_open and run.status != "stopping" else ()


def never_trained(run: Run) -> bool:
    """Whether a training ended before its first step: refused, or stopped while it waited."""
    return run.status in ("failed", "stopped", "interrupted") and not run.summary.get("step")


def _stop(run: Run) -> None:
    why = "Ends after this step; what was learned is kept, and training can go on later."
    if clicked("Stop", icon=":material/stop:", key="run_stop", about=run.id, help=why):
        store().ask(run.id, "stop")
        st.rerun()


def _pause(run: Run) -> None:
    why = "Saves everything and frees the machine for the next run in the queue."
    if clicked("Pause", icon=":material/pause:", key="run_pause", about=run.id, help=why):
        store().ask(run.id, "pause")
        st.rerun()


def _resume(run: Run) -> None:
    why = "Goes on from the last checkpoint, at the head of the queue."
    # What failed usually fails again until something is changed.
    kind = "secondary" if run.status == "failed" else "primary"
    if clicked("Resume", icon=":material/play_arrow:", type=kind, key="run_resume", about=run.id, help=why):
        resume_run(run.id)
        st.rerun()


def _start_afresh(run: Run) -> None:
    why = "The same run with the same settings, at the head of the queue."
    if clicked("Try again", icon=":material/replay:", key="run_resume", about=run.id, help=why):
        resume_run(run.id)
        st.rerun()


def _train_more(run: Run) -> None:
    config = read_config(run)
    if config and clicked(
        f"Train {MORE_EPOCHS} more epochs", icon=":material/add:", key="run_train_more", about=run.id
    ):
        # From where it is: a run that stopped early has not used all the epochs it was given.
        trained = run.summary.get("epoch", config.training.epochs)
        resume_run(run.id, replace(config, {"training.epochs": trained + MORE_EPOCHS}))
        st.rerun()


def _again(run: Run) -> None:
    _again_button(run, primary=False)


def _again_first(run: Run) -> None:
    # On the Transfer page the next step is to use it.
    _again_button(run, primary=not belongs_here(run))


def _again_button(run: Run, *, primary: bool) -> None:
    kind = "primary" if primary else "secondary"
    why = "Opens the form with this run's settings."
    if clicked("Run again with changes", icon=":material/tune:", type=kind, key="run_again", about=run.id, help=why):
        if belongs_here(run):
            st.switch_page(TRANSFER, query_params=settings_params(run))
        st.switch_page(TRAIN, query_params={"from": run.id})


def _score(run: Run) -> None:
    if known(run.summary.get("test_accuracy")):
        return
    why = "Puts the test images through the network once; its turn comes in the queue."
    if clicked(
        "Score the test images", icon=":material/grading:", type="primary", key="run_score", about=run.id, help=why
    ):
        resume_run(run.id)
        st.rerun()


def _train_on(run: Run) -> None:
    why = "Opens the form with this network; training starts from these weights instead of random ones."
    if clicked("Fine-tune", icon=":material/tune:", key="run_train_on", about=run.id, help=why):
        params = {"from": run.id, "training.start_from": run.id, "training.precision": "auto"}
        images = {} if has_images(run) else {"data.dataset": TrainConfig().data.dataset}
        st.switch_page(TRAIN, query_params={**params, **images})


def _compare(run: Run) -> None:
    why = "Lays its curves over those of other runs, shows what differs, repeats it with more seeds."
    if clicked("Compare", icon=":material/compare_arrows:", key="run_compare", about=run.id, help=why):
        st.switch_page(COMPARE, query_params={"view": "runs", "runs": run.id})


def _inspect(run: Run) -> None:
    inspect_button([run], "run_inspect")


def _learning_rate(run: Run) -> None:
    with st.popover("Learning rate", icon=":material/speed:"), st.form("run_lr_form", border=False):
        asked = [change.value for change in store().changes(run.id) if change.setting == "optimizer.lr"]
        config = read_config(run)
        now = asked[-1] if asked else config.optimizer.lr if config else None
        text = st.text_input(
            "New learning rate",
            value="" if now is None else f"{now:g}",
            key="run_lr",
            help="The base rate; the schedule scales it as before.",
        )
        if submitted("Change it", key="run_lr_change", about=run.id, width="stretch"):
            with shown_errors():  # here, and the run's page goes on below
                value = _rate(text)
                store().ask_change(run.id, "optimizer.lr", value)
                st.toast(f"The learning rate becomes {value:g} in a moment.", icon=":material/speed:")


def _rate(text: str) -> float:
    """The learning rate that was typed, which the field on the page calls by no dotted name."""
    try:
        return parse_value("optimizer.lr", text)
    except ConfigError as problem:
        raise LabError(problem.message.replace("optimizer.lr", "The learning rate"), problem.hint) from None


def _more(run: Run) -> None:
    with st.popover("", icon=":material/more_horiz:", type="tertiary", help="Rename, share, delete"):
        with st.form("run_rename_form", border=False):
            name = st.text_input("Name", value=run.name, max_chars=200, key=f"run_name_{run.id}")
            if submitted("Rename", key="run_rename", about=run.id, width="stretch"):
                with shown_errors():
                    store().rename(run.id, name)
                    st.rerun()
        st.caption("Link to this run")
        st.code(address(st.context.url or "", {"run": run.id}), language=None)
        if run.is_open:
            st.caption("To delete the run, stop it first.")
        elif st.checkbox("Delete this run…", key=f"run_delete_{run.id}"):
            _delete(run)


def _delete(run: Run) -> None:
    st.caption("For a day it can be restored; then its curves, weights and checkpoints are gone for good.")
    if clicked("Delete", icon=":material/delete:", key="run_delete", about=run.id, width="stretch"):
        delete(store(), [run.id])
        st.rerun()


_ACTIONS: dict[str, tuple[Action, ...]] = {
    "queued": (_stop,),
    "starting": (_stop,),
    "running": (_inspect, _compare, _learning_rate, _pause, _stop),
    "stopping": (),
    "stopped": (_inspect, _compare, _again, _resume),
    "paused": (_inspect, _compare, _again, _resume),
    "finished": (_inspect, _compare, _train_more, _again_first),
    "failed": (_inspect, _compare, _resume, _again_first),
    "interrupted": (_inspect, _compare, _again, _resume),
}
"""What can be done in each status; at most one of them is a primary button."""
