"""Settings: one parser for links, `--set` and JSON; every problem names the setting, the value and what is allowed."""

from __future__ import annotations

import json

import pytest

from cnncore.catalog import DATASETS, MODELS, PRESETS, SCHEDULES, learning_rate_factor
from cnncore.config import (
    FIELDS,
    ScheduleConfig,
    TrainConfig,
    differences,
    flatten,
    format_value,
    from_json,
    in_shape,
    parse_value,
    preset,
    read_settings,
    readable_name,
    replace,
    with_settings,
)
from cnncore.errors import ConfigError

NONSENSE = (
    "banana",
    "nan",
    "inf",
    "-1e9",
    "1e99",
    "[]",
    "{}",
    "0x",
    "'; DROP TABLE runs; --",
    "\u0000",
    "🦆",
    "x" * 3_000,
)


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("text", NONSENSE)
def test_nonsense_is_refused_or_harmless(name: str, text: str) -> None:
    other = "data.seed" if name == "training.seed" else "training.seed"
    config, problems = read_settings(TrainConfig(), [(name, text), (other, "7")])
    assert flatten(config)[other] == 7, "a problem with one setting must not cost the others"
    if flatten(config)[name] == flatten(TrainConfig())[name]:
        assert [problem.field for problem in problems] == [name]
        assert len(str(problems[0])) < 400
        assert name.split(".")[1].replace("_", " ") in str(problems[0]).replace("_", " ") or problems[0].hint
    else:
        assert name in ("data.path",), "only free text may take nonsense"


@pytest.mark.parametrize("key", PRESETS)
def test_presets_are_possible_and_survive_link_and_json(key: str) -> None:
    config = preset(key)
    again, problems = read_settings(TrainConfig(), differences(config, TrainConfig()).items())
    assert not problems
    assert again == config
    assert from_json(config.model_dump_json()) == config
    assert from_json(json.dumps(flatten(config))) == config
    assert readable_name(config)


@pytest.mark.parametrize(
    ("path", "name"), [("/home/me/Leaves/", "Leaves"), ("birds", "birds"), ("/", "a folder of images")]
)
def test_a_run_on_a_folder_is_called_by_its_name(path: str, name: str) -> None:
    config = replace(TrainConfig(), {"data.dataset": "folder", "data.path": path})
    assert readable_name(config) == f"{config.model_spec.title} on {name}"


@pytest.mark.parametrize("name", FIELDS)
def test_text_form_is_read_back(name: str) -> None:
    value = flatten(TrainConfig())[name]
    assert parse_value(name, format_value(value, name)) == value


