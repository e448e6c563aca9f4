"""`make` on a machine that has nothing yet: what is wrong is one sentence, and a second try starts afresh."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cnncore.places import PROJECT_ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone without .venv, as far as make looks at it before anything is installed."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(PROJECT_ROOT / name, tmp_path)
    return tmp_path


def _make_app(clone: Path, python: str) -> subprocess.CompletedProcess[str]:
    # The tests may be run by make, which must not make this one a part of it.
    alone = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ("make", "app", f"PYTHON={python}")
    return subprocess.run(command, cwd=clone, env=alone, capture_output=True, text=True, check=False, timeout=20)


def _with_script(clone: Path, script: str) -> subprocess.CompletedProcess[str]:
    """`make app` with a shell script in the place of Python."""
    python = clone / "python"
    python.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
    python.chmod(0o755)
    return _make_app(clone, str(python))


def test_an_old_python_is_named_with_what_to_do(clone: Path) -> None:
    made = _with_script(clone, '[ "$1" = --version ] && echo Python 3.9.6\n[ "$1" != -c ]')
    assert made.returncode != 0
    assert made.stdout.startswith("CNN Lab needs Python 3.11 or newer, not Python 3.9.6")
    assert "make PYTHON=" in made.stdout
    assert not (clone / ".venv").exists()


def test_a_missing_python_is_named_too(clone: Path) -> None:
    made = _make_app(clone, "no-such-python")
    assert made.returncode != 0
    assert "CNN Lab needs Python 3.11 or newer" in made.stdout


def test_a_half_made_environment_is_made_again(clone: Path) -> None:
    # What Debian's python3 does where python3-venv is not installed: bin/python is there, and no pip.
    half = '[ "$1" = -m ] || exit 0\nmkdir -p .venv/bin && ln -sf /bin/true .venv/bin/python\nexit 1'
    assert _with_script(clone, half).returncode != 0
    again = _with_script(clone, half)
    assert again.returncode != 0, "the second try must not go on with half an environment"
    assert not (clone / ".venv" / "bin" / "python").exists()
