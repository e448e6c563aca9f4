"""What the project promises about itself: sizes of files, and a README that says what the tables say."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from cnncore.catalog import DATASETS, MODELS
from cnncore.places import PROJECT_ROOT

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = sorted(path for folder in ("cnncore", "pages") for path in (PROJECT_ROOT / folder).rglob("*.py"))

BUTTONS = ("st.button", "st.form_submit_button")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_files_stay_readable(path: Path) -> None:
    limit = 120 if path.parent == PROJECT_ROOT / "pages" else 430
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit


def test_no_page_waits_for_a_click_that_may_be_lost() -> None:
    """Buttons have a callback, or are `clicked`; what `st.button` itself says is good for one drawing of the page."""
    lost = []
    for path in SOURCES:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in BUTTONS:
                named = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
                if "on_click" not in named and named.get("disabled") != "True":
                    lost.append(f"{path.relative_to(PROJECT_ROOT)}:{call.lineno}")
    assert lost == []


def test_readme_names_every_network() -> None:
    assert [key for key in MODELS if f"`{key}`" not in README] == []


def test_readme_names_every_data_set() -> None:
    assert all(f"`{key}`" in README for key in DATASETS)


def test_readme_commands_exist() -> None:
    targets = re.findall(r"`?make (\w+)", README)
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"app", "test", "check", "bench", "stress"} <= set(targets)
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in targets)


def test_readme_files_exist() -> None:
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (PROJECT_ROOT / name).is_file(), name


def test_nothing_large_or_foreign_is_tracked() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [PROJECT_ROOT / name for name in listed.stdout.split("\0") if name]
    large = [path.name for path in files if path.is_file() and path.stat().st_size > 1_000_000]
    weights = [path.name for path in files if path.suffix in (".pt", ".pth", ".safetensors", ".npz", ".gz")]
    assert large == []
    assert weights == []
