"""The Head to head view of Compare: two runs or networks side by side, `?view=heads&a=ID&b=ID`."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cnncore.catalog import MODELS
from cnncore.errors import ConfigError, lookup
from cnncore.runs.groups import differing
from cnncore.runs.run import Run
from cnncore.runs.search import Search, find_runs, runs_by_id
from pages.components.compare_heads_facts import COLORS, Side, facts
from pages.components.compare_heads_results import show_class_differences, show_curves, show_images
from pages.components.compare_runs_curves import follow
from pages.components.form_fields import setting_title
from pages.components.lab import store
from pages.components.navigation import COMPARE, TRAIN
from pages.components.run_words import known, percent
from pages.components.waiting import fill_in
from pages.components.wording import plain

_NAMES = ("a", "b")
_KINDS = ("train", "import")
_MOST_OFFERED = 200
_RUN_ID = re.compile(r"[0-9a-f]{6,32}")


def show_heads() -> None:
    """The view that the address describes."""
    runs = _offered()
    found = {name: _side(name) for name in _NAMES}
    _show_choice(runs, found)
    a, b = (found[name] for name in _NAMES)
    if a is None or b is None:
        _show_start(runs)
        return
    if a == b:
        st.info("These are one and the same; choose another one beside it.", icon=":material/content_copy:")
        return
    fill_in("heads_facts", lambda: _show_facts((a, b)))
    if a.run and b.run:
        _show_runs(a.run, b.run)
    else:
        st.caption("Choose two runs to see their curves, and the images on which they disagree.")


def _offered() -> dict[str, Run]:
    """The latest runs that may be compared, by id."""
    found = find_runs(store(), Search(limit=_MOST_OFFERED))
    return {run.id: run for run in found if run.kind in _KINDS and run.status != "queued"}


# The link


def _side(name: str) -> Side | None:
    """What the link names under `name`; None where it names nothing, or nothing that there is, which is then said."""
    text = st.query_params.get(name, "")
    if not text:
        return None
    if text in MODELS:
        return Side(model=text)
    if not _RUN_ID.fullmatch(text):
        try:
            lookup(MODELS, text, "network or run", name)
        except ConfigError as error:
            st.warning(plain(f"{error.message} {error.hint}".strip()), icon=":material/link_off:")
        return None
    run = runs_by_id(store(), [text]).get(text)
    if run is None:
        st.warning(f"There is no run {text} here; deleted for good, or of another lab.", icon=":material/link_off:")
    elif run.deleted is not None:
        st.warning(f"The run {plain(run.name)} was deleted.", icon=":material/link_off:")
    elif run.kind not in _KINDS:
        st.warning(f"The run {plain(run.name)} trained no network to keep.", icon=":material/link_off:")
    else:
        return Side(model=str((run.config.get("model") or {}).get("name")), run=run)
    return None


def _show_choice(runs: dict[str, Run], found: dict[str, Side | None]) -> None:
    chosen = {side.key: side.run for side in found.values() if side and side.run}
    everything = {**chosen, **runs}

    def words(key: str) -> str:
        if not key:
            return "choose a run or a network"
        run = everything.get(key)
        if run is None:
            return f"{MODELS[key].title} (network, {MODELS[key].year})"
        score = run.summary.get("test_accuracy")
        return f"{run.name} · {percent(score)}" if known(score) else f"{run.name} · {run.status}"

    *columns, last = st.columns([6, 6, 1], vertical_alignment="bottom")
    for name, column in zip(_NAMES, columns, strict=True):
        side, key = found[name], f"heads_{name}"
        st.session_state[key] = side.key if side else ""
        column.selectbox(
            name.upper(),
            ["", *everything, *MODELS],
            format_func=words,
            key=key,
            on_change=follow,
            args=(name, key, ""),
        )
    last.button("", icon=":material/swap_horiz:", key="heads_swap", on_click=_swap, help="Swap A and B")


def _swap() -> None:
    a, b = (st.query_params.get(name, "") for name in _NAMES)
    for name, value in zip(_NAMES, (b, a), strict=True):
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def _show_start(runs: dict[str, Run]) -> None:
    """What will be here, and the quickest way to see it."""
    with st.container(border=True):
        st.markdown(
            "Two runs or two networks side by side: what they are, what they cost, how they learned, and for two runs "
            "on the same data set **the images on which they disagree**."
        )
        with st.container(horizontal=True):
            if pair := _latest_pair(list(runs.values())):
                st.page_link(
                    COMPARE,
                    label="The two latest runs on the same images",
                    icon=":material/compare_arrows:",
                    query_params={"view": "heads", "a": pair[0].id, "b": pair[1].id},
                )
            else:
                st.page_link(TRAIN, label="Train two networks first", icon=":material/model_training:")
            st.page_link(
                COMPARE,
                label="ResNet-34 and its plain twin",
                icon=":material/schema:",
                query_params={"view": "heads", "a": "resnet34", "b": "plain34"},
            )


def _latest_pair(runs: Sequence[Run]) -> tuple[Run, Run] | None:
    """The latest two scored runs on one data set."""
    latest: dict[str, Run] = {}
    for run in runs:
        if not known(run.summary.get("test_accuracy")):
            continue
        dataset = str((run.config.get("data") or {}).get("dataset"))
        if dataset in latest:
            return latest[dataset], run
        latest[dataset] = run
    return None


# Side by side


def _show_facts(sides: Sequence[Side]) -> None:
    left, right = (facts(side, place) for side, place in zip(sides, _NAMES, strict=True))
    rows = [(name, left.get(name, "–"), right.get(name, "–")) for name in {**left, **right}]
    head = "".join(
        f"<td><i style='background:{color}'>{name.upper()}</i> {html.escape(side.name)}</td>"
        for name, color, side in zip(_NAMES, COLORS, sides, strict=True)
    )
    cells = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(a)}</td><td>{html.escape(b)}</td></tr>"
        for name, a, b in rows
    )
    st.html(f"{_STYLE}<table class='lab-rows lab-pair'><tr><th></th>{head}</tr>{cells}</table>")
    titles = [f"{name.upper()}: {side.name}" for name, side in zip(_NAMES, sides, strict=True)]
    table = pd.DataFrame(rows, columns=["", *titles])
    st.download_button(
        "Table (CSV)",
        table.to_csv(index=False).encode(),
        file_name="head-to-head.csv",
        icon=":material/table_view:",
        on_click="ignore",
        key="heads_get_table",
    )


def _show_runs(a: Run, b: Run) -> None:
    st.subheader("Settings that differ", anchor=False)
    found = differing([a, b])
    if found:
        names = [f"A: {a.name}", f"B: {b.name}"]
        titles = [setting_title(name) for name in found]
        st.dataframe(pd.DataFrame(list(found.values()), index=titles, columns=names), key="heads_settings")
    else:
        st.caption("None: all settings are the same, the seed too.")
    st.subheader("How they learned", anchor=False)
    show_curves((a, b))
    st.subheader("Where they disagree", anchor=False)
    show_images(a, b)
    show_class_differences((a, b))


_STYLE = """<style>
.lab-pair { table-layout: fixed; }
.lab-rows.lab-pair td, .lab-rows.lab-pair td:last-child { text-align: left; padding-right: 1rem;
  overflow-wrap: anywhere; }
.lab-rows.lab-pair tr:first-child td { color: inherit; font-weight: 600; font-size: 1rem; }
.lab-rows.lab-pair th { width: 26%; border: 0; }
.lab-pair i { display: inline-block; width: 1.25em; border-radius: 3px; color: #fff; text-align: center;
  font-style: normal; font-weight: 600; font-size: .85em; }
</style>"""
