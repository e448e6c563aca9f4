"""The sum behind a number, as HTML."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cnncore.figures.unit_sum import (
    Step,
    Term,
    exact,
    product_rows,
    signed,
    step_rows,
    term_bars,
    weight_tiles,
)


def term(rows: int = 3, columns: int = 3, name: str = "map 4", inside: np.ndarray | None = None) -> Term:
    kernel = np.linspace(-1, 1, rows * columns).reshape(rows, columns)
    patch = np.full((rows, columns), 0.5)
    known = np.ones((rows, columns), np.bool_) if inside is None else inside
    return Term(name=name, value=0.25, patch=patch, kernel=kernel, inside=known)


def numbers(html: str) -> list[str]:
    return re.findall(r"'>([−\d.]+)</i>", html)


def test_patch_times_kernel_gives_the_products() -> None:
    shown = numbers(product_rows([term(1, 3)]))
    assert shown == ["0.50", "0.50", "0.50", "−1.00", "0", "1.00", "−0.50", "0", "0.50"]
    assert "<strong>+0.25</strong>" in product_rows([term()])


@pytest.mark.parametrize(("rows", "columns", "count"), [(3, 3, 27), (5, 5, 75), (1, 1, 3), (7, 7, 0), (1, 7, 21)])
def test_numbers_stand_where_they_fit(rows: int, columns: int, count: int) -> None:
    html = product_rows([term(rows, columns)])
    assert len(numbers(html)) == count
    assert html.count("<i ") == 3 * rows * columns


def test_padding_is_no_number() -> None:
    inside = np.array([[False, True, True]])
    html = product_rows([term(1, 3, inside=inside)])
    assert html.count("is-padding") == 2, "in the patch and in the products; the kernel has its weight"
    assert len(numbers(html)) == 7


def test_no_number_is_minus_zero() -> None:
    tiny = Term(
        name="x", value=0.0, patch=np.array([[-0.0]]), kernel=np.array([[-1e-9]]), inside=np.ones((1, 1), np.bool_)
    )
    assert numbers(product_rows([tiny])) == ["0", "0.000", "0"]


def test_all_rows_have_one_scale() -> None:
    weak = Term(name="weak", value=0.0, patch=np.zeros((1, 1)), kernel=np.array([[0.1]]), inside=np.ones((1, 1), bool))
    strong = Term(name="strong", value=0.0, patch=np.zeros((1, 1)), kernel=np.array([[1.0]]), inside=weak.inside)
    colors = re.findall(r"background:(#\w{6});color:#\w+'>(?:0.10|1.00)<", product_rows([weak, strong]))
    assert len(set(colors)) == 2
    assert colors[1] == "#b40426", "the strongest has the last color"


def test_bars_go_to_both_sides() -> None:
    html = term_bars([("a <b>", 2.0), ("c", -1.0), ("d", 0.0)])
    assert "a &lt;b&gt;" in html
    assert re.findall(r"left:([\d.]+)%;width:([\d.]+)%", html) == [("50.0", "50.0"), ("25.0", "25.0"), ("50.0", "0.0")]
    assert re.findall(r"<small>(.*?)</small>", html) == ["+2", "−1", "+0"]
    assert term_bars([]) == "<div class='lab-sum-bars'></div>"


def test_the_number_of_the_map_stands_out_among_the_steps() -> None:
    html = step_rows([Step(name="x <i>", how="", value=1.0), Step(name="y", how="z", value=-2.0, is_shown=True)])
    assert "x &lt;i&gt;" in html
    assert html.count("is-shown") == 1
    assert "<td>−2</td>" in html


def test_weights_have_a_tile_a_channel() -> None:
    html = weight_tiles(np.ones((3, 2, 2)), ("red", "green", "blue"))
    assert html.count("<figure") == 3
    assert "<figcaption>green</figcaption>" in html


def test_numbers_have_a_real_minus_sign() -> None:
    assert (exact(-1.23456), signed(1.23456), signed(-1.0)) == ("−1.235", "+1.235", "−1")
