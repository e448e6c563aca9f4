"""The images of a run that a person has looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnncore.runs.reviewed import REVIEWED, reviewed_images, set_reviewed


def test_kept_images_are_remembered_until_they_are_taken_back(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert reviewed_images(folder) == frozenset()
    set_reviewed(folder, (3, 1), kept=True)
    set_reviewed(folder, (7,), kept=True)
    assert reviewed_images(folder) == {1, 3, 7}
    set_reviewed(folder, (3,), kept=False)
    assert reviewed_images(folder) == {1, 7}


@pytest.mark.parametrize("content", ["", "{", "{}", '["a", true, 1.5]', "null"])
def test_a_damaged_file_costs_a_second_look_only(tmp_path: Path, content: str) -> None:
    (tmp_path / REVIEWED).write_text(content)
    assert reviewed_images(tmp_path) == frozenset()
    set_reviewed(tmp_path, (1,), kept=True)
    assert reviewed_images(tmp_path) == {1}
