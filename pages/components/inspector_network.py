"""Which network the Inspector looks into."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import streamlit as st

from cnncore.catalog import MODELS
from cnncore.catalog.backbone_files import backbones_at_hand
from cnncore.catalog.backbones import BACKBONES, DEFAULT_BACKBONE
from cnncore.catalog.imagenet import imagenet_classes
from cnncore.errors import LabError, RunError
from cnncore.runs.artifacts import WEIGHTS, run_dir
from cnncore.runs.run import Run
from cnncore.runs.search import Search, find_runs
from cnncore.runs.subjects import Subject, parse_subject, subject_stamp
from cnncore.runs.weights_card import read_card
from pages.components.inspector_link import Look, change_link, param
from pages.components.lab import artifacts, data_root, look_after, shown_errors, store
from pages.components.navigation import TRAIN
from pages.components.run_words import fraction_done, known, percent, progress_words
from pages.components.wording import bytes_text, plain

QUICK_PRESET = "lenet_20s"
_CHOICE = "inspector_network"
_OF_NETWORK = ("layer", "unit", "place", "class_", "page", "filter", "tensor")
"""Parameters that mean something else for another network."""
_MOST_OFFERED = 200
_TICK_S = 2.0


def network_choices() -> dict[str, str]:
    """Titles of the networks that can be looked into, by reference: runs, the newest first, pretrained, untrained."""
    runs = {f"run:{run.id}": f"Run · {run.name}{_result_words(run)}" for run in _runs()}
    at_hand = {f"backbone:{key}": f"Pretrained · {BACKBONES[key].title}" for key in backbones_at_hand(data_root())}
    untrained = {f"untrained:{key}": f"Untrained · {spec.title} · random weights" for key, spec in MODELS.items()}
    return {**runs, **at_hand, **untrained}


def look_at(reference: str) -> Look | str:
    """A network by reference, without a picture; a sentence where it cannot be looked into."""
    try:
        subject = parse_subject(reference)
        return _OF_KIND[subject.kind](subject)
    except LabError as error:
        return f"{error.message} {error.hint}".strip()


def choose_network() -> Look | None:
    """Draw the choice of the network; None where the chosen one cannot be looked into."""
    _take_run_of_link()
    choices = network_choices()
    chosen = _chosen(choices)
    missing = {key: spec for key, spec in BACKBONES.items() if f"backbone:{key}" not in choices}
    sizes = {f"backbone:{key}": bytes_text(spec.file.num_bytes) for key, spec in missing.items()}
    elsewhere = {name: f"Pretrained · {BACKBONES[name[9:]].title} · not here, {size}" for name, size in sizes.items()}
    look = look_at(chosen)
    unlisted = {} if chosen in choices or chosen in elsewhere else {chosen: _title(chosen)}
    offered = unlisted | choices | elsewhere
    st.session_state[_CHOICE] = chosen
    st.selectbox(
        "Network",
        list(offered),
        format_func=lambda name: offered[name],
        key=_CHOICE,
        on_change=lambda: take_network(st.session_state[_CHOICE], offered),
        help="Type to search. Runs with weights come first, also running ones; then networks pretrained on ImageNet, "
        "and untrained ones with random weights, to compare with.",
    )
    if isinstance(look, str):
        st.warning(plain(look), icon=":material/image_not_supported:")
        _watch(chosen, "")
        return None
    _watch(chosen, look.stamp)
    if not any(name.startswith("run:") for name in choices):
        _offer_training()
    return look


def take_network(chosen: str, offered: Mapping[str, str]) -> None:
    """Callback of the choice: the link names the network.

    While a run learns its title changes, and a browser that still shows the last one sends that: no one chose it.
    """
    if chosen in offered:
        change_link(network=chosen, **dict.fromkeys(_OF_NETWORK, ""))


def _take_run_of_link() -> None:
    """Other pages and people name a run as `?run=ID`."""
    run_id = param("run")
    if run_id:
        change_link(run="", network=param("network") or f"run:{run_id}")


def _chosen(choices: Mapping[str, str]) -> str:
    """The network of the link; the newest run, or what comes with the lab, where it names none."""
    default = next(iter(choices), f"backbone:{DEFAULT_BACKBONE}")
    asked = param("network")
    try:
        return str(parse_subject(asked)) if asked else default
    except LabError as error:
        st.warning(plain(f"{error.message} {error.hint}".strip()), icon=":material/link_off:")
        return default


def _title(reference: str) -> str:
    """A network that is not among the choices: a run without weights, or one older than those that are offered."""
    subject = parse_subject(reference)
    with suppress(RunError):
        return f"Run · {store().get(subject.key).name}" if subject.kind == "run" else reference
    return reference


def _offer_training() -> None:
    st.caption("Nothing has been trained here yet. A network that reads digits takes less than a minute.")
    st.page_link(
        TRAIN, label="Train a digit network", icon=":material/model_training:", query_params={"preset": QUICK_PRESET}
    )


# The kinds of networks


def _runs() -> tuple[Run, ...]:
    """The latest trainings and imports that have weights."""
    found = find_runs(store(), Search(limit=_MOST_OFFERED))
    return tuple(run for run in found if run.kind in ("train", "import") and _has_weights(run))


def _has_weights(run: Run) -> bool:
    return (run_dir(artifacts(), run.id) / WEIGHTS).is_file()


def _result_words(run: Run) -> str:
    """How good it is, or of which epoch its weights are while it is on."""
    if run.is_open:
        return f" · {run.status}, weights of epoch {_epoch(run)}"
    for name, label in (("test_accuracy", "test"), ("best_val_accuracy", "validation")):
        if known(run.summary.get(name)):
            return f" · {percent(run.summary[name])} {label}"
    return ""


def _epoch(run: Run) -> str:
    try:
        return str(read_card(run_dir(artifacts(), run.id)).get("epoch", "?"))
    except RunError:
        return "?"


def _look_at_run(subject: Subject) -> Look:
    run = store().get(subject.key)
    if run.is_open and not _has_weights(run):
        raise RunError(f"{run.name} has no trained weights yet.", "Wait for its first epoch to end.")
    stamp = subject_stamp(artifacts(), data_root(), subject)
    card = read_card(run_dir(artifacts(), run.id))
    channels, size, _ = card["in_shape"]
    return Look(
        network=str(subject),
        title=run.name,
        stamp=stamp,
        picture="",
        size=size,
        classes=tuple(card["classes"]),
        channels=channels,
    )


def _look_at_backbone(subject: Subject) -> Look:
    spec = BACKBONES[subject.key]
    return Look(
        network=str(subject),
        title=f"{spec.title}, pretrained on ImageNet",
        stamp=subject_stamp(artifacts(), data_root(), subject),
        picture="",
        size=spec.image_size,
        classes=imagenet_classes(),
    )


def _look_at_untrained(subject: Subject) -> Look:
    spec = MODELS[subject.key]
    return Look(
        network=str(subject),
        title=f"{spec.title}, untrained",
        stamp=subject_stamp(artifacts(), data_root(), subject),
        picture="",
        size=spec.native_size,
        classes=imagenet_classes(),
        channels=spec.in_channels,
    )


_OF_KIND = {"run": _look_at_run, "backbone": _look_at_backbone, "untrained": _look_at_untrained}


# A network that is still learning


def _watch(network: str, stamp: str) -> None:
    """Say how far an open run is, and draw the page anew as soon as it has newer weights."""
    subject = parse_subject(network)
    if subject.kind != "run":
        return
    try:
        run = store().get(subject.key)
    except RunError:
        return
    if run.is_open:
        st.fragment(_follow, run_every=_TICK_S)(subject, stamp)


def _follow(subject: Subject, stamp: str) -> None:
    with shown_errors():
        run = store().get(subject.key)
        look_after(run)
        now = look_at(str(subject))
        if not run.is_open or (isinstance(now, Look) and now.stamp != stamp):
            st.rerun()
        weights = f"The weights are those of epoch {_epoch(run)}; newer ones come by themselves." if stamp else ""
        st.progress(fraction_done(run), text=progress_words(run))
        st.caption(weights or "Its first weights come with the end of the first epoch; this fills in by itself.")
