"""The form as a link: `preset=KEY` and what differs from it, by the same dotted names as `--set`. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from cnncore.catalog import DEFAULT_PRESET
from cnncore.config import TrainConfig, differences, preset, read_settings
from cnncore.errors import ConfigError, LabError

NOT_SETTINGS = ("preset", "run", "from")
"""Names in the page's address that are not settings of the configuration."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a link says: the preset it starts from, the configuration, and what could not be taken."""

    preset: str
    config: TrainConfig
    problems: tuple[LabError, ...] = ()


def read_link(params: Mapping[str, str]) -> Link:
    """The configuration in an address; whatever cannot be taken is left out and named in `problems`."""
    problems: list[LabError] = []
    key = params.get("preset", DEFAULT_PRESET)
    try:
        base = preset(key)
    except ConfigError as error:
        problems.append(error)
        key, base = DEFAULT_PRESET, preset(DEFAULT_PRESET)
    config, refused = read_settings(base, settings_in(params))
    return Link(preset=key, config=config, problems=(*problems, *refused))


def settings_in(params: Mapping[str, str]) -> list[tuple[str, str]]:
    """The settings among an address's query parameters."""
    return [(name, text) for name, text in params.items() if name not in NOT_SETTINGS]


def link_params(config: TrainConfig, key: str) -> dict[str, str]:
    """The query parameters of `config`, told as a preset and what differs from it; `read_link` reads them."""
    return {"preset": key, **differences(config, preset(key))}


def address(base: str, params: Mapping[str, str]) -> str:
    """A page's address with query parameters."""
    return f"{base.partition('?')[0]}?{urlencode(params)}"
