"""What a classifier gets wrong: the confusion matrix, whose cells open the images behind them, and what to change."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from cnncore.figures.confusion import MAX_CLASSES, confusion, top_confusions
from cnncore.figures.intervals import wilson
from cnncore.figures.per_class import per_class_table
from cnncore.runs.outcomes import Outcomes, confident_mistakes, confusion_matrix, images_behind, least_certain
from cnncore.runs.run import Run
from pages.components.live_chart import clickable_chart
from pages.components.navigation import TRAIN
from pages.components.transfer_link import change_link, param
from pages.components.transfer_use_cards import show_cards
from pages.components.transfer_use_changes import show_changes
from pages.components.transfer_use_sources import read_outcomes, set_of
from pages.components.wording import plain

PER_PAGE = 6
_SHOWN = "transfer_mistakes_shown"
_SPLIT = "transfer_mistakes_split"
_SPLITS = {"validation": "Validation images", "test": "Test images"}
_FEW_CLASSES = 5
"""Up to so many, their table fits beside the matrix."""
_MOST_CELLS = 500
"""Cells that are offered in words; with many classes nearly every mistake is one of its own."""
_MISTAKES, _UNSURE = "mistakes", "unsure"


def show_mistakes(run: Run) -> None:
    """Draw this view."""
    splits, before = read_outcomes(run), set_of(run)
    if not splits or before is None:
        _show_none(run)
        return
    split = _choose_split(list(splits))
    outcomes = splits[split]
    left, right = st.columns([5, 4], gap="medium")
    with left:
        _show_confusion(outcomes)
    with right:
        _show_score(outcomes, split)
        show_changes(run, before, split)
    choice = _choose_images(outcomes)
    show_cards(run, before, outcomes, _page(_rows(outcomes, choice), choice))


def _show_none(run: Run) -> None:
    st.info(
        "The images behind the mistakes can be shown for a training on an image set of this lab that has ended; this "
        "one is none.",
        icon=":material/image_not_supported:",
    )
    st.page_link(TRAIN, label="Its results by class", icon=":material/bar_chart:", query_params={"run": run.id})


def _choose_split(splits: Sequence[str]) -> str:
    asked = param("split")
    split = asked if asked in splits else splits[0]
    if len(splits) > 1:
        st.session_state[_SPLIT] = split
        st.segmented_control(
            "Images",
            splits,
            format_func=_SPLITS.__getitem__,
            required=True,
            key=_SPLIT,
            label_visibility="collapsed",
            on_change=lambda: change_link(split=st.session_state[_SPLIT], cell="", image=""),
        )
    return split


# The whole


def _show_confusion(outcomes: Outcomes) -> None:
    matrix, classes = confusion_matrix(outcomes), list(outcomes.classes)
    st.markdown("**Confusion matrix**: rows are the true classes; click a cell to see its images")
    if len(classes) > MAX_CLASSES:
        st.dataframe(top_confusions(matrix, classes), hide_index=True, height=440)
    else:
        clickable_chart(confusion(matrix, classes, percent=False), key="transfer_confusion", on_click=_open_cell)


def _open_cell(said: float, true: float) -> None:
    change_link(cell=f"{round(true)}-{round(said)}")


def _show_score(outcomes: Outcomes, split: str) -> None:
    matrix = confusion_matrix(outcomes)
    right, count = int(matrix.trace()), int(matrix.sum())
    low, high = wilson(right, count)
    st.markdown(
        f"**{100 * right / max(1, count):.1f} %** of {count:,} {split} images right, {count - right:,} wrong "
        f"(95 % interval {100 * low:.1f}–{100 * high:.1f} %)."
    )
    share = st.column_config.NumberColumn(format="percent")
    table = per_class_table(matrix, list(outcomes.classes))
    few = len(table) <= _FEW_CLASSES
    with st.container() if few else st.expander("Class by class", icon=":material/table:"):
        st.dataframe(table, hide_index=True, column_config=dict.fromkeys(("accuracy", "low", "high"), share))


# The images behind it


def _cells(outcomes: Outcomes) -> dict[str, str]:
    """What can be looked at: its key in the link and its words, mistakes first."""
    matrix = confusion_matrix(outcomes)
    wrong = len(confident_mistakes(outcomes))
    found = {_MISTAKES: f"Most confident mistakes ({wrong:,})", _UNSURE: "Least certain answers"}
    cells = [(int(matrix[true, said]), true, said) for true in range(len(matrix)) for said in range(len(matrix))]
    cells = [cell for cell in cells if cell[0]]
    for place, (count, true, said) in enumerate(sorted(cells, key=lambda cell: (cell[1] == cell[2], -cell[0]))):
        if place < _MOST_CELLS or f"{true}-{said}" == param("cell"):
            names = outcomes.classes[true], outcomes.classes[said]
            words = f"{names[0]}, recognized" if true == said else f"{names[0]} taken for {names[1]}"
            found[f"{true}-{said}"] = f"{words} ({count:,})"
    return found


def _choose_images(outcomes: Outcomes) -> str:
    cells = _cells(outcomes)
    wrong = len(confident_mistakes(outcomes))
    asked = param("cell")
    choice = asked if asked in cells else _MISTAKES if wrong else _UNSURE
    st.session_state[_SHOWN] = choice
    st.selectbox(
        "Images shown",
        list(cells),
        format_func=cells.__getitem__,
        key=_SHOWN,
        on_change=lambda: change_link(cell=st.session_state[_SHOWN]),
        help="The same as a click on a cell of the matrix.",
        width=420,
    )
    if asked and asked not in cells:
        st.caption(plain(f"No image is behind {asked[:20]!r} of the link; these are shown instead."))
    return choice


def _rows(outcomes: Outcomes, choice: str) -> list[int]:
    """Places of the images, the most telling first."""
    if choice == _MISTAKES:
        return list(map(int, confident_mistakes(outcomes)))
    if choice == _UNSURE:
        return list(map(int, least_certain(outcomes)))
    true, said = (int(part) for part in choice.split("-"))
    return list(map(int, images_behind(outcomes, true, said)))


def _page(rows: Sequence[int], choice: str) -> list[int]:
    if not rows:
        st.success("Every image is right.", icon=":material/check_circle:")
        return []
    pages = math.ceil(len(rows) / PER_PAGE)
    number = 1
    if pages > 1:
        number = st.pagination(pages, key=f"transfer_mistakes_page_{choice}") or 1
    return list(rows[(number - 1) * PER_PAGE : number * PER_PAGE])
