"""Where files live: read once from the environment by the programs, passed on as arguments to everything else."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DEBIAN_DATASETS = Path("/usr/share/datasets")
"""Where Debian's packages put data sets, for example `fashion-mnist`."""


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
