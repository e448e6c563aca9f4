"""What a network says of every image of a split: as its evaluation did, and of the right images."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncore.analysis.scans import Work
from cnncore.analysis.split_outcomes import Pace, SplitOutcomes, evenly_spread, judged, kept_outcomes, scan_outcomes
from cnncore.analysis.subjects import Subjects
from cnncore.answers import Answer
from cnncore.config import TrainConfig, replace
from cnncore.errors import LabError
from cnncore.questions import QUESTIONS
from cnncore.runs.artifacts import WEIGHTS, epoch_file, load_evaluation, run_dir
from cnncore.runs.outcomes import OUTCOMES, confusion_matrix
from cnncore.runs.run import Run
from cnncore.runs.store import RunStore
from tests.analysis.conftest import Lab
from tests.photographs import trained


def whole(work: Work[SplitOutcomes]) -> tuple[SplitOutcomes, list[tuple[int, int]]]:
    """The result of a work, and how far it told to be."""
    told: list[tuple[int, int]] = []
    while True:
        try:
            told.append(next(work))
        except StopIteration as end:
            return end.value, told


def asked(name: str, request: Mapping[str, Any]) -> Answer:
    """The whole answer to a question in pieces."""
    while True:
        answer = QUESTIONS[name](dict(request))
        if not answer.data.get("pending"):
            return answer


def subjects(lab: Lab, data_root: Path) -> Subjects:
    return Subjects(lab.artifacts, data_root)


def scan(lab: Lab, data_root: Path, run: Run, split: str, most: int = 10_000) -> SplitOutcomes:
    known, name = subjects(lab, data_root), f"run:{run.id}"
    network = known.network(name)
    return whole(scan_outcomes(network, judged(known, network, name, name, split), most))[0]


def test_positions_are_evenly_spread() -> None:
    assert evenly_spread(5, 10).tolist() == [0, 1, 2, 3, 4]
    assert evenly_spread(10, 5).tolist() == [0, 2, 4, 6, 8]
    assert evenly_spread(0, 5).tolist() == []
    spread = evenly_spread(60_000, 10_000)
    assert (len(spread), spread[-1]) == (10_000, 59_994)
    assert set(np.diff(spread)) == {6}


def test_a_pace_is_found_and_kept() -> None:
    pace = Pace(most=64)
    for _ in range(10):
        pace.took(pace.size * 0.001)
    assert pace.size == 64
    for _ in range(10):
        pace.took(pace.size * 0.5)
    assert pace.size == 1


def test_it_says_what_the_evaluation_after_the_last_epoch_said(lab: Lab, data_root: Path) -> None:
    evaluation = load_evaluation(run_dir(lab.artifacts, lab.digits.id) / epoch_file(1))
    assert evaluation is not None
    found = scan(lab, data_root, lab.digits, "validation")
    np.testing.assert_array_equal(confusion_matrix(found.outcomes), evaluation.confusion)
    assert found.total == len(found.places) == evaluation.count


def test_of_many_images_some_are_taken_which_stay_who_they_are(lab: Lab, data_root: Path) -> None:
    every, some = (scan(lab, data_root, lab.digits, "test", most) for most in (10_000, 7))
    assert (len(some.places), some.total) == (7, 1_000)
    np.testing.assert_allclose(some.outcomes.probabilities, every.outcomes.probabilities[some.places], atol=1e-5)
    np.testing.assert_array_equal(some.outcomes.labels, every.outcomes.labels[some.places])
    assert some.outcomes.names.tolist() == [str(place) for place in some.places]


def test_how_far_it_is_is_told(lab: Lab, data_root: Path) -> None:
    known, name = subjects(lab, data_root), f"run:{lab.digits.id}"
    network = known.network(name)
    _, told = whole(scan_outcomes(network, judged(known, network, name, name, "test")))
    assert told[-1] == (1_000, 1_000)
    assert len(told) > 3
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_kept_outcomes_are_taken_while_they_are_of_the_weights(lab: Lab, data_root: Path, tmp_path: Path) -> None:
    artifacts = tmp_path / "copied"
    shutil.copytree(run_dir(lab.artifacts, lab.colors.id), run_dir(artifacts, lab.colors.id))
    known, name = Subjects(artifacts, data_root), f"run:{lab.colors.id}"
    network = known.network(name)
    found = judged(known, network, name, name, "validation")
    kept = kept_outcomes(known, name, found)
    assert kept is not None
    again, _ = whole(scan_outcomes(network, found))
    np.testing.assert_allclose(kept.outcomes.probabilities, again.outcomes.probabilities, atol=1e-4)
    np.testing.assert_array_equal(kept.places, again.places)
    assert kept.outcomes.names.tolist() == again.outcomes.names.tolist()
    later = (run_dir(artifacts, lab.colors.id) / OUTCOMES).stat().st_mtime + 60
    os.utime(run_dir(artifacts, lab.colors.id) / WEIGHTS, (later, later))
    assert kept_outcomes(known, name, found) is None


def test_the_question_is_answered_in_full(lab: Lab, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ARTIFACTS", str(lab.artifacts))
    name = f"run:{lab.digits.id}"
    request = {"network": name, "stamp": subjects(lab, data_root).stamp(name), "split": "validation"}
    answer = asked("split_outcomes", request)
    assert answer.lasting
    assert answer.data["classes"] == tuple("0123456789")
    assert answer.data["total"] == len(answer.arrays["labels"]) == len(answer.arrays["places"])
    assert answer.arrays["probabilities"].shape == (answer.data["total"], 10)
    facts = answer.data["calibration"]
    assert 0 < facts["by_chance"] < 1
    assert facts.keys() == {"error", "by_chance", "temperature", "error_after"}
    test = asked("split_outcomes", {**request, "split": "test"})
    assert test.data["calibration"].keys() == {"error", "by_chance"}, "a temperature is never fitted on test images"


def test_what_was_answered_stays_in_memory(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ARTIFACTS", str(lab.artifacts))
    request = {"network": f"run:{lab.colors.id}", "split": "train"}
    first = asked("split_outcomes", request)
    assert not first.lasting, "a folder may change, so this is not kept on disk"
    monkeypatch.setattr("cnncore.questions.errors.scan_outcomes", lambda network, found: pytest.fail("looked again"))
    again = asked("split_outcomes", request)
    np.testing.assert_array_equal(again.arrays["probabilities"], first.arrays["probabilities"])


def test_thumbnails_are_the_images_at_these_places(lab: Lab, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ARTIFACTS", str(lab.artifacts))
    name = f"run:{lab.digits.id}"
    known = subjects(lab, data_root)
    request = {"network": name, "stamp": known.stamp(name), "split": "test"}
    answer = QUESTIONS["thumbnails"]({**request, "places": [3, 999, 0]})
    test = known.images_named(known.network(name), name).test
    assert test is not None
    np.testing.assert_array_equal(answer.arrays["pixels"], test.pixels.numpy()[[3, 999, 0]])  # type: ignore[union-attr]
    assert answer.lasting
    none = QUESTIONS["thumbnails"]({**request, "places": []})
    assert len(none.arrays["pixels"]) == 0
    with pytest.raises(LabError, match="no test image 1000"):
        QUESTIONS["thumbnails"]({"network": name, "split": "test", "places": [1_000]})
    with pytest.raises(LabError, match="at most 60"):
        QUESTIONS["thumbnails"]({"network": name, "split": "test", "places": list(range(61))})


@pytest.mark.parametrize(
    ("images", "split", "why"),
    [
        ("data:nope", "test", "no data set named"),
        ("data:folder", "test", "needs its path"),
        ("set:xx@1", "test", "no images named"),
        ("run:../etc", "test", "no images named"),
        ("run:abcdef", "test", "are gone"),
        ("data:mnist5k", "train", "may have learned"),
        ("data:mnist5k", "validation", "may have learned"),
    ],
)
def test_images_that_tell_nothing_are_refused(lab: Lab, data_root: Path, images: str, split: str, why: str) -> None:
    known, name = subjects(lab, data_root), f"run:{lab.digits.id}"
    with pytest.raises(LabError, match=why):
        judged(known, known.network(name), name, images, split)


def test_test_images_of_its_data_set_are_always_fair(lab: Lab, data_root: Path) -> None:
    known, name = subjects(lab, data_root), f"run:{lab.digits.id}"
    found = judged(known, known.network(name), name, "data:mnist5k", "test")
    assert (len(found.labels), found.own) == (1_000, False)


def test_classes_that_the_network_does_not_know_are_refused(lab: Lab, data_root: Path) -> None:
    known = subjects(lab, data_root)
    network = known.network("untrained:lenet5")
    with pytest.raises(LabError, match="knows no class '0'"):
        judged(known, network, "untrained:lenet5", "data:mnist5k", "test")
    with pytest.raises(LabError, match="knows no class"):
        judged(known, known.network(f"run:{lab.colors.id}"), f"run:{lab.colors.id}", "data:mnist5k", "test")


def test_another_run_on_the_same_division_is_fair(lab: Lab, data_root: Path, store: RunStore, artifacts: Path) -> None:
    shutil.copytree(run_dir(lab.artifacts, lab.digits.id), run_dir(artifacts, lab.digits.id))
    short = {"data.train_images": 200, "training.batch_size": 50, "training.epochs": 1, "training.precision": "fp32"}
    same = trained(store, artifacts, data_root, replace(TrainConfig(), {**short, "training.seed": 7}))
    other = trained(store, artifacts, data_root, replace(TrainConfig(), {**short, "data.seed": 7}))
    known, name = Subjects(artifacts, data_root), f"run:{lab.digits.id}"
    network = known.network(name)
    assert len(judged(known, network, name, f"run:{same.id}", "validation").labels)
    assert len(judged(known, network, name, f"run:{other.id}", "test").labels) == 1_000
    with pytest.raises(LabError, match="may have learned"):
        judged(known, network, name, f"run:{other.id}", "validation")
