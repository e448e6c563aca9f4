"""The peers' common command line and stopwatch: one JSON line a round, start-up not counted."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BATCH_SIZE = 256
MODELS = ("lenet_tutorial", "cnn3", "resnet20")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to measure: `rounds` rounds of `seconds` seconds each on `model`, with torchvision's folders in `data`."""

    model: str
    seconds: float
    rounds: int
    data: Path


def read_request(description: str | None) -> Request:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", choices=MODELS, default=MODELS[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CNNLAB_DATA", "data")))
    return Request(**vars(parser.parse_args()))


class Stopwatch:
    """Counts training steps and prints images/s once a round is over.

    Call `tick` after every step. The first `warmup` steps are not counted; `finished` is true after the last round.
    """

    def __init__(
        self, peer: str, request: Request, *, warmup: int = 20, clock: Callable[[], float] = time.perf_counter
    ):
        self._peer, self._request, self._warmup, self._clock = peer, request, warmup, clock
        self._steps = self._round = 0
        self._start = 0.0

    @property
    def finished(self) -> bool:
        return self._round >= self._request.rounds

    def tick(self) -> None:
        now = self._clock()
        if self._warmup:
            self._warmup -= 1
            self._start = now
            return
        self._steps += 1
        if not self.finished and now - self._start >= self._request.seconds:
            self._report(now)

    def _report(self, now: float) -> None:
        images_per_s = self._steps * BATCH_SIZE / (now - self._start)
        record = {
            "peer": self._peer,
            "model": self._request.model,
            "round": self._round,
            "images_per_s": round(images_per_s, 1),
        }
        print(json.dumps(record), flush=True)
        self._round += 1
        self._steps, self._start = 0, now
