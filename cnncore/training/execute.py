"""Carries out a training run of the store from beginning to end, or from its checkpoint on."""

from __future__ import annotations

import errno
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import torch

from cnncore.config import check
from cnncore.data import ImageData, open_images
from cnncore.errors import DataError, LabError, RunError, RunLostError, StoreError, TrainingError
from cnncore.runs.artifacts import RESUME, WEIGHTS, WEIGHTS_CARD, keep_reserve, release_reserve, run_dir, sweep
from cnncore.runs.events import Changed, EpochEnd, Evaluating, Event, Finished, Froze, Preparing, StepEnd
from cnncore.runs.runner import SILENCE_S
from cnncore.runs.store import ENDED_STATUS, Run, RunStore
from cnncore.runs.stored_config import stored_config
from cnncore.training.checkpoint import load_checkpoint, save_checkpoint, save_weights, weights_card
from cnncore.training.compiling import compile_network
from cnncore.training.devices import device_name, pick_device, pick_precision
from cnncore.training.freezing import FreezeChange, stage_of
from cnncore.training.hardware import HardwareMeter
from cnncore.training.imports import take_backbone, take_over, take_whole
from cnncore.training.loop import Loaders, fit, make_loaders, score, with_features
from cnncore.training.lr_finder import find_learning_rate
from cnncore.training.optim import LearningRateChange
from cnncore.training.outcomes import forget_outcomes, keep_outcomes
from cnncore.training.recorder import FLUSH_S, Recorder
from cnncore.training.state import TrainState, new_state

CHECKPOINT_EVERY_S = 300.0
"""Longest time between two checkpoints inside an epoch; at its end there is one too."""
SAVING_SHARE = 0.1
"""Share of the time that saving may take where a head learns from kept features: its epochs are shorter than a save."""
SHORT_S = 10.0
"""After so much training the end of such an epoch always saves."""

_NO_MEMORY = ("out of memory", "can't allocate memory", "alloc_failed")
"""What PyTorch says when memory runs out: of CUDA and MPS, of the CPU, of cuDNN and cuBLAS."""

Listener = Callable[[Event], None]


_KINDS: dict[str, Callable[[TrainState, Loaders], Iterator[Event]]] = {
    "train": fit,
    "find_lr": find_learning_rate,
    "import": score,
}
"""What a run of a kind does."""


class _StopRequestedError(Exception):
    """Somebody wants the run to end before its end."""


