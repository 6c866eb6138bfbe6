"""Rules that were replaced at run time: whatever keeps results, or loads the files anew, refuses them in one line."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import importlib.util
import os
import pkgutil
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agents.averages
import agents.firm.firm
import agents.startup.fundraising
import agents.startup.startup
from agents.firm.firm import Firm
from agents.startup.startup import Startup
from analysis import run
from analysis.calibration.run import calibrate
from analysis.cases.setups import arms_of_case
from analysis.cli.main import run_command
from analysis.counterfactual.replay import Subject, replay_context
from analysis.engine.loaded_rules import PACKAGES, first_replaced, loaded_modules, refuse_replaced_rules, replaced_in
from analysis.errors import AnalysisError, BrokenRun
from analysis.play import workers
from analysis.play.experiment import play
from analysis.play.options import PlayOptions
from analysis.runs.run import Run
from analysis.training.again import train_again
from analysis.training.grids import train_plans
from simulation.randomness import Streams
from tests.support.analysis_fakes import ENGINE, FakeScenario
from tests.support.settings_worlds import LIVELY
from tests.support.world_fakes import play as play_world
from tests.support.world_fakes import scenario_of, world_of

SMALL: dict[str, Any] = {"years": 1}
REFUSED = r"^Startup\.pivot_if_stuck in module agents\.startup\.startup is not what its source file says: .* anew$"


def mine(*_: Any, **__: Any) -> float:
    """A researcher's own rule."""
    return 0.0


class MyStartup(Startup):
    """A researcher's own kind of startup."""


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Startup, "pivot_if_stuck", mine)


def import_all() -> None:
    for package in (importlib.import_module(name.rstrip(".")) for name in PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


# -- what is noticed --------------------------------------------------------------------------------------------------


def wrapped_by_mine(real: Callable[..., Any]) -> Callable[..., Any]:
    return functools.wraps(real)(mine)


from_a_notebook: dict[str, Any] = {"__name__": "__main__"}
exec(compile("def rule(self): pass", "<ipython-input-1>", "exec"), from_a_notebook)

REPLACEMENTS: list[tuple[Any, str, Any, str]] = [
    (Startup, "pivot_if_stuck", mine, "Startup.pivot_if_stuck"),
    (Startup, "pivot_if_stuck", lambda self: None, "Startup.pivot_if_stuck"),
    (Startup, "pivot_if_stuck", from_a_notebook["rule"], "Startup.pivot_if_stuck"),
    (Startup, "pivot_if_stuck", Startup.note_profit, "Startup.pivot_if_stuck"),
    (Startup, "pivot_if_stuck", wrapped_by_mine(Startup.pivot_if_stuck), "Startup.pivot_if_stuck"),
    (Startup, "pivot_if_stuck", functools.partial(Startup.pivot_if_stuck), "Startup.pivot_if_stuck"),
    (Startup, "pivot_if_stuck", mock.MagicMock(), "Startup.pivot_if_stuck"),
    (Startup, "advertise", mine, "Startup.advertise"),  # it inherits that
    (Startup, "advertise", Startup.note_profit, "Startup.advertise"),
    (Firm, "suspended", property(mine), "Firm.suspended"),
    (Startup, "kind", "incumbent", "Startup.kind"),
    (agents.averages, "average", mine, "average"),
    (agents.firm.firm, "average", mine, "average"),  # imported there
    (agents.startup.startup, "Startup", MyStartup, "Startup"),
    (agents.startup.startup, "TARGET_MARGIN", 0.2, "TARGET_MARGIN"),
    (agents.startup.startup, "TARGET_MARGIN", [0.2], "TARGET_MARGIN"),
    (agents.startup.startup, "SHORT_RUNWAY_MONTHS", 7, "SHORT_RUNWAY_MONTHS"),
]


@pytest.mark.parametrize(("owner", "name", "value", "told"), REPLACEMENTS)
def test_what_replaces_a_rule_is_noticed(
    owner: Any, name: str, value: Any, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, name, value, raising=False)
    with pytest.raises(AnalysisError, match=rf"^{told} in module agents\.[a-z.]+ is not what its .* says") as refused:
        refuse_replaced_rules()
    assert "\n" not in str(refused.value)
    monkeypatch.undo()
    refuse_replaced_rules()


def places() -> Iterator[tuple[types.ModuleType, Any, str, Any]]:
    """(module, it or one of its classes, name, value there) of all that is loaded."""
    for module in loaded_modules():
        owners = [module, *(one for one in vars(module).values() if isinstance(one, type))]
        for owner in owners:
            made = getattr(owner, "SAYS_A_PART", False)  # from other settings, by no statement of the module
            if owner is module or (owner.__module__ == module.__name__ and not made):
                yield from ((module, owner, name, value) for name, value in list(vars(owner).items()))


def is_replaceable(owner: Any, value: Any) -> bool:
    made = getattr(getattr(value, "__code__", None), "co_filename", "").startswith("<")
    return isinstance(value, types.FunctionType | property | classmethod | staticmethod) and not made


def test_every_function_of_every_module_is_watched() -> None:
    import_all()
    n_watched, unwatched = 0, []
    for module, owner, name, value in places():
        if not is_replaceable(owner, value):
            continue
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, property(mine) if isinstance(value, property) else mine)
            found = list(replaced_in(module))
        n_watched += 1
        if found != [name if owner is module else f"{owner.__qualname__}.{name}"]:
            unwatched.append((module.__name__, owner, name, found))
    assert n_watched > 2000 and unwatched == []


