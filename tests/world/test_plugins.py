"""Users' own modules: rules in place of ours, actors, tasks, outcomes, their settings, and runs that know them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

from agents.rules import RULES
from agents.settings import FirmSettings
from analysis import AnalysisError, compare, run
from analysis.counterfactual.replay import check_same, replay_context
from analysis.explain.facts import Subject
from analysis.play.plugins import load_plugins
from analysis.runs.run import Run
from analysis.runs.tables import WORLD_TABLES
from scenarios import Scenario, ScenarioError, load, load_whatif
from scenarios.build import build_world
from simulation.plugins.loading import GROUP, LOADED, forget_plugins, load_plugin
from simulation.plugins.plugin import PluginError
from simulation.training.data import make_data
from simulation.training.plan import EXTRA_KINDS, EXTRA_TASKS, TrainingPlan
from simulation.training.tasks import TASKS, get_task
from simulation.training.trainer import train_bucket
from tests.support.paths import ROOT
from tests.support.service import FakeService
from tests.support.settings_worlds import DOCUMENT, MODELS, supply_models
from tests.support.world_fakes import merged, scenario_of

EXAMPLES = ROOT / "docs" / "examples" / "plugins"
BASE = "extends: markets/base\ntitle: Speech for a year\nsectors: [speech]\nyears: 1\n"
OPEN = "actors:\n  open-speech: {type: community, sector: speech, segments: [dictation]}\n"
CHIRP = "world: {sectors: {speech: {task: chirp-direction}}}\n"
NEAREST = """firms:
  iris:
    {sector: speech, offers: {dictation: subscription}, capital_usd: 2e6, rows: 5e4, model_kind: nearest-neighbours}
"""
CPU = torch.device("cpu")
RULE = """
from simulation.parameters import parameter
from simulation.plugins import Plugin, PluginSettings, usual

class Own(PluginSettings):
    factor: float = parameter(2.0, "factor on the budget", "ratio", low=0, high=5)

plugin = Plugin("spender", "spends more", Own)

@plugin.rule("startup.budget")
def spend_more(startup):
    return plugin.settings_in(startup.model).factor * usual("startup.budget")(startup)
