"""The sum behind one number of a feature map, as HTML: patch × kernel = products, channel by channel, step by step."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnncore.images.heat_map import signed_colors

Numbers = npt.NDArray[np.floating]

_MOST_NUMBERS = 25
"""Cells of a tile up to which each shows its number."""
_LARGE_PX, _SMALL_PX, _LONE_PX = 128, 128, 46
"""Width of a tile of 3 × 3 cells, of one without numbers, and of a single cell."""
_MOST_NARROW = 3
"""Columns up to which three tiles with numbers fit beside each other on a phone."""
_DARK = 128.0
"""Brightness of a cell below which its number is white."""


@dataclass(frozen=True, kw_only=True)
class Term:
    """What one input channel adds to the sum.

    Attributes:
        name: Of the channel.
        value: What it adds: the sum of its products.
        patch: What the channel holds where the kernel lies, (kh, kw).
        kernel: The weights, (kh, kw).
        inside: Whether a cell is none of the padding, bool (kh, kw).
    """

    name: str
    value: float
    patch: Numbers
    kernel: Numbers
    inside: npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step on the way to the number that is shown.

    Attributes:
        name: What is done.
        how: In numbers; may be empty.
        value: What there is after it.
        is_shown: Whether it is the number of the map.
    """

    name: str
    how: str
    value: float
    is_shown: bool = False


def product_rows(terms: Sequence[Term]) -> str:
    """A row a channel: patch × kernel = products, and their sum; each of the three has one scale for all rows."""
    products = [term.patch * term.kernel for term in terms]
    tops = [_top([term.patch for term in terms]), _top([term.kernel for term in terms]), _top(products)]
    rows = "".join(
        f"<div class='lab-sum-row'><div class='lab-sum-name'>{html.escape(term.name)}</div>"
        f"{_tile(term.patch, tops[0], 'patch', term.inside)}<b>×</b>"
        f"{_tile(term.kernel, tops[1], 'kernel')}<b>=</b>"
        f"{_tile(product, tops[2], 'products', term.inside)}<b>sum</b><strong>{signed(term.value)}</strong></div>"
        for term, product in zip(terms, products, strict=True)
    )
    return f"<div class='lab-sum'>{rows}</div>"


def weight_tiles(filters: Numbers, names: Sequence[str]) -> str:
    """The weights of one filter, (n, kh, kw), a tile a channel with its name below, on one scale."""
    top = _top([filters])
    tiles = "".join(_tile(weights, top, name) for weights, name in zip(filters, names, strict=True))
    return f"<div class='lab-sum'><div class='lab-sum-row'>{tiles}</div></div>"


def term_bars(terms: Sequence[tuple[str, float]]) -> str:
    """Names with what each adds, as bars to the right (more) or to the left (less) of one line."""
    top = max((abs(value) for _, value in terms), default=0.0) or 1.0
    rows: list[str] = []
    for name, value in terms:
        width = 50 * min(abs(value) / top, 1.0)
        left = 50.0 if value >= 0 else 50 - width
        color = _css(_color(np.sign(value)))
        rows.append(
            f"<span>{html.escape(name)}</span><i><u style='left:{left:.1f}%;width:{width:.1f}%;background:{color}'>"
            f"</u></i><small>{signed(value)}</small>"
        )
    return f"<div class='lab-sum-bars'>{''.join(rows)}</div>"


def step_rows(steps: Sequence[Step]) -> str:
    """The steps from the sum on, one below the other, the number of the map in bold."""
    rows = "".join(
        f"<tr{' class=is-shown' if step.is_shown else ''}><td>{html.escape(step.name)}"
        f"<small>{html.escape(step.how)}</small></td><td>{exact(step.value)}</td></tr>"
        for step in steps
    )
    return f"<table class='lab-rows lab-sum-steps'>{rows}</table>"


def exact(value: float) -> str:
    """Four significant digits with a real minus sign."""
    return f"{value:.4g}".replace("-", "−")


def signed(value: float) -> str:
    """The same, always with a sign."""
    return f"{value:+.4g}".replace("-", "−")


def _top(parts: Sequence[Numbers]) -> float:
    return max((float(np.abs(part).max(initial=0.0)) for part in parts), default=0.0) or 1.0


