"""What the browser has drawn of a run's loss."""

from __future__ import annotations

import base64
import time

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PATIENCE_MS

CHARTS = ".js-plotly-plot"
_STEPS = f"document.querySelector('{CHARTS}')?.data?.find((trace) => trace.name === 'training')?.x.bdata ?? ''"
_LOOK_MS = 100


def last_step(page: Page) -> float:
    """The last step on the loss chart; 0 while there is no curve."""
    steps = np.frombuffer(base64.b64decode(page.evaluate(_STEPS)), np.float32)
    return float(steps[-1]) if len(steps) else 0.0


def grown(page: Page, beyond: float = 0.0) -> float:
    """Wait until the loss chart has a step after `beyond`; returns its last one."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < end:
        step = last_step(page)
        if step > beyond:
            return step
        page.wait_for_timeout(_LOOK_MS)
    pytest.fail(f"The loss chart shows nothing after step {beyond:g}.")