class Execution:
    """One attempt at a run.

    Args:
        store: The run store; the run's row must name this process.
        artifacts: Folder with one folder a run.
        data_root: Folder of the data sets.
        run: The run.
        listener: Called with every event, for a progress bar.
    """

    def __init__(
        self, store: RunStore, artifacts: Path, data_root: Path, run: Run, listener: Listener | None = None
    ) -> None:
        self.store = store = store.patient(self._waits)
        self.run = run
        self.data_root = data_root
        self.folder = run_dir(artifacts, run.id)
        self.folder.mkdir(parents=True, exist_ok=True)
        sweep(self.folder)
        keep_reserve(self.folder)
        self.config = stored_config(run)
        self.recorder = Recorder(store, run, self.config, self.folder)
        self.listener = listener
        self.signaled = False
        self._is_compiling = False
        self._last_checkpoint = time.monotonic()
        self._saving_s = 0.0
        self._weights_due = False
        self._saved_step = -1
        self._last_flush = 0.0

    def request_stop(self) -> None:
        """End after the step in progress, with a checkpoint; for signal handlers."""
        self.signaled = True

    def _waits(self, seconds: float) -> bool:
        """Whether it waits on for a store that is gone, as long as no runner gives up the silent run."""
        return seconds < SILENCE_S and not self.signaled

    def carry_out(self) -> str:
        """Train until the end or until somebody wants it to stop; returns the status the run got.

        Problems a person can mend end the run with a sentence instead of an exception.

        Raises:
            StoreError: if the store stayed away; the run goes on from its last checkpoint when it is resumed.
        """
        try:
            status, error = self._train(), None
        except RunLostError:
            # Whatever the row says now, somebody else wrote it on purpose.
            with suppress(RunError):
                return self.store.get(self.run.id).status
            return "interrupted"
        except StoreError:
            # Nothing can be noted of it; a runner will find that its process has gone.
            raise
        except LabError as problem:
            status, error = "failed", self._last_words(problem)
        except torch.OutOfMemoryError as problem:
            status, error = "failed", self._out_of_memory(problem)
        except Exception as problem:  # whatever it is, the run must not stay "running"
            status, error = "failed", self._explain(problem)
        except BaseException:
            # Ctrl-C in a notebook: the row must not keep the process of somebody who goes on working.
            self._end("interrupted", TrainingError("Training was interrupted.", "Resume it to go on."))
            raise
        self._end(status, error)
        return status

    def _end(self, status: str, error: LabError | None) -> None:
        """Close the run, unless another process has begun another attempt at it meanwhile."""
        release_reserve(self.folder)
        message, hint = (error.message, error.hint) if error else (None, None)
        attempt = self.run.attempt if self.recorder.attempt is None else self.recorder.attempt
        self.store.end(self.run.id, status, error=message, hint=hint, attempt=attempt)

    def _train(self) -> str:
        if not self.store.set_running(self.run.id):
            return self._ended_status()
        state: TrainState | None = None
        images: ImageData | None = None
        try:
            images, state = self._prepare()
            self._follow(state, images, self._loaders(images, state))
        except _StopRequestedError:
            if state is not None and images is not None and not self._is_compiling:
                self._checkpoint(state, images)
            return self._ended_status()
        except (DataError, TrainingError) as problem:
            if state is not None and images is not None:
                self._rescue(state, images, problem)
            raise
        self.recorder.flush()
        if self.recorder.mirror is not None:
            self.recorder.mirror.finish(self.recorder.summary)
        return "finished"

    def _follow(self, state: TrainState, images: ImageData, loaders: Loaders) -> None:
        """Go through the events of the run from its first to its last one."""
        self._compile(state, loaders)
        for event in _KINDS[self.run.kind](state, loaders):
            self._handle(event, state, images)
            if isinstance(event, Froze) and self.config.training.compile:
                # The checkpoint is what remains where the run is stopped meanwhile.
                self._checkpoint(state, images)
                self._compile(state, loaders)
        self._keep_outcomes(state, images, loaders)

    def _loaders(self, images: ImageData, state: TrainState) -> Loaders:
        loaders = make_loaders(images, self.config, state)
        if self.run.kind == "import":
            return loaders
        return with_features(loaders, images, state, self.data_root, self._progress)

    def _compile(self, state: TrainState, loaders: Loaders) -> None:
        """Compile what the next step goes through; a test of learning rates is over sooner than a compiler."""
        if not self.config.training.compile or self.run.kind != "train" or loaders.now(state) is not loaders:
            return
        self._tell(Preparing(text="Compiling the network"))
        begin = time.monotonic()
        self._is_compiling = True
        compile_network(state, loaders.train, self._progress)
        self._is_compiling = False
        seconds = self.recorder.summary.get("compile_s", 0.0) + time.monotonic() - begin
        self.recorder.describe(compile_s=round(seconds, 1), stage="training", stage_text="")

    def _ended_status(self) -> str:
        wanted = self.store.get(self.run.id).wanted
        if wanted is None:
            return "stopped" if self.signaled else "interrupted"
        return ENDED_STATUS[wanted]

    def _prepare(self) -> tuple[ImageData, TrainState]:
        check(self.config)
        device = pick_device(self.config.training.device)
        precision = pick_precision(self.config.training.precision, device)
        self._set_backends(device)
        self.recorder.meter = HardwareMeter(device)
        self._progress("Reading the images", 0, 0)
        images = open_images(self.config.data, self.data_root, progress=self._progress)
        state = new_state(self.config, images.in_shape, len(images.classes), device=device, precision=precision)
        self._resume(state, images)
        self.recorder.describe(
            classes=list(images.classes),
            split_note=images.split_note,
            device_name=device_name(device),
            versions={"python": platform.python_version(), "torch": torch.__version__},
        )
        return images, state

    def _set_backends(self, device: torch.device) -> None:
        deterministic = self.config.training.deterministic
        if deterministic:
            # Without it cuBLAS refuses to multiply: its results would depend on which stream gets which workspace.
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        # Asked for only where it changes something: the call imports torch's compiler.
        if torch.are_deterministic_algorithms_enabled() != deterministic:
            torch.use_deterministic_algorithms(deterministic)
        torch.backends.cudnn.benchmark = device.type == "cuda" and not deterministic

    def _progress(self, text: str, done: int, total: int) -> None:
        self.recorder.prepare(text, done, total)
        self._stop_if_wanted()

    def _resume(self, state: TrainState, images: ImageData) -> None:
        """Go on from the checkpoint, if there is one, with the changes made until then and after it; else start."""
        saved = load_checkpoint(self.folder)
        if saved is None:
            self._take_weights(state, images)
        if saved is not None:
            if saved["fingerprint"] != images.fingerprint:
                raise RunError(
                    "The images are not the ones this run was trained on.", "Restore them, or start a new run."
                )
            state.restore(saved)
            if "reason" in self.recorder.summary and state.evaluated < self.config.training.epochs:
                # It had ended and was given more epochs, so early stopping starts to count anew.
                state.stale = 0
                save_checkpoint(self.folder, state, images.fingerprint)
                self.recorder.forget_result()
                forget_outcomes(self.folder)
        self.recorder.attempt = self.store.begin_attempt(self.run.id, state.step)
        if self.config.training.tensorboard:
            from cnncore.runs.tensorboard import EVENTS, EventMirror

            self.recorder.mirror = EventMirror(self.store, self.run, self.folder / EVENTS)
        state.changes, state.freezes = [], []
        for change in self.store.changes(self.run.id):
            if change.step is not None:
                # Rows up to the checkpoint are still there, with the time at which it happened.
                self._apply(state, change.step, change.setting, change.value, record=change.step > state.step)

    def _take_weights(self, state: TrainState, images: ImageData) -> None:
        """Begin with the weights that the configuration names, if it names any."""
        source = self.config.training.start_from
        if self.run.kind == "import":
            notes = take_whole(state, self.folder, images)
        elif self.config.transfer.backbone is not None:
            notes = take_backbone(state, self.data_root, images, self._progress)
        elif source is not None:
            notes = take_over(state, run_dir(self.folder.parent, source), images)
        else:
            return
        self.recorder.describe(start_notes=list(notes))

    def _apply(self, state: TrainState, step: int, setting: str, value: float, *, record: bool = True) -> None:
        stage = stage_of(setting, self.config)
        if stage is not None:
            # The loop says when it happens.
            state.freezes.append(FreezeChange(step, stage, frozen=value > 0))
            return
        if setting != "optimizer.lr" or value <= 0:
            return
        state.changes.append(LearningRateChange(step, value))
        if record:
            self.recorder.record(Changed(step=step, setting=setting, value=value))

    def _handle(self, event: Event, state: TrainState, images: ImageData) -> None:
        self.recorder.record(event)
        self._tell(event)
        if isinstance(event, EpochEnd):
            self._save_epoch(event, state, images)
        if isinstance(event, Finished):
            if state.step:
                self.recorder.describe(elapsed_s=state.elapsed_s)
                self._save_weights(state, images)
                if self._saved_step != state.step:
                    self._checkpoint(state, images)
            return
        if isinstance(event, StepEnd):
            self._between_steps(state, images)
        self._stop_if_wanted()

    def _tell(self, event: Event) -> None:
        if self.listener:
            try:
                self.listener(event)
            except BrokenPipeError:
                # Whoever read the output has gone; that is no reason to lose the run.
                self.listener = None

    def _between_steps(self, state: TrainState, images: ImageData) -> None:
        """A few times a second: changes asked for meanwhile; rarely: a checkpoint inside a long epoch."""
        now = time.monotonic()
        if now - self._last_flush < FLUSH_S:
            return
        self._last_flush = now
        self.recorder.describe(elapsed_s=state.elapsed_s)
        for change in self.store.changes(self.run.id):
            if change.step is None:
                self.store.set_change_step(change.id, state.step)
                self._apply(state, state.step, change.setting, change.value)
        if now - self._last_checkpoint > CHECKPOINT_EVERY_S:
            self._checkpoint(state, images)

    def _stop_if_wanted(self) -> None:
        if self.signaled or self.recorder.wanted:
            raise _StopRequestedError

    def _rescue(self, state: TrainState, images: ImageData, problem: LabError) -> None:
        if isinstance(problem, DataError):
            # A broken image: once it is mended the run can go on from here.
            self._checkpoint(state, images)
        elif self._weights_due and state.best.weights:
            # The loss is lost, not the best epoch, whose weights wait for a checkpoint that will not come.
            self._save_weights(state, images)

    def _save_epoch(self, event: EpochEnd, state: TrainState, images: ImageData) -> None:
        begin = time.monotonic()
        self._weights_due |= event.best or event.validation is None
        too_soon = begin - self._last_checkpoint < min(self._saving_s / SAVING_SHARE, SHORT_S)
        if state.stages is not None and event.seconds < self._saving_s and too_soon:
            return
        self._checkpoint(state, images)
        self._saving_s = self._last_checkpoint - begin

    def _checkpoint(self, state: TrainState, images: ImageData) -> None:
        self.recorder.flush()
        if self.run.kind == "import":
            return
        # The weights first: a process that dies in between repeats the epoch and writes them again.
        if self._weights_due:
            self._save_weights(state, images)
        size = save_checkpoint(self.folder, state, images.fingerprint)
        self.store.add_artifact(self.run.id, RESUME, size)
        self._last_checkpoint, self._saved_step = time.monotonic(), state.step

    def _save_weights(self, state: TrainState, images: ImageData) -> None:
        best = state.best
        shown = ("best_val_accuracy", "best_val_loss", "test_accuracy", "test_correct", "test_count")
        card = weights_card(
            self.config,
            images,
            run=self.run.id,
            epoch=best.epoch or state.evaluated,
            **{name: self.recorder.summary[name] for name in shown if name in self.recorder.summary},
        )
        self._weights_due = False
        size = save_weights(self.folder, best.weights or state.evaluated_weights(), card)
        self.store.add_artifact(self.run.id, WEIGHTS, size)
        self.store.add_artifact(self.run.id, WEIGHTS_CARD, (self.folder / WEIGHTS_CARD).stat().st_size)

    def _keep_outcomes(self, state: TrainState, images: ImageData, loaders: Loaders) -> None:
        if self.run.kind != "train":
            return

        def progress(split: str, done: int, total: int) -> None:
            self.recorder.record(Evaluating(split=split, done=done, total=total))

        for name, size in keep_outcomes(self.folder, state, images, loaders, progress):
            self.store.add_artifact(self.run.id, name, size)
        self.recorder.describe(stage="done")

    def _last_words(self, problem: LabError) -> LabError:
        """Write what is still buffered; where that holds the first bad loss, its sentence names the step."""
        try:
            self.recorder.flush()
        except TrainingError as exact:
            return exact
        except Exception:  # a full disk, say: the first problem is the one to tell
            return problem
        return problem

    def _out_of_memory(self, problem: BaseException) -> TrainingError:
        # A run on a GPU needs memory of the computer as well.
        is_own = isinstance(problem, MemoryError) or "can't allocate memory" in str(problem)
        device = "the computer" if is_own else self.recorder.summary.get("device_name", "the device")
        step = self.recorder.summary.get("step", 0)
        batch = self.config.training.batch_size
        return TrainingError(
            f"The memory of {device} ran out at step {step + 1:,} with batches of {batch}.",
            f"Try a batch size of {max(1, batch // 2)}, smaller images or a narrower network.",
        )

    def _explain(self, problem: BaseException) -> TrainingError:
        text = str(problem)
        if isinstance(problem, MemoryError) or any(words in text.lower() for words in _NO_MEMORY):
            return self._out_of_memory(problem)
        if "does not have a deterministic implementation" in text:
            return TrainingError(
                f"A GPU cannot repeat a step of this network bit for bit ({text.split()[0]}).",
                "Train with training.deterministic off, or on the CPU.",
            )
        step = self.recorder.summary.get("step", 0)
        if getattr(problem, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or any(
            words in text for words in ("No space left", "database or disk is full")
        ):
            return TrainingError(
                f"The disk is full; the run ended at step {step:,}.",
                f"Free some space where runs are kept ({self.folder.parent.name}/), then resume it.",
            )
        # Anything else is ours to mend: the log needs the traceback, the person a sentence.
        with suppress(Exception):
            import traceback

            traceback.print_exception(problem)
        first = text.strip().splitlines()[0][:200] if text.strip() else type(problem).__name__
        return TrainingError(
            f"Training failed at step {step:,}: {first}", "The log of the run has the details; resuming may help."
        )
