"""Two runs head to head: their curves, the images on which they disagree, and their classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from cnncore.answers import Answer
from cnncore.errors import DataError
from cnncore.figures.compared import MAX_CLASSES, class_dots, class_table
from cnncore.figures.disagreement import Said, pair_cards, right_wrong_table
from cnncore.figures.overlay import OverlayView, Quantity, Series, overlay
from cnncore.figures.paired import compare, words
from cnncore.runs.artifacts import TEST, WEIGHTS, load_evaluation, run_dir
from cnncore.runs.events import Evaluation
from cnncore.runs.pairing import common_splits
from cnncore.runs.run import Run
from pages.components.compare_heads_facts import COLORS
from pages.components.compare_runs_curves import curves_of, follow
from pages.components.lab import artifacts
from pages.components.live_chart import still_chart
from pages.components.waiting import fill_in, inquire
from pages.components.wording import plain

PATIENCE_S = 58.0
Pair = tuple[Run, Run]
_QUANTITIES: tuple[Quantity, ...] = ("loss", "accuracy")
_SPLIT_WORDS = {"test": "Test images", "validation": "Validation images"}
_KINDS = {"a_only": "Only A is right", "b_only": "Only B is right", "both_wrong": "Both wrong, differently"}


def show_curves(pair: Pair) -> None:
    """Loss and accuracy after every epoch, on the training images dotted."""
    imported = [name for name, run in zip("AB", pair, strict=True) if run.kind == "import"]
    if len(imported) == 2:
        st.caption("Both were imported; how they learned is not known here.")
        return
    series = [
        Series(label=name, color=color, dash="solid", runs=[(f"{name}: {run.name}", curves_of(run))])
        for name, color, run in zip("AB", COLORS, pair, strict=True)
    ]
    for column, quantity in zip(st.columns(2), _QUANTITIES, strict=True):
        with column:
            still_chart(overlay(series, quantity, OverlayView(split="both")), key=f"heads_{quantity}")
    note = f" {imported[0]} was imported; how it learned is not known here." if imported else ""
    st.caption(f"A blue, B orange. Dotted: on the training images.{note}")


# The images


def show_images(a: Run, b: Run) -> None:
    """Who is right where, what that says about the difference, and images on which the two disagree."""
    try:
        splits = common_splits(a, b)
    except DataError as reason:
        st.info(plain(f"{reason.message} {reason.hint}"), icon=":material/image_not_supported:")
        return
    for run in (a, b):
        if run.is_open:
            st.info(f"{plain(run.name)} is still on; the images are looked at when it has ended.")
            return
        if not (run_dir(artifacts(), run.id) / WEIGHTS).is_file():
            st.info(f"{plain(run.name)} has no weights on this machine.", icon=":material/image_not_supported:")
            return
    asked = st.query_params.get("images", splits[0])
    split = asked if asked in splits else splits[0]
    if len(splits) > 1:
        st.session_state["heads_images"] = split
        st.segmented_control(
            "Compared on",
            list(splits),
            format_func=_SPLIT_WORDS.__getitem__,
            required=True,
            key="heads_images",
            on_change=follow,
            args=("images", "heads_images", splits[0]),
        )
    fill_in("heads_pair", lambda: _show_answer(a, b, split))


def _stamp(run: Run) -> str:
    facts = (run_dir(artifacts(), run.id) / WEIGHTS).stat()
    return f"{facts.st_mtime_ns}/{facts.st_size}"


def _show_answer(a: Run, b: Run, split: str) -> None:
    request = {"a": a.id, "b": b.id, "split": split, "stamp": f"{_stamp(a)} {_stamp(b)}"}
    reply = inquire("heads_pair", "disagreement", request, timeout_s=PATIENCE_S)
    if reply.error:
        st.error(plain(f"{reply.error.message} {reply.error.hint}".strip()), icon=":material/error:")
        return
    if reply.answer is None or reply.pending:
        st.html("<div class='lab-empty' style='min-height:16rem'>Both networks look at the images…</div>")
        return
    _show_table(reply.answer, a, b, split)
    _show_cards(reply.answer)


def _show_table(answer: Answer, a: Run, b: Run, split: str) -> None:
    counts: Mapping[str, int] = answer.data["counts"]
    found = compare(counts["a_only"], counts["b_only"], answer.data["count"])
    left, right = st.columns(2, gap="medium")
    with left:
        st.html(right_wrong_table(counts, (a.name, b.name), COLORS))
    with right:
        st.markdown(plain(words(found, "A", "B")))
        st.caption(" ".join(_notes(answer, split)))


def _notes(answer: Answer, split: str) -> list[str]:
    count, total = answer.data["count"], answer.data["total"]
    some = f"A random {count:,} of the {total:,} {split} images, as many as could be looked at in time."
    return [
        f"All {total:,} {split} images." if count == total else some,
        "This is about these two trained networks; whether one architecture is better than the other takes several "
        "seeds of each (Runs, groups).",
        "Both have been scored on these images before; to look again with the same weights is not counted as another "
        "score. To choose between many networks by them would still flatter the winner."
        if split == "test"
        else "",
    ]


def _show_cards(answer: Answer) -> None:
    counts, arrays = answer.data["counts"], answer.arrays
    kinds = [kind for kind in _KINDS if counts[kind]]
    if not kinds:
        st.caption("The two answer alike on every image.")
        return
    kind = st.segmented_control(
        "Images",
        kinds,
        default=kinds[0],
        required=True,
        format_func=lambda name: f"{_KINDS[name]} ({counts[name]:,})",
        key="heads_kind",
    )
    kind = kind if kind in kinds else kinds[0]
    said = [
        Said(top=arrays[f"{kind}_{name}_top"], shares=arrays[f"{kind}_{name}_shares"].astype(np.float32))
        for name in ("a", "b")
    ]
    labels = arrays[f"{kind}_labels"]
    st.html(pair_cards(arrays[f"{kind}_images"], labels, said, answer.data["classes"], COLORS))
    if len(labels) < counts[kind]:
        st.caption(f"The {len(labels)} of {counts[kind]:,} on which the two are surest of their answers.")


# The classes


def show_class_differences(pair: Sequence[Run]) -> None:
    """Accuracy class by class on the test images, where both were scored on the same ones."""
    datasets = [(run.config.get("data") or {}).get("dataset") for run in pair]
    found = [_evaluation(run.id, run.attempt, run.summary.get("test_scored")) for run in pair]
    matrices = [evaluation.confusion for evaluation in found if evaluation is not None]
    classes = [str(name) for name in pair[0].summary.get("classes", ())]
    if len(matrices) < 2 or datasets[0] != datasets[1] or any(len(each) != len(classes) for each in matrices):
        return
    st.subheader("Class by class", anchor=False)
    names = [f"{letter}: {run.name}" for letter, run in zip("AB", pair, strict=True)]
    still_chart(class_dots(matrices, names, COLORS, classes), key="heads_classes")
    most = f"The {MAX_CLASSES} classes that differ most. " if len(classes) > MAX_CLASSES else ""
    st.caption(f"{most}On the test images; bars: Wilson's 95 % intervals.")
    share = st.column_config.NumberColumn(format="percent")
    with st.expander("These numbers as a table", icon=":material/table:"):
        table = class_table(matrices, names, classes)
        st.dataframe(table, hide_index=True, column_config=dict.fromkeys([*names, "apart"], share))


@st.cache_data(show_spinner=False, max_entries=32)
def _evaluation(run_id: str, attempt: int, scored: int | None) -> Evaluation | None:
    return load_evaluation(run_dir(artifacts(), run_id) / TEST)
