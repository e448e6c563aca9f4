"""The choices of the view Why: class, methods, networks beside it, how maps are shown, and settings folded away."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnncore.answers import Answer
from pages.components.inspector_link import Look, change_link
from pages.components.inspector_network import network_choices
from pages.components.inspector_why_link import MOST_OTHERS, SHOWN, Wish, write_settings
from pages.components.inspector_why_methods import METHODS, SETTINGS
from pages.components.wording import plain, share_text

_TOP, _ANY = "why_class_top", "why_class_any"
_METHODS, _OTHERS, _SHOW, _OPACITY, _LAYER = "why_methods", "why_with", "why_show", "why_opacity", "why_layer"
_LAST = ""
_SPLIT = (3, 2)


def choose_class(look: Look, wish: Wish, said: Answer) -> None:
    """The five most probable classes as buttons, and all others to search among."""
    names, top = said.data["classes"], [int(place) for place in said.arrays["top"]]
    labels = {
        place: plain(f"{name} · {share_text(share)}")
        for place, name, share in zip(top, names, said.arrays["shares"].tolist(), strict=True)
    }
    target = top[0] if wish.target is None else wish.target
    st.session_state[_TOP] = target if target in labels else None
    st.session_state[_ANY] = None if target in labels else target
    left, right = st.columns(_SPLIT, gap="medium") if len(look.classes) > len(top) else (st.container(), None)
    with left:
        st.pills(
            "Why does it say…",
            top,
            format_func=labels.__getitem__,
            key=_TOP,
            wrap=True,
            # The most probable class is what a link without a class means, also for the next picture.
            on_change=lambda: _write_class(_TOP, usual=top[0]),
        )
    if right is not None:
        right.selectbox(
            "…or what would speak for",
            range(len(look.classes)),
            format_func=lambda place: look.classes[place],
            key=_ANY,
            placeholder="any other class",
            on_change=lambda: _write_class(_ANY, usual=top[0]),
        )


def _write_class(key: str, *, usual: int) -> None:
    chosen = st.session_state[key]
    change_link(class_="" if chosen is None or chosen == usual else str(chosen))


def choose_methods(look: Look, wish: Wish) -> None:
    """The methods, and the networks beside the chosen one."""
    left, right = st.columns(_SPLIT, gap="medium")
    st.session_state[_METHODS] = list(wish.methods)
    left.pills(
        "Methods",
        list(METHODS),
        selection_mode="multi",
        format_func=lambda method: METHODS[method].title,
        key=_METHODS,
        wrap=True,
        on_change=_write_methods,
    )
    offered = {name: title for name, title in network_choices().items() if name != look.network}
    offered = {name: offered.get(name, name) for name in (*wish.others, *offered)}
    st.session_state[_OTHERS] = list(wish.others)
    right.multiselect(
        "Beside other networks",
        list(offered),
        format_func=offered.__getitem__,
        max_selections=MOST_OTHERS,
        key=_OTHERS,
        placeholder=f"Add up to {MOST_OTHERS}",
        on_change=lambda: change_link(with_=",".join(name for name in st.session_state[_OTHERS] if name in offered)),
    )


def _write_methods() -> None:
    chosen = st.session_state[_METHODS]
    # With none there would be nothing to see: the last one stays.
    if chosen:
        change_link(method=",".join(name for name in METHODS if name in chosen))


def choose_look(wish: Wish, layers: Sequence[str]) -> None:
    """How the maps are drawn; and, folded away, how they are made.

    Args:
        wish: What is asked for.
        layers: Those that Grad-CAM can take.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.session_state[_SHOW] = wish.show
        st.segmented_control(
            "Show",
            list(SHOWN),
            required=True,
            format_func=SHOWN.__getitem__,
            key=_SHOW,
            wrap=True,
            on_change=lambda: write_settings(wish.settings, st.session_state[_SHOW], wish.opacity),
        )
        if wish.show == "over":
            st.session_state[_OPACITY] = wish.opacity
            st.slider(
                "Strength of the colors",
                0,
                100,
                step=5,
                format="%d %%",
                key=_OPACITY,
                width=220,
                on_change=lambda: write_settings(wish.settings, wish.show, st.session_state[_OPACITY]),
            )
        _choose_settings(wish, layers)


def _choose_settings(wish: Wish, layers: Sequence[str]) -> None:
    names = [name for method in wish.methods for name in METHODS[method].settings]
    has_layers = "gradcam" in wish.methods and len(layers) > 1
    if not names and not has_layers:
        return
    changed = bool(wish.settings) or bool(wish.layer)
    with st.popover("Settings, changed" if changed else "Settings", icon=":material/tune:"):
        if has_layers:
            _choose_layer(wish, layers)
        for name in names:
            _choose_setting(wish, name)
        if changed:
            st.button("Back to the usual ones", key="why_usual", icon=":material/undo:", on_click=_reset, args=(wish,))


def _reset(wish: Wish) -> None:
    change_link(layer="")
    write_settings({}, wish.show, wish.opacity)


def _choose_layer(wish: Wish, layers: Sequence[str]) -> None:
    st.session_state[_LAYER] = wish.layer
    st.selectbox(
        "Grad-CAM: layer",
        [_LAST, *reversed(layers)],
        format_func=lambda name: name or "The last with some extent",
        key=_LAYER,
        on_change=lambda: change_link(layer=st.session_state[_LAYER], unit="", place="", page=""),
        help="Late layers know what things are, early ones where edges are. Offered are those that everything passes "
        "through: inside a branch, another branch may see the class.",
    )


def _choose_setting(wish: Wish, name: str) -> None:
    spec = SETTINGS[name]
    method = next(each.title for each in METHODS.values() if name in each.settings)
    kind = int if spec.whole else float
    key = f"why_setting_{name}"
    st.session_state[key] = kind(wish.settings.get(name, spec.default))
    st.number_input(
        f"{method}: {spec.title.lower()}",
        kind(spec.least),
        kind(spec.most),
        step=kind(spec.step),
        key=key,
        help=spec.help,
        on_change=lambda: write_settings({**wish.settings, name: st.session_state[key]}, wish.show, wish.opacity),
    )
