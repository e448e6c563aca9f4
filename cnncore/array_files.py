"""Opening npz files from several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib.npyio import NpzFile

# numpy reads headers with `ast`, which up to Python 3.11.7 mixes up its depth between threads: a SystemError
# (cpython issue 106905).
_PARSER = threading.RLock()


@contextmanager
def open_npz(file: Path | IO[bytes]) -> Iterator[NpzFile]:
    """An npz file without pickled objects; its arrays are read inside the `with`, by one thread at a time.

    What `numpy.load` and `zipfile` raise for damaged files is raised on.
    """
    with _PARSER, np.load(file, allow_pickle=False) as found:
        yield found
