"""Where pretrained weights may lie, and which of them are at hand; nothing is opened."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from cnncore.catalog.backbones import BACKBONES, BackboneSpec
from cnncore.catalog.datasets import RemoteFile
from cnncore.errors import lookup
from cnncore.places import hub_cache, torch_cache


def weights_dir(root: Path) -> Path:
    """Folder of weights below the data folder `root`; downloads go there."""
    return root / "weights"


def candidates(key: str, root: Path) -> Iterator[tuple[Path, RemoteFile]]:
    """Files that may be the weights of a backbone, by name and size, and which file each would be.

    They are looked for in the data folder, in the installed package, and in the caches of torch and Hugging Face.

    Args:
        key: A key of `BACKBONES`.
        root: The data folder.

    Raises:
        ConfigError: where there is no such backbone.
    """
    spec = lookup(BACKBONES, key, "backbone", "transfer.backbone")
    for folder in (weights_dir(root), *_package_folders(spec), torch_cache()):
        for file in spec.files:
            if _fits(folder / file.name, file):
                yield folder / file.name, file
    if spec.hub:
        # There the files are named after the repository's, for example model.safetensors.
        snapshots = hub_cache() / f"models--{spec.hub.replace('/', '--')}" / "snapshots"
        for path in sorted(snapshots.glob("*/*")):
            yield from ((path, file) for file in spec.files if _fits(path, file))


def weights_file(key: str, root: Path) -> Path | None:
    """The first file that has the name and the size of a backbone's weights; None where there is none.

    Its checksum is looked at when it is used.

    Args:
        key: A key of `BACKBONES`.
        root: The data folder.

    Raises:
        ConfigError: where there is no such backbone.
    """
    return next((path for path, _ in candidates(key, root)), None)


def backbones_at_hand(root: Path) -> tuple[str, ...]:
    """Keys of the backbones that need no download, in the order of the catalog."""
    return tuple(key for key in BACKBONES if weights_file(key, root) is not None)


def _package_folders(spec: BackboneSpec) -> Iterator[Path]:
    package, _, inner = spec.package.partition("/")
    found = importlib.util.find_spec(package) if package else None
    for place in (found.submodule_search_locations or ()) if found else ():
        yield Path(place) / inner


def _fits(path: Path, file: RemoteFile) -> bool:
    try:
        return path.is_file() and file.has_size(path.stat().st_size)
    except OSError:
        return False
