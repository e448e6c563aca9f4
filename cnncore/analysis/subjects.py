"""Networks to look into and pictures to show them, by their names, ready to compute.

Networks and open data sets stay in memory between questions, since opening one takes longer than asking it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from cnncore.analysis.networks import Networks
from cnncore.catalog import MODELS, at_hand
from cnncore.catalog.backbones import BACKBONES
from cnncore.catalog.imagenet import imagenet_classes
from cnncore.config import DataConfig, ModelConfig, TrainConfig
from cnncore.data import ImageData, Images, Split, open_images
from cnncore.errors import ConfigError, DataError, WeightsError
from cnncore.images.decode import open_rgb
from cnncore.images.drawing import read_drawing
from cnncore.images.kept_pictures import kept_picture
from cnncore.images.picture_reference import PictureReference, parse_images, parse_picture
from cnncore.images.preprocessing import Preprocessing, fixed_statistics
from cnncore.images.store import open_sets
from cnncore.runs.stored_config import parse_stored
from cnncore.runs.subjects import parse_subject, subject_stamp
from cnncore.training.checkpoint import Expected, weights_card
from cnncore.training.devices import pick_device
from cnncore.training.trained import TrainedNetwork
from cnncore.transfer.network import build_network, split_network
from cnncore.transfer.weights import backbone_state, find_weights

MAX_BYTES = 512 << 20
"""What the networks in memory that are none of runs may take together; the newest one stays even if it takes more."""
MAX_OPEN = 3
"""Data sets that stay open."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False, kw_only=True)
class Shown:
    """A picture as a network gets it.

    Attributes:
        pixels: Resized and cropped, uint8 (H, W, C).
        tensor: Normalized, float32 (1, C, H, W), on the network's device.
        label: Its true class by name; empty where that is not known.
    """

    pixels: Pixels
    tensor: Tensor
    label: str = ""


