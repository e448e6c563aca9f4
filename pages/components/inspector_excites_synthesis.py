"""An image made to excite a unit, which grows while one watches."""

from __future__ import annotations

import html
import random
from functools import partial
from typing import Any

import streamlit as st

from cnncore.answers import Answer
from cnncore.figures.exciting import PIXELATED
from cnncore.figures.feature_maps import enlarged, png
from cnncore.figures.unit_sum import exact
from pages.components.inspector_answers import is_part
from pages.components.inspector_excites_real import Real, real_of
from pages.components.inspector_excites_target import Target
from pages.components.inspector_link import Look, change_link
from pages.components.inspector_maps_grid import file_name
from pages.components.inspector_maps_link import choice, number
from pages.components.lab import show_problem
from pages.components.pictures import strip
from pages.components.transfer_use_answers import data_url
from pages.components.waiting import inquire
from pages.components.wording import plain, share_text

_AIM, _STOPPED, _SHOWN = "inspector_excites_aim", "inspector_excites_stopped", "inspector_excites_shown"
_AIMS = {"mean": "Everywhere", "middle": "In the middle"}
_MOST_SEEDS = 1_000_000
_PATIENCE_S = 120.0
_SIDE = 448
_SURE = 0.9
_WHAT = (
    "No photograph: an image that was **made** to excite this {group}. It begins as nearly one color, and each step "
    "changes it a little in the direction in which the {group} answers more. It shows what the {group} looks for "
    "without the company that it keeps in real images."
)
_FOOLED = (
    "It is certain; whether a person would agree is another matter: networks are certain of many images in which "
    "nobody recognizes anything (Nguyen, Yosinski, Clune, Deep neural networks are easily fooled, 2015)."
)
_REAL_GRID = "<style>.lab-real .lab-strip { grid-template-columns: repeat(4, minmax(0, 1fr)); }</style>"
_SOURCE = (
    "Gradient ascent: Erhan et al., Visualizing higher-layer features of a deep network, 2009; Simonyan et al., Deep "
    "inside convolutional networks, 2014. On the image's frequencies, seen shifted, turned and zoomed by chance: Olah, "
    "Mordvintsev, Schubert, Feature visualization, 2017."
)


def show_synthesis(look: Look, target: Target) -> None:
    """Draw this part."""
    st.markdown(_WHAT.format(group=target.group), help=_SOURCE)
    seed = number("seed", _MOST_SEEDS, "seed") or 0
    aim = "mean" if target.is_class else _choose_aim()
    request = {**look.subject, **target.request, "aim": aim, "seed": seed}
    left, right = st.columns([5, 4], gap="medium")
    answer = _ask(request)
    with left:
        st.html(picture_html(answer, f"Made to excite {target.title}"))
    with right:
        if answer is not None:
            _draw_facts(look, target, answer)
        _draw_buttons(request, answer, seed)
        if answer is not None:
            _draw_download(look, target, answer, seed)


def _choose_aim() -> str:
    aim = choice("aim", _AIMS, "mean", f"aim ({', '.join(_AIMS)})")
    st.session_state[_AIM] = aim
    st.segmented_control(
        "Where it should answer",
        list(_AIMS),
        required=True,
        format_func=_AIMS.__getitem__,
        key=_AIM,
        on_change=lambda: change_link(aim=st.session_state[_AIM]),
        help="Everywhere: the mean of its map, which gives a texture. In the middle: one place of its map, which gives "
        "one object, no larger than what that place sees.",
    )
    return aim


def _ask(request: dict[str, Any]) -> Answer | None:
    """The image as far as it is; a stopped one as it was last seen."""
    if st.session_state.get(_STOPPED) != request:
        reply = inquire("inspector_synthesis", "synthesis", request, timeout_s=_PATIENCE_S, is_part=is_part)
        if reply.error is not None:
            show_problem(reply.error)
            return None
        # While the first piece is on its way, the answer of this place is of another image.
        if reply.answer is not None and _is_of(reply.answer, request):
            st.session_state[_SHOWN] = request, reply.answer
    shown = st.session_state.get(_SHOWN)
    return shown[1] if shown and shown[0] == request else None


