"""Requests that come as JSON objects: checked against the section that describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from cnncore.config.sections import Section
from cnncore.errors import ConfigError

R = TypeVar("R", bound=Section)


def parse_request(kind: type[R], asked: Mapping[str, Any]) -> R:
    """The request, checked.

    Raises:
        ConfigError: naming the first thing that is wrong.
    """
    try:
        return kind.model_validate(asked)
    except ValidationError as problems:
        first = problems.errors(include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"])[:100]
        shown = repr(first["input"])
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        raise ConfigError(name, f"{name} cannot be {shown}.", f"{first['msg']}.") from None