class Subjects:
    """Networks by `cnncore.runs.subjects`, pictures by `cnncore.images.picture_reference`.

    Args:
        artifacts: Folder with one folder a run.
        data_root: Folder of the data sets.
    """

    def __init__(self, artifacts: Path, data_root: Path) -> None:
        self.artifacts = artifacts
        self.data_root = data_root
        self._runs = Networks()
        self._others: OrderedDict[str, tuple[str, TrainedNetwork]] = OrderedDict()
        self._data: OrderedDict[str, ImageData] = OrderedDict()

    def network(self, subject: str) -> TrainedNetwork:
        """The network of that name, in evaluation mode, its weights in fp32.

        Raises:
            LabError: if there is none, or it has no weights (any more).
        """
        found = parse_subject(subject)
        stamp = subject_stamp(self.artifacts, self.data_root, found)
        if found.kind == "run":
            return self._runs.get(self.artifacts, found.key)
        kept = self._others.pop(subject, None)
        if kept is None or kept[0] != stamp:
            make = self._backbone if found.kind == "backbone" else self._untrained
            kept = stamp, make(found.key)
        self._others[subject] = kept
        while len(self._others) > 1 and sum(each.num_bytes for _, each in self._others.values()) > MAX_BYTES:
            self._others.popitem(last=False)
        return kept[1]

    def stamp(self, subject: str) -> str:
        """What `cnncore.runs.subjects.subject_stamp` says of a network now.

        Raises:
            LabError: if there is none (any more).
        """
        return subject_stamp(self.artifacts, self.data_root, parse_subject(subject))

    def data_config(self, subject: str) -> DataConfig:
        """The images that a run was trained on.

        Raises:
            LabError: if the network is none of a run, or was imported without images.
        """
        found = parse_subject(subject)
        if found.kind != "run":
            raise DataError("This network has no images of its own here.", "Choose a data set, or a run.")
        card = self.network(subject).card
        config = parse_stored(TrainConfig, card["config"], f"the weights of run {found.key}").data
        if config.dataset == "folder" and not config.path:
            raise DataError("These weights were imported without a data set.", "Choose a data set, or another run.")
        return config

    def images(self, config: DataConfig) -> ImageData:
        """An open data set, never downloaded.

        Raises:
            LabError: if it is not at hand (any more).
        """
        if config.dataset not in ("folder", "image_set") and not at_hand(config.dataset, self.data_root):
            raise DataError(
                f"The data set {config.dataset} is not on this machine.", "Train something on it, which downloads it."
            )
        key = config.model_dump_json()
        data = self._data.pop(key, None)
        # A person's own folder may change at any time.
        if data is None or config.dataset == "folder":
            data = open_images(config, self.data_root, download=False)
        self._data[key] = data
        while len(self._data) > MAX_OPEN:
            self._data.popitem(last=False)
        return data

    def images_named(self, network: TrainedNetwork, images: str) -> ImageData:
        """Images by name, see `parse_images`; those of an image set in the shape that the network takes.

        Raises:
            LabError: if they are not at hand (any more).
        """
        reference = parse_images(images)
        if reference.kind == "run":
            return self.images(self.data_config(images))
        if reference.kind == "data":
            return self.images(DataConfig.model_validate({"dataset": reference.source}))
        made = network.preprocessing
        if made.channels != 3:
            raise DataError("The network takes gray images, an image set has colors.", "Choose other images.")
        # Mean and deviation need not be measured: the network has its own.
        data = {"dataset": "image_set", "image_set": reference.source, "image_size": made.size, "normalize": "unit"}
        config = {**data, "crop": made.crop, "interpolation": made.interpolation}
        return self.images(DataConfig.model_validate(config))

    def shown(self, network: TrainedNetwork, picture: str) -> Shown:
        """A picture by name, as `network` gets it.

        Raises:
            LabError: if there is no such picture (any more).
        """
        reference = parse_picture(picture)
        if reference.kind in ("sample", "data"):
            config = self._config_of(reference)
            pixels, label = pixels_at(self.images(config), reference.split, reference.place)
            return shown(network, pixels, label)
        if reference.kind == "drawn":
            return shown(network, read_drawing(reference.source)[..., None])
        path, label = self._file(reference)
        made = network.preprocessing
        return shown(network, made.pixels(open_rgb(path, name="the picture", at_least=2 * made.resized)), label)

    def original(self, picture: str, longest: int) -> Pixels:
        """A picture by name as it is stored, uint8 (H, W, C), made smaller where its longer side is above `longest`.

        Raises:
            LabError: if there is no such picture (any more).
        """
        reference = parse_picture(picture)
        if reference.kind == "drawn":
            return read_drawing(reference.source)[..., None]
        if reference.kind in ("sample", "data"):
            pixels, _ = pixels_at(self.images(self._config_of(reference)), reference.split, reference.place)
            return smaller(pixels, longest)
        image = open_rgb(self._file(reference)[0], name="the picture", at_least=longest)
        image.thumbnail((longest, longest))
        return np.asarray(image)

    def _config_of(self, reference: PictureReference) -> DataConfig:
        if reference.kind == "sample":
            return self.data_config(f"run:{reference.source}")
        return DataConfig.model_validate({"dataset": reference.source})

    def _file(self, reference: PictureReference) -> tuple[Path, str]:
        if reference.kind == "kept":
            return kept_picture(self.artifacts, reference.source), ""
        sets = open_sets(self.data_root)
        image_set = sets.at(reference.source)
        record = image_set.images.get(reference.place)
        if record is None:
            raise DataError(f"{image_set.name} has no image {reference.place}.", "Choose another one.")
        return sets.path(image_set.id, record), record.label

    def _backbone(self, key: str) -> TrainedNetwork:
        spec = BACKBONES[key]
        if find_weights(key, self.data_root) is None:
            raise WeightsError(f"The file with {spec.title}'s weights is damaged.", "Delete it and download it again.")
        shape = (3, spec.image_size, spec.image_size)
        model = ModelConfig(name=spec.network)
        fitted = backbone_state(key, self.data_root, model, shape, 1_000, lambda what, done, total: None)
        made = Preprocessing(
            size=spec.image_size,
            crop=spec.crop,
            interpolation=spec.interpolation,
            mean=fixed_statistics(spec.normalize, 3)[0],
            std=fixed_statistics(spec.normalize, 3)[1],
        )
        return _assembled(model, made, fitted.state)

    def _untrained(self, name: str) -> TrainedNetwork:
        spec = MODELS[name]
        mean, std = fixed_statistics("imagenet" if spec.in_channels == 3 else "symmetric", spec.in_channels)
        made = Preprocessing(size=spec.native_size, channels=spec.in_channels, mean=mean, std=std)
        return _assembled(ModelConfig(name=name), made, None)


