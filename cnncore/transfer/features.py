"""What a frozen backbone makes of the images, computed once: the head then learns without it.

The features are kept in the type the backbone gives, bf16 or fp32, so nothing is lost beside running it every time (up
to the rounding of fp32 sums, whose order depends on how many images go through together). With augmentation on, the
features of `transfer.views` views of each training image are kept: the first is the image itself, each further one is
augmented once, as a pure function of seed, view and image. Without augmentation there is one view.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Generator, Tensor, nn

from cnncore.catalog.presence import cache_dir
from cnncore.config import AugmentConfig, TrainConfig
from cnncore.data import Files, ImageData, Progress, Split
from cnncore.data.augment import augment_bytes, augment_floats, generator_for, needs_floats
from cnncore.data.batches import Normalization, pixels_of
from cnncore.data.images import to_device
from cnncore.transfer.feature_batches import FeatureBatches, FeatureLoaders, View
from cnncore.transfer.feature_store import Portion, Rows, image_id, open_rows
from cnncore.transfer.network import network_config

FORMAT = 1
"""Of what the features are; another number computes all of them anew."""
PIXELS_AT_ONCE = {"cpu": 32 * 224 * 224, "cuda": 512 * 224 * 224}
"""Pixels that go through the backbone together. On two cores EfficientNet-Lite0 took as long with 32 images of 224
pixels as with 64 or 128, and as long with both threads on one batch as with a batch each."""
MOST_AT_ONCE = 1_024
EVALUATED_AT_ONCE = 4_096


class Frozen(Protocol):
    """What the features need of a training state."""

    @property
    def backbone(self) -> nn.Module: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def precision(self) -> str: ...

    @property
    def dtype(self) -> torch.dtype: ...

    def autocast(self) -> AbstractContextManager[Any]: ...


def provide_features(
    data: ImageData, config: TrainConfig, state: Frozen, root: Path, progress: Progress
) -> FeatureLoaders:
    """Batches of what the frozen backbone makes of every image, from earlier runs or computed now.

    Args:
        data: The images.
        config: The run's configuration.
        state: The backbone, all of whose stages are frozen, with its device and precision.
        root: Data folder; the features lie below its cache.
        progress: Told how many images are done; may raise to interrupt, and what is done is kept.

    Raises:
        DataError: where a streamed image cannot be decoded.
    """
    splits = {"train": data.train, "validation": data.validation, "test": data.test}
    there = {name: _Pictures((split,), _ids(split)) for name, split in splits.items() if split is not None}
    every = _Pictures.joined(tuple(there.values()))
    backbone = _Backbone(data, config, state, progress)
    tables = [backbone.rows(every, 0, root)]
    tables += [backbone.rows(there["train"], view, root) for view in range(1, num_views(config))]

    def batches(name: str, size: int, seed: int | None = None) -> FeatureBatches:
        ids = there[name].ids
        # The augmented views hold training images only.
        seen = tables if seed is not None else tables[:1]
        views = [View(rows.features, torch.from_numpy(rows.places(ids))) for rows in seen]
        return FeatureBatches(there[name].splits[0], views, batch_size=size, device=state.device, seed=seed)

    return FeatureLoaders(
        batches("train", config.training.batch_size, config.training.seed),
        batches("validation", EVALUATED_AT_ONCE) if "validation" in there else None,
        batches("test", EVALUATED_AT_ONCE) if "test" in there else None,
    )


def num_views(config: TrainConfig) -> int:
    """Views of each training image: without augmentation all would be alike."""
    return max(1, config.transfer.views) if config.augment.active else 1


@dataclass(frozen=True, eq=False)
class _Pictures:
    """Images of some splits.

    Attributes:
        splits: The splits, one after another.
        ids: What each image is known by, (N,) bytes; equal where pixels are.
    """

    splits: tuple[Split, ...]
    ids: np.ndarray

    @staticmethod
    def joined(parts: Sequence[_Pictures]) -> _Pictures:
        splits = tuple(split for part in parts for split in part.splits)
        return _Pictures(splits, np.concatenate([part.ids for part in parts]))

    def chunks(self, wanted: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, Tensor]]:
        """The images of the `wanted` ids, up to `size` at a time: their ids and pixels, uint8 (n, H, W, C)."""
        known, first = np.unique(self.ids, return_index=True)
        places = np.sort(first[np.searchsorted(known, wanted)])
        begin = 0
        for split in self.splits:
            inside = torch.from_numpy(places[(places >= begin) & (places < begin + len(split))] - begin)
            chunks = [chunk for chunk in inside.split(size) if len(chunk)]
            for chunk, pixels in zip(chunks, pixels_of(split, chunks), strict=True):
                yield self.ids[chunk.numpy() + begin], pixels
            begin += len(split)


def _ids(split: Split) -> np.ndarray:
    """What each image of a split is known by: its pixels, or in a streamed split its file as it was last changed."""
    if isinstance(split, Files):
        return np.array([_file_id(split, position) for position in range(len(split))])
    chunks = torch.arange(len(split)).split(256)
    pixels = (chunk.numpy() for chunk in pixels_of(split, chunks))
    return np.array([image_id(image.data) for chunk in pixels for image in chunk])


def _file_id(split: Files, position: int) -> bytes:
    path = split.path(position)
    try:
        status = path.stat()
        changed = (status.st_size, status.st_mtime_ns)
    except OSError:  # decoding it will say what is wrong
        changed = ()
    return image_id(f"{path}{changed}{split.preprocessing}".encode(errors="surrogateescape"))


class _Backbone:
    """A frozen backbone with everything its features depend on besides the image."""

    def __init__(self, data: ImageData, config: TrainConfig, state: Frozen, progress: Progress) -> None:
        self.config = config
        self.state = state
        self.progress = progress
        self.normalize = Normalization(data.mean, data.std, device=state.device, dtype=state.dtype)
        channels, height, width = data.in_shape
        most = PIXELS_AT_ONCE.get(state.device.type, PIXELS_AT_ONCE["cpu"])
        self.at_once = min(max(most // (height * width), 1), MOST_AT_ONCE)
        network = network_config(config).model_dump_json()
        numbers = (FORMAT, torch.__version__, channels, height, width, data.mean, data.std)
        self.key = f"{_digest(state.backbone)}{network}{numbers}{state.device.type}{state.precision}"

    def rows(self, pictures: _Pictures, view: int, root: Path) -> Rows:
        """The features of a view of these pictures, and maybe of others."""
        data, augment = self.config.data, self.config.augment
        key = f"{self.key}{data.dataset}{data.path}{(data.image_set or '').partition('@')[0]}"
        if view:
            key += f"{view}{self.config.training.seed}{augment.model_dump_json()}"
        name = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()

        def compute(missing: np.ndarray) -> Iterator[Portion]:
            return self._compute(pictures, missing, view)

        return open_rows(cache_dir(root) / "features", name, np.unique(pictures.ids), compute, self.progress)

    def _compute(self, pictures: _Pictures, missing: np.ndarray, view: int) -> Iterator[Portion]:
        views = num_views(self.config)
        text = "Computing features of the images" + (f", view {view + 1} of {views}" if views > 1 else "")
        modes = {module: module.training for module in self.state.backbone.modules()}
        self.state.backbone.eval()
        done = 0
        self.progress(text, done, len(missing))
        try:
            for ids, pixels in pictures.chunks(missing, self.at_once):
                yield ids, self._features(ids, pixels, view)
                done += len(ids)
                self.progress(text, done, len(missing))
        finally:
            for module, training in modes.items():
                module.training = training

    @torch.inference_mode()
    def _features(self, ids: np.ndarray, pixels: Tensor, view: int) -> Tensor:
        pixels = to_device(pixels, self.state.device)
        if view:
            seed = self.config.training.seed
            generators = [generator_for(seed, view, int(each, 16)) for each in ids.tolist()]
            images = self.normalize(*_augmented(pixels, self.config.augment, generators))
        else:
            images = self.normalize(pixels)
        with self.state.autocast():
            return self.state.backbone(images).cpu()


def _augmented(pixels: Tensor, config: AugmentConfig, generators: Sequence[Generator]) -> tuple[Tensor, float]:
    """The images (N, H, W, C), each changed by its own generator, and what makes the largest value 255."""
    moved = [
        augment_bytes(image, config, generator)
        for image, generator in zip(pixels.permute(0, 3, 1, 2).split(1), generators, strict=True)
    ]
    if not needs_floats(config):
        return torch.cat(moved).permute(0, 2, 3, 1), 1
    # The labels matter to blends only, which the settings refuse where features are kept.
    label = torch.zeros(1, dtype=torch.int64)
    changed = [
        augment_floats(image.float().div_(255), label, config, 1, generator)[0]
        for image, generator in zip(moved, generators, strict=True)
    ]
    return torch.cat(changed).permute(0, 2, 3, 1), 255


def _digest(module: nn.Module) -> str:
    """A hash of the layers, by name and kind, and of all weights and statistics."""
    # A new head on maps leaves their averaging, which has no weights, to the backbone.
    digest = hashlib.sha256(str([(name, type(layer).__name__) for name, layer in module.named_modules()]).encode())
    for name, value in module.state_dict().items():
        digest.update(f"{name}{value.dtype}{tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()
