"""The pictures a person gives to a classifier: files, a folder, the clipboard, the camera, images of the set."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cnncore.errors import DataError, LabError, WeightsError
from cnncore.images.decode import EXTENSIONS, open_rgb
from cnncore.images.image_set import ImageRecord, ImageSet
from cnncore.images.kept_pictures import keep_picture
from cnncore.images.limits import limits
from cnncore.runs.run import Run
from cnncore.runs.uploads import keep_upload, upload_file
from pages.components.lab import artifacts
from pages.components.transfer_images_edits import image_sets
from pages.components.transfer_images_gallery import image_source
from pages.components.transfer_link import change_link, param
from pages.components.transfer_use_paste import paste_box
from pages.components.transfer_use_sources import newest_of, set_of
from pages.components.wording import bytes_text, plain

MAX_PICTURES = 1_000
"""Pictures that are looked at in one go."""
_THUMBNAIL_PX = 96
_TOKENS = "transfer_given_tokens"
_SOURCE = "transfer_given_source"
_ENDINGS = tuple(sorted(ending.removeprefix(".") for ending in EXTENSIONS))


@dataclass(frozen=True, kw_only=True)
class Given:
    """One picture: how a person calls it, and the token of its upload or its set, by id@version, and its key there."""

    name: str
    token: str = ""
    reference: str = ""
    key: int = -1


def thumbnail(given: Given) -> str:
    """A small picture as an address that holds it; empty where it cannot be read."""
    if given.token:
        return _upload_thumbnail(given.token)
    image_set = image_sets().at(given.reference)
    return image_source(image_sets(), image_set.id, image_set.images[given.key])


def picture_name(given: Given) -> str:
    """A picture by `cnncore.images.picture_reference`, so that other pages find it; empty where it cannot be read."""
    if not given.token:
        return f"set:{given.reference}:{given.key}"
    try:
        return f"kept:{_kept(given.token)}"
    except LabError:
        return ""


@st.cache_data(show_spinner=False, max_entries=2 * MAX_PICTURES)
def _kept(token: str) -> str:
    """The name that the picture of an upload is kept under."""
    return keep_picture(artifacts(), upload_file(artifacts(), token).read_bytes(), "the picture")


@st.cache_data(show_spinner=False, max_entries=2 * MAX_PICTURES)
def _upload_thumbnail(token: str) -> str:
    try:
        image = open_rgb(upload_file(artifacts(), token), at_least=2 * _THUMBNAIL_PX, max_pixels=limits().pixels)
    except LabError:
        return ""
    image.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def choose_pictures(run: Run) -> tuple[Given, ...]:
    """Draw the choice of a source and what belongs to it; returns the pictures that were given."""
    image_set = set_of(run)
    names = [name for name in _SOURCES if name != "set" or image_set is not None]
    if param("image") and image_set is not None:
        st.session_state.setdefault(_SOURCE, "set")
    if st.session_state.get(_SOURCE, names[0]) not in names:
        # The network chosen before had an image set.
        st.session_state[_SOURCE] = names[0]
    source = st.segmented_control(
        "Pictures from",
        names,
        default=None if _SOURCE in st.session_state else names[0],
        required=True,
        format_func=lambda name: _SOURCES[name][0],
        key=_SOURCE,
    )
    return _SOURCES[source if source in names else names[0]][1](run)


def _from_files(_run: Run) -> tuple[Given, ...]:
    files = st.file_uploader(
        "Pictures",
        type=list(_ENDINGS),
        accept_multiple_files=True,
        key="transfer_given_files",
        max_upload_size=limits().image_mb,
        help=f"Up to {limits().image_mb} MB each. They become no part of the image set.",
    )
    return _uploaded({file.file_id: (file.name, file) for file in files})


def _from_folder(_run: Run) -> tuple[Given, ...]:
    left, right = st.columns(2, gap="medium")
    with left:
        files = st.file_uploader(
            "A folder of this computer",
            type=list(_ENDINGS),
            accept_multiple_files="directory",
            key="transfer_given_folder",
            max_upload_size=limits().image_mb,
        )
    with right:
        path = st.text_input(
            "Or a folder of the lab's machine",
            key="transfer_given_path",
            max_chars=1_000,
            placeholder="/home/me/pictures",
            help="Where the lab itself runs; nothing has to be uploaded then.",
        )
    if files:
        return _uploaded({file.file_id: (file.name, file) for file in files})
    if not path.strip():
        return ()
    with st.spinner("Reading the folder…"):
        return _read_folder(path)


def _from_clipboard(_run: Run) -> tuple[Given, ...]:
    content = paste_box("transfer_given_paste")
    return (
        ()
        if content is None
        else (Given(name="Pasted picture", token=_token(f"paste {hash(content)}", lambda: content)),)
    )


def _from_camera(_run: Run) -> tuple[Given, ...]:
    shot = st.camera_input("Hold it in front of the camera", key="transfer_given_camera", width=420)
    return _uploaded({shot.file_id: ("Camera", shot)}) if shot else ()


def _from_set(run: Run) -> tuple[Given, ...]:
    image_set = set_of(run)
    if image_set is None:
        return ()
    image_set = newest_of(image_set)
    records = _held_out_first(image_set)
    if not records:
        st.caption("The set has no images.")
        return ()
    asked, key = param("image"), "transfer_given_image"
    chosen = int(asked) if asked.isascii() and asked.isdigit() and int(asked[:9]) in records else next(iter(records))
    st.session_state[key] = chosen
    st.selectbox(
        "Image",
        list(records),
        format_func=lambda each: f"{records[each].name} · {records[each].label} · {records[each].split}",
        key=key,
        on_change=lambda: change_link(image=str(st.session_state[key])),
        help="Images that were not trained on come first; of the others the network knows the answers.",
    )
    if records[chosen].split == "train":
        st.caption("The network was trained on this image, so what it says of it tells little.")
    return (Given(name=records[chosen].name, reference=image_set.reference, key=chosen),)


def _held_out_first(image_set: ImageSet) -> Mapping[int, ImageRecord]:
    order = ("test", "validation", "train")
    ordered = sorted(image_set.included(), key=lambda record: (order.index(record.split), record.key))
    return {record.key: record for record in ordered}


_SOURCES: dict[str, tuple[str, Callable[[Run], tuple[Given, ...]]]] = {
    "files": (":material/upload: Upload", _from_files),
    "paste": (":material/content_paste: Paste", _from_clipboard),
    "camera": (":material/photo_camera: Camera", _from_camera),
    "set": (":material/photo_library: Of the set", _from_set),
    "folder": (":material/folder: A folder", _from_folder),
}


# Uploads


def _uploaded(files: Mapping[str, tuple[str, UploadedFile]]) -> tuple[Given, ...]:
    """Hand the files over to the service, as far as the limits allow; says what was left out."""
    sizes = {file_id: file.size for file_id, (_, file) in files.items()}
    large = [files[file_id][0] for file_id, size in sizes.items() if size > limits().image_bytes]
    taken = [file_id for file_id, size in sizes.items() if size <= limits().image_bytes]
    _check_sum([sizes[file_id] for file_id in taken], "Give fewer, or in parts.")
    _say_left_out(large, len(taken))
    return tuple(
        Given(name=_short(files[file_id][0]), token=_token(file_id, files[file_id][1].getvalue))
        for file_id in taken[:MAX_PICTURES]
    )


def _say_left_out(large: Sequence[str], taken: int) -> None:
    if large:
        more = f" and {len(large) - 1} more" if len(large) > 1 else ""
        st.caption(plain(f"Left out: {_short(large[0])}{more}, larger than {limits().image_mb} MB."))
    if taken > MAX_PICTURES:
        st.caption(f"The first {MAX_PICTURES:,} of {taken:,} pictures.")


def _token(name: str, content: Callable[[], bytes]) -> str:
    """The token of an upload, which is kept once and again where it has been tidied away."""
    tokens: dict[str, str] = st.session_state.setdefault(_TOKENS, {})
    if name not in tokens or not _is_kept(tokens[name]):
        tokens[name] = keep_upload(artifacts(), content())
    return tokens[name]


def _is_kept(token: str) -> bool:
    try:
        upload_file(artifacts(), token)
    except WeightsError:
        return False
    return True


def _short(name: str) -> str:
    """The last part of a file's name, which may have come with folders."""
    return name.replace("\\", "/").rpartition("/")[2][:80] or "picture"


