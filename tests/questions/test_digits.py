"""What changed digits are taken for; the numbers are those that the lesson's answer names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnncore.errors import ConfigError
from cnncore.lessons.contents import LESSONS
from cnncore.questions import QUESTIONS

CHANGED = QUESTIONS["changed_digits"]


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))


def test_the_lessons_answer_is_what_is_measured() -> None:
    turned = CHANGED({"change": "rotation", "dial": "degrees", "places": [0, 150, 180]})
    counts = turned.arrays["counts"]
    assert counts.shape == (3, 10, 10)
    assert (counts.sum(axis=2) == 50).all()
    over = CHANGED({"change": "flip_vertical", "dial": "flip", "places": [1]}).arrays["counts"][0]
    right = int(np.trace(counts[0])) / 500
    for said in (
        f"Turned by 150°, {counts[1, 6, 9]} of 50 sixes are taken for nines",
        f"by 180° {counts[2, 9, 6]} of 50 nines for sixes",
        f"upside down, {over[5, 2]} of 50 fives for twos",
        f"who was {100 * right:.0f} % right",
    ):
        assert said in LESSONS["augmentation"].answer
    shifted = CHANGED({"change": "translation", "dial": "right", "places": [-10, 10]}).arrays["counts"]
    assert (np.trace(shifted, axis1=1, axis2=2) < 250).all()


def test_examples_are_digits_and_change() -> None:
    answer = CHANGED({"change": "flip_horizontal", "dial": "mirror", "places": [0, 1]})
    examples = answer.arrays["examples"]
    assert answer.data == {"num_known": 3_500}
    assert examples.dtype == np.uint8
    np.testing.assert_array_equal(examples[1], examples[0, :, :, ::-1])


@pytest.mark.parametrize(
    "asked",
    [
        {"change": "melt", "dial": "degrees", "places": [0]},
        {"change": "rotation", "dial": "degrees", "places": []},
        {"change": "rotation", "dial": "degrees", "places": list(range(9))},
        {"change": "rotation", "dial": "degrees", "places": [1_000]},
        {"change": "rotation", "dial": "mirror", "places": [1]},
        {"change": "zoom", "dial": "zoom", "places": [0]},
    ],
)
def test_other_questions_are_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        CHANGED(asked)
