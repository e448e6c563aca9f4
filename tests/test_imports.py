"""What loads what: the web server's modules bring no torch, and the pages import only what they may."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cnncore.places import PROJECT_ROOT

LIGHT = (
    "cnncore",
    "cnncore.config",
    "cnncore.catalog",
    "cnncore.answers",
    "cnncore.ask",
    "cnncore.runs.store",
    "cnncore.runs.runner",
    "cnncore.runs.artifacts",
    "cnncore.service",
)
HEAVY = ("torch", "torchvision", "timm", "streamlit", "plotly", "mlxtend")

REPORT = """
import importlib, json, sys
found = {}
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
    found[name] = [heavy for heavy in json.loads(sys.argv[2]) if heavy in sys.modules]
print(json.dumps(found))
"""

FOR_PAGES = frozenset({"streamlit", "pages", "cnncore", "numpy", "pandas", "PIL", "pydantic"})
SOURCES = sorted([PROJECT_ROOT / "app.py", *(PROJECT_ROOT / "pages").rglob("*.py")])


def loaded_by(*modules: str) -> dict[str, list[str]]:
    """Which heavy packages are loaded after each of the modules was imported, in this order, in a new process."""
    command = (sys.executable, "-c", REPORT, json.dumps(modules), json.dumps(HEAVY))
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def torch_free() -> tuple[str, ...]:
    """The modules that a contract in pyproject.toml keeps free of torch."""
    linter = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contract = next(each for each in linter["contracts"] if each["name"].startswith("the web server"))
    return tuple(contract["source_modules"])


def imported(source: str) -> set[str]:
    """The modules a source imports anywhere, functions included; what only a type checker sees counts too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            # `from cnncore import ask` imports a module, `from cnncore.ask import ask` a name of one.
            names = {f"cnncore.{alias.name}" for alias in node.names} if node.module == "cnncore" else {node.module}
            found |= {name for name in names if name}
    return found


def test_light_modules_load_nothing_heavy() -> None:
    assert loaded_by(*LIGHT) == {name: [] for name in LIGHT}


def test_figures_load_plotly_but_no_torch() -> None:
    assert set(loaded_by("cnncore.figures")["cnncore.figures"]) <= {"plotly"}


def test_training_does_not_wait_for_the_compiler(tmp_path: Path) -> None:
    """torch's compiler takes more than a second to import, at the start of every run, and torch is quick to do it."""
    settings = {"data.train_images": 100, "training.epochs": 1, "training.device": "cpu"}
    loaded = "print('torch' in sys.modules, 'torch._dynamo' in sys.modules)"
    code = f"import sys, cnncore; cnncore.train(settings={settings}); {loaded}"
    environment = {**os.environ, "CNNLAB_ARTIFACTS": str(tmp_path)}
    command = (sys.executable, "-c", code)
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split()[-2:] == ["True", "False"], done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_pages_import_only_what_they_may(path: Path) -> None:
    allowed = torch_free()
    for name in imported(path.read_text()):
        package = name.partition(".")[0]
        assert package in FOR_PAGES or package in sys.stdlib_module_names, name
        assert package != "cnncore" or name.startswith(allowed) or name == "cnncore.LabError", name


def test_the_app_holds_no_logic() -> None:
    """app.py sets the page up and hands over; it defines nothing and imports nothing of the library."""
    source = (PROJECT_ROOT / "app.py").read_text()
    assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert not {name for name in imported(source) if name.startswith("cnncore")}


def test_forbidden_imports_are_seen() -> None:
    source = "def draw():\n    from cnncore.training import api\n    from cnncore import models\n    import torch.nn\n"
    assert imported(source) == {"cnncore.training", "cnncore.models", "torch.nn"}
