"""Measures how long batches take through a network, forward only, in the way in which the lab evaluates.

Evaluation mode, channels-last, bf16 where the hardware has it, no gradients; noise as images. The first passes, in
which memory is taken and kernels are chosen, do not count. Reported are the median and the 10th and 90th percentile,
since single passes are disturbed by whatever else the machine does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
import torch
from torch import Tensor, nn

from cnncore.config.latency import LatencyConfig
from cnncore.errors import DeviceError, LabError, RunError, RunLostError, StoreError
from cnncore.models import build_model
from cnncore.runs.events import Row
from cnncore.runs.latencies import KIND, Timing
from cnncore.runs.runner import SILENCE_S
from cnncore.runs.store import ENDED_STATUS, Run, RunStore
from cnncore.runs.stored_config import parse_stored
from cnncore.training.devices import device_name, pick_device, pick_precision
from cnncore.training.state import autocast

WARM_UP_PASSES, WARM_UP_S = 3, 0.3
"""Both must be reached before a pass counts."""
LEAST_PASSES, LONGEST_S = 5, 8.0
"""After so many seconds a batch size ends early, if it has that many passes."""
BEAT_S = 0.5


def measure(
    config: LatencyConfig, device: torch.device, precision: str, between: Callable[[], None] = lambda: None
) -> Iterator[Timing]:
    """Measure one batch size after the other.

    Args:
        config: The network and the batch sizes.
        device: Where it computes.
        precision: fp32, bf16 or fp16.
        between: Called between two passes; what it raises ends the measurement.

    Raises:
        ConfigError: if the network is impossible.
    """
    model = build_model(config.model, config.in_shape, config.num_classes)
    model = model.eval().to(device).to(memory_format=torch.channels_last)
    generator = torch.Generator().manual_seed(0)
    for batch_size in sorted(set(config.batch_sizes)):
        images = torch.randn(batch_size, *config.in_shape, generator=generator)
        images = images.to(device).to(memory_format=torch.channels_last)
        yield _timing(batch_size, list(_passes(model, images, precision, config.repeats, between)))


def _passes(
    model: nn.Module, images: Tensor, precision: str, repeats: int, between: Callable[[], None]
) -> Iterator[float]:
    """Seconds of each timed pass."""
    begun, warm, timed = time.perf_counter(), 0, 0
    while warm < WARM_UP_PASSES or time.perf_counter() - begun < WARM_UP_S:
        _seconds(model, images, precision)
        warm += 1
        between()
    begun = time.perf_counter()
    while timed < repeats and (timed < LEAST_PASSES or time.perf_counter() - begun < LONGEST_S):
        yield _seconds(model, images, precision)
        timed += 1
        between()


def _seconds(model: nn.Module, images: Tensor, precision: str) -> float:
    with torch.inference_mode(), autocast(images.device, precision):
        _wait(images.device)
        start = time.perf_counter()
        model(images)
        _wait(images.device)
        return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    """Until the device has done all it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _timing(batch_size: int, seconds: list[float]) -> Timing:
    low, middle, high = (round(1_000 * float(value), 4) for value in np.percentile(seconds, (10, 50, 90)))
    return Timing(batch_size=batch_size, ms=middle, ms_p10=low, ms_p90=high, repeats=len(seconds))


class _StopRequestedError(Exception):
    """Somebody wants the measurement to end."""


class Measurement:
    """Carries out a run of the kind `latency`; what it finds goes into the run's summary, and a log row a batch size.

    Args:
        store: The run store; the run's row must name this process.
        run: The run.
        on_timing: Called with each result.
    """

    def __init__(self, store: RunStore, run: Run, on_timing: Callable[[Timing], None] | None = None) -> None:
        assert run.kind == KIND
        self.store = store.patient(lambda seconds: seconds < SILENCE_S and not self.signaled)
        self.run = run
        self.config = parse_stored(LatencyConfig, run.config, run.name)
        self.on_timing = on_timing
        self.signaled = False
        self.wanted: str | None = None
        self._attempt: int | None = None
        self._summary: dict[str, object] = {}
        self._timings: list[Timing] = []
        self._last_beat = 0.0

    def request_stop(self) -> None:
        """End after the pass in progress; for signal handlers."""
        self.signaled = True

    def carry_out(self) -> str:
        """Measure until the end or until somebody wants it to stop; returns the status the run got.

        Raises:
            StoreError: if the store stayed away.
        """
        error: LabError | None = None
        try:
            status = self._measure()
        except RunLostError:
            with suppress(RunError):
                return self.store.get(self.run.id).status
            return "interrupted"
        except _StopRequestedError:
            status = ENDED_STATUS[self.wanted] if self.wanted else "stopped"
        except StoreError:
            # Nothing can be noted of it; a runner will find that its process has gone.
            raise
        except LabError as problem:
            status, error = "failed", problem
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as problem:
            status, error = "failed", self._explain(problem)
        attempt = self.run.attempt if self._attempt is None else self._attempt
        message, hint = (error.message, error.hint) if error else (None, None)
        self.store.end(self.run.id, status, error=message, hint=hint, attempt=attempt)
        return status

    def _measure(self) -> str:
        if not self.store.set_running(self.run.id):
            return self.store.get(self.run.id).status
        self._attempt = self.store.begin_attempt(self.run.id, 0)
        device = pick_device(self.config.device)
        precision = pick_precision(self.config.precision, device)
        torch.backends.cudnn.benchmark = device.type == "cuda"
        self._summary = {
            "device": str(device),
            "device_name": device_name(device),
            "precision": precision,
            "threads": torch.get_num_threads(),
            "stage_total": len(set(self.config.batch_sizes)),
        }
        self._put()
        for timing in measure(self.config, device, precision, self._between):
            self._timings.append(timing)
            self._put(Row(phase=KIND, step=timing.batch_size, values={**vars(timing), "rate": timing.images_per_s}))
            if self.on_timing:
                self.on_timing(timing)
        return "finished"

    def _between(self) -> None:
        """A few times a second: show that it is alive, and hear whether it should stop."""
        if time.monotonic() - self._last_beat >= BEAT_S:
            self._put()
        if self.signaled or self.wanted:
            raise _StopRequestedError

    def _put(self, *rows: Row) -> None:
        done = len(self._timings)
        self._summary |= {
            "stage": "done" if done == self._summary["stage_total"] else "measuring",
            "stage_done": done,
            "timings": [vars(timing) for timing in self._timings],
        }
        self._last_beat = time.monotonic()
        self.wanted = self.store.log(self.run.id, rows, self._summary, attempt=self._attempt) or self.wanted

    def _explain(self, problem: BaseException) -> LabError:
        text = str(problem)
        if "out of memory" in text.lower() or "can't allocate memory" in text or isinstance(problem, MemoryError):
            size = sorted(set(self.config.batch_sizes))[len(self._timings)]
            return DeviceError(f"The memory ran out with batches of {size}.", "Measure smaller batches.")
        import traceback

        traceback.print_exception(problem)
        first = text.strip().splitlines()[0][:200] if text.strip() else type(problem).__name__
        return LabError(f"The measurement failed: {first}", "The log of the run has the details.")
