"""The app's hold on the library: the run store, the folders, and how errors are told to a person."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import streamlit as st

from cnncore.config import TrainConfig, readable_name
from cnncore.errors import LabError
from cnncore.images.store import open_sets
from cnncore.places import artifacts_dir, data_dir, database_url
from cnncore.runs.runner import ensure_runner
from cnncore.runs.store import Run, RunStore
from cnncore.runs.tidying import restore
from pages.components.wording import plain

log = logging.getLogger("cnnlab")

SILENT_S = 15.0
"""Seconds without a heartbeat after which an open run is looked after."""


def data_root() -> Path:
    """Folder of the data sets."""
    return data_dir()


def artifacts() -> Path:
    """Folder with one folder a run."""
    return artifacts_dir()


@st.cache_resource(show_spinner=False)
def _open_store(url: str) -> RunStore:
    artifacts().mkdir(parents=True, exist_ok=True)
    return RunStore(url)


def store() -> RunStore:
    """The run store, opened once a server."""
    return _open_store(database_url())


def run_name(config: TrainConfig) -> str:
    """What a run with this configuration is called, with the name of the image set it learns from."""
    if config.data.image_set:
        with suppress(LabError):
            return f"{config.model_spec.title} on {open_sets(data_root()).at(config.data.image_set).name}"
    return readable_name(config)


def images_title(config: TrainConfig) -> str:
    """What the images of a run are called: an image set by its own name and version."""
    if config.data.image_set:
        with suppress(LabError):
            found = open_sets(data_root()).at(config.data.image_set)
            return f"{found.name}, version {found.version}"
    return config.dataset_spec.title


def start_run(config: TrainConfig, kind: Literal["train", "find_lr"] = "train", name: str = "") -> Run:
    """Put a run into the queue and make sure that somebody serves it; without a name it gets a readable one."""
    name = name or run_name(config)
    title = name if kind == "train" else f"Learning rate for {name}"
    run = store().create(config.model_dump(mode="json"), name=title, kind=kind)
    ensure_runner(artifacts())
    return run


def serve_queue() -> None:
    """See to it that somebody serves the queue."""
    ensure_runner(artifacts())


def resume_run(run_id: str, config: TrainConfig | None = None) -> None:
    """Let a run that is over go on from its checkpoint, with another configuration if there is one.

    Raises:
        RunError: if the run waits or is on.
    """
    store().requeue(run_id, config.model_dump(mode="json") if config else None)
    ensure_runner(artifacts())


def restore_runs(run_ids: Sequence[str]) -> None:
    """Bring deleted runs back; those that were waiting wait again, so somebody must serve the queue."""
    restore(store(), run_ids)
    if store().queue():
        ensure_runner(artifacts())


def look_after(run: Run) -> None:
    """See to it that somebody serves an open run that has been silent: its runner may have gone with a restart."""
    heard = max(run.created, run.started or 0, run.beat or 0)
    if run.is_open and time.time() - heard > SILENT_S:
        ensure_runner(artifacts())


def show_problem(error: LabError) -> None:
    """One sentence that says what is wrong, and what to do."""
    st.error(plain(f"{error.message} {error.hint}".strip()), icon=":material/error:")


@contextmanager
def shown_errors() -> Iterator[None]:
    """Turn errors into a sentence on the page: what a person can mend in its own words, the rest by a reference.

    app.py wraps every page in it; a fragment needs its own, since it also runs without the page.
    """
    try:
        yield
    except LabError as error:
        show_problem(error)
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("unexpected error, reference %s", reference)
        st.error(
            f"Something went wrong that the lab did not expect. The server's log has the details under {reference}.",
            icon=":material/error:",
        )