def literals_of(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    """(name, value) of the assignments of a number, a text or a tuple of such in a module's file."""
    for line in ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
        if not isinstance(line, ast.Assign | ast.AnnAssign) or line.value is None:
            continue
        with contextlib.suppress(ValueError):  # it is computed
            value = ast.literal_eval(line.value)
            names = targets[0].elts if isinstance(targets[0], ast.Tuple) else targets
            values = value if isinstance(targets[0], ast.Tuple) else [value]
            yield from ((name.id, one) for name, one in zip(names, values, strict=True) if isinstance(name, ast.Name))


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case str():
            return f"not {value}"
        case tuple():
            return (*value, 1)
        case _:
            return value / 2 if value else 1


def test_every_literal_of_every_module_is_watched() -> None:
    import_all()
    n_watched, unwatched = 0, []
    for module in loaded_modules():
        for name, value in literals_of(module):
            if not isinstance(value, bool | int | float | str | tuple):
                continue
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(module, name, changed(value))
                unwatched += [] if list(replaced_in(module)) == [name] else [f"{module.__name__}.{name}"]
            n_watched += 1
    assert n_watched > 200 and unwatched == []


def module_of(file: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The file as a loaded module of the package `agents`."""
    spec = importlib.util.spec_from_file_location("agents.tried", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "agents.tried", module)
    spec.loader.exec_module(module)
    return module


def test_a_file_that_was_edited_after_it_was_loaded_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tried.py"
    file.write_text("LIMIT = 3\n\n\ndef rule(x):\n    return x + LIMIT\n")
    module_of(file, monkeypatch)
    assert first_replaced() is None
    os.utime(file, (1, 1))
    assert first_replaced() is None, "its date alone says nothing"
    file.write_text("LIMIT = 3\n\n\ndef rule(x):\n    return x - LIMIT\n")
    assert first_replaced() == ("agents.tried", "rule")
    file.write_text("LIMIT = 4\n\n\ndef rule(x):\n    return x + LIMIT\n")
    assert first_replaced() == ("agents.tried", "LIMIT")
    module_of(file, monkeypatch)
    assert first_replaced() is None, "it was loaded anew"
    file.unlink()
    assert first_replaced() is None, "there is nothing to compare with"


# -- no false alarm ---------------------------------------------------------------------------------------------------


def test_what_is_loaded_by_playing_is_as_its_files_say() -> None:
    import_all()
    play_world(world_of({**LIVELY, "years": 1}, 1))
    assert first_replaced() is None


@given(value=st.floats(0, 1))
@settings(max_examples=5)
def test_a_property_test_replaces_nothing(value: float) -> None:
    assert Streams(1).uniform("purpose", "iris", int(value * 10)) >= 0
    assert first_replaced() is None


def test_tracers_and_replaced_clocks_raise_no_alarm() -> None:
    """Coverage tools and debuggers trace; tests of others replace functions of libraries."""
    before = sys.gettrace()
    with contextlib.ExitStack() as stack:
        stack.callback(sys.settrace, before)
        sys.settrace(lambda frame, event, arg: None)
        for target in ("time.perf_counter", "time.sleep", "datetime.date", "numpy.exp", "math.exp", "random.random"):
            stack.enter_context(mock.patch(target, lambda *_: 0.0))
        found = first_replaced()
    assert found is None


# -- who refuses ------------------------------------------------------------------------------------------------------


def by_run(folder: Path, jobs: int) -> None:
    run(scenario_of(SMALL), replications=2, jobs=jobs, out=folder / "run", ledger=folder / "l.sqlite")


def by_calibration(folder: Path) -> None:
    calibrate(
        "markets/base", folder / "study.sqlite", 1, PlayOptions(replications=1, jobs=1, ledger=folder / "l.sqlite")
    )


def by_training(folder: Path) -> None:
    train_plans([], PlayOptions(jobs=1, ledger=folder / "l.sqlite"))


REFUSING: dict[str, Callable[[Path], Any]] = {
    "run, one process": functools.partial(by_run, jobs=1),
    "run, two processes": functools.partial(by_run, jobs=2),
    "calibrate": by_calibration,
    "train": by_training,
    "ledger verify": lambda _: train_again([], "cpu"),
}


@pytest.mark.parametrize("name", REFUSING)
def test_whatever_keeps_results_refuses_and_keeps_nothing(name: str, replaced: None, tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=REFUSED):
        REFUSING[name](tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_says_it_in_one_line(
    replaced: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(["run", "markets/base", "-n", "2", "--jobs", "2"]) == 2
    told = capsys.readouterr().err.strip()
    assert told.count("Startup.pivot_if_stuck") == 1 and "Traceback" not in told
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A folder of the small world of the tests, whose engine replaces none of the real rules."""
    return played_by_fakes(tmp_path_factory.mktemp("finished") / "run")


def played_by_fakes(out: Path, replications: int = 2) -> Run:
    setup = FakeScenario()
    options = PlayOptions(out=out, replications=replications, jobs=1, ledger=out.parent / "l.sqlite")
    return play(arms_of_case(setup), options, kind="cases", name=setup.name, engine=ENGINE)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_folder_is_not_gone_on_with(finished: Run, replaced: None) -> None:
    before = contents(finished.folder)
    setup = FakeScenario()
    more = PlayOptions(out=finished.folder, replications=4, jobs=1)
    with pytest.raises(AnalysisError, match=REFUSED):
        play(arms_of_case(setup), more, kind="cases", name=setup.name)
    assert contents(finished.folder) == before


def test_nothing_is_replayed(finished: Run, replaced: None, tmp_path: Path) -> None:
    subject = Subject("cases/fake", "base", 0, "iris")
    with pytest.raises(AnalysisError, match=REFUSED), replay_context(finished, subject, tmp_path / "l.sqlite", "cpu"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_another_engine_is_not_asked_for_the_rules_of_the_real_one(replaced: None, tmp_path: Path) -> None:
    assert played_by_fakes(tmp_path / "run").status == "finished"


# -- worker processes -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_worker_processes_that_find_other_files_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "code_fingerprint", lambda: "as this process began")
    try:
        with pytest.raises(BrokenRun, match="a source file has changed since this run began"):
            list(workers.parallel_map(abs, range(4), 2, "no remedy"))
    finally:
        workers.end_workers()


def test_idle_worker_processes_of_other_files_are_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        before = workers.open_pool(2)
        assert workers.open_pool(2) is before
        monkeypatch.setattr(workers, "code_fingerprint", lambda: "edited")
        assert workers.open_pool(2) is not before
    finally:
        workers.end_workers()
