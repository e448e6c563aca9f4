"""How the accuracy falls when the images are shifted, turned, blurred, noisy, darker or brighter; several networks."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from cnncore.answers import Answer
from cnncore.catalog.disturbances import DISTURBANCES, Disturbance
from cnncore.errors import LabError
from cnncore.figures import theme
from cnncore.figures.overlay import style_of
from cnncore.figures.robustness import RobustnessCurve, robustness, robustness_table
from cnncore.runs.log_csv import csv_table
from cnncore.runs.pairing import check_comparable
from cnncore.runs.subjects import parse_subject
from pages.components.chart_files import saved_chart
from pages.components.inspector_answers import answer_of
from pages.components.inspector_errors_gallery import sheet_png
from pages.components.inspector_errors_images import Judged
from pages.components.inspector_link import Look, change_link, param
from pages.components.inspector_network import look_at, network_choices
from pages.components.inspector_prediction import share_text
from pages.components.lab import store
from pages.components.transfer_use_answers import data_url
from pages.components.waiting import fill_in
from pages.components.wording import plain

_COUNTS = (100, 200, 500, 1_000, 2_000)
_LARGE = 64
"""Pixels above which fewer images are taken at first: a large network needs a tenth of a second for each."""
_MOST_NETWORKS = 4
_CHANGE, _MOST, _WITH = "inspector_errors_change", "inspector_errors_most", "inspector_errors_with"


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What is asked for."""

    change: str
    most: int
    others: tuple[Look, ...]

    @property
    def spec(self) -> Disturbance:
        return DISTURBANCES[self.change]


def show_robustness(judged: Judged) -> None:
    """Draw this part."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        change, most = _choose_change(), _choose_most(judged)
        others = _choose_others(judged)
    wish = _Wish(change=change, most=most, others=others)
    st.caption(
        f"{wish.spec.how} Measured on the pixels before they are normalized; "
        "after Hendrycks and Dietterich (2019), with simpler disturbances."
    )
    fill_in("inspector_errors", lambda: _draw(judged, wish))


def _draw(judged: Judged, wish: _Wish) -> None:
    whole: list[tuple[Look, Answer]] = []
    for look in (judged.look, *wish.others):
        answer = _answer(judged, look, wish)
        if answer is None:
            # One after the other: the service keeps few works that have begun.
            break
        whole.append((look, answer))
    if not whole:
        return
    curves = [_curve(place, look, answer) for place, (look, answer) in enumerate(whole)]
    facts = whole[0][1].data
    chart = robustness(curves, wish.spec, len(judged.look.classes))
    saved_chart(chart, key="inspector_robustness", stem=judged.stem(wish.change))
    st.caption(
        f"{facts['count']:,} of {facts['total']:,} {judged.split} images, evenly spread, the same ones at every "
        f"strength and for every network; seed {facts['seed']}. Bars: Wilson's 95 % interval; dotted: guessing."
    )
    _show_strip(judged, whole[0][1], wish)
    _show_table(judged, curves, wish)


def _answer(judged: Judged, look: Look, wish: _Wish) -> Answer | None:
    request: dict[str, Any] = {**judged.request, **look.subject, "change": wish.change, "most_images": wish.most}
    words = f"{look.title} looks at disturbed images…"
    return answer_of(f"inspector_errors_{look.network}", "robustness", request, words=plain(words))


def _curve(place: int, look: Look, answer: Answer) -> RobustnessCurve:
    color, dash = style_of(place)
    facts = answer.data
    return RobustnessCurve(
        label=look.title,
        color=color,
        dash=dash,
        strengths=facts["severities"],
        right=facts["counts"],
        count=facts["count"],
        size=facts["size"],
    )


# What is asked for


def _choose_change() -> str:
    asked = param("change")
    current = asked if asked in DISTURBANCES else next(iter(DISTURBANCES))
    if asked and asked != current:
        st.warning(f"There is no disturbance {plain(repr(asked[:40]))}; allowed: {', '.join(DISTURBANCES)}.")
    st.session_state[_CHANGE] = current
    st.segmented_control(
        "Disturbed by",
        list(DISTURBANCES),
        required=True,
        format_func=lambda name: DISTURBANCES[name].title,
        key=_CHANGE,
        wrap=True,
        on_change=lambda: change_link(change=st.session_state[_CHANGE]),
    )
    return current


def _choose_most(judged: Judged) -> int:
    asked = param("most")
    default = 100 if judged.look.size > _LARGE else 500
    current = int(asked) if asked in map(str, _COUNTS) else default
    st.session_state[_MOST] = current
    st.selectbox(
        "Images at most",
        _COUNTS,
        format_func="{:,}".format,
        key=_MOST,
        width=130,
        on_change=lambda: change_link(most=str(st.session_state[_MOST])),
        help="More images make the intervals narrower and take longer.",
    )
    return current


def _choose_others(judged: Judged) -> tuple[Look, ...]:
    """Further networks whose curves are laid over the first one's."""
    known = _comparable(judged)
    asked = [name for name in param("with").split(",") if name and name != judged.look.network]
    chosen = [name for name in dict.fromkeys(asked) if name in known][:_MOST_NETWORKS]
    left_out = [name for name in asked if name not in known]
    if left_out:
        st.warning(
            f"{plain(repr(left_out[0][:60]))} cannot be laid over this one: it is not there, has other classes, or may "
            "have learned these images."
        )
    if not known:
        return ()
    st.session_state[_WITH] = chosen
    st.multiselect(
        "Laid over it",
        list(known),
        format_func=lambda name: known[name].title,
        key=_WITH,
        max_selections=_MOST_NETWORKS,
        placeholder="Other networks",
        width=320,
        on_change=lambda: change_link(with_=",".join(st.session_state[_WITH])),
        help="Networks with the same classes that have not learned these images.",
    )
    return tuple(known[name] for name in chosen)


