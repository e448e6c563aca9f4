"""The training loop: a generator of events that does no input or output and never waits for the device."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.config import TrainConfig
from cnncore.data import Batch, Batches, BatchSource, ImageData, Progress, Split
from cnncore.errors import TrainingError
from cnncore.runs.events import EpochEnd, Evaluating, Evaluation, Event, Finished, Froze, Started, StepEnd
from cnncore.training.metrics import Sums, collect_examples, evaluate, pick_examples
from cnncore.training.optim import kernels
from cnncore.training.shares import Team
from cnncore.training.state import TrainState
from cnncore.transfer.feature_batches import FeatureBatches
from cnncore.transfer.features import provide_features

LAYER_NORMS_EVERY = 20
"""Steps between two measurements of the gradient norm layer by layer."""

EVALUATION_BATCH = 512


@dataclass(frozen=True)
class Loaders:
    """The batches of a run.

    Attributes:
        features: The same images in the same order as features of the frozen backbone, where they are kept.
    """

    train: BatchSource
    validation: BatchSource | None
    validation_examples: BatchSource | None
    test: BatchSource | None
    test_examples: BatchSource | None
    num_classes: int
    features: Loaders | None = None

    @property
    def steps_per_epoch(self) -> int:
        return len(self.train)

    def now(self, state: TrainState) -> Loaders:
        """What the next step reads: the kept features for as long as they are what the backbone would compute."""
        return self.features if self.features is not None and state.keeps_features else self


def make_loaders(data: ImageData, config: TrainConfig, state: TrainState) -> Loaders:
    """Batches of all splits on the state's device, normalized by the training images."""
    num_classes = len(data.classes)

    def batches(split: Split, size: int, seed: int | None = None) -> Batches:
        return Batches(
            split,
            batch_size=size,
            device=state.device,
            dtype=state.dtype,
            mean=data.mean,
            std=data.std,
            num_classes=num_classes,
            seed=seed,
            augment=config.augment if seed is not None else None,
        )

    def held_out(split: Split | None) -> tuple[Batches | None, Batches | None]:
        if split is None:
            return None, None
        examples = split.select(pick_examples(len(split)))
        return batches(split, EVALUATION_BATCH), batches(examples, EVALUATION_BATCH)

    return Loaders(
        batches(data.train, config.training.batch_size, config.training.seed),
        *held_out(data.validation),
        *held_out(data.test),
        num_classes,
    )


def with_features(loaders: Loaders, data: ImageData, state: TrainState, root: Path, progress: Progress) -> Loaders:
    """The same batches with features of the frozen backbone beside them, as far as they are worth keeping.

    Args:
        loaders: Made by `make_loaders`.
        data: The images.
        state: The state that training starts or goes on from.
        root: Data folder.
        progress: Told while features are computed; may raise to interrupt.
    """
    state.begin_freezing(loaders.steps_per_epoch)
    if not state.keeps_features:
        return loaders
    kept = provide_features(data, state.config, state, root, progress)

    def held_out(batches: FeatureBatches | None) -> tuple[FeatureBatches | None, FeatureBatches | None]:
        return batches, batches.select(pick_examples(batches.num_images)) if batches else None

    features = Loaders(kept.train, *held_out(kept.validation), *held_out(kept.test), loaders.num_classes)
    return replace(loaders, features=features)


def fit(state: TrainState, loaders: Loaders) -> Iterator[Event]:
    """Train from where `state` is to the last epoch, then score the test split once.

    After every event the state is whole: whoever stops iterating can save it and go on later from there, and gets bit
    for bit what an uninterrupted run gives (on a GPU only with `deterministic`).

    Raises:
        TrainingError: if the loss of an epoch is not a number.
    """
    training = state.config.training
    state.begin_freezing(loaders.steps_per_epoch)
    yield started(state, loaders, total_steps=loaders.steps_per_epoch * training.epochs)
    while state.evaluated < training.epochs and not _is_stale(state):
        begin = time.monotonic()
        yield from _train_epoch(state, loaders)
        yield (yield from _end_epoch(state, loaders, begin))
    weights = state.best.weights or state.evaluated_weights()
    test = yield from _score(state, loaders, "test", weights)
    yield Finished(
        step=state.step,
        epoch=state.evaluated,
        reason=f"no better validation loss for {training.patience} epochs" if _is_stale(state) else "all epochs done",
        scored_epoch=state.best.epoch or state.evaluated,
        test=test,
    )


def score(state: TrainState, loaders: Loaders) -> Iterator[Event]:
    """Score the weights as they are on the test split, without training."""
    yield started(state, loaders, total_steps=0)
    weights = state.evaluated_weights()
    test = yield from _score(state, loaders, "test", weights)
    yield Finished(step=0, epoch=0, reason="the weights were imported", scored_epoch=0, test=test)


