"""Weights of a file in one of our networks.

Their names are matched by the schemes of `cnncore.models.names`; where none fits, the tensors by order and shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from cnncore.catalog import MODELS
from cnncore.config import ModelConfig
from cnncore.errors import WeightsError
from cnncore.models import build_model, resolve
from cnncore.models.names import SCHEMES, renamed, without_wrappers
from cnncore.models.resnet import zeros_behind
from cnncore.models.weights_file import WeightsFile, listed, shortened

IN_ORDER = "order"
_COUNTER = "num_batches_tracked"
_ENOUGH = 0.5
"""Share of the network's tensors that a scheme must find by name to count as the file's."""

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Weights for one of our networks.

    Attributes:
        scheme: Key of `SCHEMES`, or `order`.
        state: All tensors of the network by our names, on the CPU.
        num_classes: Classes that the last layer tells apart.
        num_tensors: How many of the tensors come from the file.
        notes: What was left out, added or converted, one sentence each.
    """

    scheme: str
    state: dict[str, Tensor]
    num_classes: int
    num_tensors: int
    notes: tuple[str, ...]


def _shapes(config: ModelConfig, in_shape: tuple[int, int, int], num_classes: int) -> dict[str, Shape]:
    with torch.device("meta"):
        state = build_model(config, in_shape, num_classes).state_dict()
    return {name: tuple(value.shape) for name, value in state.items()}


class _Plan:
    """The tensors of a network, and those among them that the number of classes decides about."""

    def __init__(self, config: ModelConfig, in_shape: tuple[int, int, int]) -> None:
        self.config, self.in_shape = config, in_shape
        self.title = MODELS[config.name].title
        self._two, self._three = _shapes(config, in_shape, 2), _shapes(config, in_shape, 3)
        self.names = list(self._two)
        self.last = {name for name in self.names if self._two[name] != self._three[name]}
        """Of the classifiers, auxiliary ones included."""

    def shapes(self, num_classes: int) -> dict[str, Shape]:
        """The shapes with this number of classes."""
        return {name: self._resized(name, num_classes) for name in self.names}

    def _resized(self, name: str, num_classes: int) -> Shape:
        pairs = zip(self._two[name], self._three[name], strict=True)
        return tuple(two + (three - two) * (num_classes - 2) for two, three in pairs)

    def classes_in(self, name: str, shape: Shape) -> int | None:
        """How many classes the classifier's tensor `name` has where its shape is this one; None if none fits."""
        for two, three, size in zip(self._two[name], self._three[name], shape, strict=False):
            if three > two:
                return 2 + (size - two) // (three - two)
        return None

    def required(self, name: str) -> bool:
        """Whether the network computes with the tensor after training."""
        return not name.endswith(_COUNTER) and not name.startswith("aux")


def fit_weights(
    file: WeightsFile,
    config: ModelConfig,
    in_shape: tuple[int, int, int],
    num_classes: int | None = None,
    *,
    new_classifier: bool = False,
    seed: int = 0,
) -> Fitted:
    """The file's weights in the network that `config` describes.

    Args:
        file: What was read.
        config: The network and its options.
        in_shape: Channels, height and width of the images it is for.
        num_classes: Classes there must be; None takes what the file has.
        new_classifier: Whether a last layer with another number of classes is replaced by a new one, rather than
            refused.
        seed: Of the weights that the file has not.

    Raises:
        WeightsError: if the file is of another network; it names the first layer that differs, with both shapes.
    """
    plan = _Plan(config, in_shape)
    theirs, wrappers = without_wrappers(file.tensors)
    notes = [*file.notes, *((f'"{wrappers}" before all names was ignored.',) if wrappers else ())]
    scheme, found = _by_name(plan, theirs)
    if scheme == IN_ORDER:
        found, classes = _by_order(plan, file, num_classes)
        notes.append(_GUESSED)
    else:
        classes = _classes(plan, file, found)
    wanted = num_classes or classes or MODELS[config.name].num_classes
    _check_shapes(plan, file, found, plan.shapes(classes or wanted))
    _refuse_others(plan, file, found)
    missing = _missing(plan, file, found)
    if classes is not None and classes != wanted:
        _refuse_classes(file, classes, wanted, allowed=new_classifier)
        missing = [name for name in plan.names if name in missing or name in plan.last]
        notes.append(f"The last layer is new: it had {classes:,} classes, now there are {wanted:,}.")
    taken = {name: full for name, full in found.items() if name not in missing}
    state, converted = _taken(file, taken, plan.shapes(wanted))
    if scheme == "cifar" and "linear.weight" in theirs and resolve(config).shortcut == "A":
        state = zeros_behind(state)
        notes.append("Channels were put into our order: files with these names pad zeros on both sides in shortcuts.")
    if missing:
        fresh = build_model(config, in_shape, wanted, seed=seed).state_dict()
        state |= {name: fresh[name].detach().clone() for name in missing}
    if classes is None and any(plan.required(name) for name in plan.last):
        notes.append("The file has no last layer; the new one has learned nothing yet: fine-tune the network.")
    if any(name.startswith("aux") for name in missing if name not in plan.last):
        notes.append("The file has no auxiliary heads, which only training uses; they are new.")
    return Fitted(
        scheme=scheme,
        state={name: state[name] for name in plan.names},
        num_classes=wanted,
        num_tensors=len(taken),
        notes=(*notes, *converted),
    )


