"""Where pictures for a trained network come from: uploads, an image set, files and folders on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cnncore.analysis.prediction import Picture
from cnncore.errors import DataError
from cnncore.images.decode import EXTENSIONS
from cnncore.images.store import open_sets
from cnncore.runs.uploads import upload_file


def uploaded_pictures(artifacts: Path, uploads: Iterable[tuple[str, str]]) -> list[Picture]:
    """Pictures from `cnncore.runs.uploads`, by token and the name a person gave.

    Raises:
        LabError: if one is not there any more.
    """
    return [Picture(path=upload_file(artifacts, token), name=name) for token, name in uploads]


def pictures_of_set(data_root: Path, reference: str, keys: Sequence[int]) -> list[Picture]:
    """Images of a set at a version, excluded ones too, by key.

    Raises:
        LabError: if there is no such set, version or image.
    """
    sets = open_sets(data_root)
    image_set = sets.at(reference)
    records = [image_set.images.get(key) for key in keys]
    if None in records:
        raise DataError(f"{image_set.name} has no image {keys[records.index(None)]}.", "Choose another one.")
    return [Picture(path=sets.path(image_set.id, record), name=record.name) for record in records if record]


def pictures_at(paths: Sequence[Path]) -> list[Picture]:
    """Files, and of folders all images below them by name; hidden ones are skipped.

    Raises:
        DataError: if a path does not exist, or there is no image below it.
    """
    found = [Picture(path=path, name=str(path)) for given in paths for path in _files(given)]
    if not found:
        raise DataError("No image was named.", "Name files, or folders that hold some.")
    return found


def _files(given: Path) -> Iterator[Path]:
    if not given.exists():
        raise DataError(f"There is no file or folder {given}.", "Check the path.")
    if not given.is_dir():
        yield given
        return
    inside = [path for path in sorted(given.rglob("*")) if _is_image(path, given)]
    if not inside:
        raise DataError(f"The folder {given} holds no image.", "Name a folder that does.")
    yield from inside


def _is_image(path: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return path.suffix.lower() in EXTENSIONS and path.is_file() and not hidden
