"""Adding pictures to an image set, in a process of its own that outlives the browser and shows its progress.

All of them are added in one edit or, when it is killed, none.

<set>/staging/<token>/job.json        what came in
<set>/staging/<token>/files/          what a browser sent
<set>/staging/<token>/process.json    the process that works on it
<set>/staging/<token>/progress.json   how far it is, replaced as a whole
<set>/staging/<token>/intake.log      what the process printed
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psutil
from pydantic import TypeAdapter, ValidationError

from cnncore.errors import DataError, LabError
from cnncore.images.admission import LAST_PHASE, admit
from cnncore.images.arrivals import Arrival
from cnncore.images.class_names import shortened
from cnncore.images.limits import Limits, check_room, limits
from cnncore.images.store import ImageSets, replace_file
from cnncore.places import PROJECT_ROOT, environment

SHOWN_EVERY_S = 0.25
START_GRACE_S = 30.0
KEPT_S = 86_400.0
"""What a finished or dead intake left behind is removed by the first one that starts so long afterwards."""
_TOKEN = re.compile(r"[0-9a-f]{12}")
_CHUNK_BYTES = 1 << 20
_ENDED = "The process that added the pictures was ended; nothing was added. Add them again."
_ENDED_LAST = (
    "The process that added the pictures was ended at its last step. Look whether they are there, or add them again: "
    "what a class has already is skipped."
)
_FULL = "The disk is full, or the folder of the image sets cannot be written."


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """Something a person brings.

    Attributes:
        name: What it is called there; a browser that sends a folder puts the folders before it, with `/` between them.
        content: A picture, a ZIP or a folder on this machine, or the bytes of a picture or a ZIP.
        label: The class of all that is in it; None: each picture's innermost folder is its class.
        size: Bytes, where they are known beforehand; they are counted again.
        moved: Whether a file of this machine is taken from where it is, which must be on the same disk.
    """

    name: str
    content: Path | BinaryIO | bytes
    label: str | None = None
    size: int = 0
    moved: bool = False


@dataclass(frozen=True, kw_only=True)
class IntakeProgress:
    """How far an intake is.

    Attributes:
        done: Pictures looked at.
        total: Pictures there are; 0 while that is unknown.
        phase: What is going on, in plain words.
        added: Images that the set got.
        duplicates: Pictures that were left out because their class had them already.
        refused: Name, and why it was not added: files, or whole classes.
        error: Why nothing was added at all; empty where nothing went wrong.
        finished: Whether it is over, well or not.
    """

    done: int = 0
    total: int = 0
    phase: str = "Starting"
    added: int = 0
    duplicates: int = 0
    refused: tuple[tuple[str, str], ...] = ()
    error: str = ""
    finished: bool = False


_PROGRESS = TypeAdapter(IntakeProgress)
_ARRIVALS = TypeAdapter(tuple[Arrival, ...])


def start_intake(sets: ImageSets, set_id: str, incoming: Iterable[Incoming]) -> str:
    """Begin to add pictures; returns the token that `intake_progress` takes.

    Raises:
        DataError: where nothing came in, a browser sent too much, or the set is not there.
    """
    tidy(sets)
    folder = _stage(sets, set_id, incoming)
    try:
        child = _start_process(folder)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError("The lab could not start to add them.", f"Try again in a minute ({error.strerror}).") from error
    with contextlib.suppress(psutil.Error):
        _note_process(folder, psutil.Process(child.pid))
    # Somebody has to wait for it, or it would stay as a zombie when it has ended.
    threading.Thread(target=child.wait, daemon=True).start()
    return folder.name


def _start_process(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "intake.log").open("ab") as log:
        return subprocess.Popen(
            (sys.executable, "-m", "cnncore.images.intake", str(folder)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=PROJECT_ROOT,
            env=environment(),
            start_new_session=True,
        )


def add_images(sets: ImageSets, set_id: str, incoming: Iterable[Incoming]) -> IntakeProgress:
    """Add pictures here and now; for programs, which need no progress.

    Raises:
        LabError: where nothing was added; those that were refused alone are in the result.
    """
    folder = _stage(sets, set_id, incoming)
    try:
        progress = _work(folder, lambda progress: None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return progress


def intake_progress(sets: ImageSets, set_id: str, token: str) -> IntakeProgress:
    """How far an intake is; one whose process is gone is over, and added nothing.

    Raises:
        DataError: where there is no such intake.
    """
    folder = _folder(sets, set_id, token)
    # First whether it is alive: what it wrote last before it ended is then what is read.
    alive = _process(folder) is not None or _is_starting(folder)
    try:
        progress = _PROGRESS.validate_json((folder / "progress.json").read_bytes())
    except (OSError, ValidationError):
        raise DataError("There is no such upload any more.", "Look at the set: it shows what was added.") from None
    if progress.finished or alive:
        return progress
    return IntakeProgress(
        done=progress.done,
        total=progress.total,
        phase="Interrupted",
        refused=progress.refused,
        error=_ENDED_LAST if progress.phase == LAST_PHASE else _ENDED,
        finished=True,
    )


def intakes(sets: ImageSets, set_id: str) -> tuple[str, ...]:
    """Tokens of a set's intakes that are kept, newest first."""
    staging = sets.set_folder(set_id) / "staging"
    found: list[tuple[float, str]] = []
    for path in staging.glob("*") if staging.is_dir() else ():
        # Another one may be removing it at this moment.
        with contextlib.suppress(OSError):
            if _TOKEN.fullmatch(path.name):
                found.append((path.stat().st_mtime, path.name))
    return tuple(name for _, name in sorted(found, reverse=True))


