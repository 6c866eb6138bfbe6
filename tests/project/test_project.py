"""Promises of the project as a whole: imports run one way, documents run, every name resolves."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Container, Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tests.support.paths import ROOT
from tests.support.patience import HANGS_S

FLOORS = ("simulation", "agents", "scenarios", "analysis")
FACT_ID = r"(?<![\w.\[\"'-])(?:[VMPG]\d{1,2}|C(?:1|6|7|10|14)|S(?:1|8|11))(?![\w\]])"
SOURCE_ID = FACT_ID + r"|(?:CASE|SEC|MOD|OP)-[A-Z]{3,}"
A_FILE = re.compile(r"(?<![\w/.<{-])((?:[\w-]+/)*[\w-]+\.py)\b")
A_FOLDER = re.compile(r"(?<![\w./-])((?:simulation|agents|scenarios|analysis|tests|docs|benchmarks)/[\w./-]*\w)")
A_MODULE = re.compile(r"(?<![\w./-])((?:simulation|agents|scenarios|analysis)(?:\.[A-Za-z_]\w*)+)")
A_SETUP = re.compile(r"(?<![\w./-])((?:markets|cases|policies)/[\w-]+)(?![\w./])")
MADE_UP = {
    "FILE.py",
    "rule.py",
    "script.py",
    "scenarios.md",
    "policies/NAME",
    "policies/strict",
    "cases/x",
    "cases/fake",
}  # in tests and examples
TERMINAL = {"Console", "Progress", "Status", "Live", "Spinner", "track"}
TRAINING_MAY_IMPORT = {"torch", "numpy", "safetensors", "simulation", *sys.stdlib_module_names}


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


AN_AGENT = ("agents.startup.", "agents.incumbent.")  # one agent in several files: there methods may need each other


def neighbours_of(file: Path, modules: Container[str]) -> set[str]:
    """Modules of the project that a file imports anywhere: at the top, within functions, for types alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name in modules}


def import_graph() -> dict[str, set[str]]:
    """Module → the modules of the project that it imports; a package's `__init__.py` is left out: it knows its own."""
    files = [file for floor in FLOORS for file in (ROOT / floor).rglob("*.py") if file.name != "__init__.py"]
    modules = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in files}
    return {name: neighbours_of(file, modules) - {name} for name, file in modules.items()}


def circles(graph: Mapping[str, Set[str]]) -> list[list[str]]:
    """Groups of modules that reach each other by imports."""
    numbers = {name: i for i, name in enumerate(sorted(graph))}
    edges = [(numbers[one], numbers[other]) for one, others in graph.items() for other in others]
    rows, columns = zip(*edges, strict=True)
    matrix = coo_array((np.ones(len(edges)), (rows, columns)), shape=(len(graph), len(graph)))
    _, groups = connected_components(matrix, directed=True, connection="strong")
    members: dict[int, list[str]] = {}
    for name, i in numbers.items():
        members.setdefault(groups[i], []).append(name)
    return [group for group in members.values() if len(group) > 1]


def test_imports_run_in_no_circle() -> None:
    graph = import_graph()
    assert len(graph) > 150
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    for group in circles(graph):
        assert any(all(name.startswith(agent) for name in group) for agent in AN_AGENT), group


def test_each_folder_says_its_question() -> None:
    for folder in {file.parent for floor in FLOORS for file in (ROOT / floor).rglob("*.py")}:
        text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
        assert text.splitlines()[:1], f"{folder.relative_to(ROOT)}/__init__.py does not say what the folder is for"


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


def different_blocks() -> dict[str, str]:
    """Code of every Python block by where it stands; what documents show alike, but for comments, is one."""
    places: dict[str, list[str]] = {}
    for place, code in blocks():
        places.setdefault(ast.unparse(ast.parse(code)), []).append(place)
    return {"+".join(found): code for code, found in places.items()}


def runnable_blocks() -> list[Any]:
    """The blocks to run; those of README without being asked twice."""
    of_documents = different_blocks().items()
    return [
        pytest.param(code, id=name, marks=() if "README" in name else pytest.mark.slow) for name, code in of_documents
    ]


@pytest.mark.parametrize("code", runnable_blocks())
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


# -- names of files, modules and setups --------------------------------------------------------------------------------


def pages() -> list[Path]:
    return [*documents(), ROOT / "benchmarks" / "README.md"]


