"""Pickles of numpy arrays, opened without running anything else that is in them; needs no torch.

CIFAR is published as pickles of Python 2, which name numpy's inner modules as they were called then.
"""

from __future__ import annotations

import io
import pickle
from typing import Any


class _ArrayUnpickler(pickle.Unpickler):
    """Rebuilds numpy arrays and plain values; any other class is refused, also in a file whose md5 matched."""

    _allowed = frozenset(
        {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("_codecs", "encode"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed here")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def load_arrays(content: bytes) -> Any:
    """What a pickle of arrays and plain values holds; texts of Python 2 stay bytes.

    Raises:
        pickle.UnpicklingError: naming the class, if it holds anything else.
    """
    return _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
