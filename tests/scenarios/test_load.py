"""Loading: merging, removing, overrides, interventions, causes, what-ifs, fingerprints, the shipped library."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml

from scenarios import Scenario, ScenarioError, catalogue, load, load_whatif
from scenarios.describe import parameter_table
from scenarios.shelf import find_source
from tests.support.paths import ROOT
from tests.support.scenario_files import VALID, edited, write

WHATIF = """\
whatif: true
title: Strict law
set: {world.law.tax_rate: 0.3}
interventions:
  - at: 2017-01
    set: {world.law.consent_share: 0.5}
"""


@pytest.fixture
def valid(tmp_path: Path) -> Scenario:
    return load(write(tmp_path, VALID))


def test_a_valid_scenario_says_what_its_file_says(valid: Scenario) -> None:
    assert (valid.name, valid.id, valid.start, valid.n_months) == ("my", "CASE-TEST", date(2014, 1, 1), 96)
    assert valid.end == date(2022, 1, 1) and valid.month_of(date(2015, 3, 20)) == 14
    assert valid.firms["alpha"].founded == date(2015, 1, 1)
    assert valid.world.sectors["speech"].segments["calls"].reference_price_usd == 4000
    assert valid.firms["rival"].capital_usd == 5e7
    assert valid.world.law.tax_rate == 0.2 and valid.world.law.consent_share == 1


def test_what_is_not_said_keeps_its_default(valid: Scenario) -> None:
    assert valid.firms["alpha"].staff == {"product": 1, "research": 8, "marketing": 1, "operations": 1, "finance": 0}
    rows = valid.entrants["newcomers"].rows
    assert (rows.mean, rows.sd) == (60_000, 1)
    assert len(valid.world.labour.wage_usd_month) == 5


def test_stages_named_in_part_keep_their_other_terms(tmp_path: Path) -> None:
    text = edited("  law:", "  capital: {stages: {C: {round_usd_2014: 1e7}}}\n  law:")
    stages = load(write(tmp_path, text)).world.capital.stages
    assert list(stages) == ["seed", "A", "B", "C", "growth"]
    assert (stages["C"].pre_money_usd, stages["C"].round_usd_2014) == (70.5e6, 1e7)


def test_a_series_by_year_is_replaced_as_a_whole(tmp_path: Path) -> None:
    text = edited("  law:", "  capital: {heat: {2014: 1, 2020: 2}}\n  law:")
    assert load(write(tmp_path, text)).world.capital.heat == {2014: 1, 2020: 2}


def test_a_child_merges_mappings_and_replaces_lists(tmp_path: Path) -> None:
    write(tmp_path, VALID, "parent.yaml")
    child = write(tmp_path, "extends: parent.yaml\nfirms: {alpha: {skill: 0.9}}\nexpect: []\n")
    parent, merged = load(tmp_path / "parent.yaml"), load(child)
    assert merged.firms["alpha"] == parent.firms["alpha"].model_copy(update={"skill": 0.9})
    assert merged.expect == () and merged.interventions == parent.interventions
    assert (merged.name, merged.title) == ("my", parent.title)


def test_null_removes_a_named_thing_and_clears_an_optional_one(tmp_path: Path) -> None:
    write(tmp_path, VALID, "parent.yaml")
    text = "extends: parent.yaml\ninvestors: {fund-one: null}\nregulator: null\nfirms: {alpha: {founded: null}}\n"
    merged = load(write(tmp_path, text))
    assert merged.investors == {} and merged.regulator is None and merged.firms["alpha"].founded is None


def test_null_in_the_changes_of_a_cause_is_kept(tmp_path: Path) -> None:
    write(tmp_path, VALID, "parent.yaml")
    text = "extends: parent.yaml\ninterventions: []\ncauses: {giants: {set: {firms.rival: null}}, free: null}\n"
    merged = load(write(tmp_path, text))
    assert list(merged.causes) == ["giants"]
    assert list(merged.without("giants").firms) == ["alpha"]


def test_extends_is_relative_to_the_file_that_says_it(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path, VALID, "parent.yaml")
    write(tmp_path / "deep", "extends: ../parent.yaml\n", "middle.yaml")
    assert load(write(tmp_path, "extends: deep/middle.yaml\nyears: 9\n")).years == 9


def test_overrides_set_paths_of_what_the_file_does_not_mention(tmp_path: Path) -> None:
    path = write(tmp_path, VALID)
    changed = load(path, {"world.labour.wage_usd_month.research": 15_000, "years": 9, "firms.rival.founded": "2015-06"})
    assert changed.world.labour.wage_usd_month["research"] == 15_000
    assert changed.world.labour.wage_usd_month["product"] == 9_000
    assert changed.years == 9 and changed.firms["rival"].founded == date(2015, 6, 1)
    assert changed.name == "my"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"yeers": 3}, "in an override: unknown key 'yeers' in the scenario; did you mean 'years'?"),
        ({"years": "3"}, "in an override: years = '3': must be a whole number"),
        ({"world.law.tax_rate": float("nan")}, "world.law.tax_rate = nan: must be a finite number"),
        ({"title": {1, 2}}, "must be a finite number, text, a list or a mapping"),
        ({"expect.0.at_most": 1}, "expect is a list; set it as a whole"),
        ({"firms.ghost": None}, "unknown key 'ghost' in firms"),
        ({"": 1}, "is not a path"),
        ({"focal": None, "firms": {}, "entrants": {}, "interventions": [], "expect": [], "causes": {}}, "nobody is in"),
    ],
)
def test_a_wrong_override_is_named(tmp_path: Path, overrides: dict[str, object], words: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(words)):
        load(write(tmp_path, VALID), overrides)


def test_interventions_add_up_in_the_order_of_their_dates(valid: Scenario) -> None:
    (month_a, world_a, firms_a), (month_b, world_b, firms_b) = valid.settings_at()
    assert (month_a, month_b) == (24, 52)
    assert firms_a["rival"].price_level == firms_b["rival"].price_level == 0.5
    assert (world_a.law.consent_share, world_b.law.consent_share) == (1, 0.6)
    assert world_b.law.tax_rate == 0.2 and world_b.law.audits_year == 0.5
    assert valid.firms["rival"].price_level == 1 and valid.world.law.consent_share == 1  # the start is untouched


def test_a_scenario_without_interventions_has_no_later_settings(valid: Scenario, tmp_path: Path) -> None:
    assert load(tmp_path / "my.yaml", {"interventions": []}).settings_at() == []


def test_a_cause_can_be_taken_away(valid: Scenario) -> None:
    changed = valid.without("giants")
    assert changed.firms["rival"].skill == 0.1 and valid.firms["rival"].skill == 0.5
    assert changed.settings_at()[-1][2]["rival"].skill == 0.1
    assert changed.causes == valid.causes and changed.expect == valid.expect
    assert changed.name == "my without giants"


def test_causes_can_be_taken_away_together_or_one_by_one(valid: Scenario) -> None:
    together = valid.without("giants", "free")
    assert together.firms["alpha"].offers == {"dictation": "subscription"}
    assert together.fingerprint() == valid.without("giants").without("free").fingerprint()
    assert valid.without().fingerprint() == valid.fingerprint()


def test_an_unknown_cause_lists_the_known_ones(valid: Scenario) -> None:
    with pytest.raises(ScenarioError, match="no cause 'giant' in my; did you mean 'giants'\\? causes: giants, free"):
        valid.without("giant")


def test_the_fingerprint_is_stable_and_sensitive(valid: Scenario, tmp_path: Path) -> None:
    same = load(write(tmp_path, "# a comment\n" + VALID.replace("0.8", "8e-1"), "other.yaml"))
    assert same.fingerprint() == valid.fingerprint() and len(valid.fingerprint()) == 64
    code = (
        f"from scenarios import load; import sys; sys.stdout.write(load({str(tmp_path / 'my.yaml')!r}).fingerprint())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert there.stdout == valid.fingerprint()
    changes = {"world.law.tax_rate": 0.21, "firms.alpha.skill": 0.81, "interventions": [], "years": 9, "title": "B"}
    prints = [load(tmp_path / "my.yaml", {key: value}).fingerprint() for key, value in changes.items()]
    assert len({valid.fingerprint(), *prints}) == len(changes) + 1


def test_a_scenario_travels_between_processes(valid: Scenario) -> None:
    copy = pickle.loads(pickle.dumps(valid))
    assert copy == valid and copy.name == "my" and copy.settings_at() == valid.settings_at()
    assert copy.fingerprint() == valid.fingerprint()


def test_a_scenario_cannot_be_changed_or_built_inconsistent(valid: Scenario) -> None:
    with pytest.raises(ValueError, match="frozen"):
        valid.years = 3
    with pytest.raises(ScenarioError, match="focal = 'nobody': must be one of the firms: alpha, rival"):
        Scenario(**{**valid.model_dump(), "focal": "nobody"})


def test_a_whatif_changes_the_start_and_adds_interventions(valid: Scenario, tmp_path: Path) -> None:
    other = load_whatif(write(tmp_path, WHATIF, "strict.yaml"), valid)
    assert other.world.law.tax_rate == 0.3 and other.title == "A test market, what if: Strict law"
    assert [(m, w.law.consent_share) for m, w, _ in other.settings_at()] == [(24, 1), (36, 0.5), (52, 0.6)]
    assert other.name == "my+strict" and other.firms == valid.firms and other.expect == valid.expect


def test_a_full_scenario_can_be_the_other_arm_over_the_same_months(valid: Scenario, tmp_path: Path) -> None:
    other = write(tmp_path, "extends: my.yaml\nfirms: {alpha: {skill: 0.1}}\n", "weak.yaml")
    assert load_whatif(other, valid).firms["alpha"].skill == 0.1
    longer = write(tmp_path, "extends: my.yaml\nyears: 9\n", "longer.yaml")
    with pytest.raises(ScenarioError, match="runs 9 years from 2014-01, but my runs 8 years"):
        load_whatif(longer, valid)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("world.law.tax_rate: 0.3", "world.law.tax_rate: 3", 3, "in the what-if: world.law.tax_rate = 3: must be"),
        ("world.law.tax_rate: 0.3", "firms.alfa.skill: 0.3", 3, "no 'alfa' in firms; did you mean 'alpha'?"),
        ("world.law.tax_rate: 0.3", "firms.alpha: null", 3, "focal = 'alpha'"),
        ("world.law.tax_rate: 0.3", "years: 9", 3, "a what-if cannot set 'years'; it may set paths below world, firms"),
        ("consent_share: 0.5", "consent_share: 5", 6, "in the intervention of 2017-01: world.law.consent_share = 5"),
        ("at: 2017-01", "at: 2037-01", 5, "inside the run"),
        ("title:", "titel:", 2, "unknown key 'titel'"),
        ("whatif: true", "whatif: 1", 1, "whatif = 1: must be true or false"),
        ("whatif: true", "whatif: false", None, "whatif must be true"),
        ("title:", "extends: my.yaml\ntitle:", 2, "unknown key 'extends'"),
    ],
)
def test_a_wrong_whatif_is_named(
    valid: Scenario, tmp_path: Path, old: str, new: str, line: int | None, words: str
) -> None:
    path = write(tmp_path, WHATIF.replace(old, new), "strict.yaml")
    with pytest.raises(ScenarioError) as caught:
        load_whatif(path, valid)
    message = str(caught.value)
    assert words in message and "\n" not in message
    assert message.startswith(f"{path}:{line}: " if line else f"{path}: ") or "focal" in words


def test_a_whatif_that_changes_nothing_is_refused(valid: Scenario, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="a what-if that changes nothing"):
        load_whatif(write(tmp_path, "whatif: true\ntitle: Nothing\n", "no.yaml"), valid)


def test_a_whatif_is_no_scenario_and_no_parent(tmp_path: Path) -> None:
    path = write(tmp_path, WHATIF, "strict.yaml")
    with pytest.raises(ScenarioError, match=r"ventures compare BASE --with .*strict\.yaml"):
        load(path)
    child = write(tmp_path, "title: Child\nextends: strict.yaml\n")
    with pytest.raises(ScenarioError, match=r"my\.yaml:2: extends = .*that is a what-if"):
        load(child)


def test_every_shipped_file_is_valid_and_titled() -> None:
    entries = catalogue()
    assert {e.group for e in entries} >= {"markets", "cases"} and len({e.name for e in entries}) == len(entries)
    base = load("markets/base")
    for entry in entries:
        arm = load_whatif(entry.name, base) if entry.group == "policies" else load(entry.name)
        assert entry.title != entry.name
        if entry.group == "cases":
            assert arm.id == entry.id and arm.focal and arm.expect and arm.causes
            assert find_source(str(arm.id)).name == entry.name
            assert all(arm.without(cause).fingerprint() != arm.fingerprint() for cause in arm.causes)


def test_importing_scenarios_loads_no_heavy_package() -> None:
    code = "import sys, scenarios; sys.exit(str({'torch', 'pandas', 'numpy', 'mesa'} & set(sys.modules)))"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert there.stderr.strip() == "set()"


def _blocks(language: str) -> list[str]:
    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_examples_in_the_docs_work(tmp_path: Path) -> None:
    example, whatif = _blocks("yaml")
    base = load(write(tmp_path, example, "example.yaml"))
    assert load_whatif(write(tmp_path, whatif, "whatif.yaml"), base).world.law.compliance_usd_month == 3000
    for block in _blocks("python"):
        exec(block, {})


def test_the_docs_name_every_top_level_key() -> None:
    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == {*Scenario.model_fields, "extends"}


def test_the_reference_of_parameters_is_up_to_date() -> None:
    there = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    assert there == parameter_table(), "run: python -m scenarios.describe > docs/parameters.md"


def test_numbers_are_read_by_yaml_1_2(tmp_path: Path) -> None:
    text = VALID.replace("capital_usd: 5e7", "capital_usd: 1e6").replace("reference_price_usd: 80", "customers_: 1")
    assert yaml.safe_load("a: 1e6")["a"] == "1e6"  # YAML 1.1 takes this for text
    valid = load(write(tmp_path, text.replace("customers_: 1", "reference_price_usd: 1_0.5")))
    assert valid.firms["rival"].capital_usd == 1e6
    assert valid.world.sectors["speech"].segments["dictation"].reference_price_usd == 10.5
