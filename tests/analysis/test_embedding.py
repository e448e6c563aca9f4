"""Features in two dimensions: the same for the same seed, exact for PCA, near what is near for t-SNE."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cnncore.analysis.embedding import Observed, arrange, embed, observe, spread
from cnncore.analysis.scans import Work
from cnncore.analysis.subjects import Subjects, tensors_at
from cnncore.answers import Answer
from cnncore.errors import DataError
from cnncore.questions import QUESTIONS
from cnncore.questions.looking import subjects
from tests.analysis.conftest import Lab


def observed(features: np.ndarray, labels: np.ndarray | None = None) -> Observed:
    """What might be observed of images with these features."""
    count = len(features)
    labels = np.zeros(count, np.int64) if labels is None else labels
    return Observed(
        classes=tuple(str(each) for each in range(1 + int(labels.max()))),
        names=None,
        places=np.arange(count),
        total=count,
        labels=labels,
        predicted=labels,
        confidence=np.ones(count, np.float32),
        features=features.astype(np.float32),
        thumbnails=np.zeros((count, 2, 2, 1), np.uint8),
    )


def clusters(count: int, *, classes: int = 3, width: int = 20) -> Observed:
    """Classes that lie far apart."""
    random = np.random.default_rng(0)
    labels = np.arange(count) % classes
    return observed(10 * random.normal(size=(classes, width))[labels] + random.normal(size=(count, width)), labels)


def finished(work: Work[Any]) -> tuple[Any, list[tuple[int, int]]]:
    told: list[tuple[int, int]] = []
    while True:
        try:
            told.append(next(work))
        except StopIteration as end:
            return end.value, told


def asked(**request: Any) -> Answer:
    while True:
        answer = QUESTIONS["embedding"](request)
        if not answer.data["pending"]:
            return answer


def test_each_class_has_its_share_of_the_chosen_images() -> None:
    labels = np.repeat([0, 1, 2], (60, 30, 10))[np.random.default_rng(0).permutation(100)]
    chosen = spread(labels, 20)
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert np.abs(np.bincount(labels[chosen]) - [12, 6, 2]).max() <= 1
    assert spread(labels, 1_000).tolist() == list(range(100))


def test_components_are_those_of_the_covariance() -> None:
    features = np.random.default_rng(1).normal(size=(40, 6)) * [5, 3, 1, 1, 1, 1]
    plane = arrange(observed(features), "pca", 0)
    values, vectors = np.linalg.eigh(np.cov(features.T))
    expected = (features - features.mean(axis=0)) @ vectors[:, ::-1][:, :2]
    np.testing.assert_allclose(np.abs(plane.points), np.abs(expected), atol=1e-4)
    assert plane.variance == pytest.approx(tuple(values[::-1][:2] / values.sum()))


def test_both_ways_to_components_agree() -> None:
    """With many features only the first components are computed."""
    features = np.random.default_rng(2).normal(size=(150, 400)) * np.r_[9, 7, np.ones(398)]
    plane = arrange(observed(features), "pca", 0)
    left, sizes, _ = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(plane.points), np.abs(left[:, :2] * sizes[:2]), atol=1e-3)


def test_neighbors_stay_together() -> None:
    found = clusters(90)
    plane, again = (arrange(found, "tsne", 3) for _ in range(2))
    assert plane.trustworthiness is not None
    assert plane.trustworthiness > 0.9
    assert plane.same_class == 1
    assert np.array_equal(plane.points, again.points)
    distances = np.linalg.norm(found.features[0] - found.features[1:], axis=1)
    assert plane.similar[0].tolist() == (1 + np.argsort(distances)[:11]).tolist()
    nearest = np.linalg.norm(plane.points[:, None] - plane.points[None], axis=2) + np.diag(np.full(90, np.inf))
    assert (found.labels[nearest.argmin(axis=1)] == found.labels).all()


@pytest.mark.parametrize("method", ["pca", "tsne"])
@pytest.mark.parametrize(
    "features", [np.arange(3)[:, None] ** 2, np.eye(3), np.random.default_rng(0).normal(size=(4, 900))]
)
def test_three_images_are_enough(method: Any, features: np.ndarray) -> None:
    plane = arrange(observed(features), method, 0)
    assert plane.points.shape == (len(features), 2)
    assert np.isfinite(plane.points).all()
    assert plane.trustworthiness is not None
    assert plane.similar.shape == (len(features), len(features) - 1)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_images_that_are_all_alike_lie_on_one_point(method: Any) -> None:
    plane = arrange(observed(np.full((20, 5), 7.0)), method, 0)
    assert not plane.points.any()
    assert plane.trustworthiness is None


def test_what_goes_wrong_in_the_thread_is_told() -> None:
    broken = observed(np.full((20, 5), 7.0))
    object.__setattr__(broken, "labels", np.zeros(3, np.int64))

    def look() -> Work[Observed]:
        yield 1, 1
        return broken

    with pytest.raises(IndexError):
        finished(embed(look, "pca", 0))


def test_a_network_looks_at_its_images(lab: Lab, data_root: Path) -> None:
    subjects = Subjects(lab.artifacts, data_root)
    network = subjects.network(f"run:{lab.digits.id}")
    images = subjects.images_named(network, f"run:{lab.digits.id}")
    found, told = finished(observe(network, images, "test", 130))
    assert images.test is not None
    assert told == [(64, 130), (128, 130), (130, 130)]
    assert (len(found.places), found.total, found.thumbnails.shape) == (130, len(images.test), (130, 28, 28, 1))
    assert found.labels.tolist() == images.test.labels[found.places].tolist()
    assert found.confidence.min() >= 0.1
    assert found.confidence.max() <= 1


def test_features_are_what_the_head_receives(lab: Lab, data_root: Path) -> None:
    subjects = Subjects(lab.artifacts, data_root)
    network = replace(subjects.network(f"run:{lab.digits.id}"), precision="fp32")
    images = subjects.images_named(network, f"run:{lab.digits.id}")
    found, _ = finished(observe(network, images, "test", 9))
    received: list[torch.Tensor] = []
    dense = [module for module in network.model.modules() if isinstance(module, torch.nn.Linear)][-1]
    handle = dense.register_forward_pre_hook(lambda _module, inputs: received.append(inputs[0].clone()))
    with torch.inference_mode():
        logits = network.model(tensors_at(network, images, "test", found.places.tolist()))
    handle.remove()
    np.testing.assert_allclose(found.features, received[0].numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.predicted, logits.argmax(dim=1).numpy())
    np.testing.assert_allclose(found.confidence, logits.softmax(dim=1).amax(dim=1).numpy(), rtol=1e-4)


def test_a_network_that_diverged(lab: Lab, data_root: Path) -> None:
    subjects = Subjects(lab.artifacts, data_root)
    network = subjects.network(f"run:{lab.digits.id}")
    images = subjects.images_named(network, f"run:{lab.digits.id}")
    with torch.no_grad():
        next(network.backbone.parameters()).fill_(torch.nan)
    with pytest.raises(DataError, match="are no numbers"):
        finished(observe(network, images, "test", 10))


def test_the_question(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ARTIFACTS", str(lab.artifacts))
    name = f"run:{lab.digits.id}"
    request = {"network": name, "stamp": subjects().stamp(name), "split": "test", "most_images": 60}
    plain, near = asked(**request), asked(**request, method="tsne")
    for answer in (plain, near):
        assert answer.lasting
        assert answer.data["comparable"]
        assert answer.data["names"] is None
        assert {name: len(array) for name, array in answer.arrays.items()} == dict.fromkeys(answer.arrays, 60)
    assert np.array_equal(plain.arrays["thumbnails"], near.arrays["thumbnails"])
    assert plain.data["note"].startswith("The plane keeps")
    assert near.data["variance"] is None
    assert near.data["perplexity"] == pytest.approx(59 / 3)


def test_a_network_with_other_classes(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ARTIFACTS", str(lab.artifacts))
    answer = asked(network=f"run:{lab.colors.id}", images="data:mnist5k", split="test", most_images=12)
    assert not answer.data["comparable"]
    assert answer.data["classes"] != answer.data["says"]
    assert not answer.lasting


def test_a_split_with_too_few_images(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ARTIFACTS", str(lab.artifacts))
    monkeypatch.setattr("cnncore.analysis.embedding.FEWEST", 10_000)
    with pytest.raises(DataError, match=r"only [\d,]+ test images"):
        asked(network=f"run:{lab.digits.id}", split="test")
