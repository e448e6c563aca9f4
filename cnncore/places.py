"""Where files live: read once from the environment by the programs, passed on as arguments to everything else."""

from __future__ import annotations

import os
from pathlib import Path

from cnncore.errors import ConfigError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DEBIAN_DATASETS = Path("/usr/share/datasets")
"""Where Debian's packages put data sets, for example `fashion-mnist`."""
MAX_SLOTS = 64
"""Most runs that may be on at once."""


def data_dir() -> Path:
    """Folder of the data sets, read first and downloaded into: `CNNLAB_DATA`, else `data/` of the project."""
    return Path(os.environ.get("CNNLAB_DATA") or PROJECT_ROOT / "data").expanduser().resolve()


def torch_cache() -> Path:
    """Folder that torch.hub downloads weights into."""
    home = os.environ.get("TORCH_HOME")
    return (Path(home).expanduser() if home else _user_cache() / "torch") / "hub" / "checkpoints"


def hub_cache() -> Path:
    """Folder of Hugging Face's cache."""
    named = os.environ.get("HF_HUB_CACHE")
    home = os.environ.get("HF_HOME")
    return (
        Path(named).expanduser()
        if named
        else (Path(home).expanduser() if home else _user_cache() / "huggingface") / "hub"
    )


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()


def artifacts_dir() -> Path:
    """Folder with one folder a run: `CNNLAB_ARTIFACTS`, else `runs/` of the project."""
    return Path(os.environ.get("CNNLAB_ARTIFACTS") or PROJECT_ROOT / "runs").expanduser().resolve()


def environment() -> dict[str, str]:
    """This process's environment with the folders spelled out, for programs that start in another directory."""
    named = {"CNNLAB_DATA": data_dir(), "CNNLAB_ARTIFACTS": artifacts_dir()}
    return {**os.environ, **{name: str(folder) for name, folder in named.items() if os.environ.get(name)}}


def database_url() -> str:
    """SQLAlchemy address of the run store: `CNNLAB_DATABASE_URL`, else SQLite beside the runs."""
    return os.environ.get("CNNLAB_DATABASE_URL") or f"sqlite:///{artifacts_dir() / 'lab.db'}"


def slots() -> int:
    """How many runs may be on at once on this machine: `CNNLAB_SLOTS`, else 1.

    Raises:
        ConfigError: if it is no whole number from 1 to MAX_SLOTS.
    """
    text = os.environ.get("CNNLAB_SLOTS") or "1"
    if text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_SLOTS:
        return int(text)
    raise ConfigError(
        "CNNLAB_SLOTS",
        f"No waiting run can start: the environment variable CNNLAB_SLOTS is {text[:20]!r}.",
        f"Set it to a whole number from 1 to {MAX_SLOTS}, or leave it out, and start the lab again.",
    )
