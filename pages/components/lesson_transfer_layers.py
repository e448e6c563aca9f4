"""First part of the lesson on transfer: a picture's strongest maps stage by stage, and what excites one of them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st
from PIL import Image

from cnncore.answers import Answer
from cnncore.catalog.backbones import BACKBONES
from cnncore.errors import DataError
from cnncore.figures.exciting import colored, reduced
from cnncore.images.drawing import read_drawing
from cnncore.images.kept_pictures import keep_picture, kept_picture
from cnncore.images.picture_reference import PictureReference, parse_picture
from cnncore.images.preprocessing import Preprocessing
from cnncore.lessons.pictures import SAMPLES
from cnncore.runs.subjects import parse_subject, subject_stamp
from pages.components.inspector_answers import is_part
from pages.components.lab import artifacts, data_root, show_problem
from pages.components.lesson_board import draw_board
from pages.components.lesson_picture import choose_picture, decoded
from pages.components.lesson_transfer_images import images_named
from pages.components.lesson_transfer_state import TransferState
from pages.components.navigation import INSPECTOR
from pages.components.waiting import Reply, inquire

MAPS = 8
_COMPARED = 64
"""The strongest maps, among which those with most contrast are shown: many of the strongest are strong everywhere."""
PATCHES = 8
SCANNED = 200
PICTURE_SIDE = 192
MAP_SIDE = 56
PATCH_SIDE = 96
_PATIENCE_S = 120.0
_ORIGINAL_SIDE = 512
_SIGNED = 127


def show_layers(state: TransferState) -> None:
    """Draw this part."""
    # What is left is the network's own cut of the same picture.
    choose_picture(state, PICTURE_SIDE)
    picture = question_picture(state.picture)
    subject = subject_of(state.network)
    request = {**subject, "picture": picture, "count": _COMPARED, "order": "strength"}
    replies = [
        inquire(f"learn_maps_{place}", "feature_maps", {**request, "layer": layer}, timeout_s=_PATIENCE_S)
        for place, layer in enumerate(state.stages)
    ]
    if (error := next((reply.error for reply in replies if reply.error), None)) is not None:
        show_problem(error)
        return
    answers = [None if reply.pending or reply.answer is None else contrasted(reply.answer) for reply in replies]
    depth = min(state.depth, len(answers) - 1)
    if depth != state.depth:
        st.warning(f"This network has {len(answers)} stages; the last one is shown.", icon=":material/link_off:")
    shown = answers[depth]
    unit = chosen_unit(state.unit, shown.data["units"]) if shown else -1
    patches = _patches(state, subject, list(state.stages)[depth], unit) if unit >= 0 else Reply(pending=True)
    data, arrays = layers_board(state, answers, patches, unit)
    draw_board("transfer", state, {**data, "depth": depth}, {"picture": _picture_seen(state, picture), **arrays})
    if patches.error:
        show_problem(patches.error)
    with st.container(key="learn_controls_transfer_ways"):
        st.page_link(
            INSPECTOR,
            label="Look at all maps of this network in the Inspector",
            icon=":material/search_insights:",
            query_params={
                "network": subject["network"],
                "picture": picture,
                "view": "maps",
                "layer": list(state.stages)[depth],
            },
        )


def subject_of(network: str) -> dict[str, str]:
    """A pretrained network as questions have it."""
    name = f"backbone:{network}"
    return {"network": name, "stamp": subject_stamp(artifacts(), data_root(), parse_subject(name))}


def contrasted(answer: Answer) -> Answer:
    """An answer to `feature_maps` with the maps that differ most from place to place, in that order."""
    maps = answer.arrays["maps"].astype(np.float32)
    kept = np.argsort(-maps.std(axis=(1, 2)), kind="stable")[:MAPS]
    units = [answer.data["units"][place] for place in kept]
    return Answer({**answer.data, "units": units}, {**answer.arrays, "maps": maps[kept]})


def chosen_unit(asked: int, units: Sequence[int]) -> int:
    """The map that is chosen: the first one where the one that is asked for is not among those shown."""
    return asked if asked in units else units[0]


def _patches(state: TransferState, subject: Mapping[str, str], layer: str, unit: int) -> Reply:
    request = {
        **subject,
        **images_named(state.images).request,
        "split": "validation",
        "layer": layer,
        "unit": unit,
        "most_images": SCANNED,
        "count": PATCHES,
        "whole": False,
    }
    return inquire("learn_patches", "exciting_patches", request, timeout_s=_PATIENCE_S, is_part=is_part)


def layers_board(
    state: TransferState, answers: Sequence[Answer | None], patches: Reply, unit: int
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """What the board gets.

    Args:
        state: What is shown.
        answers: To `feature_maps`, of each stage; None where it is on its way.
        patches: Of the chosen map.
        unit: That is chosen; −1 while it is not known.

    Returns:
        The data and the arrays. `maps<i>` of stage i, uint8 (n, h, w), has 128 for 0 and 255 for the largest magnitude
        of each map; `rows<i>` (h, 2) and `columns<i>` (w, 2) say what a place sees, in pixels of the network's input.
    """
    stages: list[dict[str, Any]] = []
    arrays: dict[str, npt.NDArray[Any]] = {}
    for place, (stage, answer) in enumerate(zip(state.stages.values(), answers, strict=True)):
        facts: dict[str, Any] = {"title": stage.title, "units": [], "count": 0, "side": 0, "sees": None}
        if answer is not None:
            layer = answer.data["layer"]
            facts |= {"units": answer.data["units"], "count": layer["shape"][0], "side": layer["shape"][1]}
            facts["sees"] = layer["receptive_field"]
            step = max(1, -(-layer["shape"][1] // MAP_SIDE))
            arrays[f"maps{place}"] = signed_bytes(averaged(answer.arrays["maps"], step))
            for name in ("rows", "columns"):
                arrays[f"{name}{place}"] = spans(answer.arrays[name], step)
        stages.append(facts)
    size = BACKBONES[state.network].image_size
    data: dict[str, Any] = {"stages": stages, "size": size, "unit": unit, **_patch_words(state, patches)}
    if patches.answer is not None and not patches.pending and len(patches.answer.arrays["patches"]):
        found = patches.answer.arrays["patches"]
        arrays["patches"] = np.stack([reduced(colored(each), PATCH_SIDE) for each in found])
    return data, arrays


def _patch_words(state: TransferState, patches: Reply) -> dict[str, Any]:
    title = images_named(state.images).title
    if patches.answer is None or patches.pending:
        part = patches.answer.data if patches.answer is not None and is_part(patches.answer) else {}
        share = round(100 * part["done"] / part["total"]) if part.get("total") else 0
        return {"searching": f"Searching {SCANNED} images of {title}… {share} %", "labels": []}
    facts = patches.answer.data
    labels = [each["label"] for each in facts["patches"]]
    return {"searching": "", "labels": labels, "searched": f"{facts['scanned']:,} images of {title}"}


def averaged(maps: npt.NDArray[np.float32], step: int) -> npt.NDArray[np.float32]:
    """Maps (n, h, w) with the means of squares of `step` × `step`; what is left over at the end is left out."""
    count, height, width = maps.shape
    rows, columns = height // step, width // step
    cut = maps[:, : rows * step, : columns * step]
    return cut.reshape(count, rows, step, columns, step).mean(axis=(2, 4))


def spans(ends: npt.NDArray[Any], step: int) -> npt.NDArray[np.int32]:
    """What `step` places together see, (n // step, 2)."""
    kept = ends[: len(ends) // step * step].reshape(-1, step, 2)
    return np.stack([kept[:, 0, 0], kept[:, -1, 1]], axis=1).astype(np.int32)


def signed_bytes(maps: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Maps (n, h, w) as bytes: 128 for 0, 1 and 255 for the largest magnitude of each."""
    most = np.abs(maps).max(axis=(1, 2), keepdims=True)
    return np.rint(maps / np.where(most > 0, most, 1) * _SIGNED + _SIGNED + 1).astype(np.uint8)


def question_picture(reference: str) -> str:
    """A lesson's picture as questions name it: samples are kept like a person's own.

    Raises:
        DataError: where it cannot be kept.
    """
    if reference not in SAMPLES:
        return reference
    name = _kept_sample(reference, str(artifacts()))
    try:
        kept_picture(artifacts(), name)
    except DataError:
        _kept_sample.clear()
        name = _kept_sample(reference, str(artifacts()))
    return str(PictureReference(kind="kept", source=name))


@st.cache_data(show_spinner=False)
def _kept_sample(key: str, folder: str) -> str:
    pixels = SAMPLES[key].load(_ORIGINAL_SIDE)
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, "PNG")
    return keep_picture(Path(folder), file.getvalue(), f"{key}.png")


def _picture_seen(state: TransferState, picture: str) -> npt.NDArray[np.uint8]:
    """The picture as the network gets it, uint8 (s, s, 3)."""
    spec = BACKBONES[state.network]
    made = Preprocessing(size=spec.image_size, crop=spec.crop, interpolation=spec.interpolation)
    reference = parse_picture(picture)
    if reference.kind == "drawn":
        return made.pixels(Image.fromarray(read_drawing(reference.source)).convert("RGB"))
    return made.pixels(Image.fromarray(decoded(str(kept_picture(artifacts(), reference.source)))))