def _is_stale(state: TrainState) -> bool:
    patience = state.config.training.patience
    return patience is not None and state.stale >= patience


def started(state: TrainState, loaders: Loaders, *, total_steps: int) -> Started:
    """The event before the first step."""
    return Started(
        step=state.step,
        epoch=state.evaluated + 1,
        steps_per_epoch=loaders.steps_per_epoch,
        total_steps=total_steps,
        num_params=sum(parameter.numel() for parameter in state.model.parameters()),
        num_trainable=state.num_trainable,
        num_train=loaders.train.num_images,
        num_validation=loaders.validation.num_images if loaders.validation else 0,
        num_test=loaders.test.num_images if loaders.test else 0,
        device=str(state.device),
        precision=state.precision,
        threads=torch.get_num_threads(),
    )


def _train_epoch(state: TrainState, loaders: Loaders) -> Iterator[StepEnd | Froze]:
    """The rest of the epoch in progress, step by step; what is frozen may change at every step."""
    steps = loaders.steps_per_epoch
    if state.step == state.evaluated * steps:
        state.sums = Sums()
    weighted = nn.Dropout in {type(module) for module in state.model.modules()}
    clock = time.monotonic()
    while (first := state.step - state.evaluated * steps) < steps:
        if changed := state.follow_freezing(steps):
            learning = state.stages.learning if state.stages else ()
            yield Froze(step=state.step, stages=changed, learning=learning, num_trainable=state.num_trainable)
            clock = time.monotonic()
        source = loaders.now(state)
        for batch in source.train.epoch(state.evaluated, start=first):
            if weighted:
                _seed_dropout(state)
            event = train_step(
                state, batch, state.next_learning_rate(steps), steps, from_features=source is not loaders
            )
            now = time.monotonic()
            state.elapsed_s += now - clock
            yield event
            # What the reader of the event did, compiling for instance, is not training time.
            clock = time.monotonic()
            if state.freezing_is_due(steps):
                break


def _seed_dropout(state: TrainState) -> None:
    """Make the masks of the next step a function of seed and step."""
    seed = (state.config.training.seed * 1_000_003 + state.step) % 2**63
    # torch.manual_seed would also format a stack trace for each idle GPU at every call.
    torch.default_generator.manual_seed(seed)
    if state.device.type == "cuda":
        torch.cuda.default_generators[state.device.index or 0].manual_seed(seed)
    elif state.device.type == "mps":
        torch.mps.manual_seed(seed)


def train_step(
    state: TrainState, batch: Batch, lr: float, steps_per_epoch: int, *, from_features: bool = False
) -> StepEnd:
    """One optimizer step at learning rate `lr`; with `from_features` the batch holds features for the head."""
    state.optimizer.lr = lr
    if not (state.model.training and state.head.training):
        state.set_training()
    loss, logits = forward_backward(state, batch, from_features=from_features)
    gradients = {name: value.grad for name, value in state.parameters if value.grad is not None}
    norms, total = _gradient_norms(gradients)
    clip = state.config.training.clip_norm
    if clip is not None:
        nn.utils.clip_grads_with_norm_(list(state.model.parameters()), clip, total)
    if state.scaler:
        # It asks for no more than `param_groups` and `step`.
        state.scaler.step(cast(torch.optim.Optimizer, state.optimizer))
        state.scaler.update()
    else:
        state.optimizer.step()
    state.optimizer.zero_grad()
    state.step += 1
    state.update_ema()
    with torch.no_grad():
        state.sums.add(loss, logits, batch.labels)
    measured = state.step % LAYER_NORMS_EVERY == 1
    return StepEnd(
        step=state.step,
        epoch=state.step / steps_per_epoch,
        loss=loss,
        lr=lr,
        images=len(batch.labels),
        grad_norm=total,
        layer_grad_norms=_by_layer(gradients, norms) if measured else None,
    )


def forward_backward(state: TrainState, batch: Batch, *, from_features: bool = False) -> tuple[Tensor, Tensor]:
    """Leave the gradients of a batch in the weights; returns its mean loss and its logits, fp32 `(N, K)`."""
    if state.team:
        return _in_shares(state, state.team, batch)
    with state.autocast():
        outputs = state.head(batch.images) if from_features else state.forward(batch.images)
    loss, objective, logits = _losses(state, outputs, batch.targets)
    if state.scaler:
        state.scaler.scale(objective).backward()
        state.scaler.unscale_(cast(torch.optim.Optimizer, state.optimizer))
    else:
        objective.backward()
    return loss, logits


