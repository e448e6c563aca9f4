"""Images that a classifier was right or wrong about, each with what it said, where it looked, and what can be done."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from cnncore.figures import theme
from cnncore.images.edits import ExcludeImages, MoveImages, RestoreImages
from cnncore.images.image_set import ImageRecord, ImageSet
from cnncore.runs.artifacts import run_dir
from cnncore.runs.outcomes import Outcomes
from cnncore.runs.reviewed import reviewed_images, set_reviewed
from cnncore.runs.run import Run
from pages.components.inspect_link import inspect_picture
from pages.components.lab import artifacts
from pages.components.transfer_images_edits import change, image_sets, show_last_problem
from pages.components.transfer_images_gallery import image_source
from pages.components.transfer_use_answers import ask_heats
from pages.components.transfer_use_given import Given
from pages.components.transfer_use_sources import newest_of
from pages.components.waiting import fill_in
from pages.components.wording import plain

_COLUMNS = 3
_SIDE_PX = 160
_AGAIN = "transfer_cards_again"


@dataclass(frozen=True, kw_only=True)
class _Card:
    """One image: its place among the outcomes, its record as it is now, and what the network said."""

    key: int
    record: ImageRecord
    true: str
    said: str
    share: float
    heat: str

    @property
    def right(self) -> bool:
        return self.true == self.said


def show_cards(run: Run, before: ImageSet, outcomes: Outcomes, rows: Sequence[int]) -> None:
    """The images at these places of the outcomes; the heat fills in when it is there."""
    # This is the drawing of the whole page that a change asks for.
    st.session_state.pop(_AGAIN, None)
    show_last_problem()
    fill_in("mistakes", lambda: _draw(run, before, outcomes, rows))


def _draw(run: Run, before: ImageSet, outcomes: Outcomes, rows: Sequence[int]) -> None:
    if st.session_state.pop(_AGAIN, False):
        # A change concerns the rest of the page too.
        st.rerun()
    now = newest_of(before)
    keys = [int(outcomes.names[row]) for row in rows]
    predicted = [int(outcomes.predicted[row]) for row in rows]
    given = [Given(name=before.images[key].name, reference=before.reference, key=key) for key in keys]
    heats = ask_heats("mistakes", run, given, predicted)
    kept = reviewed_images(run_dir(artifacts(), run.id))
    cards = [_card(now, outcomes, row, heats.pictures.get(place, "")) for place, row in enumerate(rows)]
    if heats.problem:
        st.caption(plain(heats.problem))
    for start in range(0, len(cards), _COLUMNS):
        for column, card in zip(st.columns(_COLUMNS), cards[start : start + _COLUMNS], strict=False):
            with column, st.container(border=True, key=f"mistake_{card.key}"):
                _draw_card(run, now, card, kept=card.key in kept)
                inspect_picture(run, f"set:{before.reference}:{card.key}")


def _card(now: ImageSet, outcomes: Outcomes, row: int, heat: str) -> _Card:
    key = int(outcomes.names[row])
    return _Card(
        key=key,
        record=now.images[key],
        true=outcomes.classes[int(outcomes.labels[row])],
        said=outcomes.classes[int(outcomes.predicted[row])],
        share=float(outcomes.confidence[row]),
        heat=heat,
    )


def _draw_card(run: Run, now: ImageSet, card: _Card, *, kept: bool) -> None:
    source = image_source(image_sets(), now.id, card.record)
    color = theme.RIGHT if card.right else theme.WRONG
    said = html.escape(card.said)
    st.html(
        f"{_STYLE}<div class='lab-card'><figure>{_picture(source, card.record.name)}<figcaption>the image</figcaption>"
        f"</figure><figure>{_picture(card.heat, 'where it looked')}<figcaption>why {said}</figcaption></figure></div>"
        f"<div class='lab-card-words'>says <b style='color:{color}'>{said}</b> {100 * card.share:.1f} %<br>"
        f"<span>labeled {html.escape(card.true)}{_state(card, kept=kept)}</span></div>"
    )
    _draw_actions(run, now, card, kept=kept)


def _picture(source: str, alt: str) -> str:
    return f"<img alt='{html.escape(alt, quote=True)}' src='{source}'>" if source else "<i></i>"


def _state(card: _Card, *, kept: bool) -> str:
    if card.record.excluded:
        return " · <b>left out</b>"
    if card.record.label != card.true:
        return f" · <b>now {html.escape(card.record.label)}</b>"
    return " · looked at, kept" if kept else ""


def _draw_actions(run: Run, now: ImageSet, card: _Card, *, kept: bool) -> None:
    key, record = card.key, card.record
    name = f"mistake_class_{key}"
    st.session_state[name] = record.label
    st.selectbox(
        "It really is",
        list(now.classes),
        key=name,
        disabled=record.excluded,
        on_change=_relabel,
        args=(now.id, key, name),
    )
    with st.container(horizontal=True):
        if record.excluded:
            st.button("Take back in", key=f"mistake_restore_{key}", on_click=_restore, args=(now.id, key))
            return
        why = "It stays in the set but is neither trained on nor counted; you can take it back in."
        st.button("Leave out", key=f"mistake_exclude_{key}", on_click=_exclude, args=(now.id, key), help=why)
        if record.label == card.true:
            label = "Look again" if kept else "Keep"
            why = "Marks it as looked at: the label is right, the network is wrong."
            st.button(
                label,
                key=f"mistake_keep_{key}",
                on_click=_keep,
                args=(run.id, key),
                kwargs={"kept": not kept},
                help=why,
            )


def _relabel(set_id: str, key: int, widget: str) -> None:
    label = st.session_state[widget]
    change(set_id, lambda: MoveImages(keys=(key,), label=label))
    st.session_state[_AGAIN] = True


def _exclude(set_id: str, key: int) -> None:
    change(set_id, lambda: ExcludeImages(keys=(key,)))
    st.session_state[_AGAIN] = True


def _restore(set_id: str, key: int) -> None:
    change(set_id, lambda: RestoreImages(keys=(key,)))
    st.session_state[_AGAIN] = True


def _keep(run_id: str, key: int, *, kept: bool) -> None:
    set_reviewed(run_dir(artifacts(), run_id), (key,), kept=kept)


_STYLE = f"""<style>
.lab-card {{ display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; }}
.lab-card figure {{ margin: 0; min-width: 0; }}
.lab-card img, .lab-card i {{ display: block; width: 100%; max-width: {_SIDE_PX}px; aspect-ratio: 1;
  object-fit: cover;
  border-radius: 6px; background: rgba(128,128,128,.15); }}
.lab-card figcaption {{ font-size: .75rem; opacity: .75; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }}
.lab-card-words {{ margin-top: .5rem; line-height: 1.45; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }}
.lab-card-words span {{ font-size: .88rem; opacity: .85; }}
</style>"""
