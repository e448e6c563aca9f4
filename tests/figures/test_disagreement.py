"""Cards and table of a disagreement: names from outside stay text."""

from __future__ import annotations

import numpy as np

from cnncore.figures.disagreement import Said, pair_cards, right_wrong_table


def said(*guesses: int) -> Said:
    top = np.array([[guess, 0, 0] for guess in guesses])
    return Said(top=top, shares=np.tile(np.array([0.9, 0.08, 0.02], np.float32), (len(guesses), 1)))


def test_cards_show_both_answers() -> None:
    images, labels = np.zeros((2, 8, 8, 1), np.uint8), np.array([1, 2])
    text = pair_cards(images, labels, (said(1, 0), said(0, 2)), ("cat", "<b>dog", "fox"), ("#111", "#222"))
    assert text.count("<figure") == 2
    assert "<b>dog" not in text.replace("<b>&lt;b&gt;dog", "")
    assert text.count("✓") == text.count("✗") == 2
    assert "recognized as &lt;b&gt;dog and cat" in text


def test_no_images_no_cards() -> None:
    empty = Said(top=np.zeros((0, 3), np.int64), shares=np.zeros((0, 3), np.float32))
    assert "<figure " not in pair_cards(
        np.zeros((0, 1, 1, 1), np.uint8), np.zeros(0, np.int64), (empty, empty), (), ("", "")
    )


def test_table_counts_every_image_once() -> None:
    counts = {"both_right": 700, "a_only": 100, "b_only": 50, "same_mistake": 90, "both_wrong": 60}
    text = right_wrong_table(counts, ("<i>", "other"), ("#111", "#222"))
    assert all(f"<b>{number}</b>" in text for number in (700, 100, 50, 150))
    assert "15.0 %, 90 with the same answer" in text
    assert "&lt;i&gt; is right" in text
