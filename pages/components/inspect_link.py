"""The way into the Inspector from other pages."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnncore.runs.artifacts import WEIGHTS, run_dir
from cnncore.runs.run import Run
from pages.components.clicks import clicked
from pages.components.inspector_why_link import MOST_OTHERS
from pages.components.lab import artifacts
from pages.components.navigation import INSPECTOR

ICON = ":material/search_insights:"
_MOST_TOGETHER = 1 + MOST_OTHERS


def can_be_inspected(run: Run) -> bool:
    """Whether the run has, or will have, a network to look into."""
    return run.kind in ("train", "import") and (
        run.status == "running" or (run_dir(artifacts(), run.id) / WEIGHTS).is_file()
    )


def inspector_params(runs: Sequence[Run], **more: str) -> dict[str, str]:
    """The link to the Inspector with the first run, and the others beside it where a view can show several."""
    first, *others = (f"run:{run.id}" for run in runs)
    beside = {"view": "why", "with": ",".join(others)} if others else {}
    return {"network": first, **beside, **more}


def inspect_button(runs: Sequence[Run], key: str) -> None:
    """A button that opens the Inspector; nothing where a run has no network, or there are too many."""
    if not 0 < len(runs) <= _MOST_TOGETHER or not all(map(can_be_inspected, runs)):
        return
    why = "Looks inside the network: its maps, why it says what it says, where it fails."
    label = "Inspect" if len(runs) == 1 else "Inspect side by side"
    if clicked(label, icon=ICON, key=key, help=why):
        st.switch_page(INSPECTOR, query_params=inspector_params(runs))


def inspect_picture(run: Run, picture: str) -> None:
    """A link that opens the Inspector with a picture, and why the network says what it says of it."""
    params = inspector_params([run], **({"picture": picture, "view": "why"} if picture else {}))
    st.page_link(INSPECTOR, label="Inspect", icon=ICON, query_params=params)
