"""Near duplicates: copies of one photograph that were recompressed, resized, brightened, mirrored or slightly cropped.

An image is described by its fine pattern (a 16×16 gray thumbnail less its local mean, which is what differs between
photographs of one kind) and by coarse colors (4×4). Two are near where the patterns correlate and the colors agree.
Patterns that are empty but for a few strokes, such as a digit on paper, and images of few pixels resemble each other
by chance, so more is asked of them; the usual difference hash has no such measure, and random bits where an image is
plain.

Measured on 800 flower photographs: no pair of different ones among 319,600; copies found: all of those saved as JPEG of
quality 30 to 95, resized to 0.3 to 2 times, darkened by 10 % or mirrored, 99.8 % of those brightened by 10 %, 99 % and
95 % of those cut by up to 1.5 % and 3 % at every edge (n = 400 each). Among 10,000 images of CIFAR-10 it finds 7 pairs,
each of one photograph; among 10,000 digits of MNIST, 9 are in groups. Of images of 28 or 32 pixels, recompressed ones
are found (94 % at quality 30, 99.5 % at 60), cut or much smaller ones are not. 10,000 images are grouped in 2 s on one
core. `benchmarks/duplicates.py` measures it again.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

SIDE = 16
COARSE = 4
LEAST_DETAIL = 1.5
"""Root mean square of the pattern in gray levels below which an image counts as plain."""
STRICT, USUAL = 0.99, 0.88
"""Least correlation of two patterns: those of few strokes, and usual ones."""
TINY, TINY_STRICT, TINY_USUAL = 64, 0.995, 0.97
"""Shorter side in pixels below which images resemble each other by chance, and the correlations asked of them."""
FEW_STROKES, MANY_STROKES = 0.10, 0.22
"""Share of the thumbnail that carries the pattern, between which the least correlation falls from strict to usual."""
COLOR_LIMIT, PLAIN_LIMIT = 8.0, 4.0
"""Largest root mean square difference of the coarse colors, and of the coarse grays of plain images, of 255."""
_BLOCK = 256


def describe(image: Image.Image) -> str:
    """The description of an upright RGB image: base64 of 305 bytes, the same on every machine."""
    small = np.asarray(
        image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=3.0).convert("YCbCr"), np.int64
    )
    gray = small[..., 0]
    padded = np.pad(gray, 2, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (5, 5)).sum((2, 3))
    detail = 25 * gray - around
    if (detail**2).mean() < (25 * LEAST_DETAIL) ** 2:
        detail[:] = 0
    pattern = np.round(detail * (127 / max(1, np.abs(detail).max())))
    coarse = small.reshape(COARSE, SIDE // COARSE, COARSE, SIDE // COARSE, 3).mean((1, 3)).round().transpose(2, 0, 1)
    side = np.array([min(255, *image.size)])
    parts = (pattern.astype(np.int8).view(np.uint8), coarse.astype(np.uint8), side.astype(np.uint8))
    return base64.b64encode(b"".join(part.tobytes() for part in parts)).decode()


def near(a: str, b: str) -> bool:
    """Whether two descriptions are of one photograph, mirrored or not."""
    found = _Descriptions.of([a, b])
    return bool(found.near(slice(0, 1), slice(1, 2))[0, 0])


def groups(digests: Mapping[int, str], known: Mapping[int, int]) -> dict[int, int]:
    """The group of every image: the smallest key among those that nearness connects it with, its own where none does.

    Images that are in a group already stay there, even where a new image connects two groups: it joins the one with the
    smaller key.

    Args:
        digests: Description of each image by its key.
        known: Groups of those that have one; they are not compared with each other.
    """
    keys = sorted(digests, key=lambda key: (key not in known, key))
    first = {key: known[key] if known.get(key, -1) >= 0 else key for key in keys}
    # Equal descriptions need no comparison, however many there are.
    rows = {digest: row for row, digest in enumerate(dict.fromkeys(digests[key] for key in keys))}
    label = np.full(len(rows), np.iinfo(np.int64).max)
    for key in keys:
        row = rows[digests[key]]
        label[row] = min(label[row], first[key])
    found = _Descriptions.of(list(rows))
    num_known = len({digests[key] for key in keys if key in known})
    for start in range(num_known, len(rows), _BLOCK):
        block = slice(start, min(start + _BLOCK, len(rows)))
        hits = found.near(block, slice(0, block.stop))
        for row in np.flatnonzero(hits.any(axis=1)):
            met = np.unique(label[np.append(np.flatnonzero(hits[row]), start + row)])
            if len(met) > 1:
                label[np.isin(label, met)] = met[0]
    return {key: first[key] if key in known else int(label[rows[digests[key]]]) for key in keys}


@dataclass(frozen=True, eq=False, kw_only=True)
class _Descriptions:
    """Descriptions taken apart, one row each.

    Attributes:
        patterns: float32 (N, 256), whole numbers up to 127: their products are exact, so equal on every machine.
        lengths: Of the patterns, float64 (N,); 0 for plain images.
        least: Correlation that is asked for, float64 (N,).
        grays: float64 (N, 16).
        colors: float64 (N, 32).
    """

    patterns: np.ndarray
    lengths: np.ndarray
    least: np.ndarray
    grays: np.ndarray
    colors: np.ndarray

    @staticmethod
    def of(digests: list[str]) -> _Descriptions:
        raw = np.frombuffer(b"".join(base64.b64decode(digest) for digest in digests), np.uint8)
        raw = raw.reshape(len(digests), SIDE * SIDE + 3 * COARSE * COARSE + 1)
        patterns = raw[:, : SIDE * SIDE].copy().view(np.int8).astype(np.float32)
        coarse = raw[:, SIDE * SIDE : -1].astype(np.float64)
        squares = patterns.astype(np.float64) ** 2
        energy = squares.sum(1)
        # The share of the cells that would carry all of the energy if they carried it evenly.
        share = energy**2 / np.maximum(1, (squares**2).sum(1)) / patterns.shape[1]
        strokes = (FEW_STROKES, MANY_STROKES)
        least = np.interp(share, strokes, (STRICT, USUAL))
        least = np.where(raw[:, -1] < TINY, np.interp(share, strokes, (TINY_STRICT, TINY_USUAL)), least)
        cells = COARSE * COARSE
        return _Descriptions(
            patterns=patterns, lengths=np.sqrt(energy), least=least, grays=coarse[:, :cells], colors=coarse[:, cells:]
        )

    def near(self, rows: slice, columns: slice) -> np.ndarray:
        """Which of the rows are near which of the columns, bool (rows, columns)."""
        least = np.maximum(self.least[rows, None], self.least[columns])
        wanted = (least * self.lengths[rows, None] * self.lengths[columns]).astype(np.float32)
        plain = self.lengths == 0
        hits = np.zeros(wanted.shape, bool)
        for mirrored in (False, True):
            alike = self.patterns[rows] @ _turned(self.patterns[columns], SIDE, mirrored=mirrored).T >= wanted
            alike &= plain[rows, None] == plain[columns]
            some = np.flatnonzero(alike.any(axis=1))
            if len(some):
                alike[some] &= self._same_colors(rows, columns, some, mirrored=mirrored)
                hits |= alike
        return hits

    def _same_colors(self, rows: slice, columns: slice, some: np.ndarray, *, mirrored: bool) -> np.ndarray:
        colors = _distances(self.colors[rows][some], _turned(self.colors[columns], COARSE, mirrored=mirrored))
        grays = _distances(self.grays[rows][some], _turned(self.grays[columns], COARSE, mirrored=mirrored))
        plain = (self.lengths == 0)[rows][some, None]
        return (colors <= COLOR_LIMIT) & (~plain | (grays <= PLAIN_LIMIT))


def _turned(values: np.ndarray, side: int, *, mirrored: bool) -> np.ndarray:
    """Maps (N, M·side·side), mirrored left to right if wanted."""
    return values.reshape(len(values), -1, side, side)[..., ::-1].reshape(values.shape) if mirrored else values


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Root mean square differences between every row of `a` and every row of `b`."""
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(0, squares) / a.shape[1])
