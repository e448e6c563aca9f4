"""Linear probes: on the means of what the stages leave, each image judged by one that never saw it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnncore.analysis.probe_by_depth import (
    FOLDS,
    PIXEL_SIDE,
    ProbedDepths,
    _chosen,
    _features,
    fitted,
    folded,
    probe_by_depth,
)
from cnncore.analysis.scans import finished
from cnncore.answers import Answer
from cnncore.catalog import MODELS
from cnncore.catalog.backbones import BACKBONES
from cnncore.catalog.stages import PIXELS, stage_ends, stages_of
from cnncore.errors import ConfigError, DataError
from cnncore.questions import QUESTIONS
from cnncore.questions.looking import subjects
from tests.analysis.made import made_network, noise

LENET = "untrained:lenet_tutorial"


def probed(**more: Any) -> ProbedDepths:
    network = subjects().network(LENET)
    images = subjects().images_named(network, "data:mnist5k")
    return finished(probe_by_depth(network, images, "train", **more))


def test_digits_can_be_read_off_the_pixels_and_the_maps() -> None:
    found = probed(per_class=20)
    assert found.classes == ("0", "1", "2", "3", "4")
    assert found.num_images == 100
    assert [probe.key for probe in found.probes] == [PIXELS, "conv1", "conv2"]
    assert [probe.num_features for probe in found.probes] == [PIXEL_SIDE**2, 20, 50]
    # Means of untrained maps say little, and more than guessing; the pixels of a digit say much.
    assert found.probes[0].correct >= 70
    assert all(probe.correct > 30 for probe in found.probes)
    assert probed(per_class=20) == found
    assert probed(per_class=20, seed=1) != found


def test_a_feature_is_the_mean_of_a_map() -> None:
    network = made_network("resnet20", 32)
    batch = torch.cat([noise(network, seed) for seed in range(3)])
    kept: dict[str, torch.Tensor] = {}
    for layer in ("stem", "stage2"):

        def keep(_module: nn.Module, _inputs: object, output: torch.Tensor, layer: str = layer) -> None:
            kept[layer] = output.clone()

        network.model.get_submodule(layer).register_forward_hook(keep)
    with torch.inference_mode():
        network.model(batch)
    found = _features(network, batch, {"first": "stem", "second": "stage2"})
    assert torch.allclose(found["first"], kept["stem"].mean(dim=(2, 3)), atol=1e-5)
    assert torch.allclose(found["second"], kept["stage2"].mean(dim=(2, 3)), atol=1e-5)
    squares = batch.reshape(3, 3, PIXEL_SIDE, 4, PIXEL_SIDE, 4).mean(dim=(3, 5)).flatten(1)
    assert torch.allclose(found[PIXELS], squares, atol=1e-5)


def test_folds_share_every_class_and_the_seed_decides() -> None:
    targets = np.repeat([0, 1, 2], (30, 30, 12))
    folds = folded(targets, FOLDS, 0)
    for label in range(3):
        counts = np.bincount(folds[targets == label], minlength=FOLDS)
        assert counts.max() - counts.min() <= 1
    assert np.array_equal(folds, folded(targets, FOLDS, 0))
    assert not np.array_equal(folds, folded(targets, FOLDS, 1))


def test_a_probe_tells_apart_what_a_plane_can_and_nothing_else() -> None:
    random = np.random.default_rng(0)
    targets = np.arange(200) % 2
    features = random.normal(size=(200, 5)).astype(np.float32)
    features[:, 0] = 1
    chance = (fitted(features[:150], targets[:150])(features[150:]) == targets[150:]).mean()
    assert chance < 0.75
    features[:, 3] += 100 * targets
    assert (fitted(features[:150], targets[:150])(features[150:]) == targets[150:]).all()


def ask(**more: Any) -> tuple[Answer, int]:
    """The whole answer, and how many came before it."""
    request = {"network": LENET, "stamp": "untrained", "images": "data:mnist5k", "split": "train", "per_class": 10}
    for pieces in range(100):
        answer = QUESTIONS["probe_by_depth"]({**request, **more})
        if not answer.data["pending"]:
            return answer, pieces
    raise AssertionError("no answer")


def test_the_question_is_answered_in_pieces_and_kept() -> None:
    answer, _ = ask()
    assert answer.lasting
    assert answer.data["num_images"] == 50
    assert (answer.data["folds"], answer.data["split"], answer.data["seed"]) == (FOLDS, "train", 0)
    assert all(0 <= probe["correct"] <= 50 for probe in answer.data["probes"])
    assert not ask(stamp="other weights")[0].lasting


@pytest.mark.parametrize("more", [{"per_class": 9}, {"per_class": 61}, {"seed": -1}, {"split": "all"}, {"layers": 1}])
def test_impossible_questions_are_one_sentence(more: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ask(**more)


def test_classes_with_too_few_images_are_left_out() -> None:
    classes, places = _chosen(np.repeat([0, 1, 2, 3], (40, 9, 12, 300)), 60)
    assert classes.tolist() == [0, 2, 3]
    assert len(places) == len(set(places.tolist())) == 36
    with pytest.raises(DataError, match="two classes"):
        _chosen(np.repeat([0, 1], (40, 9)), 60)


@pytest.mark.parametrize("network", sorted({spec.network for spec in BACKBONES.values()}))
def test_stages_of_every_backbone_end_in_layers_worth_seeing(network: str) -> None:
    ends = stage_ends(network)
    assert list(ends) == [stage.key for stage in stages_of(network) if stage.key in ends]
    assert len(ends) >= 2
    assert set(ends.values()) <= set(MODELS[network].taps)