def _read_folder(text: str) -> tuple[Given, ...]:
    folder = _folder(text.strip())
    found = sorted(path for path in _files(folder) if path.suffix.lower() in EXTENSIONS)
    if not found:
        raise DataError(f"There are no pictures in {folder.name!r}.", f"Looked for: {', '.join(_ENDINGS)}.")
    large = [path.name for path in found if path.stat().st_size > limits().image_bytes]
    taken = [path for path in found if path.stat().st_size <= limits().image_bytes]
    _say_left_out(large, len(taken))
    _check_sum([path.stat().st_size for path in taken[:MAX_PICTURES]], "Choose a folder with fewer pictures.")
    return tuple(
        Given(
            name=_text(path.relative_to(folder))[-80:],
            token=_token(f"{path} {path.stat().st_mtime_ns}", path.read_bytes),
        )
        for path in taken[:MAX_PICTURES]
    )


def _folder(text: str) -> Path:
    with suppress(OSError, ValueError, RuntimeError):  # a null byte, a name that is too long, nobody's home
        folder = Path(text).expanduser()
        if folder.is_dir():
            return folder
    raise DataError(f"There is no folder {text[:80]!r} on the lab's machine.", "Give its whole path.")


def _text(path: Path) -> str:
    """A path as it can be shown: names of files may hold bytes that are no text."""
    return str(path).encode(errors="replace").decode()


def _check_sum(sizes: Sequence[int], hint: str) -> None:
    """What is looked at is copied for the service first, so that it must have an end."""
    if sum(sizes) > limits().upload_bytes:
        raise DataError(f"These are {bytes_text(sum(sizes))}; {limits().upload_mb:,} MB are taken at once.", hint)


def _files(folder: Path) -> Iterable[Path]:
    """The files below a folder."""
    most, found = limits().archive_files, list[Path]()
    for place, _, names in os.walk(folder):
        found += [path for name in names if (path := Path(place) / name).is_file()]
        if len(found) > most:
            raise DataError(f"There are more than {most:,} files in {folder.name!r}.", "Choose a folder in it.")
    return found
