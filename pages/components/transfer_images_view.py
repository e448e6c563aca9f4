"""The images of a set: which of them are shown, which are selected, and what can be done with the selected ones."""

from __future__ import annotations

import hashlib
import html
from collections import Counter
from collections.abc import Callable, Sequence

import streamlit as st

from cnncore.figures.image_set import PARTS
from cnncore.images.edits import AddClass, Change, ExcludeImages, MoveImages, MoveToSplit, RestoreImages
from cnncore.images.findings import Finding
from cnncore.images.image_set import SPLITS, ImageRecord, ImageSet, SplitName
from pages.components.lab import shown_errors
from pages.components.transfer_images_edits import change, image_sets, show_last_problem, turn
from pages.components.transfer_images_gallery import PAGE_SIZE, pick_pictures, pick_rows
from pages.components.transfer_images_words import listed
from pages.components.wording import bytes_text, plain

_CLASS, _SPLIT, _SHOW, _AS = (f"transfer_images_{name}" for name in ("class", "split", "show", "as"))
_EVERY = ""
_INCLUDED, _EXCLUDED, _NEAR = "included", "excluded", "near"
_SHOWS = {_INCLUDED: "All images", _EXCLUDED: "Excluded", _NEAR: "Near duplicates"}
_PICTURES, _TABLE = "Pictures", "Table"


def show_finding(message: str) -> None:
    """Callback: show the images that a finding is about."""
    st.session_state[_CLASS] = st.session_state[_SPLIT] = _EVERY
    st.session_state[_SHOW] = message


def draw_view(image_set: ImageSet, found: Sequence[Finding]) -> None:
    """Draw the images with their filter and their actions; a selection redraws nothing else."""
    _drawn(image_set, tuple(found))


@st.fragment
def _drawn(image_set: ImageSet, found: tuple[Finding, ...]) -> None:
    with shown_errors():
        if image_sets().get(image_set.id).version != image_set.version:
            st.rerun()
        show_last_problem()
        records = _filtered(image_set, found)
        page = _page(records)
        # The actions stand above the images and are known only after them.
        actions = st.container(key="transfer_images_actions")
        picked = _draw_page(image_set, records, page)
        with actions:
            _draw_actions(image_set, picked, records if len(records) > len(page) else ())


def _draw_page(image_set: ImageSet, records: Sequence[ImageRecord], page: Sequence[ImageRecord]) -> tuple[int, ...]:
    """One page of the images, as the person wants to see them; returns the keys of the selected ones."""
    sets, key = image_sets(), f"transfer_gallery_{image_set.id}"
    # Another page or filter ends the selection as well as a change does.
    token = _token(turn(), [record.key for record in page])
    if st.session_state.get(_AS, _PICTURES) == _TABLE:
        return pick_rows(sets, image_set.id, page, key=f"{key}_table", turn=token)
    label = f"{len(page):,} of {len(records):,} images"
    empty = "No image is like that. Choose others above."
    return pick_pictures(sets, image_set.id, page, key=key, turn=token, label=label, empty=empty)


def _token(*parts: object) -> int:
    return int(hashlib.sha256(repr(parts).encode()).hexdigest()[:12], 16)


def _filtered(image_set: ImageSet, found: Sequence[Finding]) -> list[ImageRecord]:
    """Draw the filter; returns the images it lets through, class by class."""
    near = _near(image_set)
    shows = {**_SHOWS, **{finding.message: finding.message for finding in found if finding.keys}}
    counts = Counter(record.label for record in image_set.included())
    with st.grid(4, min_column_width=130, gap="small", vertical_alignment="bottom"):
        label = _choice(
            "Class", _CLASS, {_EVERY: "All", **{name: f"{name} ({counts[name]:,})" for name in image_set.classes}}
        )
        split = _choice("Split", _SPLIT, {_EVERY: "All", **{name: PARTS[name] for name in SPLITS}})
        show = _choice("Show", _SHOW, shows)
        st.segmented_control("As", [_PICTURES, _TABLE], default=_PICTURES, required=True, key=_AS)
    keys = {key for finding in found if finding.message == show for key in finding.keys}
    order = {name: place for place, name in enumerate(image_set.classes)}
    chosen = [
        record
        for record in image_set.images.values()
        if label in (_EVERY, record.label)
        and split in (_EVERY, record.split)
        and (record.excluded if show == _EXCLUDED else not record.excluded or show not in _SHOWS)
        and (show != _NEAR or record.key in near)
        and (show in _SHOWS or record.key in keys)
    ]
    if show == _INCLUDED:
        return sorted(chosen, key=lambda record: (order.get(record.label, -1), record.key))
    return sorted(chosen, key=lambda record: (record.group if record.group >= 0 else record.key, record.key))