_GUESSED = (
    "No known scheme of names fits, so the tensors were matched by order and shape: look at the accuracy before "
    "trusting them."
)


def _refuse_classes(file: WeightsFile, classes: int, wanted: int, *, allowed: bool) -> None:
    if not allowed:
        raise WeightsError(
            f"The last layer in {file.label} knows {classes:,} classes, the images have {wanted:,}.",
            "Choose images with as many classes, or none now, and fine-tune the network on these later.",
        )


def _by_name(plan: _Plan, theirs: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The scheme that finds most of the network's tensors, and what it finds; `order` where none finds half."""
    best, found = IN_ORDER, dict[str, str]()
    needed = [name for name in plan.names if plan.required(name) and name not in plan.last]
    most = _ENOUGH * len(needed)
    for key, scheme in SCHEMES.items():
        names = renamed(scheme, plan.config.name, plan.names, theirs)
        count = sum(name in names for name in needed)
        if count > most:
            best, found, most = key, names, count
    return best, found


def _classes(plan: _Plan, file: WeightsFile, found: Mapping[str, str]) -> int | None:
    """Classes of the classifier in the file; None where it has none."""
    for name in plan.last:
        if plan.required(name) and name in found:
            return plan.classes_in(name, tuple(file.tensors[found[name]].shape))
    return None


def _by_order(plan: _Plan, file: WeightsFile, num_classes: int | None) -> tuple[dict[str, str], int]:
    """Our tensors' names in the file, those of one kind and shape in order; and the number of classes.

    Raises:
        WeightsError: naming the first layer that differs.
    """
    names = [name for name in plan.names if plan.required(name)]
    theirs = [name for name in file.tensors if _matters(name)]
    if not file.ordered:
        theirs.sort(key=_natural)
    few, more = (sum(_numel(plan.shapes(count)[name]) for name in names) for count in (2, 3))
    total = sum(_numel(tuple(file.tensors[name].shape)) for name in theirs)
    classes, rest = divmod(total - few, more - few)
    exact = rest == 0 and classes + 2 >= 1
    shapes = plan.shapes(classes + 2 if exact else num_classes or MODELS[plan.config.name].num_classes)
    ours = _grouped((name, shapes[name]) for name in names)
    groups = _grouped((name, tuple(file.tensors[name].shape)) for name in theirs)
    if {kind: len(group) for kind, group in ours.items()} != {kind: len(group) for kind, group in groups.items()}:
        raise _first_difference(plan, file, [(name, shapes[name]) for name in names], theirs)
    pairs = {name: full for kind in ours for name, full in zip(ours[kind], groups[kind], strict=True)}
    return {name: pairs[name] for name in names}, classes + 2


def _matters(name: str) -> bool:
    return not name.endswith(_COUNTER) and "aux" not in name.lower()


def _numel(shape: Shape) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts `layer10` behind `layer9`."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _grouped(tensors: Iterable[tuple[str, Shape]]) -> dict[tuple[str, Shape], list[str]]:
    groups: dict[tuple[str, Shape], list[str]] = {}
    for name, shape in tensors:
        groups.setdefault((name.rpartition(".")[2], shape), []).append(name)
    return groups


def _first_difference(plan: _Plan, file: WeightsFile, ours: list[tuple[str, Shape]], theirs: list[str]) -> WeightsError:
    for (name, shape), full in zip(ours, theirs, strict=False):
        if tuple(file.tensors[full].shape) != shape:
            return _differs(plan, file, name, shape, full)
    if len(ours) > len(theirs):
        name, shape = ours[len(theirs)]
        text = f"{file.label} ends before {name} ({_times(shape)}) of {plan.title}."
    elif len(theirs) > len(ours):
        text = f"{file.label} goes on with {shortened(theirs[len(ours)])} where {plan.title} ends."
    else:
        text = f"The tensors in {file.label} have other kinds than those of {plan.title}."
    return WeightsError(text, _other_network(plan, file))


def _differs(plan: _Plan, file: WeightsFile, name: str, shape: Shape, full: str) -> WeightsError:
    found = tuple(file.tensors[full].shape)
    called = name if name == full else f"{name} ({shortened(full)} in the file)"
    hint = _other_network(plan, file)
    if len(found) == len(shape) == 4 and found[:1] + found[2:] == shape[:1] + shape[2:] and name == plan.names[0]:
        hint = f"The file is for images with {found[1]} channels, these have {shape[1]}."
    return WeightsError(
        f"{file.label} does not fit {plan.title}: the first layer that differs is {called}, which is "
        f"{_times(found)} in the file and {_times(shape)} in the network.",
        hint,
    )


def _times(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "a single number"


def _other_network(plan: _Plan, file: WeightsFile) -> str:
    """What to do; names the networks that have exactly as many parameters as the file."""
    counted = (name for name in file.tensors if not name.endswith((_COUNTER, "running_mean", "running_var")))
    count = sum(_numel(tuple(file.tensors[name].shape)) for name in counted)
    same = [key for key, spec in MODELS.items() if spec.num_params == count and key != plan.config.name]
    if same:
        return f"It has as many parameters as {' and '.join(same[:3])}."
    return "Choose the network, its options and the images that the file was made for."


def _check_shapes(plan: _Plan, file: WeightsFile, found: Mapping[str, str], shapes: Mapping[str, Shape]) -> None:
    for name in plan.names:
        if name in found:
            shape = tuple(file.tensors[found[name]].shape)
            if shape != shapes[name] and not _same_layer(shape, shapes[name]):
                raise _differs(plan, file, name, shapes[name], found[name])


def _taken(
    file: WeightsFile, found: Mapping[str, str], shapes: Mapping[str, Shape]
) -> tuple[dict[str, Tensor], list[str]]:
    """The file's tensors as the network has them, in float32; and what was changed."""
    state: dict[str, Tensor] = {}
    notes: dict[str, None] = {}
    for name, full in found.items():
        value = file.tensors[full]
        if value.ndim != len(shapes[name]):
            notes["Dense layers that were stored as convolutions, or the reverse, were reshaped."] = None
        value = value.reshape(shapes[name])
        if name.endswith(_COUNTER):
            state[name] = value.to(torch.int64)
            continue
        if value.dtype != torch.float32:
            notes[f"Converted from {_dtype(value)} to float32."] = None
        state[name] = _finite(file, full, value)
    return state, list(notes)


def _finite(file: WeightsFile, name: str, value: Tensor) -> Tensor:
    if not value.is_floating_point():
        raise WeightsError(
            f"{shortened(name)} in {file.label} has the type {_dtype(value)}; weights must be floating-point numbers.",
            "Quantized networks cannot be imported.",
        )
    value = value.to(torch.float32).contiguous()
    bad = int((~value.isfinite()).sum())
    if bad:
        raise WeightsError(
            f"{shortened(name)} in {file.label} holds {bad:,} values that are no finite numbers (NaN or infinite).",
            "A network with them can say nothing; take weights from before its training diverged.",
        )
    return value


def _dtype(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _same_layer(found: Shape, shape: Shape) -> bool:
    """Whether one is a convolution over the whole map and the other the dense layer that computes the same."""
    return {len(found), len(shape)} == {2, 4} and found[0] == shape[0] and _numel(found) == _numel(shape)


def _missing(plan: _Plan, file: WeightsFile, found: Mapping[str, str]) -> list[str]:
    """The tensors that must be made: counters, auxiliary heads, the whole last layer.

    Raises:
        WeightsError: if anything else is missing.
    """
    missing = [name for name in plan.names if name not in found]
    headless = not any(name in found for name in plan.last if plan.required(name))
    lost = [name for name in missing if plan.required(name) and not (headless and name in plan.last)]
    if lost:
        raise WeightsError(f"{file.label} lacks {listed(lost)} of {plan.title}.", _other_network(plan, file))
    return missing


def _refuse_others(plan: _Plan, file: WeightsFile, found: Mapping[str, str]) -> None:
    """Refuse a file that holds more layers than the network: it is of another one, however well the others fit."""
    used = set(found.values())
    others = [name for name in file.tensors if name not in used and _matters(name)]
    if not others:
        return
    hint = _other_network(plan, file)
    projections = "shortcut" in others[0] or "downsample" in others[0]
    if projections and "shortcut" in MODELS[plan.config.name].defaults:
        hint = "These are projections in shortcuts: set model.shortcut to B."
    raise WeightsError(f"{plan.title} has no place for {listed(others)} of {file.label}.", hint)
