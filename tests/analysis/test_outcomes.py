"""A run on an image set: its images by key, and what it says of them once some were relabeled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from cnncore.analysis.networks import Networks
from cnncore.analysis.outcomes import outcomes_on
from cnncore.analysis.pictures import pictures_of_set
from cnncore.analysis.prediction import predict
from cnncore.config import TrainConfig, replace
from cnncore.errors import DataError, RunError
from cnncore.images.edits import AddClass, Divide, MoveImages, MoveToSplit
from cnncore.images.image_set import Division, ImageSet
from cnncore.images.intake import Incoming, add_images
from cnncore.images.store import ImageSets, open_sets
from cnncore.questions import QUESTIONS
from cnncore.runs.artifacts import run_dir
from cnncore.runs.outcomes import OUTCOMES, Outcomes, confusion_matrix, load_outcomes
from cnncore.runs.run import Run
from cnncore.runs.store import RunStore
from cnncore.training.trained import TrainedNetwork
from tests.analysis.conftest import Lab
from tests.images.pictures import png
from tests.photographs import trained


@dataclass(frozen=True)
class Studio:
    """An image set below a data folder of its own, and a run on it."""

    data_root: Path
    artifacts: Path
    sets: ImageSets
    first: ImageSet
    run: Run
    network: TrainedNetwork

    @property
    def outcomes(self) -> Outcomes:
        return load_outcomes(run_dir(self.artifacts, self.run.id) / OUTCOMES)["validation"]


@pytest.fixture
def studio(tmp_path: Path, store: RunStore, artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    sets = open_sets(tmp_path)
    made = sets.create("Letters")
    incoming = [Incoming(name=f"{seed}.png", content=png(seed), label="ab"[seed % 2]) for seed in range(40)]
    add_images(sets, made.id, incoming)
    first = sets.apply(made.id, Divide(division=Division(validation=0.25, seed=1)))
    settings = {
        "data.dataset": "image_set",
        "data.image_set": first.reference,
        "data.image_size": 24,
        "data.crop": 0.875,
        "model.name": "cnn3",
        "model.width": 0.25,
        "training.batch_size": 10,
        "training.epochs": 2,
        "training.precision": "fp32",
    }
    run = trained(store, artifacts, tmp_path, replace(TrainConfig(), settings))
    network = Networks().get(artifacts, run.id)
    return Studio(data_root=tmp_path, artifacts=artifacts, sets=sets, first=first, run=run, network=network)


def test_images_of_a_set_are_known_by_their_keys(studio: Studio) -> None:
    records = studio.first.included("validation")
    assert studio.outcomes.names.tolist() == [str(record.key) for record in records]
    assert [studio.outcomes.classes[label] for label in studio.outcomes.labels] == [each.label for each in records]
    keys = [record.key for record in records]
    found = predict(studio.network, pictures_of_set(studio.data_root, studio.first.reference, keys))
    np.testing.assert_array_equal(found.top[:, 0], studio.outcomes.predicted)
    np.testing.assert_allclose(found.shares[:, 0], studio.outcomes.confidence, atol=1e-5)
    assert set(map(int, found.nearest)) <= {record.key for record in studio.first.included("train")}
    with pytest.raises(DataError, match="has no image 999"):
        pictures_of_set(studio.data_root, studio.first.reference, [keys[0], 999])


def test_relabeling_changes_the_labels_on_the_same_images_and_nothing_else(studio: Studio) -> None:
    before = studio.outcomes
    same = outcomes_on(studio.network, studio.data_root, studio.first.reference)
    np.testing.assert_array_equal(same.labels, before.labels)
    np.testing.assert_allclose(same.probabilities, before.probabilities, atol=1e-5)
    place = 0
    other = before.classes[1 - before.labels[place]]
    after = studio.sets.apply(studio.first.id, MoveImages(keys=(int(before.names[place]),), label=other))
    found = outcomes_on(studio.network, studio.data_root, after.reference)
    assert found.classes == before.classes
    assert found.names.tolist() == before.names.tolist()
    assert (found.labels != before.labels).nonzero()[0].tolist() == [place]
    difference = confusion_matrix(found).trace() - confusion_matrix(before).trace()
    assert abs(difference) == 1


def test_what_the_network_cannot_be_asked_is_one_sentence(studio: Studio, lab: Lab) -> None:
    # The new class needs training images too.
    moved = [record.key for record in studio.first.included("train")[:3]]
    moved += [record.key for record in studio.first.included("validation")[:1]]
    new = studio.sets.apply(studio.first.id, AddClass(name="c"), MoveImages(keys=tuple(moved), label="c"))
    with pytest.raises(DataError, match="knows no class 'c'"):
        outcomes_on(studio.network, studio.data_root, new.reference)
    with pytest.raises(RunError, match="no test images"):
        outcomes_on(studio.network, studio.data_root, studio.first.reference, "test")
    digits = Networks().get(lab.artifacts, lab.digits.id)
    with pytest.raises(RunError, match="gray"):
        outcomes_on(digits, studio.data_root, studio.first.reference)


def test_the_service_keeps_answers_about_a_version_as_long_as_the_weights_are_named(studio: Studio) -> None:
    request = {"run": studio.run.id, "image_set": studio.first.reference}
    answer = QUESTIONS["outcomes_on"]({**request, "stamp": "1"})
    assert answer.lasting
    assert answer.arrays["names"].tolist() == studio.outcomes.names.tolist()
    keys = [int(name) for name in studio.outcomes.names[:3]]
    heat = QUESTIONS["grad_cam"]({**request, "keys": keys, "classes": [0, 1, 0], "stamp": "1"})
    assert heat.lasting
    assert heat.arrays["maps"].shape == (3, 24, 24)
    assert heat.arrays["shown"].tolist() == [0, 1, 0]
    assert not QUESTIONS["predict"]({**request, "keys": keys}).lasting


def test_images_that_were_learned_do_not_count_in_a_later_division(studio: Studio) -> None:
    again = studio.sets.apply(studio.first.id, Divide(division=Division(validation=0.5, seed=3)))
    learned = {str(record.key) for record in studio.first.included("train")}
    now = [str(record.key) for record in again.included("validation")]
    found = outcomes_on(studio.network, studio.data_root, again.reference)
    assert found.names.tolist() == [name for name in now if name not in learned]
    assert len(found.names) == len(found.labels) == len(found.probabilities) < len(now)
    keys = tuple(int(name) for name in found.names)
    only = studio.sets.apply(studio.first.id, MoveToSplit(keys=keys, split="train"))
    with pytest.raises(DataError, match="trained on all validation images"):
        outcomes_on(studio.network, studio.data_root, only.reference)
