"""The recorded trainings: whole, trained with what the command trains, and each shows what it is said to show."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
import torch

from benchmarks.lesson_curves import WRONG_SHARE, config_of, record, settings_of, tampered
from cnncore.catalog import DATASETS
from cnncore.data import Images, open_images
from cnncore.lessons.contents import LESSONS
from cnncore.lessons.curves import CASES, DIAGNOSES
from cnncore.lessons.recordings import COMMAND, RECORDED, Recording, read_recorded

MOST_BYTES = 100_000


def recording(answer: str, place: int = 0) -> Recording:
    keys = [key for key, case in CASES.items() if case.answer == answer]
    return read_recorded().recordings[keys[place]]


def test_the_file_is_small_and_says_how_it_was_made() -> None:
    assert RECORDED.stat().st_size < MOST_BYTES
    recorded = read_recorded()
    assert list(recorded.recordings) == list(CASES)
    assert {"device", "threads", "precision", "seed", "versions"} <= recorded.machine.keys()
    assert recorded.seconds < 6 * 60
    assert COMMAND == "python -m benchmarks.lesson_curves"


@pytest.mark.parametrize("key", CASES)
def test_what_was_recorded_is_what_the_command_trains(key: str) -> None:
    found = read_recorded().recordings[key]
    config = config_of(CASES[key])
    assert found.settings == settings_of(config)
    if not found.stopped:
        assert found.num_epochs == config.training.epochs
        assert found.val_accuracy[found.scored_epoch - 1] == found.val_accuracy.max(), "the best epoch is tested"
    epochs = (found.train_loss, found.train_accuracy, found.val_loss, found.val_accuracy, found.lr)
    assert {len(each) for each in epochs} == {found.num_epochs}
    assert len(found.step_epochs) == len(found.step_loss) > 10
    assert (np.diff(found.step_epochs) > 0).all()
    assert all(np.isfinite(each).all() for each in epochs)


@pytest.mark.parametrize("key", CASES)
def test_words_can_be_filled_in_and_something_is_marked(key: str) -> None:
    case, found = CASES[key], read_recorded().recordings[key]
    words = case.why.format(**found.facts())
    assert "nan" not in words
    assert {case.answer, *case.nearly} <= DIAGNOSES.keys()
    assert case.answer not in case.nearly
    first, last = case.span(found)
    assert 0 <= first < last <= max(found.num_epochs, 1)
    assert not re.search(r"\d\.\d", case.why.replace("2.30", "")), "numbers come from the recording"


def test_the_lessons_answer_names_the_cases_in_which_validation_is_far_above_training() -> None:
    above = [found.val_accuracy - found.train_accuracy > 0.1 for found in read_recorded().recordings.values()]
    far = [place for place, epochs in enumerate(above, 1) if epochs.sum() >= 3]
    assert LESSONS["curves"].answer.startswith(f"Cases {far[0]} and {far[1]}. ")
    assert [list(CASES.values())[place - 1].answer for place in far] == ["fine", "labels"]
    assert not any(epochs[1:].any() for place, epochs in enumerate(above, 1) if place not in far)


def test_every_diagnosis_has_a_case() -> None:
    assert {case.answer for case in CASES.values()} == set(DIAGNOSES)


def test_healthy_ones_agree_with_the_test_and_do_not_turn() -> None:
    found = [recording("fine", place) for place in range(3)]
    for each in found:
        assert abs(each.val_accuracy.max() - each.test_accuracy) < 0.03
        assert each.val_loss[-1] < 2 * each.val_loss.min()
        assert each.val_accuracy[-1] > 0.9


def test_the_first_levels_off_in_both() -> None:
    found = recording("fine")
    assert found.train_accuracy[-1] > 0.97
    assert np.ptp(found.val_accuracy[-5:]) < 0.02


def test_augmentation_and_dropout_keep_training_below_validation() -> None:
    found = recording("fine", 1)
    assert (found.val_accuracy > found.train_accuracy).all()


def test_the_drop_of_the_rate_ends_a_plateau() -> None:
    found = recording("fine", 2)
    at = found.dropped
    assert at == 8
    for losses in (found.train_loss, found.val_loss):
        assert losses[at:].max() < losses[at // 2 : at].min()
    before, after = found.train_loss[at // 2 : at], found.train_loss[at:]
    assert before.min() - after.max() > 2 * before.std()


def test_over_fitting_turns() -> None:
    found = recording("over")
    assert found.train_accuracy[-1] == 1
    assert found.lowest < found.num_epochs / 2
    assert found.val_loss[-1] > 1.3 * found.val_loss.min()
    assert found.train_loss[-1] < 0.05 * found.val_loss[-1]


def test_a_rate_too_high_ends_in_guessing_or_in_no_number() -> None:
    lost, exploding = recording("high"), recording("high", 1)
    learned = int(lost.step_loss.argmin())
    assert lost.step_loss[learned] < 1
    assert lost.step_epochs[learned] < 1
    guessing = np.log(len(DATASETS["mnist5k"].classes))
    np.testing.assert_allclose(lost.val_loss[1:], guessing, atol=0.02)
    assert lost.train_accuracy[-1] < 0.15
    assert exploding.highest_loss > 1e6
    assert not np.isfinite(exploding.step_loss[-1])
    assert exploding.num_epochs == 0
    assert "number" in exploding.stopped


def test_a_small_network_is_level_and_bad_everywhere() -> None:
    found, healthy = recording("under"), recording("fine")
    assert healthy.train_accuracy[-1] - found.train_accuracy[-1] > 0.04
    assert abs(found.train_accuracy[-1] - found.val_accuracy[-1]) < 0.02
    assert np.ptp(found.train_accuracy[-5:]) < 0.03


def test_a_small_rate_still_falls_at_the_end() -> None:
    found = recording("under", 1)
    assert (np.diff(found.train_loss) < 0).all()
    assert found.train_loss[-4] - found.train_loss[-1] > 0.1 * found.train_loss[0]
    assert found.train_accuracy[-1] < 0.9


def test_leaked_validation_is_far_above_the_test() -> None:
    found = recording("leak")
    images = found.num_validation + found.num_test
    assert images == 1_500
    errors = (1 - found.val_accuracy.max(), 1 - found.test_accuracy)
    assert errors[1] - errors[0] > 0.03
    # More than chance makes of two such samples.
    spread = np.sqrt(errors[1] * (1 - errors[1]) * (1 / found.num_validation + 1 / found.num_test))
    assert errors[1] - errors[0] > 3 * spread


def test_wrong_labels_keep_training_below_validation_until_they_are_learned() -> None:
    found = recording("labels")
    at = found.lowest - 1
    assert found.val_accuracy[at] - found.train_accuracy[at] > 0.15
    # Nearly as many as have their own label, when they are fewest.
    assert found.train_accuracy[:at].min() < 1 - WRONG_SHARE
    assert found.train_accuracy[at] < 1 - WRONG_SHARE / 2
    assert found.train_accuracy[-1] > 0.9
    assert found.val_accuracy[-1] < found.val_accuracy[at] - 0.1


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory):
    return open_images(config_of(CASES["a"]).data, tmp_path_factory.mktemp("data"))


def test_near_copies_are_validation_images_shifted_by_a_pixel(digits) -> None:
    found = tampered(digits, "near copies")
    assert len(found.train) == len(digits.train) + len(digits.validation)
    assert isinstance(found.train, Images)
    copies = found.train.pixels[len(digits.train) :]
    assert torch.equal(copies[:, :, 1:], digits.validation.pixels[:, :, :-1])
    assert torch.equal(found.train.labels[len(digits.train) :], digits.validation.labels)
    assert found.validation is digits.validation
    assert found.test is digits.test


def test_three_of_ten_labels_are_wrong(digits) -> None:
    found = tampered(digits, "wrong labels")
    assert isinstance(found.train, Images)
    wrong = (found.train.labels != digits.train.labels).float().mean()
    assert float(wrong) == pytest.approx(WRONG_SHARE, abs=1e-3)
    assert torch.equal(found.train.pixels, digits.train.pixels)


def test_the_command_records_what_the_file_holds(tmp_path) -> None:
    short = {"training.epochs": 1, "data.train_images": 64, "training.batch_size": 16}
    case = dataclasses.replace(CASES["a"], settings=short)
    found = record(case, tmp_path)
    assert found.keys() == {each.name for each in dataclasses.fields(Recording)}
    assert len(found["train_loss"]) == 1
    assert len(found["step_loss"]) == 4
    assert 0 <= found["test_accuracy"] <= 1
