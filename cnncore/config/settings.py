"""Settings by their dotted names: read from links, `--set` and JSON by one parser, written back as text."""

from __future__ import annotations

import json
import shlex
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from cnncore.catalog import AUGMENTATIONS, DATASETS, PRESETS
from cnncore.config.checks import check
from cnncore.config.sections import TrainConfig
from cnncore.errors import ConfigError, lookup

MAX_LINK_VALUE = 2_000
"""Longest value in characters that is read from a link or the command line."""


def _fields(section: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    found: dict[str, FieldInfo] = {}
    for name, info in section.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= _fields(kind, f"{prefix}{name}.")
        else:
            found[prefix + name] = info
    return found


FIELDS: dict[str, FieldInfo] = _fields(TrainConfig)
"""Every setting by its dotted name."""


def _adapter(name: str) -> TypeAdapter[Any]:
    info = FIELDS[name]
    annotated: Any = Annotated[info.annotation, info] if info.metadata else info.annotation  # pyright: ignore[reportInvalidTypeForm]
    return TypeAdapter(annotated)


_ADAPTERS: dict[str, TypeAdapter[Any]] = {name: _adapter(name) for name in FIELDS}


def _schema_nodes(schema: dict[str, Any]) -> Iterable[dict[str, Any]]:
    yield schema
    for option in schema.get("anyOf", ()):
        yield from _schema_nodes(option)


def _choices(name: str) -> list[str]:
    """The values that the setting chooses from; none where it does not."""
    return [str(item) for node in _schema_nodes(_ADAPTERS[name].json_schema()) for item in node.get("enum", ())]


def is_optional(name: str) -> bool:
    """Whether the setting may be left to the architecture or switched off (None)."""
    kind = FIELDS[name].annotation
    return typing.get_origin(kind) in (types.UnionType, typing.Union) and type(None) in typing.get_args(kind)


def is_list(name: str) -> bool:
    """Whether the setting holds several values, with commas between them in text."""
    return typing.get_origin(FIELDS[name].annotation) is tuple


def flatten(config: TrainConfig) -> dict[str, Any]:
    """All settings by dotted name."""
    return {
        f"{section}.{name}": value for section, values in config.model_dump().items() for name, value in values.items()
    }


def differences(config: TrainConfig, base: TrainConfig) -> dict[str, str]:
    """The settings in which `config` differs from `base`, as text that `parse_value` reads back."""
    old = flatten(base)
    return {name: format_value(value, name) for name, value in flatten(config).items() if value != old[name]}


def _unset(name: str) -> str:
    """The text that stands for None; where "none" is a value of its own (no normalization), another word."""
    return "published" if name in _WITH_NONE else "none"


def format_value(value: object, name: str = "") -> str:
    """Text form of the value of the setting `name`; the inverse of `parse_value`."""
    if value is None:
        return _unset(name)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(format_value(item) for item in typing.cast("tuple[object, ...]", value))
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


_WITH_NONE = frozenset(name for name in FIELDS if "none" in _choices(name))
"""Settings with a value called none."""
_BOUNDS = {
    "minimum": "from {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "up to {}",
    "exclusiveMaximum": "and less than {}",
}
_ALLOWED = {
    "model.norm": "Allowed: none, lrn, batch; published: as the network's source has it.",
    "model.name": "`python -m cnncore models` lists them.",
    "data.dataset": f"Allowed: {', '.join(DATASETS)}.",
    "transfer.backbone": "`python -m cnncore backbones` lists them.",
    "training.device": "Allowed: auto, cpu, mps, cuda, cuda:0, cuda:1, …",
    "training.start_from": "Give the id of a run, as `python -m cnncore runs` lists them.",
    "schedule.milestones": "Allowed: up to 20 epochs with commas between them, for example 5,8.",
    "data.image_set": "Give id@version, as `python -m cnncore images` lists them.",
    "transfer.frozen": "Allowed: names of stages with commas between them, or all.",
    "transfer.stage_lr": "Allowed: factors above 0 and up to 100 with commas between them, input side first.",
}


def _allowed(name: str) -> str:
    """What is allowed for the setting, in words."""
    if name in _ALLOWED:
        return _ALLOWED[name]
    if choices := _choices(name):
        return f"Allowed: {', '.join(choices)}."
    nodes = list(_schema_nodes(_ADAPTERS[name].json_schema()))
    bounds = [words.format(f"{node[key]:,}") for key, words in _BOUNDS.items() for node in nodes if key in node]
    kinds = {node.get("type") for node in nodes}
    if "boolean" in kinds:
        return "Allowed: true, false."
    whole = "whole numbers " if "integer" in kinds else ""
    return f"Allowed: {whole}{' '.join(bounds)}." if bounds else ""


def meaning(name: str) -> str:
    """What the setting is and what is allowed, in a line."""
    section, _, field = name.partition(".")
    words = AUGMENTATIONS[field].summary.rstrip(".") if section == "augment" else FIELDS[name].description or ""
    return f"{words}. {_allowed(name)}".strip()


def _shorten(text: object) -> str:
    shown = str(text)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def parse_value(name: str, text: str) -> Any:
    """The value that `text` gives the setting `name`.

    Raises:
        ConfigError: for an unknown name or a value that is not allowed, with what is.
    """
    lookup(FIELDS, name, "setting", name)
    text = text.strip()
    if len(text) > MAX_LINK_VALUE:
        raise ConfigError(name, f"{name} is {len(text):,} characters long; at most {MAX_LINK_VALUE:,} are allowed.")
    value: Any = text
    if is_optional(name) and text.lower() in (_unset(name), ""):
        value = None
    elif is_list(name):
        value = tuple(part for part in text.split(",") if part.strip())
    try:
        return _ADAPTERS[name].validate_python(value)
    except ValidationError:
        raise ConfigError(name, f"{name} cannot be {_shorten(text)!r}.", _allowed(name)) from None


def _replace(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    nested = config.model_dump()
    for name, value in values.items():
        section, field = name.split(".", 1)
        nested[section][field] = value
    return TrainConfig.model_validate(nested)


def replace(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """`config` with the dotted settings `values`, checked.

    Raises:
        ConfigError: for an unknown name, an impossible value or an impossible combination.
    """
    for name, value in values.items():
        lookup(FIELDS, name, "setting", name)
        try:
            _ADAPTERS[name].validate_python(value)
        except ValidationError:
            raise ConfigError(name, f"{name} cannot be {_shorten(value)!r}.", _allowed(name)) from None
    changed = _replace(config, values)
    check(changed)
    return changed


def with_settings(config: TrainConfig, settings: Iterable[tuple[str, str]]) -> TrainConfig:
    """`config` with settings given as text, the way `--set NAME=VALUE` does it; the first problem is raised.

    Raises:
        ConfigError: for an unknown name, a value that is not allowed or an impossible combination.
    """
    return replace(config, {name: parse_value(name, text) for name, text in settings})


def read_settings(
    config: TrainConfig, settings: Iterable[tuple[str, str]]
) -> tuple[TrainConfig, tuple[ConfigError, ...]]:
    """`config` with as many of the settings as are possible, and why the others are not.

    This is how a link is read: what cannot be taken is named, the rest is kept.
    """
    problems: list[ConfigError] = []
    values: dict[str, Any] = {}
    for name, text in settings:
        try:
            values[name] = parse_value(name, text)
        except ConfigError as error:
            problems.append(error)
    while True:
        try:
            return replace(config, values), tuple(problems)
        except ConfigError as error:
            problems.append(error)
            # Drop what the check blames; if that was not in the link, the newest setting is the one that clashes.
            values.pop(error.field if error.field in values else next(reversed(values)))
        if not values:
            return config, tuple(problems)


def preset(key: str) -> TrainConfig:
    """The configuration of a preset.

    Raises:
        ConfigError: if there is no such preset.
    """
    return replace(TrainConfig(), lookup(PRESETS, key, "preset").settings)


def nearest_preset(config: TrainConfig) -> str:
    """The preset that `config` differs from in the fewest settings."""
    return min(PRESETS, key=lambda key: len(differences(config, preset(key))))


def command(config: TrainConfig, key: str) -> str:
    """The training that `config` describes on the command line, told as a preset and what differs from it."""
    settings = differences(config, preset(key)).items()
    return " ".join(
        [f"python -m cnncore train --preset {key}", *(f"--set {name}={shlex.quote(value)}" for name, value in settings)]
    )


def from_json(text: str) -> TrainConfig:
    """The configuration in a JSON text, nested or flat (dotted names).

    Raises:
        ConfigError: naming the first setting that is wrong.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError("config", f"The configuration is not JSON: {error}.") from None
    except RecursionError:
        raise ConfigError("config", "The configuration is nested too deeply.") from None
    if not isinstance(data, dict):
        raise ConfigError("config", "The configuration must be a JSON object.")
    flat: dict[str, Any] = {}
    for key, value in typing.cast("dict[str, Any]", data).items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": item for name, item in typing.cast("dict[str, Any]", value).items()}
        else:
            flat[key] = value
    return replace(TrainConfig(), {name: tuple(v) if isinstance(v, list) else v for name, v in flat.items()})  # pyright: ignore[reportUnknownArgumentType]