def texts() -> list[Path]:
    """Documents, code and shipped scenarios: wherever a file may be named."""
    code = [file for folder in FLOORS for kind in ("py", "yaml") for file in (ROOT / folder).rglob(f"*.{kind}")]
    return [*pages(), *code]


def named_in(file: Path, pattern: re.Pattern[str]) -> set[str]:
    return set(pattern.findall(file.read_text(encoding="utf-8"))) - MADE_UP


def test_every_file_that_is_named_exists() -> None:
    """A path from the top of the repository, or the end of one (`trainer.py`, `tasks/base.py`)."""
    there = [
        "/" + path.relative_to(ROOT).as_posix()
        for folder in (*FLOORS, "tests", "docs", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
    ]
    missing = {
        (file.relative_to(ROOT).as_posix(), name)
        for file in texts()
        for name in named_in(file, A_FILE)
        if not any(path.endswith("/" + name) for path in there)
    }
    assert not missing


def test_every_path_that_is_named_exists() -> None:
    def exists(name: str) -> bool:
        return (ROOT / name).exists() or (ROOT / f"{name}.py").exists()

    named = {(file.relative_to(ROOT).as_posix(), name) for file in texts() for name in named_in(file, A_FOLDER)}
    assert len(named) > 100 and not {one for one in named if not exists(one[1])}


def resolves(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name that stands in one."""
    parts = dotted.split(".")
    for n in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:n])
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if file.is_file():
            return n == len(parts) or bool(re.search(rf"\b{parts[n]}\b", file.read_text(encoding="utf-8")))
    return False


def test_every_module_that_is_named_exists() -> None:
    named = {(file.relative_to(ROOT).as_posix(), name) for file in texts() for name in named_in(file, A_MODULE)}
    assert len(named) > 100 and not {one for one in named if not resolves(one[1])}


def test_every_setup_that_is_named_is_shipped() -> None:
    shipped = {
        path.relative_to(ROOT / "scenarios" / "library").with_suffix("").as_posix()
        for path in (ROOT / "scenarios" / "library").rglob("*.yaml")
    }
    named = {(page.name, name) for page in pages() for name in named_in(page, A_SETUP)}
    assert len(named) > 5 and not {one for one in named if one[1] not in shipped}


def test_every_link_leads_somewhere() -> None:
    for page in pages():
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_module_with_rules_stands_in_the_model_description() -> None:
    """So that rules that move to another file, or a new one, do not leave the description behind."""
    told = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    modules = [*(ROOT / "agents").rglob("*.py"), *(ROOT / "simulation").glob("*.py")]
    names = {path.relative_to(ROOT).as_posix() for path in modules if path.name != "__init__.py"}
    assert {name for name in names if name not in told} == PLUMBING


PLUMBING = {  # parts without a rule of their own
    "agents/actor.py", "agents/averages.py", "agents/rules.py", "agents/settings.py", "agents/firm/owner.py",
    "agents/firm/orders.py",
}  # fmt: skip


def test_nothing_beside_the_terminal_package_makes_a_console_or_a_bar() -> None:
    for file in (ROOT / "analysis").rglob("*.py"):
        if file.parent.name != "terminal":
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("rich"):
                    assert not TERMINAL & {alias.name for alias in node.names}, file


TEST_FOLDERS = {"support", "world", "project"}  # shared, of whole worlds, and of the project itself; others mirror it


def test_tests_mirror_the_packages_and_know_no_other_tests() -> None:
    tests = [file.relative_to(ROOT / "tests") for file in (ROOT / "tests").rglob("*.py")]
    assert len(tests) > 100
    for file in tests:
        folder = file.parent
        assert (folder.parts[:1] and folder.parts[0] in TEST_FOLDERS) or (ROOT / folder).is_dir(), file
        assert (ROOT / "tests" / folder / "__init__.py").exists(), f"{folder}: names of tests may meet"
        others = {name for name in imports_of(ROOT / "tests" / file) if name.startswith("tests.")}
        assert all(name.startswith("tests.support") for name in others), f"{file} imports {others}"


def test_no_test_has_a_limit_of_time_of_its_own() -> None:
    """A busy machine must not fail a test: the one limit, of `tests/support/patience.py`, only ends what hangs."""
    own = re.compile(r"\b(?:timeout|timeout_s|deadline|budget_s)\s*=\s*\d|\.(?:wait|join|result)\(\d")
    for file in sorted((ROOT / "tests").rglob("*.py")):
        assert not own.findall(file.read_text(encoding="utf-8")), file
