"""Which distance finds out images unlike any a network was trained on, and what the limit in use does.

    python -m benchmarks.familiarity [--images 300]

Features are EfficientNet-Lite0's of flower photographs (folder `flowers` below the data folder, five classes). Strange
are CIFAR-10's test images, MNIST's test digits, and each flower in turn where the other four are known. A score is the
area under the ROC curve: how often a strange image lies farther away than a held-out photograph of a known flower.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.report import Report, parser, table
from cnncore.config import DataConfig, ModelConfig
from cnncore.data import Images, open_images
from cnncore.images.preprocessing import Preprocessing, fixed_statistics
from cnncore.models import build_model
from cnncore.training.familiarity import Familiarity, measure_familiarity
from cnncore.transfer.network import split_network
from cnncore.transfer.weights import backbone_state

BACKBONE = "efficientnet_lite0"
SIZE, CROP, CLASSES = 224, 0.875, 5
FEW, DRAWS = 40, 5
SHRINKAGE = 0.3

Distance = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Features and labels of what is known, and features of others, to how far each of those is away."""


def unit(features: np.ndarray) -> np.ndarray:
    return features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)


def neighbor(rank: int) -> Distance:
    def distance(known: np.ndarray, _labels: np.ndarray, others: np.ndarray) -> np.ndarray:
        return 1 - np.sort(unit(others) @ unit(known).T, axis=1)[:, -rank]

    return distance


