"""A run's numbers as a table, and what can be taken away from it: report, log, weights and their description."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from cnncore.runs.artifacts import WEIGHTS, WEIGHTS_CARD, file_stem, run_dir
from cnncore.runs.history import History
from cnncore.runs.store import Run
from pages.components.exports import draw_exports
from pages.components.lab import artifacts
from pages.components.onnx_file import show_onnx

_COLUMNS = {
    "epoch": "epoch",
    "train_loss": "training loss",
    "train_accuracy": "training accuracy",
    "train_top5": "training top 5",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
    "val_top5": "validation top 5",
    "lr": "learning rate",
    "seconds": "seconds",
    "best": "best so far",
}
PERCENT = st.column_config.NumberColumn(format="%.2f %%")
"""For shares from 0 to 100."""
_SHARES = [name for name in _COLUMNS.values() if "accuracy" in name or "top 5" in name]
_FORMATS = {
    **dict.fromkeys(_SHARES, PERCENT),
    **dict.fromkeys(("training loss", "validation loss"), st.column_config.NumberColumn(format="%.4f")),
    "learning rate": st.column_config.NumberColumn(format="%.3g"),
    "seconds": st.column_config.NumberColumn(format="%.1f"),
}


_FILES = (
    (WEIGHTS, "Weights (safetensors)", ":material/download:"),
    (WEIGHTS_CARD, "Their description (JSON)", ":material/description:"),
)


def show_epochs(log: History) -> None:
    """All epochs in a folded table."""
    if not log.epochs:
        return
    with st.expander(f"All epochs ({len(log.epochs):,})", icon=":material/table_rows:"):
        table = pd.DataFrame(log.epochs).reindex(columns=list(_COLUMNS)).rename(columns=_COLUMNS)
        table[_SHARES] *= 100
        st.dataframe(table.dropna(axis="columns", how="all"), hide_index=True, column_config=_FORMATS)


def show_files(run: Run) -> None:
    """Buttons that download the report, the log, the weights and what they are, and what other programs read."""
    folder = run_dir(artifacts(), run.id)
    st.subheader("Downloads", anchor=False)
    draw_exports((run.id,), key="run")
    with st.container(horizontal=True, key="run_files"):
        for file, label, icon in _FILES:
            if (folder / file).is_file():
                st.download_button(
                    label,
                    (folder / file).read_bytes,
                    file_name=f"{file_stem(run.name, run.id)}{Path(file).suffix}",
                    icon=icon,
                    on_click="ignore",
                    key=f"run_get_{file}",
                )
    show_onnx(run)