def _tile(values: Numbers, top: float, kind: str, inside: npt.NDArray[np.bool_] | None = None) -> str:
    rows, columns = values.shape
    with_numbers = rows * columns <= _MOST_NUMBERS
    cell = max(30, _LARGE_PX // columns if columns > 1 else _LONE_PX) if with_numbers else max(5, _SMALL_PX // columns)
    colors = signed_colors(np.clip(values / top, -1, 1)).reshape(-1, 3)
    known = np.ones(values.size, np.bool_) if inside is None else inside.ravel()
    cells = "".join(
        _cell(float(value), color, with_numbers) if is_inside else "<i class='is-padding' title='padding'></i>"
        for value, color, is_inside in zip(values.ravel(), colors, known, strict=True)
    )
    kind = html.escape(kind)
    words = f"{kind}, {rows} × {columns}: {exact(float(values.min()))} to {exact(float(values.max()))}"
    narrow = " class='is-narrow'" if columns <= _MOST_NARROW or not with_numbers else ""
    return (
        f"<figure role='img' aria-label='{words}'><div{narrow} style='--columns:{columns};--cell:{cell}px;"
        f"grid-auto-rows:{min(cell, 32)}px'>{cells}</div><figcaption>{kind}</figcaption></figure>"
    )


def _cell(value: float, color: npt.NDArray[np.float64], with_number: bool) -> str:
    if not with_number:
        return f"<i title='{exact(value)}' style='background:{_css(color)}'></i>"
    bright = float(color @ (0.299, 0.587, 0.114))
    ink = "#fff" if bright < _DARK else "#111"
    return f"<i title='{exact(value)}' style='background:{_css(color)};color:{ink}'>{_short(value)}</i>"


def _short(value: float) -> str:
    """At most six characters up to 9,999."""
    size = abs(value)
    digits = 0 if size >= 100 or not size else 1 if size >= 10 else 2 if size >= 0.1 else 3
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def _color(share: float) -> npt.NDArray[np.float64]:
    return signed_colors(np.array([0.8 * share]))[0]


def _css(color: npt.NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(part):02x}" for part in color)


STYLE = """<style>
.lab-sum { display: grid; gap: .75rem; }
.lab-sum-row { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .55rem; font-size: .85rem; }
.lab-sum-name { flex: 0 0 6.5rem; overflow-wrap: anywhere; line-height: 1.3; }
.lab-sum b { font-weight: 500; opacity: .7; }
.lab-sum strong { font-variant-numeric: tabular-nums; font-weight: 650; }
.lab-sum figure { margin: 0; }
.lab-sum figure > div { display: grid; gap: 1px; grid-template-columns: repeat(var(--columns), var(--cell)); }
.lab-sum figcaption { font-size: .68rem; opacity: .7; text-align: center; line-height: 1.5; }
.lab-sum i { display: grid; place-items: center; font-style: normal; font-size: .66rem; overflow: hidden;
  font-variant-numeric: tabular-nums; letter-spacing: -.02em; }
.lab-sum-bars { display: grid; grid-template-columns: minmax(5rem, max-content) 1fr max-content; gap: .3rem .7rem;
  align-items: center; font-size: .82rem; }
.lab-sum-bars span { overflow-wrap: anywhere; line-height: 1.3; }
.lab-sum-bars i { position: relative; height: .75rem; background: linear-gradient(90deg, transparent calc(50% - .5px),
  rgba(128,128,128,.6) 0 calc(50% + .5px), transparent 0); }
.lab-sum-bars u { position: absolute; top: 0; bottom: 0; border-radius: 2px; }
.lab-sum-bars small { font-variant-numeric: tabular-nums; text-align: right; font-size: .8rem; }
.lab-sum-steps td small { display: block; opacity: .85; font-size: .78rem; overflow-wrap: anywhere; }
.lab-sum .is-padding { border: 1px dashed rgba(128,128,128,.5); }
.lab-sum-steps .is-shown td { font-weight: 650; color: inherit; }
.lab-sum-steps .is-shown td small { font-weight: 400; }
.lab-sum-steps td:last-child { vertical-align: top; white-space: nowrap; padding-left: 1rem; }
@media (max-width: 640px) {
  .lab-sum-name { flex-basis: 100%; font-weight: 600; }
  .lab-sum-row { gap: .3rem; }
  .lab-sum figure > .is-narrow { grid-template-columns:
    repeat(var(--columns), min(var(--cell), calc((100vw - 5.6rem) / 3 / var(--columns)))); }
  .lab-sum .is-narrow i { font-size: .6rem; }
}
</style>"""