def mahalanobis(known: np.ndarray, labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """To the nearest class mean, with the classes' shared covariance drawn towards a multiple of the identity."""
    known, others = unit(known), unit(others)
    means = {label: known[labels == label].mean(axis=0) for label in np.unique(labels)}
    rest = known - np.stack([means[label] for label in labels])
    even = (rest**2).sum() / rest.size
    _, scales, axes = np.linalg.svd(rest / len(rest) ** 0.5, full_matrices=False)
    variances = (1 - SHRINKAGE) * scales**2 + SHRINKAGE * even

    def squared(moved: np.ndarray) -> np.ndarray:
        along = (moved @ axes.T) ** 2
        return (along / variances).sum(axis=1) + ((moved**2).sum(axis=1) - along.sum(axis=1)) / (SHRINKAGE * even)

    return np.min([squared(others - mean) for mean in means.values()], axis=0)


DISTANCES: dict[str, Distance] = {
    "nearest neighbor": neighbor(1),
    "3rd neighbor": neighbor(3),
    "10th neighbor": neighbor(10),
    "Mahalanobis": mahalanobis,
}


def area(near: np.ndarray, far: np.ndarray) -> float:
    """Share of pairs in which the second lies farther away; ties count half."""
    return float(((far[:, None] > near) + 0.5 * (far[:, None] == near)).mean())


def features_of(backbone: nn.Module, pixels: np.ndarray) -> np.ndarray:
    made = _preprocessing()
    found: list[np.ndarray] = []
    with torch.inference_mode():
        for start in range(0, len(pixels), 32):
            tensors = np.stack([made.normalized(image) for image in pixels[start : start + 32]])
            found.append(backbone(torch.from_numpy(tensors)).numpy())
    return np.concatenate(found)


def _preprocessing() -> Preprocessing:
    mean, std = fixed_statistics("symmetric", 3)
    return Preprocessing(size=SIZE, crop=CROP, mean=mean, std=std)


def strangers(data_root: Path, dataset: str, count: int) -> np.ndarray:
    """Test images of a data set as if somebody had given them as pictures, uint8 (N, H, W, 3)."""
    from PIL import Image

    test = open_images(DataConfig(dataset=dataset), data_root, download=False).test
    assert isinstance(test, Images)
    pixels = test.take(torch.arange(count)).numpy()
    pictures = [Image.fromarray(image.squeeze()).convert("RGB") for image in pixels]
    return np.stack([_preprocessing().pixels(picture) for picture in pictures])


class Flowers:
    """Features and labels of the photographs: known ones, maybe few of them, and held-out ones."""

    def __init__(self, backbone: nn.Module, data_root: Path) -> None:
        config = DataConfig(
            dataset="folder", path=str(data_root / "flowers"), image_size=SIZE, crop=CROP, normalize="symmetric"
        )
        data = open_images(config, data_root, download=False)
        assert isinstance(data.train, Images)
        assert isinstance(data.validation, Images)
        self.train, self.held_out = (
            features_of(backbone, each.pixels.numpy()) for each in (data.train, data.validation)
        )
        self.labels, self.held_out_labels = data.train.labels.numpy(), data.validation.labels.numpy()

    def known(self, without: int | None, count: int, draw: int) -> tuple[np.ndarray, np.ndarray]:
        rows = np.random.default_rng(draw).permutation((self.labels != without).nonzero()[0])[:count]
        return self.train[rows], self.labels[rows]


def scores(distance: Distance, flowers: Flowers, strange: dict[str, np.ndarray], count: int) -> dict[str, float]:
    """The area for each kind of strange images, over draws and left-out flowers."""
    found: dict[str, list[float]] = {name: [] for name in (*strange, "a flower left out")}
    for draw in range(DRAWS if count < len(flowers.train) else 1):
        known = flowers.known(None, count, draw)
        near = distance(*known, flowers.held_out)
        for name, others in strange.items():
            found[name].append(area(near, distance(*known, others)))
        for left_out in range(CLASSES):
            far = distance(*flowers.known(left_out, count, draw), flowers.held_out)
            is_far = flowers.held_out_labels == left_out
            found["a flower left out"].append(area(far[~is_far], far[is_far]))
    return {name: statistics.fmean(values) for name, values in found.items()}


def alarms(flowers: Flowers, strange: dict[str, np.ndarray], count: int, *, held_out: bool) -> dict[str, float]:
    """Shares called unfamiliar by `cnncore.training.familiarity`; half of the held-out photographs set the limit."""
    found: dict[str, list[float]] = {}
    for draw in range(DRAWS):
        order = np.random.default_rng(draw).permutation(len(flowers.held_out))
        own, fresh = flowers.held_out[order[::2]], flowers.held_out[order[1::2]]
        known, _ = flowers.known(None, count, draw)
        names = np.arange(len(known)).astype(np.str_)
        familiarity = measure_familiarity(known, names, own if held_out else own[:0])
        for name, others in {"held-out flowers": fresh, **strange}.items():
            found.setdefault(name, []).append(_share(familiarity, others))
    return {name: statistics.fmean(values) for name, values in found.items()}


def _share(familiarity: Familiarity, features: np.ndarray) -> float:
    return float((familiarity.distances(features)[0] > familiarity.threshold).mean())


def main() -> None:
    command_line = parser(__doc__)
    command_line.add_argument("--images", type=int, default=300, help="strange images of a kind")
    arguments = command_line.parse_args()
    report = Report(name="familiarity", title="None of these: which distance tells")
    model = build_model(ModelConfig(name=BACKBONE), (3, SIZE, SIZE), CLASSES)
    fitted = backbone_state(
        BACKBONE, arguments.data, ModelConfig(name=BACKBONE), (3, SIZE, SIZE), CLASSES, lambda *_: None
    )
    model.load_state_dict(fitted.state)
    backbone, _ = split_network(model.eval(), BACKBONE)
    flowers = Flowers(backbone, arguments.data)
    strange = {
        name: features_of(backbone, strangers(arguments.data, key, arguments.images))
        for name, key in (("CIFAR-10", "cifar10"), ("MNIST", "mnist"))
    }
    every = len(flowers.train)
    for count in (every, FEW):
        areas = {name: scores(distance, flowers, strange, count) for name, distance in DISTANCES.items()}
        report.data[f"areas of {count}"] = areas
        rows = [(name, *(f"{value:.3f}" for value in each.values())) for name, each in areas.items()]
        report.sections.append(
            f"## Area under the ROC curve, {count} photographs known\n\n"
            + table(("distance", *areas["Mahalanobis"]), rows)
        )
    limits = {
        f"{count} known, limit from {source}": alarms(flowers, strange, count, held_out=held_out)
        for count in (every, FEW)
        for source, held_out in (("100 held-out photographs", True), ("the known ones", False))
    }
    report.data["unfamiliar"] = limits
    rows = [(name, *(f"{value:.1%}" for value in each.values())) for name, each in limits.items()]
    kinds = next(iter(limits.values()))
    report.sections.append(f"## Called unfamiliar, mean over {DRAWS} draws\n\n" + table(("limit", *kinds), rows))
    report.save(arguments.results)


if __name__ == "__main__":
    main()
