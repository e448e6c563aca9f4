"""torch.compile ahead of the first step, on a thread of its own, so that the run shows it and can be stopped meanwhile.

Only full batches go through compiled code. One of another size, such as an epoch's last, goes through the network as it
is: compiling for each size takes as long again, and the code that a batch goes through must depend on nothing but the
batch, or a resumed run would differ in the last bits. Evaluation is not compiled.
"""

from __future__ import annotations

import ctypes
import re
import time
import traceback
from threading import Thread
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cnncore.data import BatchSource, Progress
from cnncore.errors import TrainingError
from cnncore.training.state import TrainState

POLL_S = 0.1

_OFF = "or train without it"


class _Reason(NamedTuple):
    """Why compiling fails: how torch's words on it look, and ours. `{found}` is what the pattern found."""

    pattern: str
    message: str
    hint: str


_REASONS = (
    _Reason(
        r"No working C\+\+ compiler|Failed to find C compiler",
        "torch.compile needs a C++ compiler, and none was found.",
        f"Install one (g++, on a Mac Xcode's command line tools), {_OFF}.",
    ),
    _Reason(
        r"(?:Permission denied|Read-only file system|No such file or directory|Not a directory|File exists).*",
        "torch.compile cannot write its files ({found}).",
        f"Set TORCHINDUCTOR_CACHE_DIR to a folder that can be written, {_OFF}.",
    ),
)
_NOT_OURS = ("out of memory", "can't allocate memory", "no space left")
"""What is no matter of compiling: whoever carries out the run has words for it."""


class _AbandonedError(BaseException):
    """Nobody waits for the network to be compiled any more."""


def compile_network(state: TrainState, batches: BatchSource, progress: Progress) -> None:
    """Compile what a full batch goes through in the next step; without a full batch, nothing.

    A batch goes forward and back on a thread and leaves no trace in the state once that has ended. If `progress` raises
    before, the state must not be used any more.

    Args:
        state: The state before the step, with the stages frozen that are to be.
        batches: Those it trains on.
        progress: Told several times a second how long it has taken; may raise to interrupt.

    Raises:
        TrainingError: if it cannot be compiled on this machine.
    """
    images = next(iter(batches.epoch(0))).images
    state.compiled = None
    if len(images) != state.config.training.batch_size:
        return
    state.set_training()
    done: list[Any] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            done.append(_compiled(state, images))
        except _AbandonedError:
            pass
        except Exception as problem:  # told to whoever waits for the thread
            failed.append(problem)

    begin = time.monotonic()
    thread = Thread(target=work, name="compile")
    thread.start()
    try:
        while thread.is_alive():
            progress(f"Compiling the network, {time.monotonic() - begin:.0f} s so far", 0, 0)
            thread.join(POLL_S)
    except BaseException:
        _end(thread)
        raise
    if failed:
        raise explained(failed[0]) from failed[0]
    state.compiled = done[0]


def _end(thread: Thread) -> None:
    """Let a thread end at its next line of Python, which comes when the compiler it waits for is through.

    Nobody waits for it but the end of the process: a daemon thread would be torn out of torch there, which aborts.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_AbandonedError))


def _compiled(state: TrainState, images: Tensor) -> Any:
    """The network compiled, both ways, for batches like `images`."""
    # Code for other frozen stages, or of a run before in this process, would count towards torch's limit on how often
    # it compiles the same lines; beyond it, it silently does not.
    torch.compiler.reset()
    network = torch.compile(state.model, dynamic=False)
    before = {name: value.clone() for name, value in state.model.named_buffers()}
    with state.autocast():
        outputs = network(images)
    heads: tuple[Tensor, ...] = outputs if isinstance(outputs, tuple) else (outputs,)
    torch.autograd.grad([head.float().sum() for head in heads], state.optimizer.weights)
    for name, value in state.model.named_buffers():
        value.copy_(before[name])
    return network


def explained(problem: Exception) -> Exception:
    """The problem in words for a person; as it is where it has nothing to do with compiling."""
    text = f"{type(problem).__name__}: {problem}"
    if isinstance(problem, MemoryError) or any(words in text.lower() for words in _NOT_OURS):
        return problem
    for reason in _REASONS:
        if found := re.search(reason.pattern, text):
            return TrainingError(reason.message.format(found=found[0].rstrip(".")), reason.hint)
    # The log needs the traceback, the person a sentence.
    traceback.print_exception(problem)
    first = text.splitlines()[0][:200].rstrip(".")
    return TrainingError(f"torch.compile failed ({first}).", f"Look into the log of the run, {_OFF}.")