def _comparable(judged: Judged) -> Mapping[str, Look]:
    """Networks of the same classes that can be judged by the same images."""
    found: dict[str, Look] = {}
    for name in network_choices():
        look = look_at(name) if name.startswith("run:") and name != judged.look.network else ""
        if isinstance(look, Look) and set(look.classes) == set(judged.look.classes) and _is_fair(judged, look):
            found[name] = look
    return found


def _is_fair(judged: Judged, look: Look) -> bool:
    """Whether the other network has not learned the images, as far as is known before they are opened."""
    if judged.run is None:
        return True
    other = store().get(parse_subject(look.network).key)
    try:
        check_comparable(judged.run, other, judged.split)
    except LabError:
        return False
    return judged.split != "test" or bool(other.summary.get("test_scored"))


# What the network sees


def _show_strip(judged: Judged, answer: Answer, wish: _Wish) -> None:
    """A few images at every strength, each with what the network says of it."""
    arrays, facts = answer.arrays, answer.data
    st.markdown("**What it sees, and what it says**")
    rows = [
        _strip(
            arrays["pixels"][place], [strength_words(wish.spec, strength) for strength in facts["severities"]],
            arrays["said"][place].tolist(), arrays["confidence"][place].tolist(), int(label), facts["classes"],
        )
        for place, label in enumerate(arrays["labels"])
    ]  # fmt: skip
    st.html(f"{_STYLE}{''.join(rows)}")
    pixels = arrays["pixels"]
    st.download_button(
        "These images (PNG)",
        lambda: sheet_png(pixels.reshape(-1, *pixels.shape[2:])),
        file_name=f"{judged.stem(wish.change)}-images.png",
        icon=":material/download:",
        on_click="ignore",
        key="inspector_robustness_png",
    )


def strength_words(spec: Disturbance, strength: float) -> str:
    """A strength with a short unit."""
    if strength == spec.neutral:
        return "as it is"
    short = {"pixels": " px", "degrees": "°", "pixels (σ)": " px"}.get(spec.unit, "")
    return f"× {strength:g}" if spec.unit == "times as bright" else f"{strength:g}{short}"


def _strip(
    pixels: np.ndarray, strengths: Sequence[str], said: Sequence[int], shares: Sequence[float], label: int,
    classes: Sequence[str],
) -> str:  # fmt: skip
    figures = [
        f"<figure><img class='{'small' if image.shape[0] < 96 else ''}' src='{data_url(image)}' alt=''>"
        f"<figcaption>{strength}<br><b style='color:{theme.RIGHT if place == label else theme.WRONG}'>"
        f"{'✓' if place == label else '✗'} {html.escape(classes[place])}</b><br>{html.escape(share_text(share))}"
        "</figcaption></figure>"
        for image, strength, place, share in zip(pixels, strengths, said, shares, strict=True)
    ]
    return (
        f"<div class='lab-note'>{html.escape(classes[label])}</div><div class='lab-strengths'>{''.join(figures)}</div>"
    )


def _show_table(judged: Judged, curves: Sequence[RobustnessCurve], wish: _Wish) -> None:
    table = robustness_table(curves)
    share = st.column_config.NumberColumn(format="percent")
    with st.expander("These numbers as a table", icon=":material/table:"):
        st.dataframe(table, hide_index=True, column_config=dict.fromkeys(("accuracy", "low", "high"), share))
    st.download_button(
        "Curves (CSV)",
        csv_table(table.to_dict("records")),
        file_name=f"{judged.stem(wish.change)}.csv",
        icon=":material/table_view:",
        on_click="ignore",
        key="inspector_robustness_csv",
    )


_STYLE = """<style>
.lab-strengths { display: grid; grid-template-columns: repeat(auto-fill, minmax(76px, 1fr)); gap: .5rem;
  margin-bottom: .8rem; }
.lab-strengths figure { margin: 0; min-width: 0; }
.lab-strengths img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 5px;
  background: #8881; }
.lab-strengths img.small { image-rendering: pixelated; }
.lab-strengths figcaption { font-size: .75rem; line-height: 1.35; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; font-variant-numeric: tabular-nums; }
</style>"""
