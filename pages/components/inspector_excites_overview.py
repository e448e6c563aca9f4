"""All units of a layer at a glance: of each, the place of a real image that excites it most."""

from __future__ import annotations

import math
from functools import partial

import streamlit as st

from cnncore.answers import Answer
from cnncore.figures.exciting import colored
from cnncore.figures.feature_maps import sheet
from cnncore.figures.unit_sum import exact
from pages.components.inspector_answers import answer_of
from pages.components.inspector_excites_images import choose_scanned
from pages.components.inspector_excites_target import Target
from pages.components.inspector_link import Look, change_link, param
from pages.components.inspector_maps_grid import file_name
from pages.components.inspector_maps_link import read_number, refuse
from pages.components.inspector_maps_tiles import Tiles, choose_tile
from pages.components.run_words import percent

PER_PAGE = 64
_PAGE = "inspector_excites_page"
_WHAT = (
    "For every {group}, the one place of the images that excites it most. Neighbors that show the same look for the "
    "same thing; gray ones are dead: they answer the same everywhere."
)


def show_overview(look: Look, target: Target) -> None:
    """Draw this part."""
    st.markdown(_WHAT.format(group=target.group))
    images = choose_scanned(look)
    page = _page(target.count)
    request = {**look.subject, **images, "layer": target.layer, "first": PER_PAGE * page, "count": PER_PAGE}
    answer = answer_of("inspector_excites", "exciting_units", request, words="Searching the images…")
    if answer is None:
        st.html("<div class='lab-empty' style='min-height:30rem'></div>")
        return
    units = answer.data["units"]
    choose_tile(
        Tiles(
            keys=[each["unit"] for each in units],
            labels=labels_of(look, target, answer),
            words=[
                f"{_name(look, target, each['unit'])}: dead on these images"
                if each["dead"]
                else f"{_name(look, target, each['unit'])}: {exact(each['value'])} in an image of {each['label']}, "
                f"above 0 on {percent(each['active'], 0)} of the images"
                for each in units
            ],
            pictures=colored(answer.arrays["patches"]),
        ),
        key="inspector_excites_units",
        label=f"The strongest place of each {target.group}; arrow keys move, Enter opens one",
        hint=f"Click a {target.group} to see more of what excites it.",
        chosen=target.unit,
        on_choose=lambda unit: _open(target, unit),
    )
    _choose_page(target.count)
    st.caption(_words(target, answer))
    st.download_button(
        "Grid (PNG)",
        partial(_sheet, look, target, answer),
        file_name=file_name(look, target.layer or "classes", f"{target.group}s", str(PER_PAGE * page), ".png"),
        icon=":material/download:",
        on_click="ignore",
        key="inspector_excites_units_png",
    )


def labels_of(look: Look, target: Target, answer: Answer) -> list[str]:
    """Below the tiles: the classes by name, units by number."""
    units = [each["unit"] for each in answer.data["units"]]
    return [look.classes[unit] if target.is_class else str(unit) for unit in units]


def _name(look: Look, target: Target, unit: int) -> str:
    return look.classes[unit] if target.is_class else f"Unit {unit}"


def _open(target: Target, unit: int) -> None:
    name = "class_" if target.is_class else "unit"
    change_link(**{name: str(unit), "part": "patches", "place": ""})


def _words(target: Target, answer: Answer) -> str:
    facts = answer.data
    dead = f", {facts['num_dead']:,} of them dead" if facts["num_dead"] else ", none of them dead"
    plural = "classes" if target.is_class else "units"
    searched = f"{facts['scanned']:,} of {facts['total']:,} images searched."
    return f"{facts['num_units']:,} {plural}{'' if target.is_class else dead}; {searched}"


def _sheet(look: Look, target: Target, answer: Answer) -> bytes:
    title = f"{look.title}: what excites each {target.group} of {target.layer or 'the last layer'} most"
    return sheet(colored(answer.arrays["patches"]), labels_of(look, target, answer), title=title, ends=None)


def _page(count: int) -> int:
    """Place of the page, from 0."""
    pages = math.ceil(count / PER_PAGE)
    found = read_number(param("page"), pages + 1)
    if param("page") and not found:
        refuse(param("page"), f"page (1 to {pages})")
    return (found or 1) - 1


def _choose_page(count: int) -> None:
    pages = math.ceil(count / PER_PAGE)
    if pages > 1:
        asked = read_number(param("page"), pages + 1) or 1
        st.pagination(pages, default=asked, key=_PAGE, on_change=lambda: change_link(page=str(st.session_state[_PAGE])))