def _in_shares(state: TrainState, team: Team, batch: Batch) -> tuple[Tensor, Tensor]:
    weights = state.optimizer.weights

    def work(share: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        images, targets = share
        with state.autocast():
            outputs = state.forward(images)
        loss, objective, logits = _losses(state, outputs, targets)
        part = len(images) / len(batch.images)
        return loss * part, logits, torch.autograd.grad(objective * part, weights)

    size = min(team.size, len(batch.images))
    shares = zip(batch.images.tensor_split(size), batch.targets.tensor_split(size), strict=True)
    losses, logits, (first, *others) = zip(*team.run(work, shares), strict=True)
    for gradients in others:
        kernels._foreach_add_(first, gradients)
    for weight, gradient in zip(weights, first, strict=True):
        # The fused optimizers go through memory and take weight and gradient to lie there alike.
        alike = gradient.stride() == weight.stride()
        weight.grad = gradient if alike else torch.empty_like(weight).copy_(gradient)
    return torch.stack(losses).sum(), torch.cat(logits)


def _losses(state: TrainState, outputs: Tensor | tuple[Tensor, ...], targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Loss of the main head (what the charts show), what is minimized (auxiliary heads included), logits."""
    main, *auxiliary = outputs if isinstance(outputs, tuple) else (outputs,)
    smoothing = state.config.training.label_smoothing
    logits = main.float()
    loss = functional.cross_entropy(logits, targets, label_smoothing=smoothing)
    objective = loss
    for head in auxiliary:
        extra = functional.cross_entropy(head.float(), targets, label_smoothing=smoothing)
        objective = objective + state.config.model_spec.aux_weight * extra
    return loss.detach(), objective, logits.detach()


def _gradient_norms(gradients: Mapping[str, Tensor]) -> tuple[list[Tensor], Tensor]:
    """Length of each gradient and of all of them together, on the device."""
    norms = list(kernels._foreach_norm(list(gradients.values())))
    return norms, torch.linalg.vector_norm(torch.stack(norms))


def _by_layer(gradients: Mapping[str, Tensor], norms: list[Tensor]) -> dict[str, Tensor]:
    """Gradient norm of each layer's weights; biases and normalization would only clutter the picture."""
    return {
        name.removesuffix(".weight").removesuffix(".conv").removesuffix(".linear"): norm
        for (name, gradient), norm in zip(gradients.items(), norms, strict=True)
        if gradient.ndim > 1
    }


def _end_epoch(state: TrainState, loaders: Loaders, begin: float) -> Generator[Evaluating, None, EpochEnd]:
    """Evaluate the epoch that just ended and note whether it is the best."""
    train_loss, train_accuracy, train_top5 = state.sums.means()
    if not math.isfinite(train_loss):
        raise TrainingError(
            f"The loss stopped being a number in epoch {state.evaluated + 1}.",
            "Try a smaller learning rate, a warm-up, gradient clipping or precision fp32.",
        )
    clock = time.monotonic()
    weights = state.evaluated_weights()
    validation = yield from _score(state, loaders, "validation", weights)
    evaluation_s = time.monotonic() - clock
    state.elapsed_s += evaluation_s
    state.evaluated += 1
    best = _note_best(state, validation, weights)
    return EpochEnd(
        epoch=state.evaluated,
        step=state.step,
        lr=state.optimizer.lr,
        train_loss=train_loss,
        train_accuracy=train_accuracy,
        train_top5=train_top5,
        validation=validation,
        best=best,
        seconds=time.monotonic() - begin,
        evaluation_s=evaluation_s,
        elapsed_s=state.elapsed_s,
    )


def _note_best(state: TrainState, validation: Evaluation | None, weights: Mapping[str, Tensor]) -> bool:
    if validation is None or not validation.count:
        return False
    if validation.loss < state.lowest_loss:
        state.lowest_loss, state.stale = validation.loss, 0
    else:
        state.stale += 1
    if not state.best.is_beaten_by(validation.accuracy, validation.loss):
        return False
    state.best.epoch = state.evaluated
    state.best.accuracy, state.best.loss = validation.accuracy, validation.loss
    state.best.weights = {name: value.detach().clone() for name, value in weights.items()}
    return True


def _score(
    state: TrainState, loaders: Loaders, split: str, weights: Mapping[str, Tensor]
) -> Generator[Evaluating, None, Evaluation | None]:
    source = loaders.now(state)
    batches, examples = {
        "validation": (source.validation, source.validation_examples),
        "test": (source.test, source.test_examples),
    }[split]
    if batches is None:
        return None

    def forward(images: Tensor) -> Tensor:
        return state.predict(images, weights, from_features=source is not loaders)

    evaluation = yield from evaluate(forward, batches, split=split, num_classes=loaders.num_classes)
    if examples is None:
        return evaluation
    return replace(evaluation, examples=collect_examples(forward, examples))
