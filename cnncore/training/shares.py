"""The cores of a CPU at one step: each takes its share of the batch through the network and back.

torch spreads every single operation over all cores, which then wait for each other at its end, some hundred times a
step. With a share each they meet once. `python -m benchmarks.speed` measures what that brings on small networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

SMALLEST_SHARE = 32
"""Images; reading the weights for fewer costs more than the waiting."""

Share = TypeVar("Share")
Result = TypeVar("Result")


class Team:
    """Threads that take a share of a batch each, and compute on `threads` cores each."""

    def __init__(self, size: int, threads: int) -> None:
        self.size = size
        everyone = Barrier(size + 1)

        def join() -> None:
            torch.set_num_threads(threads)
            # A thread takes the number over when it first asks, which must be before it is set back below.
            torch.get_num_threads()
            everyone.wait()

        cores = torch.get_num_threads()
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="share", initializer=join)
        for _ in range(size):
            self._pool.submit(lambda: None)
        everyone.wait()
        # The number is a thread's own, but the last one set is what threads that start later begin with.
        torch.set_num_threads(cores)

    def run(self, work: Callable[[Share], Result], shares: Iterable[Share]) -> list[Result]:
        """The results of `work`, in the order of the shares."""
        return list(self._pool.map(work, shares))


def form_team(model: nn.Module, batch_size: int) -> Team | None:
    """A team for training `model` on the CPU; None where the whole batch has to go, or had better go, at once.

    Batch normalization looks at all images of a batch, and dropout draws its masks for all of them in one go.
    """
    cores = torch.get_num_threads()
    size = min(cores, batch_size // SMALLEST_SHARE)
    if size < 2 or any(isinstance(module, (_BatchNorm, _DropoutNd)) for module in model.modules()):
        return None
    return Team(size, cores // size)