def cancel_intake(sets: ImageSets, set_id: str, token: str) -> None:
    """End an intake; nothing of it is added, unless it was over already."""
    process = _process(_folder(sets, set_id, token))
    if process is not None:
        with contextlib.suppress(psutil.Error):
            process.kill()
            process.wait(5)


def forget_intake(sets: ImageSets, set_id: str, token: str) -> None:
    """Remove what an intake that is over has left behind: its report.

    Raises:
        DataError: where there is no such intake.
    """
    if intake_progress(sets, set_id, token).finished:
        shutil.rmtree(_folder(sets, set_id, token), ignore_errors=True)


def _folder(sets: ImageSets, set_id: str, token: str) -> Path:
    if not _TOKEN.fullmatch(token):
        raise DataError(f"{shortened(token)!r} is no upload.", "Add the pictures again.")
    return sets.set_folder(set_id) / "staging" / token


def _stage(sets: ImageSets, set_id: str, incoming: Iterable[Incoming]) -> Path:
    """Put everything where the intake finds it; nothing stays where that is refused."""
    sets.check_kept(set_id)
    token = secrets.token_hex(6)
    folder = _folder(sets, set_id, token)
    try:
        (folder / "files").mkdir(parents=True)
        check_room(folder)
        arrivals = _stage_each(folder, incoming, limits())
        (folder / "job.json").write_bytes(_ARRIVALS.dump_json(arrivals))
        replace_file(folder / "progress.json", _PROGRESS.dump_json(IntakeProgress()))
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(_FULL, f"Make room for it ({error.strerror}).") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _stage_each(folder: Path, incoming: Iterable[Incoming], allowed: Limits) -> tuple[Arrival, ...]:
    arrivals: list[Arrival] = []
    sent = 0
    for number, item in enumerate(incoming):
        if isinstance(item.content, Path):
            path = _existing(item.content)
            if item.moved:
                path = path.replace(folder / "files" / f"{number:06d}")
        else:
            path = folder / "files" / f"{number:06d}"
            sent += _copy(item, path, allowed.upload_bytes - sent, allowed)
        arrivals.append(Arrival(name=_writable(item.name), path=path, label=item.label))
    if not arrivals:
        raise DataError("No files were chosen.", "Choose pictures, a folder or a ZIP.")
    return tuple(arrivals)


def _existing(path: Path) -> Path:
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # a null byte, a name that is too long, nobody's home
        found = path.expanduser().resolve()
        if found.exists() and _writable(str(found)) == str(found):
            return found
    raise DataError(f"There is nothing at {shortened(_writable(str(path)), 100)} that can be read.", "Check the path.")


