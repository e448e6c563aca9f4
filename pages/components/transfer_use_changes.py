"""What was changed in the images since a run, with a way back; training again on the changes, before against after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cnncore.config import replace
from cnncore.errors import LabError
from cnncore.figures.intervals import wilson
from cnncore.figures.paired import compare, words
from cnncore.images.changes import Change, changes_between
from cnncore.images.edits import ExcludeImages, MoveImages, MoveToSplit, RestoreImages
from cnncore.images.image_set import ImageSet
from cnncore.runs.groups import base_name
from cnncore.runs.outcomes import Outcomes
from cnncore.runs.repeats import Plan, queue_plan
from cnncore.runs.run import Run
from cnncore.runs.search import Search, find_runs
from pages.components.lab import look_after, serve_queue, shown_errors, store
from pages.components.run_words import fraction_done, progress_words, read_config
from pages.components.transfer_images_edits import change
from pages.components.transfer_images_words import listed, number_of
from pages.components.transfer_link import change_link
from pages.components.transfer_use_answers import ask_outcomes_on
from pages.components.transfer_use_sources import newest_of, read_outcomes, reference_of
from pages.components.waiting import fill_in
from pages.components.wording import plain

_AFTER = "after-"
_TICK_S = 1.5
_MOST_LISTED = 6


def show_changes(run: Run, before: ImageSet, split: str) -> None:
    """The changes since the run, the button that trains on them, and what became of the last time it was pressed."""
    now = newest_of(before)
    changes = changes_between(before, now)
    later = _later(run)
    with st.container(border=True, key="transfer_changes"):
        _show_list(now, changes)
        if changes and not (later and reference_of(later) == now.reference):
            _offer(run, now)
    pair = (run, later) if later else _earlier_pair(run)
    if pair:
        _show_pair(*pair, split=split)


def _later(run: Run) -> Run | None:
    """The newest training with what was changed after this run."""
    found = find_runs(store(), Search(tag=f"{_AFTER}{run.id}"))
    return found[0] if found else None


def _earlier_pair(run: Run) -> tuple[Run, Run] | None:
    """For a run that was itself such a training: the run before it, and itself."""
    for tag in run.tags:
        if tag.startswith(_AFTER):
            try:
                return store().get(tag.removeprefix(_AFTER)), run
            except LabError:
                return None
    return None


# The list


def _show_list(now: ImageSet, changes: tuple[Change, ...]) -> None:
    if not changes:
        st.markdown("**No changes since this run**")
        st.caption(
            "Where the label is wrong, give the image its class below; where it should not count, leave it out. Then "
            "train again and see what it was worth."
        )
        return
    count = sum(len(each.keys) for each in changes)
    st.markdown(f"**{number_of(count, 'change')} since this run**")
    for place, each in enumerate(changes[:_MOST_LISTED]):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(plain(_sentence(now, each)), width="stretch")
            st.button(
                "Take back",
                key=f"transfer_take_back_{place}",
                type="tertiary",
                icon=":material/undo:",
                on_click=_take_back,
                args=(now.id, each),
            )
    if len(changes) > _MOST_LISTED:
        st.caption(f"And {number_of(len(changes) - _MOST_LISTED, 'other kind')} of change.")


def _sentence(now: ImageSet, each: Change) -> str:
    names = listed([now.images[key].name for key in each.keys])
    return _SENTENCES[each.kind].format(names=names, old=each.old, new=each.new)


_SENTENCES = {
    "moved": "{names}: {old} → {new}",
    "excluded": "{names}: left out",
    "restored": "{names}: back in {new}",
    "divided": "{names}: from {old} to {new}",
    "added": "{names}: new in {new}",
}


def _take_back(set_id: str, each: Change) -> None:
    change(set_id, lambda: _INVERSES[each.kind](each))


_INVERSES: dict[str, Callable[[Change], Any]] = {
    "moved": lambda each: MoveImages(keys=each.keys, label=each.old),
    "excluded": lambda each: RestoreImages(keys=each.keys),
    "restored": lambda each: ExcludeImages(keys=each.keys),
    "divided": lambda each: MoveToSplit.model_validate({"keys": each.keys, "split": each.old}),
    "added": lambda each: ExcludeImages(keys=each.keys),
}


# Training again


def _offer(run: Run, now: ImageSet) -> None:
    if read_config(run) is None:
        st.caption("This run was made by another version of the lab and cannot be repeated.")
        return
    st.button(
        "Retrain with these changes",
        type="primary",
        icon=":material/refresh:",
        key="transfer_retrain",
        help="The same settings on the images as they are now; then both networks are compared on the same images.",
        on_click=_retrain,
        args=(run, now),
    )


def _retrain(run: Run, now: ImageSet) -> None:
    config = read_config(run)
    if config is None:
        return
    again = replace(config, {"data.image_set": now.reference})
    queue_plan(store(), Plan(configs=(again,)), name=base_name(run), tags=(f"{_AFTER}{run.id}",))
    serve_queue()
    st.toast("The training is in the queue.", icon=":material/playlist_add_check:")


# Before and after


def _show_pair(old: Run, new: Run, split: str) -> None:
    st.markdown("**Before and after the changes**")
    if new.is_open:
        st.fragment(_wait, run_every=_TICK_S)(new.id)
        return
    if new.status != "finished":
        st.warning(plain(f"The training after the changes is {new.status}. {new.error or ''} {new.hint or ''}".strip()))
        return
    after = read_outcomes(new).get(split)
    if after is None:
        st.caption(f"There are no {split} images in the version it was trained on.")
        return
    fill_in("before_after", lambda: _show_before_after(old, new, after, split))


def _wait(run_id: str) -> None:
    with shown_errors():
        run = store().get(run_id)
        if not run.is_open:
            st.rerun()
        look_after(run)
        st.progress(fraction_done(run), text=progress_words(run))


def _show_before_after(old: Run, new: Run, after: Outcomes, split: str) -> None:
    before, problem = ask_outcomes_on("before_after", old, reference_of(new), split)
    if problem:
        st.caption(plain(problem))
        return
    if before is None:
        st.html(
            "<div class='lab-empty' style='min-height:7rem'>The old network looks at the images as they are now…</div>"
        )
        return
    before_right, after_right = _matched(before, after)
    count = len(before_right)
    rows = {"Before": int(before_right.sum()), "After": int(after_right.sum())}
    st.dataframe(pd.DataFrame([_row(name, right, count) for name, right in rows.items()]), hide_index=True)
    found = compare(int((after_right & ~before_right).sum()), int((before_right & ~after_right).sum()), count)
    st.markdown(plain(words(found, "After", "Before")))
    st.caption(
        f"Both on the same {number_of(count, f'{split} image')} with today's labels. Labels that were changed because "
        "of what the first network said favor it a little; new images tell more."
    )
    if new.id != st.query_params.get("run"):
        st.button(
            "Go on with the new one",
            icon=":material/arrow_forward:",
            key="transfer_go_on",
            on_click=lambda: change_link(run=new.id, cell="", image=""),
        )


def _matched(before: Outcomes, after: Outcomes) -> tuple[np.ndarray, np.ndarray]:
    """Whether each network is right, on the images that both have looked at, in the same order."""
    _, left, right = np.intersect1d(before.names, after.names, return_indices=True)
    return _right(before)[left], _right(after)[right]


def _right(outcomes: Outcomes) -> np.ndarray:
    return outcomes.predicted == outcomes.labels


def _row(name: str, right: int, count: int) -> dict[str, str]:
    low, high = wilson(right, count)
    accuracy = f"{100 * right / count:.1f} %" if count else "–"
    return {
        "": name,
        "Right": f"{right:,} of {count:,}",
        "Accuracy": accuracy,
        "95 %": f"{100 * low:.1f}–{100 * high:.1f}",
    }
