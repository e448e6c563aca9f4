"""Questions that make something: what they answer is there afterwards, and what is refused leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnncore.errors import LabError
from cnncore.images.store import open_sets
from cnncore.questions import QUESTIONS
from cnncore.runs.store import RunStore
from cnncore.runs.uploads import keep_upload


def test_a_sample_set(data_root: Path) -> None:
    answer = QUESTIONS["make_sample_set"]({"key": "digits", "owner": "me"})
    made = open_sets(data_root).get(answer.data["set"])
    assert (made.name, made.owner, len(made.included())) == ("Three digits", "me", 300)
    assert not answer.lasting


@pytest.mark.parametrize("asked", [{"key": "digitz"}, {}, {"key": 3}, {"key": "digits", "path": "/etc"}])
def test_a_sample_set_that_there_is_not(asked: dict[str, object], data_root: Path) -> None:
    before = open_sets(data_root).all()
    with pytest.raises(LabError):
        QUESTIONS["make_sample_set"](asked)
    assert open_sets(data_root).all() == before


def test_what_is_no_bundle_makes_no_run(artifacts: Path, store: RunStore) -> None:
    token = keep_upload(artifacts, b"no ZIP at all")
    with pytest.raises(LabError, match=r"My network\.zip is not a ZIP"):
        QUESTIONS["read_bundle"]({"upload": token, "label": "My network.zip"})
    with pytest.raises(LabError, match="not there any more"):
        QUESTIONS["read_bundle"]({"upload": "0" * 32})
    assert store.list() == ()
