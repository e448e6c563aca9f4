"""The places of images that excite each unit of a layer most.

Zeiler and Fergus: Visualizing and understanding convolutional networks, 2014 (section 4.1, figure 2): the nine
strongest places of a map over the validation images, each shown as the patch of its image that the unit sees. Zhou et
al.: Object detectors emerge in deep scene CNNs, 2015: what the strongest images of a unit have in common says what it
detects. As there, an image counts once for a unit, by its strongest place. Our deviations: a part of the images, evenly
spread over the split; patches are cut from the receptive field by formula, which is larger than what matters in
practice (Luo et al., 2016), and where it covers the whole image, the patch is the image.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from cnncore.analysis.layers import MapLayer
from cnncore.analysis.scans import Work
from cnncore.analysis.subjects import Pixels, split_of, tensors_at
from cnncore.analysis.units import Units
from cnncore.data import ImageData
from cnncore.training.trained import TrainedNetwork

GRAY = 128
"""What stands in a patch where it reaches over the edge of the image."""
STEP_MACS = 1_500_000_000
"""Multiply-accumulates of a batch: some 0.1 to 0.3 s on one thread."""
MOST_AT_ONCE = 64
KEPT_BYTES = 128 << 20

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Scan:
    """What N images of a split did to the U units of a layer.

    Attributes:
        layer: The layer.
        places: Positions of the images in the split, int64 (N,).
        labels: Their classes, int64 (N,).
        highest: The largest value of each unit's map of each image, float32 (N, U).
        positions: Where that is, row × width + column of the map; the first place of several; int32 (N, U).
        lowest: The smallest value of each unit's maps of all images, float32 (U,).
        total: How many images the split has.
    """

    layer: MapLayer
    places: Counts
    labels: Counts
    highest: npt.NDArray[np.float32]
    positions: npt.NDArray[np.int32]
    lowest: npt.NDArray[np.float32]
    total: int

    @property
    def num_bytes(self) -> int:
        """What it takes in memory."""
        return self.highest.nbytes + self.positions.nbytes

    @property
    def dead(self) -> npt.NDArray[np.bool_]:
        """Units whose maps have the same value at every place of every image, (U,)."""
        return self.highest.max(axis=0) == self.lowest

    @property
    def active(self) -> npt.NDArray[np.float64]:
        """Share of the images on which each unit is above 0 somewhere, (U,)."""
        return (self.highest > 0).mean(axis=0)

    def top(self, unit: int, count: int) -> Counts:
        """The images that excite a unit most, the strongest first, as rows of this scan.

        Images in which its map is as low as anywhere are left out: they do not excite it.
        """
        values = self.highest[:, unit]
        order = np.argsort(-values, kind="stable")[:count]
        return order[values[order] > self.lowest[unit]]

    def place(self, row: int, unit: int) -> tuple[int, int]:
        """Row and column of the unit's map where it is strongest in an image of this scan."""
        line, column = divmod(int(self.positions[row, unit]), self.layer.shape[2])
        return line, column


def scan(units: Units, images: ImageData, split: str, most_images: int) -> Work[Scan]:
    """Put images through a network up to a layer.

    Args:
        units: Those of the layer.
        images: Where the images come from.
        split: train, validation or test.
        most_images: So many at most, evenly spread over the split.

    Raises:
        LabError: if there are no such images (any more).
    """
    found = split_of(images, split)
    places = spread(len(found), most_images)
    at_once = min(max(STEP_MACS // max(units.macs, 1), 1), MOST_AT_ONCE)
    highest, positions, lowest = [], [], np.full(units.count, np.inf, np.float32)
    for start in range(0, len(places), at_once):
        batch = tensors_at(units.network, images, split, places[start : start + at_once].tolist())
        with torch.inference_mode():
            maps = units.maps(batch).flatten(2)
            strongest = maps.max(dim=2)
        highest.append(strongest.values.cpu().numpy())
        positions.append(strongest.indices.int().cpu().numpy())
        lowest = np.minimum(lowest, maps.amin(dim=(0, 2)).cpu().numpy())
        yield min(start + at_once, len(places)), len(places)
    return Scan(
        layer=units.layer,
        places=places,
        labels=found.labels.cpu().numpy()[places],
        highest=np.concatenate(highest),
        positions=np.concatenate(positions),
        lowest=lowest,
        total=len(found),
    )


def spread(total: int, most: int) -> Counts:
    """At most so many of the positions from 0 to `total`, evenly spread, in order."""
    count = min(total, most)
    return np.arange(count, dtype=np.int64) * total // count


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A square of an image: the first row and column, which may lie before the image, and its side, in pixels."""

    top: int
    left: int
    side: int

    def of(self, pixels: Pixels) -> Pixels:
        """The square, uint8 (side, side, C), of an image (H, W, C); gray where it reaches over the edge."""
        height, width, channels = pixels.shape
        patch = np.full((self.side, self.side, channels), GRAY, np.uint8)
        top, left = max(self.top, 0), max(self.left, 0)
        bottom, right = min(self.top + self.side, height), min(self.left + self.side, width)
        inside = pixels[top:bottom, left:right]
        patch[top - self.top : bottom - self.top, left - self.left : right - self.left] = inside
        return patch


def cut_of(layer: MapLayer, row: int, column: int, size: int) -> Cut:
    """The square that a position of a layer sees in an image of `size` pixels, as large for all of its positions.

    What a position sees ends at the edge of the image; of those at an edge, the square reaches over it.
    """
    sides = [int((spans[:, 1] - spans[:, 0]).max()) for spans in layer.spans(size)]
    top, left, bottom, right = layer.seen_by(row, column, size)
    side = max(sides)
    return Cut(top=top if top else bottom - side, left=left if left else right - side, side=side)


class KeptScans:
    """The scans that were made last, so that another unit of the same layer is there at once.

    Args:
        most_bytes: What they may take together; the newest one stays even if it takes more.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, tuple[weakref.ref[TrainedNetwork], Scan]] = OrderedDict()

    def get(self, network: TrainedNetwork, key: str) -> Scan | None:
        """The scan of that key, if it was made with this very network."""
        of, found = self._kept.get(key, (None, None))
        if of is None or of() is not network:
            return None
        self._kept.move_to_end(key)
        return found

    def keep(self, network: TrainedNetwork, key: str, made: Scan) -> None:
        """Keep a scan."""
        self._kept[key] = weakref.ref(network), made
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(each.num_bytes for _, each in self._kept.values()) > self._most_bytes:
            self._kept.popitem(last=False)


def thumbnail(pixels: Pixels, side: int) -> Pixels:
    """A square, uint8 (S, S, C), at most `side` pixels wide; a smaller one is left as it is."""
    if len(pixels) <= side:
        return pixels
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    small = np.asarray(image.resize((side, side), Image.Resampling.BOX))
    return small.reshape(side, side, pixels.shape[-1])