def _writable(text: str) -> str:
    """Text that can be stored: names of files may hold bytes that are no text."""
    return text.encode(errors="replace").decode()


def _copy(item: Incoming, path: Path, room: int, allowed: Limits) -> int:
    """Copy what a browser sent; returns its bytes."""
    assert not isinstance(item.content, Path)
    stream = io.BytesIO(item.content) if isinstance(item.content, bytes) else item.content
    stream.seek(0)  # whoever brings it may have looked into it
    copied = 0
    with path.open("wb") as out:
        while item.size <= room and (chunk := stream.read(_CHUNK_BYTES)):
            copied += len(chunk)
            if copied > room:
                break
            out.write(chunk)
    if max(item.size, copied) > room:
        raise DataError(
            f"That is more than {allowed.upload_mb:,} MB at once.",
            "Send fewer files, or give the path of a folder or a ZIP on the machine that the lab runs on.",
        )
    return copied


def _note_process(folder: Path, process: psutil.Process) -> None:
    content = json.dumps({"pid": process.pid, "created": process.create_time()})
    replace_file(folder / "process.json", content.encode())


def _process(folder: Path) -> psutil.Process | None:
    """The process of an intake; None where it is gone."""
    with contextlib.suppress(OSError, ValueError, KeyError, psutil.Error):
        noted = json.loads((folder / "process.json").read_bytes())
        process = psutil.Process(noted["pid"])
        same = abs(process.create_time() - noted["created"]) < 1.0
        if same and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def _is_starting(folder: Path) -> bool:
    """Whether an intake has no process yet; one whose starter died in between never gets one."""
    with contextlib.suppress(OSError):
        return not (folder / "process.json").exists() and time.time() - folder.stat().st_mtime < START_GRACE_S
    return False


def tidy(sets: ImageSets) -> None:
    """Remove what nobody needs any more: old reports of intakes, and sets that were deleted long ago."""
    for folder in sets.folder.glob("*/staging/*"):
        # Another one may be removing it at this moment.
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > KEPT_S and _process(folder) is None:
                shutil.rmtree(folder, ignore_errors=True)
    sets.purge()


def _work(folder: Path, show: Callable[[IntakeProgress], None]) -> IntakeProgress:
    """Add what was staged."""
    set_folder = folder.parent.parent
    sets = ImageSets(set_folder.parent)
    arrivals = _ARRIVALS.validate_json((folder / "job.json").read_bytes())
    shown = IntakeProgress()

    def progress(phase: str, done: int, total: int) -> None:
        nonlocal shown
        shown = IntakeProgress(phase=phase, done=done, total=total)
        show(shown)

    try:
        admitted = admit(sets, set_folder.name, arrivals, folder / "images", progress)
    except OSError as error:
        raise DataError(_FULL, f"Make room for it ({error.strerror}).") from error
    return IntakeProgress(
        done=shown.total,
        total=shown.total,
        phase="Done",
        added=admitted.added,
        duplicates=admitted.duplicates,
        refused=admitted.refused,
        finished=True,
    )


def main(folder: Path) -> None:
    """Add what lies in a staging folder, and say in its `progress.json` how far that is."""
    _note_process(folder, psutil.Process())
    last, phase = 0.0, ""

    def write(progress: IntakeProgress) -> None:
        replace_file(folder / "progress.json", _PROGRESS.dump_json(progress))

    def show(progress: IntakeProgress) -> None:
        nonlocal last, phase
        if progress.phase != phase or time.monotonic() - last > SHOWN_EVERY_S:
            write(progress)
            last, phase = time.monotonic(), progress.phase

    try:
        ended = _work(folder, show)
    except LabError as error:
        ended = IntakeProgress(phase="Nothing was added", error=_writable(str(error)), finished=True)
    except Exception:
        traceback.print_exc()
        error = "Something went wrong and nothing was added; its log says more."
        ended = IntakeProgress(phase="Nothing was added", error=f"{error} ({folder / 'intake.log'})", finished=True)
    # First the room: on a full disk the report could not be written.
    for name in ("files", "images"):
        shutil.rmtree(folder / name, ignore_errors=True)
    write(ended)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
