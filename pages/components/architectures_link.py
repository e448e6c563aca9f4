"""The state of the Architectures view as its link tells it. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cnncore.catalog import DATASETS, FAMILIES, MODELS
from cnncore.errors import ConfigError, lookup
from cnncore.figures.architectures import Protocol, protocols
from cnncore.figures.tradeoff import COSTS

TABS = {
    "table": "Table",
    "cost": "Accuracy and cost",
    "timeline": "Timeline",
    "parameters": "Where the parameters sit",
}
SCORES = {"top1": "Published top-1", "top5": "Published top-5", "own": "Own, measured here"}
LENGTHS = {"share": "Share of each", "count": "Count"}
QUANTITIES = {"params": "Parameters", "macs": "MACs"}
FIXED_DATASETS = {key: spec for key, spec in DATASETS.items() if all(spec.in_shape)}
"""The data sets that are the same for everybody."""

DEFAULT_PROTOCOL = "imagenet-1-crop"
DEFAULT_NETS = ("lenet5", "alexnet", "vgg16", "googlenet", "inception_v3", "resnet50")
MOST_NETS = 12
_MOST_LETTERS = 100


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the view shows.

    Attributes:
        families: Keys of FAMILIES; none means all.
        text: Words that a network has to have somewhere.
        protocol: Name of one of `protocols()`; empty while no network has a result.
        dataset: Data set of the own results.
        nets: Networks whose costs are drawn as bars.
        of: The network of the treemap.
        net: The network whose details are shown; empty for none.
    """

    tab: str = "table"
    families: tuple[str, ...] = ()
    text: str = ""
    protocol: str = ""
    dataset: str = "mnist5k"
    x: str = "macs"
    y: str = "top1"
    nets: tuple[str, ...] = ()
    length: str = "share"
    quantity: str = "params"
    of: str = ""
    net: str = ""

    def measure(self) -> Protocol:
        """Data set and way of measuring of the published results."""
        return protocols().get(self.protocol, ("", ""))


def defaults() -> Choices:
    """What an empty link shows."""
    known = protocols()
    nets = tuple(key for key in DEFAULT_NETS if key in MODELS)
    protocol = DEFAULT_PROTOCOL if DEFAULT_PROTOCOL in known else next(iter(known), "")
    return Choices(protocol=protocol, nets=nets, of=nets[-1])


_ONE: dict[str, tuple[Callable[[], Mapping[str, Any]], str]] = {
    "tab": (lambda: TABS, "part of this view"),
    "protocol": (protocols, "protocol"),
    "dataset": (lambda: FIXED_DATASETS, "data set"),
    "x": (lambda: COSTS, "axis"),
    "y": (lambda: SCORES, "accuracy"),
    "length": (lambda: LENGTHS, "length of the bars"),
    "quantity": (lambda: QUANTITIES, "quantity"),
    "of": (lambda: MODELS, "network"),
    "net": (lambda: MODELS, "network"),
}
_SEVERAL: dict[str, tuple[Mapping[str, Any], str]] = {
    "families": (FAMILIES, "family"),
    "nets": (MODELS, "network"),
}
NAMES = (*_ONE, *_SEVERAL, "text")
"""The query parameters of the view."""


def read_choices(params: Mapping[str, str]) -> tuple[Choices, tuple[ConfigError, ...]]:
    """What a link asks for; what cannot be taken is left as it is by default and named."""
    values: dict[str, Any] = {}
    problems: list[ConfigError] = []
    for name, (table, what) in _ONE.items():
        if name in params:
            _take(values, problems, name, what, table(), params[name])
    for name, (table, what) in _SEVERAL.items():
        if name in params:
            values[name] = _known(problems, what, table, params[name])
    if "text" in params:
        values["text"] = params["text"][:_MOST_LETTERS]
    if len(values.get("nets", ())) > MOST_NETS:
        values["nets"] = values["nets"][:MOST_NETS]
        problems.append(ConfigError("nets", f"At most {MOST_NETS} networks are drawn; the first ones are shown."))
    base = defaults()
    return Choices(**{name: values.get(name, getattr(base, name)) for name in NAMES}), tuple(problems)


def _take(
    values: dict[str, Any], problems: list[ConfigError], name: str, what: str, table: Mapping[str, Any], text: str
) -> None:
    try:
        lookup(table, text, what, name)
    except ConfigError as error:
        problems.append(error)
    else:
        values[name] = text


def _known(problems: list[ConfigError], what: str, table: Mapping[str, Any], text: str) -> tuple[str, ...]:
    found: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        _take(found, problems, part, what, table, part)
    return tuple(found)


def choice_params(choices: Choices) -> dict[str, str]:
    """The query parameters that `read_choices` reads `choices` from: what differs from an empty link."""
    base = defaults()
    params: dict[str, str] = {}
    for name in NAMES:
        value = getattr(choices, name)
        if value != getattr(base, name):
            params[name] = ",".join(value) if isinstance(value, tuple) else str(value)
    return params
