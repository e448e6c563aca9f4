"""Thinning keeps what one could see, and charts become the same bytes for the same content."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from cnncore.figures.chart import MAX_POINTS, Chart, encode, escape, line, thin


def _decoded(array: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(array["bdata"]), np.float32)


@pytest.mark.parametrize("count", [0, 1, 2, 400, 401, 1_000, 10_007, 100_000])
def test_thin_keeps_the_limit_the_ends_and_the_extremes(count: int):
    x = np.arange(count, dtype=np.float64)
    y = np.random.default_rng(0).normal(size=count)
    thin_x, thin_y = thin(x, y)
    assert len(thin_x) == len(thin_y) == count if count <= MAX_POINTS else len(thin_x) <= MAX_POINTS
    if count:
        assert thin_x[-1] == x[-1]
        assert (thin_y.min(), thin_y.max()) == (y.min(), y.max())
    assert np.all(np.diff(thin_x) > 0)


def test_thin_keeps_a_single_spike_and_a_single_gap():
    y = np.zeros(50_000)
    y[12_345] = 9.0
    y[23_456] = np.nan
    _, thinned = thin(np.arange(50_000.0), y)
    assert len(thinned) <= MAX_POINTS
    assert np.nanmax(thinned) == 9.0
    assert np.isnan(thinned).sum() == 1


def test_thin_of_nothing_but_gaps():
    x, y = thin(np.arange(1_000.0), np.full(1_000, np.nan))
    assert 0 < len(x) <= MAX_POINTS
    assert np.isnan(y).all()


def test_a_growing_line_keeps_the_points_it_has_shown():
    y = np.random.default_rng(1).normal(size=2_000)
    before, _ = thin(np.arange(1_200.0), y[:1_200])
    after, _ = thin(np.arange(1_250.0), y[:1_250])
    assert set(before[before < 1_190]) <= set(after)


def test_encode_is_float32_and_keeps_gaps_and_shapes():
    assert _decoded(encode(np.array([1.5, np.nan])))[0] == 1.5
    assert np.isnan(_decoded(encode(np.array([1.5, np.nan])))[1])
    assert encode(np.zeros((3, 5)))["shape"] == "3, 5"


def test_the_same_chart_gives_the_same_bytes():
    def chart() -> bytes:
        trace = line("a", np.arange(3.0), np.arange(3.0), color="#000000")
        return Chart(label="A line", traces=[trace]).to_bytes()

    assert chart() == chart()


def test_names_from_outside_are_shown_literally():
    assert escape("<b>cats & dogs</b>") == "&lt;b&gt;cats &amp; dogs&lt;/b&gt;"
