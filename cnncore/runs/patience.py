"""Waiting for a database that is gone for a while: it is restarted, or the network to it breaks off."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from cnncore.errors import StoreError

RETRY_S = 0.5

KeepTrying = Callable[[float], bool]
"""Takes the seconds waited so far; whether to wait on."""

log = logging.getLogger("cnnlab")


class _Patient(Protocol):
    keep_trying: KeepTrying


S = TypeVar("S", bound=_Patient)
P = ParamSpec("P")
R = TypeVar("R")


def retried(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A method that may be carried out twice, tried as long as its object's `keep_trying` says.

    Twice, because a connection that breaks while the end of a transaction is told leaves open whether it counts.
    """

    @wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        begin = time.monotonic()
        told = False
        while True:
            try:
                return method(self, *args, **kwargs)
            except StoreError as problem:
                if not self.keep_trying(time.monotonic() - begin):
                    raise
                if not told:
                    log.warning("%s Waiting for it.", problem.message)
                    told = True
            time.sleep(RETRY_S)

    return call
