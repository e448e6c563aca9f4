"""The page of imported weights: where they come from, how they were matched, and their score once they have one."""

from __future__ import annotations

import html

import streamlit as st

from cnncore.runs.store import Run
from pages.components.form_fields import FORM
from pages.components.lab import look_after, shown_errors, store
from pages.components.run_files import show_files
from pages.components.run_live import TICK_S, show_progress, state
from pages.components.run_results import show_results
from pages.components.run_words import known, read_config


def has_images(run: Run) -> bool:
    """Whether the weights were imported together with images to score them on."""
    config = read_config(run)
    return config is not None and (config.data.dataset != "folder" or bool(config.data.path))


def show_import(run: Run) -> None:
    """Its origin; while the test images are scored, how far that is; then what it gets right and wrong."""
    if run.is_open:
        st.fragment(_live, run_every=TICK_S)(run.id, state(run))
    summary = run.summary
    rows = {
        "File": summary.get("imported_from", "unknown"),
        "Matched by": summary.get("imported_by", "unknown"),
        "Tensors": f"{summary.get('imported_tensors', 0):,}",
        "Classes": f"{len(summary.get('classes', ())):,}",
        "Pixel values": FORM["data.normalize"].labels.get(str(run.config.get("data", {}).get("normalize")), "unknown"),
    }
    cells = "".join(f"<tr><td>{name}</td><td>{html.escape(str(value))}</td></tr>" for name, value in rows.items())
    notes = "".join(f"<li>{html.escape(str(note))}</li>" for note in summary.get("imported_notes", ()))
    with st.container(border=True, key="run_import"):
        st.markdown("**Imported weights**")
        st.html(
            f"<table class='lab-rows' style='max-width:34rem'>{cells}</table>"
            + (f"<ul class='lab-note' style='margin:.6rem 0 0;padding-left:1.1rem'>{notes}</ul>" if notes else "")
        )
        if not run.is_open and not known(summary.get("test_accuracy")):
            st.caption(_what_now(run))
    if known(summary.get("test_accuracy")):
        show_results(run)
    elif not run.is_open:
        show_files(run)


def _what_now(run: Run) -> str:
    if not has_images(run):
        return "They were imported without images, so there is nothing to score them on; train from them on yours."
    return "How good they are is not known here before the test images are scored."


def _live(run_id: str, drawn: tuple[str, str, int]) -> None:
    with shown_errors():
        run = store().get(run_id)
        if state(run) != drawn:
            st.rerun()
        look_after(run)
        show_progress(run)
