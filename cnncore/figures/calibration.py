"""The reliability diagram: how often a network is right among images of which it is equally sure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from cnncore.figures import theme
from cnncore.figures.chart import INK, Chart, Trace, encode
from cnncore.figures.intervals import wilson
from cnncore.runs.calibration import FEW, Bins

_TOP, _BOTTOM = [0.28, 1.0], [0.0, 0.22]
"""What the two parts of the chart take of its height: accuracies, and how many images there are."""
_HOVER = ("confidence", "accuracy", "right", "images", "low", "high")
_CENTERS, _REACH, _ENOUGH = (0.9, 0.8, 0.7, 0.6, 0.5), 0.05, 20


def calibration_table(bins: Bins) -> pd.DataFrame:
    """Columns `from`, `to`, `images`, `right`, `confidence`, `accuracy`, `low`, `high` (95 %), shares from 0 to 1.

    Groups without images are left out.
    """
    some = bins.counts > 0
    right, counts = bins.right[some], bins.counts[some]
    intervals = [wilson(int(hits), int(count)) for hits, count in zip(right, counts, strict=True)]
    return pd.DataFrame(
        {
            "from": bins.edges[:-1][some],
            "to": bins.edges[1:][some],
            "images": counts,
            "right": right,
            "confidence": bins.confidence[some],
            "accuracy": bins.accuracy[some],
            "low": [low for low, _ in intervals],
            "high": [high for _, high in intervals],
        }
    )


def calibration(bins: Bins, split: str) -> Chart:
    """Accuracy over confidence in percent with 95 % intervals, groups of few images faded; below, how many.

    Args:
        bins: The groups.
        split: train, validation or test, for the color.
    """
    table = calibration_table(bins)
    color = theme.SPLIT_COLORS.get(split, theme.NEUTRAL)
    few = table["images"].to_numpy() < FEW
    return Chart(
        label="How often the network is right over how sure it is, in percent, and how many images there are",
        traces=[
            {
                "type": "scatter",
                "mode": "lines",
                "name": "ideal",
                "x": [0, 100],
                "y": [0, 100],
                "line": {"color": theme.NEUTRAL, "dash": "dash", "width": 1.5},
                "hoverinfo": "skip",
            },
            _points(table.loc[~few], f"≥ {FEW} images", color, 1.0),
            _points(table.loc[few], "fewer", color, 0.35),
            _counts(table, color),
        ],
        layout={
            "uirevision": "calibration",
            "margin": {"l": 60, "r": 12, "t": 34, "b": 44},
            "xaxis": {
                "range": [0, 101],
                "ticksuffix": " %",
                "title": {"text": "how sure it is", "standoff": 6},
                "anchor": "y2",
            },
            "yaxis": {"range": [0, 103], "ticksuffix": " %", "title": {"text": "right"}, "domain": _TOP},
            # Nearly all images are in the last group; on an even scale the others could not be seen.
            "yaxis2": {
                "title": {"text": "images"},
                "domain": _BOTTOM,
                "type": "log",
                "range": [-0.3, float(np.log10(max(10, int(bins.counts.max(initial=0))))) + 0.1],
                "dtick": 1 if bins.counts.max(initial=0) < 1_000 else 2,
            },
            "barmode": "overlay",
            "bargap": 0,
        },
        height=440,
        empty="There are no images.",
    )


def confidence_words(confidence: npt.NDArray[np.floating], right: npt.NDArray[np.bool_]) -> str:
    """How often a network is right when it says about 90 % (or 80, 70, … %), as a sentence.

    Args:
        confidence: Probability of the told class, (N,).
        right: Whether it was the true one, (N,).
    """
    for center in _CENTERS:
        near = np.abs(confidence - center) <= _REACH
        count, hits = int(near.sum()), int(right[near].sum())
        if count >= _ENOUGH:
            low, high = (100 * end for end in wilson(hits, count))
            lower, upper = 100 * (center - _REACH), 100 * (center + _REACH)
            return (
                f"When it says about {100 * center:.0f} % ({lower:.0f} to {upper:.0f} %), it is right in "
                f"{100 * hits / count:.0f} % of cases: {hits:,} of {count:,} images, 95 % interval "
                f"{low:.0f}–{high:.0f} %."
            )
    between = int(((confidence >= _CENTERS[-1] - _REACH) & (confidence <= _CENTERS[0] + _REACH)).sum())
    return (
        f"How often it is right when it says about 90, 80, 70, 60 or 50 % cannot be told: at none of these levels are "
        f"there {_ENOUGH} images. It is between 45 and 95 % sure of {between:,} of {len(confidence):,}."
    )


def balance_words(confidence: npt.NDArray[np.floating], right: npt.NDArray[np.bool_]) -> str:
    """Whether a network is on the whole too sure of itself, as a sentence; of at least one image."""
    sure, share = float(confidence.mean()), float(right.mean())
    gap = 100 * (sure - share)
    told = f"On average it is {100 * sure:.1f} % sure and {100 * share:.1f} % right"
    if round(abs(gap), 1) == 0:
        return f"{told}: as sure as it should be."
    return f"{told}: {abs(gap):.1f} points {'too sure of itself' if gap > 0 else 'less sure than it could be'}."


def _points(table: pd.DataFrame, name: str, color: str, opacity: float) -> Trace:
    accuracy = 100 * table["accuracy"].to_numpy()
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": encode(100 * table["confidence"].to_numpy()),
        "y": encode(accuracy),
        "error_y": {
            "type": "data",
            "array": encode(100 * table["high"].to_numpy() - accuracy),
            "arrayminus": encode(accuracy - 100 * table["low"].to_numpy()),
            "color": color,
            "thickness": 1.5,
            "width": 4,
        },
        "marker": {"color": color, "size": 9, "line": {"color": INK, "width": 0.5}},
        "opacity": opacity,
        "customdata": [
            f"{100 * sure:.1f} % sure on average, right in {100 * share:.1f} %<br>{right:,} of {images:,} images; 95 % "
            f"interval {100 * low:.1f}–{100 * high:.1f} %"
            for sure, share, right, images, low, high in table[list(_HOVER)].itertuples(index=False)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _counts(table: pd.DataFrame, color: str) -> Trace:
    low, high = (100 * table[name].to_numpy(dtype=np.float64) for name in ("from", "to"))
    return {
        "type": "bar",
        "name": "images",
        "showlegend": False,
        "x": encode((low + high) / 2),
        "width": encode(high - low),
        "y": encode(table["images"].to_numpy(dtype=np.float64)),
        "yaxis": "y2",
        "marker": {"color": color, "opacity": 0.6},
        "customdata": [
            f"{start:.0f}–{end:.0f} % sure: {count:,} images"
            for start, end, count in zip(low, high, table["images"], strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
