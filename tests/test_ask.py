"""Asking a real service: a process of its own with torch in it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from cnncore.ask import ask, cached, is_warm
from cnncore.catalog import DATASETS
from cnncore.config import AugmentConfig, DataConfig, ModelConfig
from cnncore.errors import ConfigError, LabError

pytestmark = pytest.mark.slow

PATIENCE_S = 60.0
"""A cold start takes about 4 s of work, and other tests may be on."""


def services() -> list[psutil.Process]:
    """The services this process has started and that are still on."""
    children = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in children if "cnncore.service" in child.cmdline()]


def end_services() -> None:
    for process in services():
        process.kill()
        process.wait(10)


@pytest.fixture(scope="module")
def shared_artifacts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("service")
    end_services()


@pytest.fixture(autouse=True)
def _one_service_for_all(shared_artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ARTIFACTS", str(shared_artifacts))
    monkeypatch.setenv("CNNLAB_SERVICE_IDLE_S", "60")


def profile_request(**model: Any) -> dict[str, Any]:
    settings = ModelConfig(**model).model_dump()
    return {
        "model": settings,
        "in_shape": (1, 28, 28),
        "num_classes": 10,
        "batch_size": 64,
        "optimizer": "adam",
        "precision": "fp32",
    }


def test_the_first_need_starts_one_service_for_all_who_ask() -> None:
    from cnncore.questions import QUESTIONS

    request = profile_request(name="cnn3", width=1.5)
    assert not is_warm()
    assert cached("profile", request) is None
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: ask("profile", request, timeout_s=PATIENCE_S), range(20)))
    direct = QUESTIONS["profile"](request)
    assert all(answer.data == _as_json(direct.data) for answer in found)
    assert len(services()) == 1
    assert is_warm()


def test_whoever_asks_learns_that_the_service_must_be_started_first() -> None:
    end_services()
    starts: list[bool] = []
    for request in (profile_request(name="lenet5"), profile_request(name="lenet_tutorial")):
        ask("profile", request, timeout_s=PATIENCE_S, before_start=lambda: starts.append(is_warm()))
    assert starts == [False]


def _as_json(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _as_json(value) for key, value in data.items()}
    return [_as_json(item) for item in data] if isinstance(data, (list, tuple)) else data


def test_samples_and_preview_equal_a_direct_call(data_root: Path) -> None:
    from cnncore.data import preview, samples

    data, augment = DataConfig(), AugmentConfig(rotation=20, erasing=0.5)
    answer = ask("samples", {"data": data.model_dump()}, timeout_s=PATIENCE_S)
    direct = samples(data, data_root)
    np.testing.assert_array_equal(answer.arrays["images"], direct.images)
    assert answer.data["labels"] == direct.labels.tolist()
    assert answer.data["num_images"] == {"train": 3_500, "validation": 500, "test": 1_000}
    request = {"data": data.model_dump(), "augment": augment.model_dump(), "seed": 3, "num_images": 4, "num_draws": 2}
    images = ask("preview", request, timeout_s=PATIENCE_S).arrays["images"]
    np.testing.assert_array_equal(images, preview(data, augment, data_root, num_images=4, num_draws=2, seed=3))
    assert images.shape == (4, 3, 28, 28, 1)


def test_a_data_set_that_is_not_at_hand_is_described_not_downloaded(tmp_path: Path) -> None:
    request = {"data": DataConfig(dataset="cifar100").model_dump()}
    answer = ask("samples", request, timeout_s=PATIENCE_S)
    assert answer.data["at_hand"] is False
    assert answer.data["num_images"]["train"] == DATASETS["cifar100"].num_train
    assert cached("samples", request) is None


def test_the_machine_is_described(data_root: Path) -> None:
    facts = ask("machine", {}, timeout_s=PATIENCE_S).data
    assert facts["devices"][0]["id"] == "cpu"
    assert facts["cores"] >= 1
    assert facts["precision"] in ("fp32", "bf16")
    assert 0 < facts["memory"]["free"] <= facts["memory"]["total"]
    assert facts["datasets"]["mnist5k"] > 0
    assert set(facts["versions"]) == {"python", "torch", "streamlit"}
    assert cached("machine", {}) is None


@pytest.mark.parametrize(
    ("name", "change", "field"),
    [
        ("profile", {"model": {"name": "lenet_tutorial", "width": 99}}, "model.width"),
        ("profile", {"model": {"name": "lenet6"}}, "model.name"),
        ("profile", {"model": {"surprise": 1}}, "model.surprise"),
        ("profile", {"in_shape": (1, 10**9, 28)}, "in_shape.1"),
        ("profile", {"in_shape": (1, 28)}, "in_shape.2"),
        ("profile", {"num_classes": 0}, "num_classes"),
        ("profile", {"batch_size": "many"}, "batch_size"),
        ("profile", {"optimizer": "adamant"}, "optimizer.name"),
        ("profile", {"precision": "fp64"}, "precision"),
        ("profile", {"in_shape": (1, 2, 2)}, "model.input_size"),
        ("samples", {"data": {"dataset": "mnist6k"}}, "data.dataset"),
        ("samples", {"data": {"dataset": "mnist5k"}, "max_images": 10**6}, "max_images"),
        ("preview", {"data": {}, "augment": {"rotation": 1e9}}, "augment.rotation"),
        ("preview", {"data": {}}, "augment"),
        ("machine", {"surprise": 1}, "surprise"),
    ],
)
def test_an_impossible_request_names_the_field(name: str, change: dict[str, Any], field: str) -> None:
    request = {**profile_request(), **change} if name == "profile" else change
    with pytest.raises(ConfigError) as error:
        ask(name, request, timeout_s=PATIENCE_S)
    assert error.value.field == field


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    request = {"data": {"dataset": "folder", "path": str(tmp_path / "nothing")}}
    with pytest.raises(LabError, match="nothing"):
        ask("samples", request, timeout_s=PATIENCE_S)


def test_a_killed_service_is_started_again_when_it_is_needed() -> None:
    known, new = profile_request(name="lenet5"), profile_request(name="lenet5", width=0.5)
    before = ask("profile", known, timeout_s=PATIENCE_S)
    end_services()
    assert not is_warm()
    after = cached("profile", known)
    assert after is not None
    assert after.data == before.data == ask("profile", known).data
    assert not services(), "an answer on disk needs no service"
    assert ask("profile", new, timeout_s=PATIENCE_S).data["num_params"] < before.data["num_params"]
    assert len(services()) == 1


def test_a_service_that_cannot_start_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ARTIFACTS", str(tmp_path / "other"))
    monkeypatch.setenv("CNNLAB_SERVICE_IDLE_S", "soon")
    with pytest.raises(LabError, match="does not start"):
        ask("machine", {}, timeout_s=PATIENCE_S)
    assert "soon" in (tmp_path / "other" / "service.log").read_text()