def _is_of(answer: Answer, request: dict[str, Any]) -> bool:
    return all(answer.data[name] == request[name] for name in ("network", "layer", "unit", "aim", "seed"))


def picture_html(answer: Answer | None, words: str) -> str:
    """The image, its pixels as squares where they are few; a gray square before there is one."""
    style = f"display:block;width:100%;max-width:{_SIDE}px;aspect-ratio:1;border-radius:6px"
    if answer is None:
        return f"<div style='{style};background:rgba(128,128,128,.3)'></div>"
    image = answer.arrays["image"]
    rendering = "pixelated" if len(image) < PIXELATED else "auto"
    alt = html.escape(words, quote=True)
    return f"<img style='{style};image-rendering:{rendering}' alt='{alt}' src='{data_url(image)}'>"


def _draw_facts(look: Look, target: Target, answer: Answer) -> None:
    facts, real = answer.data, real_of(look, target)
    stopped = facts["pending"] and st.session_state.get(_STOPPED) == st.session_state[_SHOWN][0]
    state = f"step {facts['done']:,} of {facts['total']:,}"
    st.progress(facts["done"] / facts["total"], text=f"Stopped at {state}" if stopped else state.capitalize())
    st.html(f"<table class='lab-rows'>{''.join(map(_row, _values(facts, real)))}</table>")
    if not facts["pending"]:
        st.markdown(said_words(target, facts))
    if real is not None:
        st.caption("What excited it most among real images:")
        st.html(f"<div class='lab-real'>{_REAL_GRID}{strip(real.patches)}</div>")
    else:
        st.button(
            "Compare with real images",
            icon=":material/photo_library:",
            type="tertiary",
            key="inspector_excites_to_real",
            on_click=lambda: change_link(part="patches"),
        )


def _row(row: tuple[str, str]) -> str:
    return f"<tr><td>{html.escape(row[0])}</td><td>{html.escape(row[1])}</td></tr>"


def _values(facts: dict[str, Any], real: Real | None) -> list[tuple[str, str]]:
    found = [("At the start", exact(facts["before"])), ("Now, at its strongest place", exact(facts["value"]))]
    return found if real is None else [*found, ("Best real image", exact(real.value))]


def said_words(target: Target, facts: dict[str, Any]) -> str:
    """What the network makes of the finished image, and what that is worth."""
    said = f"The network takes this image for **{plain(facts['said'])}** ({share_text(facts['share'])})."
    if facts["value"] <= max(facts["before"], 0.0):
        return f"Nothing was found that excites this {target.group}: it may be dead. Try another seed. {said}"
    if facts["share"] >= _SURE:
        return f"{said} {_FOOLED}"
    return said


def _draw_buttons(request: dict[str, Any], answer: Answer | None, seed: int) -> None:
    whole = answer is not None and not answer.data["pending"]
    stopped = st.session_state.get(_STOPPED) == request
    with st.container(horizontal=True, gap="small"):
        if not whole:
            st.button(
                "Go on" if stopped else "Stop",
                icon=":material/play_arrow:" if stopped else ":material/stop:",
                key="inspector_excites_stop",
                on_click=lambda: st.session_state.update({_STOPPED: None if stopped else request}),
            )
        st.button(
            "Again, from another start",
            icon=":material/refresh:",
            key="inspector_excites_again_seed",
            on_click=lambda: change_link(seed=str(random.randrange(1, _MOST_SEEDS))),
            help="Other random starts may lead to other images that excite it as much.",
        )
    st.caption(f"Seed {seed:,}: the same seed gives the same image.")


def _draw_download(look: Look, target: Target, answer: Answer, seed: int) -> None:
    st.download_button(
        "Image (PNG)",
        partial(_png, answer),
        file_name=file_name(look, target.layer or "class", target.title, "made for it", f"seed{seed}", ".png"),
        icon=":material/download:",
        on_click="ignore",
        key="inspector_excites_image",
    )


def _png(answer: Answer) -> bytes:
    image = answer.arrays["image"]
    return png(enlarged(image, _SIDE) if len(image) < PIXELATED else image)