def _assembled(config: ModelConfig, made: Preprocessing, state: dict[str, Tensor] | None) -> TrainedNetwork:
    """A network for ImageNet's classes."""
    classes = imagenet_classes()
    shape = (made.channels, made.size, made.size)
    run = TrainConfig(model=config)
    model = build_network(run, shape, len(classes))
    if state is not None:
        model.load_state_dict(state)
    device = pick_device("auto")
    model = model.eval().to(device).to(memory_format=torch.channels_last)
    backbone, head = split_network(model, config.name)
    expected = Expected(classes=classes, in_shape=shape, mean=made.mean, std=made.std)
    return TrainedNetwork(
        model=model,
        backbone=backbone,
        head=head,
        card=weights_card(run, expected),
        preprocessing=made,
        familiarity=None,
        device=device,
        precision="fp32",
    )


def split_of(images: ImageData, split: str) -> Split:
    """A split by name.

    Raises:
        DataError: if the data set has none of that name.
    """
    found = {"train": images.train, "validation": images.validation, "test": images.test}.get(split)
    if found is None or not len(found):
        raise DataError(f"There are no {split} images.", "Choose another split.")
    return found


def pixels_at(images: ImageData, split: str, place: int) -> tuple[Pixels, str]:
    """An image of a split, uint8 (H, W, C), as the data set stores it, and its class.

    Raises:
        DataError: if there is no such image.
    """
    found = split_of(images, split)
    if not 0 <= place < len(found):
        raise DataError(f"There is no {split} image {place}.", f"Allowed: 0 to {len(found) - 1}.")
    label = images.classes[int(found.labels[place])]
    if isinstance(found, Images):
        return found.take(torch.tensor([place]))[0].cpu().numpy(), label
    return found.preprocessing.pixels(open_rgb(found.path(place))), label


def shown(network: TrainedNetwork, pixels: Pixels, label: str = "") -> Shown:
    """Pixels, uint8 (H, W, C), as a network gets them: taken as they are where they have its shape, else resized."""
    made = network.preprocessing
    if pixels.shape != (made.size, made.size, made.channels):
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGB")
        pixels = made.pixels(image)
    tensor = torch.from_numpy(made.normalized(pixels))[None].to(network.device)
    return Shown(pixels=pixels, tensor=tensor, label=label)


def smaller(pixels: Pixels, longest: int) -> Pixels:
    """Pixels, uint8 (H, W, C), with their longer side at most `longest`."""
    if max(pixels.shape[:2]) <= longest:
        return pixels
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.thumbnail((longest, longest))
    return np.asarray(image).reshape(image.height, image.width, -1)


def tensors_at(network: TrainedNetwork, images: ImageData, split: str, places: Sequence[int]) -> Tensor:
    """Images of a split as a network gets them, float32 (n, C, H, W), on its device.

    Raises:
        DataError: if there is no such image.
    """
    return torch.cat([shown(network, pixels_at(images, split, place)[0]).tensor for place in places])


def check_class(network: TrainedNetwork, place: int) -> int:
    """The place of a class.

    Raises:
        ConfigError: if the network has no such class.
    """
    if not 0 <= place < len(network.classes):
        raise ConfigError("class", f"There is no class {place}.", f"Allowed: 0 to {len(network.classes) - 1}.")
    return place
