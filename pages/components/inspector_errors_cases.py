"""The images behind the numbers: a cell of the confusion matrix, the surest mistakes, the least certain answers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from cnncore.figures.confusion import MAX_CLASSES, confusion, top_confusions
from cnncore.runs.outcomes import Outcomes, confident_mistakes, confusion_matrix, images_behind, least_certain
from pages.components.chart_files import saved_chart
from pages.components.inspector_answers import answer_of
from pages.components.inspector_errors_gallery import Case, sheet_png, show_cases
from pages.components.inspector_errors_images import Found, Judged, outcomes_of
from pages.components.inspector_link import change_link, param
from pages.components.inspector_prediction import share_text
from pages.components.waiting import fill_in
from pages.components.wording import plain

PER_PAGE = 24
_OPENED = "inspector_errors_opened"
_CELL = "inspector_errors_cell"
_MOST_CELLS = 500
"""Cells that are offered in words; with many classes nearly every mistake is one of its own."""


def show_confusions(judged: Judged) -> None:
    """Draw the confusion matrix, and the images behind one of its cells."""
    fill_in("inspector_errors", lambda: _draw_confusions(judged))


def show_mistakes(judged: Judged) -> None:
    """Draw the images that the network gets wrong although it is sure."""
    fill_in("inspector_errors", lambda: _draw_mistakes(judged))


def show_unsure(judged: Judged) -> None:
    """Draw the images between whose two most probable classes the network can hardly decide."""
    fill_in("inspector_errors", lambda: _draw_unsure(judged))


def _draw_mistakes(judged: Judged) -> None:
    found = _outcomes(judged)
    if found is None:
        return
    rows = confident_mistakes(found.outcomes).tolist()
    if not rows:
        st.success(f"All {len(found.places):,} images are right.", icon=":material/check_circle:")
        return
    st.caption(
        f"The {len(rows):,} images it gets wrong, those first of which it was surest: often wrong labels, doubtful "
        "images, or something it relies on that it should not. Click one to see why."
    )
    _show_rows(judged, found, rows, "mistakes")


def _draw_unsure(judged: Judged) -> None:
    found = _outcomes(judged)
    if found is None:
        return
    st.caption(
        "All images, those first whose two most probable classes are closest: here the network was undecided, right or "
        "wrong. Click one to see why."
    )
    _show_rows(judged, found, least_certain(found.outcomes).tolist(), "unsure")


def _outcomes(judged: Judged) -> Found | None:
    if st.session_state.pop(_OPENED, False):
        # What was opened concerns the whole page.
        st.rerun()
    return outcomes_of(judged)


# The confusion matrix


def _draw_confusions(judged: Judged) -> None:
    found = _outcomes(judged)
    if found is None:
        return
    matrix, classes = confusion_matrix(found.outcomes), list(found.outcomes.classes)
    if len(classes) > MAX_CLASSES:
        st.markdown("**Most frequent confusions**")
        st.dataframe(top_confusions(matrix, classes), hide_index=True, height=300)
    else:
        st.markdown("**Confusion matrix**: rows are the true classes; click a cell to see its images")
        chart = confusion(matrix, classes, percent=False)
        saved_chart(chart, key="inspector_confusion", stem=judged.stem("confusion"), on_click=_open_cell)
    cell = _choose_cell(found.outcomes)
    if cell is not None:
        rows = images_behind(found.outcomes, *cell).tolist()
        _show_rows(judged, found, rows, f"cell-{cell[0]}-{cell[1]}")


def _open_cell(said: float, true: float) -> None:
    change_link(cell=f"{round(true)}-{round(said)}")


def _choose_cell(outcomes: Outcomes) -> tuple[int, int] | None:
    """The true and the told class of the chosen cell; None where no image was looked at."""
    cells = _cells(outcomes)
    asked = param("cell")
    current = asked if asked in cells else next(iter(cells), None)
    if current is None:
        return None
    if asked and asked != current:
        st.caption(plain(f"No image is behind the cell {asked[:20]!r} of the link; others are shown instead."))
    st.session_state[_CELL] = current
    st.selectbox(
        "Images shown",
        list(cells),
        format_func=cells.__getitem__,
        key=_CELL,
        on_change=lambda: change_link(cell=st.session_state[_CELL]),
        help="The same as a click on a cell of the matrix.",
        width=420,
    )
    true, said = (int(part) for part in current.split("-"))
    return true, said


def _cells(outcomes: Outcomes) -> dict[str, str]:
    """The cells with images and their words, mistakes first, the most frequent of them at the top."""
    matrix, asked = confusion_matrix(outcomes), param("cell")
    cells = [(int(matrix[true, said]), int(true), int(said)) for true, said in zip(*matrix.nonzero(), strict=True)]
    found: dict[str, str] = {}
    for place, (count, true, said) in enumerate(sorted(cells, key=lambda cell: (cell[1] == cell[2], -cell[0]))):
        key = f"{true}-{said}"
        if place < _MOST_CELLS or key == asked:
            name, other = outcomes.classes[true], outcomes.classes[said]
            words = f"{name}, recognized" if true == said else f"{name} taken for {other}"
            found[key] = f"{words} ({count:,})"
    return found


# The images


def _show_rows(judged: Judged, found: Found, rows: Sequence[int], name: str) -> None:
    """The images of these rows of the outcomes, page by page."""
    page = _page(rows, name)
    places = [int(found.places[row]) for row in page]
    request = {**judged.request, "places": places}
    answer = answer_of("inspector_errors_thumbnails", "thumbnails", request, words="Fetching the images…")
    if answer is None:
        return
    pixels = answer.arrays["pixels"]
    show_cases(
        [_case(judged, found, row) for row in page],
        pixels,
        key="inspector_errors_cases",
        label=f"{len(page)} of {len(rows):,} images",
        chosen=judged.look.picture,
        on_open=_open,
    )
    st.download_button(
        "These images (PNG)",
        lambda: sheet_png(pixels),
        file_name=f"{judged.stem(name)}.png",
        icon=":material/download:",
        on_click="ignore",
        key="inspector_errors_png",
    )


def _page(rows: Sequence[int], name: str) -> list[int]:
    pages = math.ceil(len(rows) / PER_PAGE)
    number = 1
    if pages > 1:
        number = st.pagination(pages, key=f"inspector_errors_page_{name}") or 1
    return list(rows[(number - 1) * PER_PAGE : number * PER_PAGE])


def _case(judged: Judged, found: Found, row: int) -> Case:
    said = found.outcomes
    label, first = int(said.labels[row]), int(said.predicted[row])
    shares = said.probabilities[row]
    second = int(shares.argsort()[-2]) if len(shares) > 1 else first
    other = second if label == first else label
    return Case(
        key=judged.picture(int(found.places[row]), str(said.names[row])),
        said=(f"says {said.classes[first]}", share_text(float(shares[first]))),
        other=(f"{'or' if label == first else 'is'} {said.classes[other]}", share_text(float(shares[other]))),
        right=label == first,
    )


def _open(picture: str) -> None:
    change_link(picture=picture, view="why")
    st.session_state[_OPENED] = True
