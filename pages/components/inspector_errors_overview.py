"""How good a network is on the whole, class by class, and whether it is as often right as it says."""

from __future__ import annotations

import streamlit as st

from cnncore.figures.calibration import balance_words, calibration, calibration_table, confidence_words
from cnncore.figures.intervals import wilson
from cnncore.figures.per_class import MAX_BARS, per_class, per_class_table
from cnncore.runs.calibration import FEW, NUM_BINS, reliability
from cnncore.runs.log_csv import outcomes_csv
from cnncore.runs.outcomes import confusion_matrix
from pages.components.chart_files import saved_chart
from pages.components.inspector_errors_images import Found, Judged, outcomes_of
from pages.components.inspector_link import change_link, param
from pages.components.waiting import fill_in
from pages.components.wording import plain

_BINS = {"width": "Equally wide", "mass": "Equally many"}
_BINS_KEY = "inspector_errors_bins"
_SOURCE = (
    "The groups hold images of which the network is about equally sure; on the dashed line it would be exactly as "
    "often right as it says. The expected calibration error is the mean distance from that line (Naeini et al., 2015; "
    "Guo et al., 2017). Bars: Wilson's 95 % interval."
)


def show_overview(judged: Judged) -> None:
    """Draw this part."""
    fill_in("inspector_errors", lambda: _draw(judged))


def _draw(judged: Judged) -> None:
    found = outcomes_of(judged)
    if found is None:
        return
    st.markdown(score_words(found))
    if param("bins") not in (*_BINS, ""):
        st.warning(f"Groups cannot be {plain(repr(param('bins')[:40]))}; allowed: {', '.join(_BINS)}.")
    matrix, classes = confusion_matrix(found.outcomes), list(found.outcomes.classes)
    left, right = st.columns(2, gap="medium")
    with left:
        worst = f", the {MAX_BARS} worst of {len(classes):,}" if len(classes) > MAX_BARS else ""
        st.markdown(f"**Class by class**{worst}, with 95 % intervals")
        chart = per_class(matrix, classes, judged.split)
        saved_chart(chart, key="inspector_per_class", stem=judged.stem("classes"))
    with right:
        st.markdown("**Is it right as often as it says?**")
        _show_calibration(judged, found)
    _show_tables(judged, found)


def score_words(found: Found) -> str:
    """How many images are right, with an interval, and how many were looked at."""
    said = found.outcomes
    count, right = len(said.labels), int((said.predicted == said.labels).sum())
    low, high = wilson(right, count)
    words = (
        f"**{100 * right / max(1, count):.1f} %** of {count:,} {said.split} images right, {count - right:,} wrong "
        f"(95 % interval {100 * low:.1f}–{100 * high:.1f} %)."
    )
    return words if count == found.total else f"{words} These are evenly spread among all {found.total:,}."


def _show_calibration(judged: Judged, found: Found) -> None:
    said = found.outcomes
    right = said.predicted == said.labels
    kind = _choose_bins()
    bins = reliability(said.confidence, right, equal_mass=kind == "mass")
    saved_chart(calibration(bins, said.split), key="inspector_calibration", stem=judged.stem("calibration"))
    st.markdown(plain(confidence_words(said.confidence, right)))
    st.caption(plain(f"{balance_words(said.confidence, right)} {error_words(found)}"), help=_SOURCE)


def _choose_bins() -> str:
    current = param("bins") if param("bins") in _BINS else "width"
    st.session_state[_BINS_KEY] = current
    st.segmented_control(
        "Groups of images",
        list(_BINS),
        required=True,
        format_func=_BINS.__getitem__,
        key=_BINS_KEY,
        label_visibility="collapsed",
        on_change=lambda: change_link(bins=st.session_state[_BINS_KEY]),
        help=f"Equally wide groups of confidence (as the error below counts them), or groups of equally many images. "
        f"Groups of fewer than {FEW} images are faded: they say hardly anything.",
    )
    return current


def error_words(found: Found) -> str:
    """The expected calibration error, what chance alone would make of it, and what a temperature would do."""
    facts = found.calibration
    error, chance = facts["error"] or 0.0, facts["by_chance"] or 0.0
    verdict = "so this is more than chance" if error > chance else "so this may be chance"
    words = (
        f"Expected calibration error: {100 * error:.1f} % ({NUM_BINS} equally wide groups). On so many images 95 of "
        f"100 perfectly calibrated networks would stay below {100 * chance:.1f} %, {verdict}."
    )
    temperature, after = facts.get("temperature"), facts.get("error_after")
    if temperature is None:
        return words
    rest = "" if after is None else f": the error would be {100 * after:.1f} %, measured on images it was not fitted on"
    return (
        f"{words} Temperature {temperature:.2f}: its outputs before the softmax divided by this one number, fitted on "
        f"these validation images, would make it as sure as it should be{rest}. No answer would change."
    )


def _show_tables(judged: Judged, found: Found) -> None:
    said = found.outcomes
    share = st.column_config.NumberColumn(format="percent")
    with st.expander("These numbers as tables", icon=":material/table:"):
        classes = per_class_table(confusion_matrix(said), list(said.classes))
        st.dataframe(classes, hide_index=True, column_config=dict.fromkeys(("accuracy", "low", "high"), share))
        mass = param("bins") == "mass"
        groups = calibration_table(reliability(said.confidence, said.predicted == said.labels, equal_mass=mass))
        columns = ("from", "to", "confidence", "accuracy", "low", "high")
        st.dataframe(groups, hide_index=True, column_config=dict.fromkeys(columns, share))
    st.download_button(
        "Every image (CSV)",
        lambda: outcomes_csv(said, found.places),
        file_name=f"{judged.stem('outcomes')}.csv",
        icon=":material/table_view:",
        help="Of each image its true class, what the network says, and the probability of every class.",
        on_click="ignore",
        key="inspector_errors_csv",
    )
