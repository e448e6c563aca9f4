"""torch.compile: before the first step, for full batches only, stoppable, and one sentence where it fails."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from threading import enumerate as running_threads
from typing import Any

import pytest
import torch
from torch import Tensor

from cnncore.config import TrainConfig, replace
from cnncore.errors import TrainingError
from cnncore.runs.events import Event, Froze, Preparing, StepEnd
from cnncore.runs.store import RunStore
from cnncore.training import compiling
from cnncore.training.compiling import compile_network, explained
from cnncore.training.execute import Execution
from cnncore.training.loop import forward_backward
from cnncore.training.state import TrainState
from tests.training.conftest import Prepare

Carry = Callable[..., tuple[Execution, list[Event]]]


class Compiler:
    """Stands in for torch's: notes how often it was asked, and the sizes of the batches that go through its code."""

    def __init__(self) -> None:
        self.calls = 0
        self.sizes: list[int] = []

    def __call__(self, state: TrainState, images: Tensor) -> Any:
        self.calls += 1

        def network(images: Tensor) -> Any:
            self.sizes.append(len(images))
            return state.model(images)

        return network


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Compiler:
    found = Compiler()
    monkeypatch.setattr(compiling, "_compiled", found)
    return found


@pytest.fixture
def carry(store: RunStore, artifacts: Path, data_root: Path, tiny: TrainConfig) -> Carry:
    """An execution of a compiled run that was not begun yet, and the events it will have told."""

    def make(kind: str = "train", **settings: object) -> tuple[Execution, list[Event]]:
        config = replace(tiny, {"training.compile": True} | {key.replace("__", "."): settings[key] for key in settings})
        run = store.create(config.model_dump(mode="json"), name="a", status="starting", kind=kind)
        events: list[Event] = []
        return Execution(store, artifacts, data_root, run, events.append), events

    return make


def test_only_full_training_batches_go_through_compiled_code(compiler: Compiler, carry: Carry, store: RunStore) -> None:
    execution, events = carry(training__batch_size=48)
    assert execution.carry_out() == "finished"
    assert [event.images for event in events if isinstance(event, StepEnd)] == [48, 48, 48, 48, 8] * 2
    assert (compiler.calls, compiler.sizes) == (1, [48] * 8)
    assert isinstance(events[0], Preparing)
    assert store.get(execution.run.id).summary["compile_s"] >= 0


@pytest.mark.parametrize(
    ("kind", "size"),
    [pytest.param("train", 512, id="no full batch"), pytest.param("find_lr", 50, id="over sooner than a compiler")],
)
def test_what_gains_nothing_is_not_compiled(kind: str, size: int, compiler: Compiler, carry: Carry) -> None:
    execution, _ = carry(kind, training__batch_size=size)
    # One step says it all.
    execution.listener = lambda event: execution.request_stop() if isinstance(event, StepEnd) else None
    assert execution.carry_out() == "stopped"
    assert compiler.calls == 0


def test_other_frozen_stages_are_compiled_anew(compiler: Compiler, carry: Carry) -> None:
    settings = {"model__name": "resnet20", "model__width": 0.25, "transfer__head": "linear", "data__train_images": 100}
    execution, events = carry(**settings, transfer__frozen=("all",), transfer__unfreeze_every=1.0)
    assert execution.carry_out() == "finished"
    # First the head learns from kept features, which the network never sees.
    assert compiler.calls == sum(isinstance(event, Froze) for event in events) == 1
    assert compiler.sizes == [50] * 2


def test_it_can_be_stopped_while_it_compiles(carry: Carry, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    execution, _ = carry()
    seen: list[str] = []

    def endless(state: TrainState, images: Tensor) -> Any:
        time.sleep(0.5)
        seen.append(store.get(execution.run.id).summary["stage_text"])
        store.ask(execution.run.id, "pause")
        while True:
            time.sleep(0.01)

    monkeypatch.setattr(compiling, "_compiled", endless)
    assert execution.carry_out() == "paused"
    assert seen[0].startswith("Compiling the network")
    # There is nothing to go on from, and the weights may be in use: the run begins anew when it is resumed.
    assert not (execution.folder / "resume.pt").exists()
    for thread in [each for each in running_threads() if each.name == "compile"]:
        thread.join(5)
        assert not thread.is_alive()


NO_COMPILER = "InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, 'g++')"


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (RuntimeError(f"{NO_COMPILER}\n\nSet TORCHDYNAMO_VERBOSE=1"), "needs a C++ compiler, and none was found"),
        (RuntimeError("Failed to find C compiler. Please specify via CC"), "needs a C++ compiler, and none was found"),
        (PermissionError(13, "Permission denied", "/x"), "cannot write its files (Permission denied: '/x')"),
        (OSError(30, "Read-only file system", "/x"), "cannot write its files (Read-only file system: '/x')"),
        (ValueError("something new\nand more"), "failed (ValueError: something new)."),
    ],
)
def test_why_it_fails_is_told_in_a_sentence(problem: Exception, words: str) -> None:
    said = explained(problem)
    assert isinstance(said, TrainingError)
    assert words in said.message
    assert "\n" not in str(said)
    assert said.hint.endswith("or train without it.")


@pytest.mark.parametrize(
    "problem", [torch.OutOfMemoryError("CUDA out of memory"), OSError(28, "No space left"), MemoryError()]
)
def test_what_is_no_matter_of_compiling_is_passed_on(problem: Exception) -> None:
    assert explained(problem) is problem


def test_without_a_compiler_the_run_ends_with_a_sentence(
    carry: Carry, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(state: TrainState, images: Tensor) -> Any:
        raise RuntimeError(NO_COMPILER)

    monkeypatch.setattr(compiling, "_compiled", fail)
    execution, events = carry()
    assert execution.carry_out() == "failed"
    assert store.get(execution.run.id).error == "torch.compile needs a C++ compiler, and none was found."
    assert [type(event) for event in events] == [Preparing]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None and shutil.which("clang++") is None, reason="needs a C++ compiler")
def test_compiling_leaves_no_trace_and_changes_no_result(tiny: TrainConfig, prepare: Prepare) -> None:
    state, loaders = prepare(replace(tiny, {"training.compile": True, "model.norm": "batch"}))
    plain, _ = prepare(replace(tiny, {"model.norm": "batch"}))
    compile_network(state, loaders.train, lambda text, done, total: None)
    expected = plain.model.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in state.model.state_dict().items())
    assert all(weight.grad is None for weight in state.model.parameters())
    batch = next(iter(loaders.train.epoch(0)))
    plain.set_training()
    with torch.compiler.set_stance("fail_on_recompile"):
        loss, logits = forward_backward(state, batch)
    same_loss, same_logits = forward_backward(plain, batch)
    # Fused kernels sum in another order, and the statistics of 50 images pass that on.
    torch.testing.assert_close((loss, logits), (same_loss, same_logits), atol=1e-3, rtol=1e-2)
    mine, other = (
        torch.cat([weight.grad.flatten() for weight in each.model.parameters() if weight.grad is not None])
        for each in (state, plain)
    )
    assert (mine - other).norm() < 0.01 * other.norm()
