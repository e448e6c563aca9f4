from __future__ import annotations

import numpy as np
import pytest
import torch

from cnncore.lessons.nearest import confusion_counts, nearest


@pytest.mark.parametrize("seed", range(20))
def test_the_nearest_is_the_nearest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    images, known = (rng.random((int(rng.integers(1, 20)), 9)).astype(np.float32) for _ in range(2))
    apart = torch.cdist(torch.from_numpy(images).double(), torch.from_numpy(known).double())
    np.testing.assert_array_equal(nearest(images, known), apart.argmin(dim=1).numpy())


def test_every_image_is_counted_once() -> None:
    known = np.eye(3, dtype=np.float32)
    images = np.array([[0.9, 0, 0], [0.8, 0, 0.1], [0, 0, 1]], np.float32)
    found = confusion_counts(images, np.array([0, 1, 1]), known, np.array([0, 1, 2]), 3)
    assert found.tolist() == [[1, 0, 0], [1, 0, 1], [0, 0, 0]]