@pytest.mark.parametrize("norm", [None, "none", "lrn", "batch"])
def test_no_normalization_is_not_the_published_one(norm: str | None) -> None:
    """`none` is a value of the setting; it must not be read as the word for `as published`."""
    config = replace(TrainConfig(), {"model.name": "alexnet_small", "data.dataset": "cifar10", "model.norm": norm})
    base = replace(config, {"model.norm": "batch" if norm is None else None})
    again, problems = read_settings(base, differences(config, base).items())
    assert not problems
    assert again == config
    assert again.option("norm") == (norm or "lrn")


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({"model.name": "lenet"}, "model.name", "lenet5"),
        ({"model.name": "resnet20", "model.dropout": 0.5}, "model.dropout", "no dropout"),
        ({"model.name": "resnet20", "model.norm": "lrn"}, "model.norm", "LRN"),
        ({"model.pool": "subsample"}, "model.pool", "Allowed: max, average, overlapping"),
        ({"model.name": "googlenet_small", "model.pool": "overlapping"}, "model.pool", "already overlap"),
        ({"model.name": "cnn3", "model.input_size": 16}, "model.input_size", "20×20"),
        ({"data.dataset": "ilsvrc2012"}, "data.dataset", "Known"),
        ({"data.dataset": "folder"}, "data.path", "path"),
        ({"data.path": "elsewhere"}, "data.path", "takes no path"),
        ({"data.train_images": 3_501}, "data.train_images", "3,500"),
        ({"augment.mixup": 0.2, "augment.cutmix": 1.0}, "augment.cutmix", "together"),
        ({"model.norm": "batch", "training.batch_size": 1}, "training.batch_size", "at least 2"),
        ({"schedule.warmup_epochs": 5}, "schedule.warmup_epochs", "nothing"),
        ({"schedule.name": "multistep"}, "schedule.milestones", "at least one"),
        ({"schedule.milestones": (5, 3)}, "schedule.milestones", "rise"),
        ({"optimizer.name": "nesterov", "optimizer.momentum": 0}, "optimizer.momentum", "above 0"),
        ({"data.dataset": "mnist", "data.validation": 0.0, "training.patience": 3}, "training.patience", "validation"),
        ({"training.epochs": 1.5}, "training.epochs", "whole numbers from 1"),
        ({"no.such": 1}, "no.such", "setting"),
    ],
)
def test_impossible_combinations_say_why(settings: dict[str, object], field: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        replace(TrainConfig(), settings)
    assert caught.value.field == field
    assert words in str(caught.value)


def test_a_link_with_a_clash_keeps_the_rest() -> None:
    pairs = [("model.name", "resnet20"), ("model.dropout", "0.5"), ("optimizer.lr", "0.2")]
    config, problems = read_settings(TrainConfig(), pairs)
    assert config.model.name == "resnet20"
    assert config.model.dropout is None
    assert config.optimizer.lr == 0.2
    assert [problem.field for problem in problems] == ["model.dropout"]


def test_set_raises_the_first_problem() -> None:
    with pytest.raises(ConfigError, match=r"optimizer\.lr cannot be 'fast'. Allowed: more than 0 up to 10"):
        with_settings(TrainConfig(), [("optimizer.lr", "fast")])


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"model": {"name": 3}}', '{"model": 3}'])
def test_bad_json_is_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError):
        from_json(text)


def test_in_shape_follows_data_and_network() -> None:
    assert in_shape(TrainConfig()) == (1, 28, 28)
    assert in_shape(replace(TrainConfig(), {"model.input_size": 64})) == (1, 64, 64)
    assert in_shape(replace(TrainConfig(), {"data.dataset": "cifar10"})) == (3, 32, 32)


def test_tables_name_each_other_rightly() -> None:
    for spec in DATASETS.values():
        assert set(spec.drawn_from) <= set(DATASETS)
    for spec in MODELS.values():
        assert set(spec.choices) <= set(spec.defaults)
        for option, allowed in spec.choices.items():
            assert spec.defaults[option] in allowed


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_stay_between_zero_and_one(name: str) -> None:
    values = ScheduleConfig(name=name, milestones=(3, 6), warmup_epochs=1)  # pyright: ignore[reportArgumentType]
    factors = [learning_rate_factor(values, i / 10, 10) for i in range(101)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert factors[0] < 0.05, "a warm-up starts low"


def test_schedule_values() -> None:
    milestones = ScheduleConfig(name="multistep", milestones=(2, 4))
    assert [learning_rate_factor(milestones, t, 6) for t in (0, 1.99, 2, 3.9, 4)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01]
    )
    cosine = ScheduleConfig(name="cosine")
    assert learning_rate_factor(cosine, 5, 10) == pytest.approx(0.5)
    assert learning_rate_factor(cosine, 10, 10) == pytest.approx(0)
    cycle = ScheduleConfig(name="one_cycle", rise_fraction=0.25, start_fraction=0.1)
    assert learning_rate_factor(cycle, 0, 8) == pytest.approx(0.1)
    assert learning_rate_factor(cycle, 2, 8) == pytest.approx(1)


def test_a_configuration_nested_beyond_reason_is_refused() -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        from_json('{"a":' * 100_000)


def test_gray_images_have_no_statistics_of_imagenet() -> None:
    with pytest.raises(ConfigError, match="gray images"):
        replace(TrainConfig(), {"data.normalize": "imagenet"})
    assert replace(TrainConfig(), {"data.dataset": "cifar10", "data.normalize": "imagenet"})
