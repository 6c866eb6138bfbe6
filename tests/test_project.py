"""Promises of the project as a whole: imports run one way, documents run, every source id resolves."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from patience import HANGS_S

ROOT = Path(__file__).parents[1]
FLOORS = ("simulation", "agents", "scenarios", "analysis")
FACT_ID = r"(?<![\w.\[\"'-])(?:[VMPG]\d{1,2}|C(?:1|6|7|10|14)|S(?:1|8|11))(?![\w\]])"
SOURCE_ID = FACT_ID + r"|(?:CASE|SEC|MOD|OP)-[A-Z]{3,}"
TRAINING_MAY_IMPORT = {"torch", "numpy", "simulation", *sys.stdlib_module_names}


def imports_of(file: Path) -> set[str]:
    """Full names of the modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("floor", FLOORS)
def test_an_import_never_points_upward(floor: str) -> None:
    above = FLOORS[FLOORS.index(floor) + 1 :]
    files = list((ROOT / floor).rglob("*.py"))
    assert files
    for file in files:
        upward = {name for name in imports_of(file) if name.split(".")[0] in above}
        assert not upward, f"{file.relative_to(ROOT)} imports {upward}"


def test_training_needs_torch_and_numpy_alone() -> None:
    for file in (ROOT / "simulation" / "training").rglob("*.py"):
        names = imports_of(file)
        may = TRAINING_MAY_IMPORT | ({"sklearn"} if file.name == "real.py" else set())  # where the real data sets are
        assert {name.split(".")[0] for name in names} <= may, file
        assert "\nfrom sklearn" not in file.read_text(encoding="utf-8")  # only when such a task is asked for
        inside = {name for name in names if name.startswith("simulation")}
        assert all(name.startswith("simulation.training") for name in inside), file


def documents() -> list[Path]:
    return [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks() -> list[tuple[str, str]]:
    """(document and number, code) of every Python block."""
    found = []
    for document in documents():
        for number, code in enumerate(re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.S)):
            found.append((f"{document.name}-{number}", code))
    return found


@pytest.mark.parametrize("code", [pytest.param(code, id=name) for name, code in blocks()])
def test_every_python_block_of_the_documents_runs(code: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=HANGS_S)
    assert done.returncode == 0, done.stderr


def test_both_readmes_show_python() -> None:
    names = {name.split("-")[0] for name, _ in blocks()}
    assert {"README.md", "README.zh.md"} <= names


def test_every_source_id_resolves() -> None:
    """Ids of facts (C10, V16 …) in code and scenarios stand in the table of sources."""
    table = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    known = set(
        re.findall(r"\b(?:[CVMPGSA]\d{1,2}|(?:CASE|SEC|MOD|CH|OP|TEAM|OPS|SOC|HIST|RISK)(?:-[A-Z]+)*)\b", table)
    )
    used: dict[str, str] = {}
    for folder in FLOORS:
        for file in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.yaml")]:
            text = file.read_text(encoding="utf-8")
            used |= {name: str(file.relative_to(ROOT)) for name in re.findall(SOURCE_ID, text)}
    assert len(used) > 20
    unknown = {name: file for name, file in used.items() if name not in known}
    assert not unknown