"""


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    forget_plugins()
    yield
    forget_plugins()


def written(folder: Path, text: str, name: str = "rule.py") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def played(scenario: Scenario, months: int = 6) -> dict[str, object]:
    """Rows of a world with a training service that computes instead of training."""
    world = build_world(scenario, 0, FakeService())
    for _ in range(months):
        supply_models(world, scenario.title)
        world.step()
    return {name: frame.to_csv() for name, frame in world.tables().items()}


def same_tables(one: Run, other: Run) -> bool:
    return all(getattr(one, name).equals(getattr(other, name)) for name in WORLD_TABLES)


# -- examples: one process and two give the same -----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "more"),
    [
        ("cost_plus", ""),
        ("community", OPEN),
        ("chirp_task", CHIRP),
        ("lost_capital", ""),
        ("nearest_neighbours", NEAREST),
    ],
)
def test_an_example_gives_the_same_tables_in_one_process_and_in_two(example: str, more: str, tmp_path: Path) -> None:
    file, plugin = written(tmp_path, BASE + more, "setup.yaml"), str(EXAMPLES / f"{example}.py")
    ledger = tmp_path / "ledger.sqlite"
    one, two = (
        run(file, replications=2, jobs=jobs, ledger=ledger, plugins=[plugin], out=tmp_path / str(jobs))
        for jobs in (1, 2)
    )
    assert same_tables(one, two)
    assert [note.name for note in one.manifest.plugins] == list(LOADED)
    if example == "cost_plus":  # and it is the rule that ran
        forget_plugins()
        usual = run(file, replications=2, jobs=1, ledger=ledger, out=tmp_path / "usual")
        assert not one.firms["price_usd"].equals(usual.firms["price_usd"])
    if example == "community":
        assert {"community"} <= set(one.endings["kind"]) and "open-speech" in set(one.firms["firm"])
    if example == "chirp_task":
        plans = one.training["plan"].str.contains("chirp-direction")
        assert plans.any() and one.training[plans]["trainer_version"].str.contains("+", regex=False).all()
    if example == "nearest_neighbours":
        plans = one.training["plan"].str.contains("nearest-neighbours")
        assert plans.any() and one.training[plans]["trainer_version"].str.contains("+", regex=False).all()


@pytest.mark.slow
def test_an_outcome_of_a_plugin_is_compared(tmp_path: Path) -> None:
    whatif = written(tmp_path, "whatif: true\ntitle: No rounds\nset: {world.capital.retry_months: 24}\n", "no.yaml")
    base = written(tmp_path, BASE, "base.yaml")
    result = compare(
        base, [whatif], replications=2, jobs=1, ledger=":memory:", plugins=[EXAMPLES / "lost_capital.py"],
        out=tmp_path / "out",
    )  # fmt: skip
    lost = next(one for one in result.differences if one.measure.name == "lost_capital_usd")
    ends = result.run.select("endings", result.base, "base")
    gone = ends[(ends["kind"] == "startup") & (ends["ending"] == "bankrupt")]
    assert lost.base == pytest.approx(gone["raised_usd"].sum() / 2)


# -- rules -------------------------------------------------------------------------------------------------------------


def test_a_replaced_rule_runs_and_an_inactive_one_does_not(tmp_path: Path) -> None:
    usual = played(load("markets/base", {"sectors": ["speech"]}))
    load_plugins([written(tmp_path, RULE)])
    file = written(tmp_path, BASE + "plugins: {spender: {factor: 3}}\n", "three.yaml")
    assert played(load(file)) != played(load(file, {"plugins.spender.factor": 1.0}))
    silent = load("markets/base", {"sectors": ["speech"], "plugins.spender": {"active": False}})
    assert played(silent) == usual == played(load("markets/base", {"sectors": ["speech"]}))


def test_every_rule_that_is_declared_is_called_through_the_registry(tmp_path: Path) -> None:
    """Each rule is replaced by one that counts and then does as usual: nothing changes, and those that can run did."""
    lines = ["from simulation.plugins import Plugin, usual", "calls = {}", "plugin = Plugin('counter', 'counts')"]
    for i, (name, rule) in enumerate(RULES.items()):
        arguments = ", ".join(rule.parameters)
        lines += [f"@plugin.rule({name!r})", f"def rule_{i}({arguments}):", f"    calls[{name!r}] = 1"]
        lines += [f"    return usual({name!r})({arguments})"]
    load_plugins([written(tmp_path, "\n".join(lines))])
    switched_on = {
        "sectors": ["speech", "city"],
        "entrants.city.potential_per_year": 6,
        "world.exit.give_up_months": 12,
        "world.exit.living_dead_months": 24,
        "world.exit.line_loss_months": 48,
        "world.exit.budget_response": 0.1,
        "world.exit.cash_target_months": 12,
        "world.technology.inertia": 0.1,
        "world.capital.recapitalisation.months": 12,
        "world.capital.exit_valuation": "expected",
        "world.jurisdictions": {"eu": {"share_of_customers": 0.3}},
    }
    base, counted = load("markets/base", switched_on), load("markets/base", {**switched_on, "plugins.counter": {}})
    assert played(base, 48) == played(counted, 48)
    documents, counted = (scenario_of(base=merged(DOCUMENT, {"plugins": said})) for said in ({}, {"counter": {}}))
    assert played(documents, 36) == played(counted, 36)
    models, counted = (scenario_of(base=merged(MODELS, {"plugins": said})) for said in ({}, {"counter": {}}))
    assert played(models, 24) == played(counted, 24)
    calls = LOADED["counter"].rules["startup.budget"].__globals__["calls"]
    # Only where a startup runs out of money, several incumbents want one, or one is mature or large enough to list.
    rare = {"incumbent.rescue", "incumbent.auction", "startup.expansion", "exchange.valuation"}
    assert set(RULES) - set(calls) <= rare


def test_two_plugins_cannot_replace_one_rule(tmp_path: Path) -> None:
    load_plugins([written(tmp_path, RULE), written(tmp_path, RULE.replace("spender", "saver"), "other.py")])
    with pytest.raises(ScenarioError, match=r"spender and saver both replace the rule startup\.budget"):
        load("markets/base", {"plugins": {"spender": {}, "saver": {}}})
    load("markets/base", {"plugins": {"spender": {}, "saver": {"active": False}}})


def test_a_whatif_can_switch_a_plugin_in_one_arm(tmp_path: Path) -> None:
    load_plugins([written(tmp_path, RULE)])
    base = load("markets/base", {"plugins": {"spender": {}}})
    file = written(tmp_path, "whatif: true\ntitle: Usual\nset: {plugins.spender.active: false}\n", "usual.yaml")
    assert load_whatif(file, base).plugins["spender"]["active"] is False
    assert load_whatif(file, base).fingerprint() != base.fingerprint()


# -- wrong requests ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("plugins: {spendr: {}}", "3: plugins.spendr: did you mean 'spender'? loaded: spender; load it by --plugin"),
        ("plugins: {spender: {factr: 1}}", "3: unknown key 'factr' in plugins.spender; did you mean 'factor'? allowed"),
        ("plugins: {spender: {factor: 9}}", "3: plugins.spender.factor = 9: must be a number between 0 and 5 (ratio)"),
        ("plugins: {spender: 3}", "3: plugins.spender = 3: must be a mapping"),
        ("actors: {a: {type: x}}", "3: actors.a.type = 'x': no plug-in that declares types is loaded"),
        ("actors: {a: {}}", "3: actors.a.type is missing: must be a type that a plug-in declares"),
    ],
)
def test_a_wrong_key_gets_one_line_with_its_place(said: str, told: str, tmp_path: Path) -> None:
    load_plugins([written(tmp_path, RULE)])
    file = written(tmp_path, f"extends: markets/base\ntitle: x\n{said}\n", "wrong.yaml")
    with pytest.raises(ScenarioError) as error:
        load(file)
    assert f"wrong.yaml:{told}" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read: No such file"),
        ("x = 1", "declares no plug-in"),
        ("import nothing_there", r"line 1: ModuleNotFoundError: No module named 'nothing_there'"),
        ("1 +", r"SyntaxError"),
        (RULE.replace('startup.budget")\n', 'startup.budgt")\n'), "no rule 'startup.budgt'; rules: .*entry.number"),
        (
            RULE.replace('startup.budget")\n', 'startup.budgt")\n'),
            "no rule 'startup.budgt'; rules: community.next_foundation",
        ),
        (RULE.replace("def spend_more(startup)", "def spend_more()"), r"must take self"),
        (RULE.replace('"spender"', '"Big Spender"'), "cannot be named 'Big Spender'"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_one_line(text: str | None, told: str, tmp_path: Path) -> None:
    file = str(tmp_path / "none.py") if text is None else written(tmp_path, text)
    with pytest.raises(AnalysisError, match=told) as error:
        load_plugins([file])
    assert "\n" not in str(error.value) and not LOADED


def test_plugins_in_python_are_a_list() -> None:
    with pytest.raises(AnalysisError, match=r"plugins must be a list such as \['rule\.py'\]"):
        run("markets/base", replications=1, plugins="rule.py")


def test_a_plugin_acts_in_replays_and_a_changed_one_cannot_go_on_in_its_folder(tmp_path: Path) -> None:
    file, out = written(tmp_path, BASE, "base.yaml"), tmp_path / "out"
    ledger = tmp_path / "ledger.sqlite"
    options = {"jobs": 1, "ledger": ledger, "out": out}
    played = run(file, replications=1, plugins=[written(tmp_path, RULE)], **options)  # type: ignore[misc]
    scenario, arm, seed, firm = played.endings[["scenario", "arm", "seed", "firm"]].iloc[0]
    subject = Subject(scenario, arm, int(seed), firm)
    with replay_context(played, subject, ledger, "cpu") as context:
        check_same(played, context)  # with the usual rule it would leave the record
    forget_plugins()
    with pytest.raises(AnalysisError, match="spender"), replay_context(played, subject, ledger, "cpu"):
        pass
    for plugins, told in (
        ([written(tmp_path, RULE + "# changed\n")], "an earlier version of the plug-in spender"),
        ([], "the plug-in spender, which this command does not load"),
    ):
        with pytest.raises(AnalysisError, match=told):
            run(file, replications=1, plugins=plugins, **options)  # type: ignore[misc]
    assert Run(out).manifest.plugins[0].name == "spender"


# -- tasks -------------------------------------------------------------------------------------------------------------


def test_a_task_of_a_plugin_is_keyed_by_its_source(tmp_path: Path) -> None:
    text = (EXAMPLES / "chirp_task.py").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="task must be one of"):
        TrainingPlan("chirp-direction", "cnn", 0, 64)
    load_plugin(written(tmp_path, text))
    key = TrainingPlan("chirp-direction", "cnn", 0, 64).key()
    assert get_task("chirp-direction").n_classes == 4
    load_plugin(written(tmp_path, text + "# another\n", "again.py"))
    assert TrainingPlan("chirp-direction", "cnn", 0, 64).key() != key
    forget_plugins()
    assert "chirp-direction" not in TASKS and not EXTRA_TASKS


def test_a_plugin_cannot_take_the_name_of_a_shipped_task(tmp_path: Path) -> None:
    text = (EXAMPLES / "chirp_task.py").read_text(encoding="utf-8").replace('"chirp-direction"', '"speech"')
    with pytest.raises(AnalysisError, match="a task named speech is shipped already"):
        load_plugins([written(tmp_path, text)])
    assert not LOADED


# -- kinds of model ----------------------------------------------------------------------------------------------------

NEIGHBOURS = EXAMPLES / "nearest_neighbours.py"


def test_a_kind_of_model_of_a_plugin_is_measured_like_a_shipped_one() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    load_plugin(str(NEIGHBOURS))
    plans = [TrainingPlan("speech", "nearest-neighbours", 1, rows, seed=3) for rows in (256, 128)]
    both = {one.key: one for chunk in train_bucket(plans, CPU) for one in chunk}
    (alone,) = next(iter(train_bucket(plans[1:], CPU)))
    assert both[alone.key] == alone, "a model's result does not depend on its batch"
    assert both[plans[0].key()].n_parameters == 256 * (get_task("speech").n_inputs + 1)

    data, tests = make_data(get_task("speech"), plans[:1], CPU), get_task("speech").test_sets(CPU)
    reference = KNeighborsClassifier(n_neighbors=8).fit(data.x[0, :256], data.y[0, :256])
    assert both[plans[0].key()].accuracy_lab == pytest.approx(reference.score(tests.lab_x, tests.lab_y), abs=0.02)
    (cnn,) = next(iter(train_bucket([TrainingPlan("speech", "cnn", 0, 256, seed=3)], CPU)))
    assert both[plans[0].key()].traditional_lab == cnn.traditional_lab


def test_a_kind_of_model_is_keyed_by_its_source_and_known_only_while_loaded(tmp_path: Path) -> None:
    text = NEIGHBOURS.read_text(encoding="utf-8")
    plan = partial(TrainingPlan, "speech", "nearest-neighbours", 0, 64)
    with pytest.raises(ValueError, match="kind must be one of"):
        plan()
    load_plugin(written(tmp_path, text))
    key = plan().key()
    load_plugin(written(tmp_path, text + "# another\n", "again.py"))
    assert plan().key() != key
    assert FirmSettings(sector="vision", model_kind="nearest-neighbours").model_dump()["model_kind"] == plan().kind
    with pytest.raises(ValueError, match="compression needs a shipped kind"):
        plan(compression="int8")
    with pytest.raises(ValueError, match="compression = int8 needs a shipped model_kind"):
        FirmSettings(sector="vision", model_kind="nearest-neighbours", compression="int8")
    forget_plugins()
    with pytest.raises(ValueError, match="model_kind"):
        FirmSettings(sector="vision", model_kind="nearest-neighbours")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '@plugin.model_kind("nearest-neighbours")',
            '@plugin.model_kind("cnn")',
            "a kind of model named cnn is shipped",
        ),
        ("class NearestNeighbours(ModelKind)", "class NearestNeighbours", "must be a subclass of ModelKind"),
    ],
)
def test_a_kind_of_model_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = NEIGHBOURS.read_text(encoding="utf-8")
    with pytest.raises(AnalysisError, match=told):
        load_plugins([written(tmp_path, text.replace(old, new))])
    assert not LOADED and not EXTRA_KINDS


# -- documents ---------------------------------------------------------------------------------------------------------


def test_the_page_names_every_rule_and_every_example() -> None:
    page = (EXAMPLES.parents[1] / "plugins.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z._]+)` \| [^|]* \| ([^|]*) \|$", page, re.M))
    assert rows == {name: rule.returns for name, rule in RULES.items()}
    assert all(f"examples/plugins/{path.name}" in page for path in EXAMPLES.glob("*.py"))
    assert GROUP in page


def test_a_plugin_without_a_file_is_refused() -> None:
    from simulation.plugins import Plugin

    with pytest.raises(PluginError, match="must stand in a file of its own"):
        load_plugin(Plugin("loose", "has no file"))
