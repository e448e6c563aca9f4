"""Where two networks disagree, as HTML: the table of right and wrong, and cards with what both say of an image."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnncore.figures.examples import STYLE, image_uri


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a network says of M images: the most probable classes `(M, T)`, and their probabilities."""

    top: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float32]


def pair_cards(
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    said: Sequence[Said],
    classes: Sequence[str],
    colors: Sequence[str],
) -> str:
    """One card an image: what it is, and below the first guesses of networks A and B with their probabilities.

    Args:
        images: `(M, H, W, C)`.
        labels: True classes, `(M,)`.
        said: Of A and of B.
        classes: Names, from outside; they are escaped.
        colors: Of A and of B.
    """
    cards = "".join(
        _card(images[index], int(labels[index]), said, index, classes, colors) for index in range(len(labels))
    )
    return f"{STYLE}{_STYLE}<div class='lab-examples lab-pairs'>{cards}</div>"


def _card(
    image: npt.NDArray[np.uint8],
    label: int,
    said: Sequence[Said],
    index: int,
    classes: Sequence[str],
    colors: Sequence[str],
) -> str:
    really = html.escape(classes[label])
    rows = "".join(
        _guess(name, color, int(each.top[index, 0]), float(each.shares[index, 0]), label, classes)
        for name, color, each in zip("AB", colors, said, strict=True)
    )
    answers = " and ".join(html.escape(classes[int(each.top[index, 0])]) for each in said)
    return (
        f"<figure><img src='{image_uri(image)}' alt='{really}, recognized as {answers}'>"
        f"<figcaption><b>{really}</b>{rows}</figcaption></figure>"
    )


def _guess(name: str, color: str, guess: int, share: float, label: int, classes: Sequence[str]) -> str:
    sign = "✓" if guess == label else "✗"
    kind = "true" if guess == label else "false"
    return (
        f"<span class='guess {kind}'><span class='bar' style='width:{100 * share:.0f}%'></span>"
        f"<span class='name'><i style='background:{color}'>{name}</i> {sign} {html.escape(classes[guess])}</span>"
        f"<span class='share'>{100 * share:.0f} %</span></span>"
    )


def right_wrong_table(counts: Mapping[str, int], names: Sequence[str], colors: Sequence[str]) -> str:
    """Images by who is right: A down, B across, with their share of all.

    Args:
        counts: `both_right`, `a_only`, `b_only`, `same_mistake`, `both_wrong`.
        names: Of the networks, from outside; they are escaped.
        colors: Of A and of B.
    """
    total = max(1, sum(counts.values()))
    wrong = counts["same_mistake"] + counts["both_wrong"]

    def cell(count: int, note: str = "") -> str:
        return f"<td><b>{count:,}</b><small>{100 * count / total:.1f} %{note}</small></td>"

    same = f", {counts['same_mistake']:,} with the same answer"
    a, b = (
        f"<i style='background:{color}'>{letter}</i> {html.escape(name)}"
        for letter, name, color in zip("AB", names, colors, strict=True)
    )
    return (
        f"{_STYLE}<table class='lab-two lab-numbers'><tr><td></td><th>{b} is right</th><th>{b} is wrong</th></tr>"
        f"<tr><th>{a} is right</th>{cell(counts['both_right'])}{cell(counts['a_only'])}</tr>"
        f"<tr><th>{a} is wrong</th>{cell(counts['b_only'])}"
        f"{cell(wrong, same)}</tr></table>"
    )


_STYLE = """<style>
.lab-pairs { grid-template-columns: repeat(8, minmax(0, 1fr)); }
@media (max-width: 1100px) { .lab-pairs { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
@media (max-width: 640px) { .lab-pairs { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
.lab-pairs figure { border-top-width: 1px; border-top-color: var(--st-border-color, #8884); }
.lab-pairs i, .lab-two i, .lab-pair i { display: inline-block; width: 1.25em; border-radius: 3px; color: #fff;
  text-align: center; font-style: normal; font-weight: 600; font-size: .85em; }
.lab-two { width: 100%; border-collapse: collapse; font-size: .9rem; table-layout: fixed; }
.lab-two td, .lab-two th { border: 1px solid rgba(128,128,128,.3); padding: .45rem .6rem; text-align: left;
  font-weight: 500; overflow-wrap: anywhere; }
.lab-two tr:first-child td { border: 0; }
.lab-two b { display: block; font-size: 1.25rem; font-weight: 600; }
.lab-two small { opacity: .75; }
</style>"""
