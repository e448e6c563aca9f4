"""The figure of the lesson on Inception: a module with widths to change, factorized windows, a network for a pixel."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import streamlit as st
from pydantic import AfterValidator, Field

from cnncore.lessons.mixing import MIXES, read_numbers, write_numbers
from cnncore.lessons.modules import GOOGLENET, Kind, Module, Widths, build_module, chained
from pages.components.lesson_board import draw_board
from pages.components.lesson_inception_parts import KERNELS, PIXELS, factorizations, pixel_board
from pages.components.lesson_picture import PictureName, PictureState, choose_picture
from pages.components.lesson_state import bound, change_state, choose_view, one_of, read_state

MOST_INPUTS, MOST_WIDTH, MOST_SIDE, CHAIN = 1_024, 512, 56, 9
_VIEWS = {"module": "The module", "factorize": "Smaller windows", "pixel": "A network for one pixel"}
_KINDS: dict[Kind, str] = {"reduced": "With reductions", "naive": "Naive"}
_FIRST = GOOGLENET["3a"]


def _numbers(text: str) -> str:
    return write_numbers(read_numbers(text))


Width = Annotated[int, Field(ge=1, le=MOST_WIDTH)]


class InceptionState(PictureState):
    """What the link says; the pixel's place counts from 1, and 0 stands for the middle."""

    picture: PictureName = "flower"
    view: Literal["module", "factorize", "pixel"] = "module"
    kind: Literal["reduced", "naive"] = "reduced"
    inputs: Annotated[int, Field(ge=1, le=MOST_INPUTS, title="input channels")] = _FIRST.inputs
    side: Annotated[int, Field(ge=1, le=MOST_SIDE, title="side of the maps")] = _FIRST.side
    ones: Width = _FIRST.widths.ones
    reduce3: Width = _FIRST.widths.reduce3
    threes: Width = _FIRST.widths.threes
    reduce5: Width = _FIRST.widths.reduce5
    fives: Width = _FIRST.widths.fives
    pool: Width = _FIRST.widths.pool
    kernel: Annotated[int, one_of(KERNELS), Field(title="window")] = 5
    channels: Annotated[int, Field(ge=1, le=MOST_WIDTH)] = 64
    numbers: Annotated[str, AfterValidator(_numbers)] = write_numbers(MIXES["yellow"].numbers)
    row: Annotated[int, Field(ge=0, le=PIXELS)] = 0
    column: Annotated[int, Field(ge=0, le=PIXELS)] = 0

    @property
    def widths(self) -> Widths:
        return Widths(**{name: getattr(self, name) for name in vars(_FIRST.widths)})


def show_inception() -> None:
    """Draw the figure."""
    state = read_state(InceptionState)
    choose_view(state, _VIEWS)
    _SHOWN[state.view](state)


def module_board(state: InceptionState) -> dict[str, Any]:
    """What the figure of the module is drawn from: both kinds, and both in a row of modules."""
    modules: dict[Kind, Module] = {kind: build_module(kind, state.inputs, state.widths) for kind in _KINDS}
    chains = {kind: chained(kind, state.inputs, state.widths, CHAIN) for kind in _KINDS}
    facts = {kind: _facts(module, state.side) for kind, module in modules.items()}
    rows = {
        kind: {
            "channels": [module.channels for module in chain],
            "macs": sum(module.macs(state.side) for module in chain),
        }
        for kind, chain in chains.items()
    }
    return {
        "inputs": state.inputs,
        "modules": facts,
        "most_macs": max(
            each.macs(state.side)
            for module in modules.values()
            for branch in module.branches
            for each in branch.convolutions
        ),
        "ratios": {name: facts["naive"][name] / facts["reduced"][name] for name in ("channels", "params", "macs")},
        "chains": rows,
        "chain_ratio": rows["naive"]["macs"] / rows["reduced"]["macs"],
        "five": _ratio_of_five(modules, state.side),
    }


def _facts(module: Module, side: int) -> dict[str, Any]:
    return {
        "channels": module.channels,
        "params": module.params,
        "macs": module.macs(side),
        "branches": [
            {
                "channels": branch.channels,
                "convolutions": [
                    {"inputs": each.inputs, "filters": each.filters, "params": each.params, "macs": each.macs(side)}
                    for each in branch.convolutions
                ],
            }
            for branch in module.branches
        ],
    }


def _ratio_of_five(modules: dict[Kind, Module], side: int) -> float:
    """How many times the multiplications of the 5 × 5 branch the naive module takes."""
    naive, reduced = (
        sum(each.macs(side) for each in modules[kind].branches[2].convolutions) for kind in ("naive", "reduced")
    )
    return naive / reduced


def place_of(state: InceptionState) -> str | None:
    """The module of GoogLeNet whose numbers the state has."""
    numbers = (state.inputs, state.side, state.widths)
    return next(
        (name for name, place in GOOGLENET.items() if (place.inputs, place.side, place.widths) == numbers), None
    )


def _choose_place(state: InceptionState) -> None:
    key = "learn_inception_place"
    st.session_state[key] = place_of(state)

    def chosen() -> None:
        place = GOOGLENET.get(st.session_state[key] or "")
        if place is not None:
            change_state(InceptionState, inputs=place.inputs, side=place.side, **vars(place.widths))

    st.pills("Module of GoogLeNet", list(GOOGLENET), key=key, on_change=chosen)


def _show_module(state: InceptionState) -> None:
    with st.container(key="learn_controls_inception", horizontal=True, gap="medium"):
        st.segmented_control(
            "Kind",
            list(_KINDS),
            required=True,
            format_func=_KINDS.__getitem__,
            **bound(InceptionState, "kind", state.kind),
        )
        _choose_place(state)
    draw_board("inception", state, module_board(state))


def _show_factorize(state: InceptionState) -> None:
    draw_board("inception_factorize", state, *factorizations())


def _show_pixel(state: InceptionState) -> None:
    picture = choose_picture(state, PIXELS)
    key = "learn_inception_mix"
    texts = {write_numbers(mix.numbers): mix.title for mix in MIXES.values()}
    st.session_state[key] = state.numbers if state.numbers in texts else None

    def chosen() -> None:
        if st.session_state[key]:
            change_state(InceptionState, numbers=st.session_state[key])

    with st.container(key="learn_controls_inception_mix"):
        st.pills("What it tells of a pixel", list(texts), format_func=texts.__getitem__, key=key, on_change=chosen)
    draw_board("inception_pixel", state, *pixel_board(picture.pixels, state.numbers, (state.row, state.column)))


_SHOWN = {"module": _show_module, "factorize": _show_factorize, "pixel": _show_pixel}
