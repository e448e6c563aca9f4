"""The import contracts of pyproject.toml hold, and each of them breaks when somebody breaks the rule it stands for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cnncore.places import PROJECT_ROOT

LINTER = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["name"]: contract for contract in LINTER["contracts"]}

DOWNWARDS = "cnncore imports only downwards"
NO_TORCH = "the web server never loads torch, however indirectly"
LIGHT_PACKAGE = "importing cnncore itself loads no torch"
NO_STREAMLIT = "cnncore never sees Streamlit or the pages"
NO_PLOTLY_IN_PAGES = "pages draw through cnncore.figures"
ONLY_FIGURES = "only figures know plotly"

PLANTED = [
    (DOWNWARDS, "cnncore/config/sections.py", "import cnncore.training.state"),
    (DOWNWARDS, "cnncore/models/planted.py", "from cnncore.data import images"),
    (DOWNWARDS, "cnncore/ask.py", "from cnncore.runs import store"),
    (DOWNWARDS, "cnncore/newcomer.py", ""),
    (NO_TORCH, "pages/planted.py", "import torch"),
    (NO_TORCH, "pages/planted.py", "def draw():\n    from cnncore.service import Service"),
    (NO_TORCH, "pages/planted.py", "from cnncore import questions"),
    (NO_TORCH, "cnncore/answers.py", "def late():\n    import torchvision"),
    (NO_TORCH, "cnncore/figures/planted.py", "import timm"),
    (LIGHT_PACKAGE, "cnncore/__init__.py", "from cnncore.training.api import train"),
    (NO_STREAMLIT, "cnncore/training/planted.py", "import streamlit as st"),
    (NO_STREAMLIT, "cnncore/runs/planted.py", "import pages"),
    (NO_PLOTLY_IN_PAGES, "pages/components/planted.py", "import plotly.graph_objects as go"),
    (ONLY_FIGURES, "cnncore/questions/runs.py", "import plotly"),
    (ONLY_FIGURES, "cnncore/runs/planted.py", "from plotly import io"),
    (NO_TORCH, "cnncore/reports/planted.py", "import torch"),
    (NO_TORCH, "cnncore/transfer/costs.py", "from cnncore.transfer import network"),
]


def broken(root: Path) -> set[str]:
    """Names of the contracts that the tree below `root` breaks."""
    command = (str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    verdicts = dict(re.findall(r"^(.+) (KEPT|BROKEN)$", done.stdout, re.MULTILINE))
    assert verdicts.keys() == CONTRACTS.keys(), done.stdout + done.stderr
    return {name for name, verdict in verdicts.items() if verdict == "BROKEN"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources that may be spoiled."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copy(PROJECT_ROOT / "pyproject.toml", root)
    for name in ("cnncore", "pages"):
        for file in (PROJECT_ROOT / name).rglob("*.py"):
            target = root / file.relative_to(PROJECT_ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    return root


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    assert broken(tree) == set()


@pytest.mark.parametrize(("contract", "file", "line"), PLANTED)
def test_a_planted_violation_breaks_the_contract(tree: Path, contract: str, file: str, line: str) -> None:
    path = tree / file
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        assert contract in broken(tree)
    finally:
        path.unlink() if before is None else path.write_text(before)


def test_every_contract_has_a_planted_violation() -> None:
    assert {contract for contract, _, _ in PLANTED} == CONTRACTS.keys()


def test_the_torch_free_zone_is_everything_up_to_the_reports() -> None:
    """Somebody who adds a module to a low layer must add it to the contract that keeps torch out as well.

    Of the layers above, pages read one module.
    """
    layers = CONTRACTS[DOWNWARDS]["layers"]
    low = {f"cnncore.{name.strip()}" for layer in layers[layers.index("reports") :] for name in layer.split("|")}
    assert {"pages", *low, "cnncore.transfer.costs"} == set(CONTRACTS[NO_TORCH]["source_modules"])


def test_all_but_the_figures_are_kept_from_plotly() -> None:
    layers = CONTRACTS[DOWNWARDS]["layers"]
    library = {f"cnncore.{name.strip()}" for layer in layers[layers.index("questions") :] for name in layer.split("|")}
    assert library - set(CONTRACTS[ONLY_FIGURES]["source_modules"]) == {"cnncore.figures"}
