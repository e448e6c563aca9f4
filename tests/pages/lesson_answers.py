"""What the service would say to the lessons that ask it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnncore.answers import Answer
from cnncore.catalog import stages_of
from cnncore.catalog.stages import PIXELS

SIDE = 6
NUM_IMAGES = 50


def feature_maps(request: Mapping[str, Any]) -> Answer:
    """Ten maps of 6 × 6: the last one is that of the strongest contrast, the first one is the same everywhere."""
    maps = np.arange(10)[:, None, None] * (np.arange(SIDE * SIDE).reshape(SIDE, SIDE) - 18) / 100
    layer = {"name": request["layer"], "shape": (40, SIDE, SIDE), "receptive_field": 11}
    spans = np.stack([np.arange(SIDE), np.arange(SIDE) + 3], axis=1)
    facts = {"layer": layer, "num_maps": 40, "low": -2.0, "high": 2.0, "units": list(range(10, 20))}
    return Answer(facts, {"maps": maps.astype(np.float16), "rows": spans, "columns": spans})


def exciting_patches(request: Mapping[str, Any]) -> Answer:
    """As many places as are asked for; unit 13 is dead."""
    count = 0 if request["unit"] == 13 else request["count"]
    patches = [{"label": f"class {place}", "picture": f"data:mnist5k:train:{place}"} for place in range(count)]
    facts = {"pending": False, "patches": patches, "scanned": request["most_images"], "total": 5_000}
    return Answer(facts, {"patches": np.full((count, 9, 9, 1), 7, np.uint8)})


def probe_by_depth(request: Mapping[str, Any]) -> Answer:
    """Ten more images are right at each depth."""
    keys = (PIXELS, *(stage.key for stage in stages_of("efficientnet_lite0")))
    probes = [{"key": key, "num_features": 8, "correct": min(10 * place, 50)} for place, key in enumerate(keys)]
    facts = {"pending": False, "probes": probes, "classes": ["a", "b"], "num_images": NUM_IMAGES}
    return Answer({**facts, "folds": 5, "split": request["split"], "seed": request["seed"]})


LESSON_ANSWERS = {
    "feature_maps": feature_maps,
    "exciting_patches": exciting_patches,
    "probe_by_depth": probe_by_depth,
}