def _choice(title: str, key: str, options: dict[str, str]) -> str:
    if st.session_state.get(key) not in options:
        st.session_state[key] = next(iter(options))
    return st.selectbox(title, list(options), key=key, format_func=lambda value: options[value])


def _near(image_set: ImageSet) -> set[int]:
    """Keys of the images that have a near duplicate among those that are not excluded."""
    sizes = Counter(record.group for record in image_set.included())
    return {record.key for record in image_set.included() if sizes[record.group] > 1}


def _page(records: Sequence[ImageRecord]) -> Sequence[ImageRecord]:
    """Draw the choice of pages where there is more than one; returns the images of the chosen one."""
    pages = -(-len(records) // PAGE_SIZE)
    if pages <= 1:
        return records
    number = st.pagination(pages, key=f"transfer_images_page_{_token([record.key for record in records])}")
    return records[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]


def _draw_actions(image_set: ImageSet, keys: tuple[int, ...], every: Sequence[ImageRecord]) -> None:
    """What can be done with the selected images.

    Args:
        image_set: Their set.
        keys: The selected images.
        every: All images that the filter lets through, where they are more than the page shows.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not keys:
            st.caption("Click images to select them, with Shift a range; then move or exclude them.")
            return
        if every and st.checkbox(f"All {len(every):,} of this view", key=f"transfer_images_every_{_token(keys)}"):
            keys = tuple(record.key for record in every)
        records = [image_set.images[key] for key in keys]
        _draw_move(image_set, keys)
        _draw_split(image_set, keys)
        if any(not record.excluded for record in records):
            _button("Exclude", "exclude", ":material/block:", image_set, ExcludeImages, keys)
        if any(record.excluded for record in records):
            _button("Restore", "restore", ":material/restore:", image_set, RestoreImages, keys)
        if len(records) == 1:
            with st.popover("Look closer", icon=":material/zoom_in:"):
                _draw_one(image_set, records[0])


def _button(
    title: str,
    name: str,
    icon: str,
    image_set: ImageSet,
    edit: type[ExcludeImages] | type[RestoreImages],
    keys: tuple[int, ...],
) -> None:
    st.button(
        title,
        key=f"transfer_images_{name}",
        icon=icon,
        on_click=change,
        args=(image_set.id, lambda: edit(keys=keys)),
    )


def _draw_move(image_set: ImageSet, keys: tuple[int, ...]) -> None:
    with st.popover("To class", icon=":material/drive_file_move:", key=f"transfer_images_move_{turn()}"):
        label = st.selectbox(
            "Class",
            image_set.classes,
            index=None,
            key=f"transfer_images_target_{turn()}",
            accept_new_options=True,
            placeholder="Choose one, or type a new name",
        )
        st.button(
            "Move",
            key="transfer_images_move",
            disabled=not label,
            on_click=_move,
            args=(image_set, keys, label or ""),
        )


def _move(image_set: ImageSet, keys: tuple[int, ...], label: str) -> None:
    makes: list[Callable[[], Change]] = [lambda: MoveImages(keys=keys, label=label)]
    if label not in image_set.classes:
        makes.insert(0, lambda: AddClass(name=label))
    change(image_set.id, *makes)


def _draw_split(image_set: ImageSet, keys: tuple[int, ...]) -> None:
    with st.popover("To split", icon=":material/call_split:", key=f"transfer_images_splits_{turn()}"):
        for split in SPLITS:
            st.button(
                PARTS[split].capitalize(),
                key=f"transfer_images_to_{split}",
                on_click=change,
                args=(image_set.id, _to_split(keys, split)),
                width="stretch",
            )
        st.caption("Their near duplicates should move with them; the warnings say where they did not.")


def _to_split(keys: tuple[int, ...], split: SplitName) -> Callable[[], MoveToSplit]:
    return lambda: MoveToSplit(keys=keys, split=split)


def _draw_one(image_set: ImageSet, record: ImageRecord) -> None:
    """The selected image as it is stored, with what is known of it."""
    near = [other.name for other in _group(image_set, record) if other.key != record.key]
    rows = {
        "Class": record.label,
        "Split": PARTS["excluded"] if record.excluded else PARTS[record.split],
        "Original": f"{record.width:,} × {record.height:,} pixels, {bytes_text(record.num_bytes)}",
        "Near duplicates": listed(near, 5) or "none",
    }
    st.markdown(f"**{plain(record.name)}**")
    path = image_sets().path(image_set.id, record)
    if path.is_file():
        st.image(str(path), width=320)
    cells = "".join(f"<tr><td>{name}</td><td>{html.escape(value)}</td></tr>" for name, value in rows.items())
    st.html(f"<table class='lab-rows'>{cells}</table>")


def _group(image_set: ImageSet, record: ImageRecord) -> list[ImageRecord]:
    return [other for other in image_set.images.values() if other.group == record.group]
