"""The places of real images that excite a unit most."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from cnncore.answers import Answer
from cnncore.figures.exciting import PIXELATED, boxed, colored, stacked
from cnncore.figures.feature_maps import sheet
from cnncore.figures.unit_sum import exact
from pages.components.inspector_answers import answer_of
from pages.components.inspector_excites_images import choose_scanned
from pages.components.inspector_excites_real import keep_real
from pages.components.inspector_excites_target import Target
from pages.components.inspector_link import Look, change_link, param
from pages.components.inspector_maps_grid import file_name
from pages.components.inspector_maps_tiles import Tiles, choose_tile
from pages.components.run_words import percent
from pages.components.wording import plain

COUNT = 12
SMOOTH = "<style>.st-key-inspector_excites_smooth canvas { image-rendering: auto !important; }</style>"
_WHOLE, _AGAIN = "inspector_excites_whole", "inspector_excites_again"
_SIDE_PX = 132
_MOST_NAMED = 12
_WHAT = (
    "The places of real images at which this {group} answers **most**, the strongest first, one an image. What they "
    "have in common is what it detects. Mind that these are extremes: most of what it answers to is weaker and may "
    "look different."
)
_SOURCE = (
    "Zeiler, Fergus, Visualizing and understanding convolutional networks, 2014; Zhou, Khosla, Lapedriza, Oliva, "
    "Torralba, Object detectors emerge in deep scene CNNs, 2015. A patch is what the place can see of its image (its "
    "receptive field), gray where that reaches over the edge; most of the weight lies in its middle (Luo et al., 2016)."
)


def show_patches(look: Look, target: Target) -> None:
    """Draw this part."""
    if st.session_state.pop(_AGAIN, False):
        # The picture and the view concern the whole page.
        st.rerun()
    st.markdown(_WHAT.format(group=target.group), help=_SOURCE)
    images = choose_scanned(look)
    whole = _choose_whole(target)
    request = {**look.subject, **images, **target.request, "count": COUNT, "whole": whole}
    answer = answer_of("inspector_excites", "exciting_patches", request, words="Searching the images…")
    if answer is None:
        st.html("<div class='lab-empty' style='min-height:20rem'></div>")
        return
    facts = answer.data
    if not facts["patches"]:
        dead = f"This {target.group} is dead: it answers the same to every place of the {facts['scanned']:,} images."
        st.info(f"{dead} Choose another one.", icon=":material/power_off:")
        st.caption(_dead_words(facts))
        return
    keep_real(look, target, answer)
    _draw_tiles(look, target, answer)
    st.markdown(_words(target, facts))
    _draw_actions(look, target, answer)


def _choose_whole(target: Target) -> bool:
    if target.is_class:
        return False
    asked = param("whole") == "1"
    st.session_state[_WHOLE] = asked
    st.toggle(
        "Whole images",
        key=_WHOLE,
        on_change=lambda: change_link(whole="1" if st.session_state[_WHOLE] else ""),
        help="Shows the whole image with a frame around the patch, and a dot where the unit's map is strongest.",
    )
    return asked


def _draw_tiles(look: Look, target: Target, answer: Answer) -> None:
    found, pictures = answer.data["patches"], pictures_of(answer)
    names = [each["picture"] for each in found]
    if len(pictures[0]) >= PIXELATED:
        st.html(SMOOTH)
    with st.container(key="inspector_excites_smooth" if len(pictures[0]) >= PIXELATED else "inspector_excites_crisp"):
        choose_tile(
            Tiles(
                keys=range(len(found)),
                labels=[_label(each) for each in found],
                words=[_tile_words(target, each) for each in found],
                pictures=pictures,
            ),
            key="inspector_excites_grid",
            label=f"What excites {target.title} most; arrow keys move, Enter opens the image",
            hint="Click one to open its image in the Inspector.",
            chosen=names.index(look.picture) if look.picture in names else None,
            on_choose=lambda place: _open(target, found[place]),
            side_px=_SIDE_PX,
        )


def pictures_of(answer: Answer) -> np.ndarray:
    """The patches, or the whole images with frames, uint8 (n, s, s, 3)."""
    if "images" not in answer.arrays:
        return stacked(list(answer.arrays["patches"]))
    marked = zip(answer.arrays["images"], answer.data["patches"], strict=True)
    return stacked([boxed(image, each["box"], each["middle"]) for image, each in marked])


def _label(place: dict[str, Any]) -> str:
    return f"{place['label']} · {place['value']:.3g}"


def _tile_words(target: Target, place: dict[str, Any]) -> str:
    said = f"An image of {place['label']}: {exact(place['value'])}"
    return said if target.is_class else f"{said} at row {place['row']}, column {place['column']} of its map"


def _open(target: Target, place: dict[str, Any]) -> None:
    where = {} if target.is_class else {"place": f"{place['row']},{place['column']}"}
    change_link(picture=place["picture"], **where)
    st.session_state[_AGAIN] = True


def _words(target: Target, facts: dict[str, Any]) -> str:
    """How pure its best images are, how often it answers, and how many units of the layer are dead."""
    first, count = facts["classes"][0], len(facts["patches"])
    usual = f"{percent(first['share'], 0)} of the {facts['scanned']:,} images searched are"
    purity = f"**{first['count']} of the {count}** strongest are *{plain(first['name'])}*; {usual}."
    strongest, middle = facts["patches"][0]["value"], facts["median"]
    best = f"The strongest value is {exact(strongest)}; half of the images reach at most {exact(middle)}."
    if middle >= strongest:
        # Bounded activations, such as ReLU6, end where many images get to: of those only some can be shown.
        best = (
            f"At least half of the images reach its strongest value, {exact(strongest)}; these are only some of them."
        )
        purity = ""
    if target.is_class:
        return f"{purity} {best}".strip()
    active = f"It is above 0 somewhere on {percent(facts['active'], 0)} of them."
    return f"{purity} {best} {active} {_dead_words(facts)}".strip()


def _dead_words(facts: dict[str, Any]) -> str:
    dead = facts["dead"]
    if not dead:
        return "No unit of this layer is dead."
    named = ", ".join(map(str, dead[:_MOST_NAMED])) + (", …" if len(dead) > _MOST_NAMED else "")
    return f"{len(dead):,} of the {facts['num_units']:,} units of this layer are dead on these images: {named}."


def _draw_actions(look: Look, target: Target, answer: Answer) -> None:
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Grid (PNG)",
            partial(_sheet, look, target, answer),
            file_name=file_name(look, target.layer or "class", target.title, "excited by", ".png"),
            icon=":material/download:",
            on_click="ignore",
            key="inspector_excites_png",
        )
        if look.picture in {each["picture"] for each in answer.data["patches"]} and not target.is_class:
            st.button(
                "Its map of the chosen picture",
                icon=":material/grid_on:",
                key="inspector_excites_map",
                on_click=partial(_open_maps, target),
            )


def _open_maps(target: Target) -> None:
    change_link(view="maps", layer=target.layer, unit=str(target.unit), part="", page="")
    st.session_state[_AGAIN] = True


def _sheet(look: Look, target: Target, answer: Answer) -> bytes:
    names = [_label(each) for each in answer.data["patches"]]
    return sheet(
        colored(pictures_of(answer)), names, title=f"{look.title}: what excites {target.title} most", ends=None
    )
