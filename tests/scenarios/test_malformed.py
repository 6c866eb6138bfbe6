"""Malformed scenarios: each gives one line that names the file, the key, and what would be right."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import yaml

from scenarios import ScenarioError, load
from tests.support.scenario_files import VALID, edited, error_of, write

# what: (passage, replacement, line in the file, words that the message must hold)
IN_THE_TEXT: dict[str, tuple[str, str, int, tuple[str, ...]]] = {
    "unknown key at the top": ("years: 8", "yeers: 8", 4, ("unknown key 'yeers'", "'years'?", "allowed: id, title")),
    "unknown key in the law": ("tax_rate", "tax_rat", 14, ("'tax_rat' in world.law", "did you mean 'tax_rate'?")),
    "unknown key of a firm": ("skill: 0.8", "skil: 0.8", 20, ("'skil' in firms.alpha", "did you mean 'skill'?")),
    "unknown key of a segment": (
        "customers: 5000",
        "custmers: 5000",
        11,
        ("'custmers' in world.sectors.speech.segments.dictation", "did you mean 'customers'?"),
    ),
    "unknown role": ("{research: 8}", "{reserch: 8}", 21, ("'reserch' in firms.alpha.staff", "'research'?")),
    "key missing": ("    founded", "    founded", 0, ()),
    "text for a number": ("skill: 0.8", "skill: high", 20, ("firms.alpha.skill = 'high'", "number between 0 and 1")),
    "quoted number": ("skill: 0.8", "skill: '0.8'", 20, ("firms.alpha.skill = '0.8'", "number between 0 and 1")),
    "bool for a number": ("skill: 0.8", "skill: true", 20, ("skill = true", "a number between 0 and 1")),
    "yes for a number": ("skill: 0.8", "skill: yes", 20, ("skill = 'yes'", "a number between 0 and 1")),
    "nothing for a number": ("skill: 0.8", "skill:", 20, ("skill = null", "a number between 0 and 1")),
    "list for a mapping": ("{dictation: freemium}", "[dictation]", 19, ("offers = [dictation]", "a mapping")),
    "mapping for a list": ("stages: [A, B]", "stages: {a: 1}", 33, ("fund-one.stages = {a: …}", "a list")),
    "scalar for a mapping": ("regulator: {}", "regulator: 3", 34, ("regulator = 3", "a mapping, or null")),
    "fraction of a year": ("years: 8", "years: 8.5", 4, ("years = 8.5", "whole number between 1 and 40 (years)")),
    "negative years": ("years: 8", "years: -8", 4, ("years = -8", "between 1 and 40 (years)")),
    "years beyond the range": ("years: 8", "years: 80", 4, ("years = 80", "between 1 and 40 (years)")),
    "share above one": ("tax_rate: 0.2", "tax_rate: 1.4", 14, ("world.law.tax_rate = 1.4", "0 and 0.9 (share)")),
    "not a number": ("tax_rate: 0.2", "tax_rate: .nan", 14, ("world.law.tax_rate = .nan", "finite")),
    "infinite": ("tax_rate: 0.2", "tax_rate: -.inf", 14, ("world.law.tax_rate = -.inf", "finite")),
    "too large to be finite": ("tax_rate: 0.2", "tax_rate: 1e999", 14, ("tax_rate = 1e999", "finite")),
    "endless digits": ("years: 8", "years: " + "8" * 9000, 4, ("years = 888", "at most 30 digits")),
    "negative staff": ("{research: 8}", "{research: -8}", 21, ("staff.research = -8", "between 0 and 100000")),
    "spending above all": ("skill: 0.8", "compute_share: 0.9\n    data_share: 0.2", 20, ("below 1", "data_share")),
    "thirteenth month": ("start: 2014-01", "start: 2014-13", 3, ("start = '2014-13'", "a month such as")),
    "middle of a month": ("start: 2014-01", "start: 2014-01-15", 3, ("start = '2014-01-15'", "a month such as")),
    "year for a month": ("start: 2014-01", "start: 2014", 3, ("start = 2014", "a month such as")),
    "timestamp for a date": ("2015-01\n", "'1388534400'\n", 18, ("founded = '1388534400'", "a month such as")),
    "day of founding": ("2015-01\n", "2015-12-31\n", 18, ("founded = '2015-12-31'", "a month such as 2018-05")),
    "30 February": ("2015-01\n", "2015-02-30\n", 18, ("founded = '2015-02-30'", "a month such as 2018-05")),
    "founded after the end": ("2015-01\n", "2025-01\n", 18, ("founded = '2025-01-01'", "before the run ends, 2022-01")),
    "bad name of a firm": ("  rival:", "  The Rival:", 22, ("bad key 'The Rival' in firms", "lower-case")),
    "bad id": ("id: CASE-TEST", "id: case test", 1, ("id = 'case test'", "CASE-VISION")),
    "empty title": ("title: A test market", 'title: ""', 2, ("title = ''", "text")),
    "unknown kind of revenue": ("{dictation: freemium}", "{dictation: free}", 19, ("= 'free'", "freemium", "bundle")),
    "unknown segment": ("{dictation: freemium}", "{dictaton: freemium}", 19, ("segment 'dictaton'", "'dictation'?")),
    "entrants' unknown segment": (
        "{dictation: subscription}]",
        "{dictaton: subscription}]",
        30,
        ("'dictaton' in entrants.newcomers.offers[0]", "did you mean 'dictation'?"),
    ),
    "no offers": ("{dictation: freemium}", "{}", 19, ("firms.alpha.offers = {}", "at least one entry")),
    "unknown sector": (
        "speech\n    founded",
        "speach\n    founded",
        17,
        ("firms.alpha.sector = 'speach'", "'speech'?"),
    ),
    "unknown task": ("task: speech", "task: speach", 9, ("speech.task = 'speach'", "security-vision", "'speech'?")),
    "no funding climate": ("  law:", "  capital: {heat: {x: 1}}\n  law:", 13, ("bad key 'x'", "a whole number")),
    "year out of range": ("  law:", "  capital: {heat: {20144: 1}}\n  law:", 13, ("bad key '20144'", "a year")),
    "unknown focal firm": ("focal: alpha", "focal: alhpa", 5, ("focal = 'alhpa'", "alpha, rival", "'alpha'?")),
    "unknown stage": ("[A, B]", "[A, Z]", 33, ("stages[1] = 'Z'", "A, B, C, growth")),
    "seed round by a fund": ("[A, B]", "[seed, A]", 33, ("stages[0] = 'seed'", "one of A, B, C, growth")),
    "stage twice": ("[A, B]", "[A, A]", 33, ("stages[1] = 'A'", "twice")),
    "null for what is not there": ("regulator:", "  ghost: null\nregulator:", 34, ("ghost = null", "fund-one")),
    "intervention after the run": ("at: 2018-05", "at: 2031-05", 36, ("= '2031-05'", "2014-01 to 2021-12")),
    "intervention before the run": ("at: 2018-05", "at: 2013-12", 36, ("= '2013-12'", "2014-01 to 2021-12")),
    "day of an intervention": ("at: 2018-05", "at: 2018-05-25", 36, ("interventions[0].at", "a month such as")),
    "path of an intervention": ("world.law.c", "world.lwa.c", 38, ("of 2018-05", "'lwa' in world", "'law'?")),
    "key of an intervention": (
        "consent_share",
        "consent_shar",
        38,
        ("'consent_shar' in world.law", "'consent_share'?"),
    ),
    "value of an intervention": ("share: 0.6", "share: 1.6", 38, ("consent_share = 1.6", "between 0 and 1 (share)")),
    "firm of an intervention": ("set: {firms.rival.p", "set: {firms.rivl.p", 41, ("no 'rivl' in firms", "'rival'?")),
    "reach of an intervention": ("firms.rival.price_level: 0.5", "years: 3", 41, ("cannot set 'years'", "below world")),
    "founding by intervention": (
        "rival.price_level: 0.5",
        "rival.founded: 2013-01",
        41,
        ("cannot set 'firms.rival.founded': it acts at the start only",),
    ),
    "segment by intervention": (
        "firms.rival.price_level: 0.5",
        "world.sectors.speech.segments.new: {}",
        41,
        ("adds or removes", "'speech'"),
    ),
    "path through a number": ("rival.price_level: 0.5", "rival.skill.x: 1", 41, ("firms.rival.skill is 0.5",)),
    "path with a gap": ("rival.price_level: 0.5", "rival..skill: 1", 41, ("'firms.rival..skill' is not a path",)),
    "nothing in set": ("{firms.rival.price_level: 0.5}", "{}", 39, ("changes nothing", "set, tighten or add")),
    "key of a cause": ("firms.rival.skill", "firms.rival.skil", 63, ("in cause 'giants'", "'skil'", "'skill'?")),
    "value of a cause": ("rival.skill: 0.1", "rival.skill: 7", 63, ("in cause 'giants'", "= 7", "between 0 and 1")),
    "reach of a cause": ("firms.rival.skill: 0.1", "focal: rival", 63, ("'giants' cannot set 'focal'", "world, firms")),
    "cause without the focal firm": (
        "firms.rival.skill: 0.1",
        "firms.alpha: null",
        63,
        ("without cause 'giants'", "focal = 'alpha'", "rival"),
    ),
    "cause against an intervention": (
        "firms.rival.skill: 0.1",
        "firms.rival: null",
        41,
        ("without cause 'giants'", "no 'rival' in firms"),
    ),
    "expectation of nothing": (
        "    event: bankrupt\n",
        "",
        55,
        ("expect[2]", "exactly one of ending, metric, event"),
    ),
    "expectation of two things": ("metric: trust", "metric: trust\n    event: pivot", 47, ("it has metric, event",)),
    "metric without a bound": ("at_most: 0.4", "statistic: max", 0, ()),
    "unknown metric": ("metric: trust", "metric: trusts", 52, ("metric = 'trusts'", "quality_field, trust, share")),
    "unknown event": (
        "event: bankrupt",
        "event: bankruptcy",
        58,
        ("event = 'bankruptcy'", "acquired, bankrupt, gave up"),
    ),
    "unknown ending": ("[bankrupt, acquired]", "[bankrup]", 46, ("ending[0] = 'bankrup'", "bankrupt, gave up")),
    "empty window": ("before: 2020-01", "before: 2016-01", 47, ("expect[1]", "empty", "2016-01")),
    "window outside the run": ("before: 2020-01", "before: 2030-01", 51, ("before = '2030-01'", "at most 2022-01")),
    "bounds crossed": ("at_most: 0.4", "at_most: 0.4\n    at_least: 0.5", 47, ("no number is", "0.5", "0.4")),
    "statistic without a metric": (
        "event: bankrupt",
        "event: pivot\n    statistic: max",
        55,
        ("statistic can only stand beside metric",),
    ),
    "same id twice": ("id: trust-falls", "id: ending", 47, ("expect[1].id = 'ending'", "same id")),
    "firm of an expectation": ("after: 2016-01", "firm: nobody", 50, ("firm = 'nobody'", "alpha, rival")),
    "duplicate key": ("  rival:", "  alpha:", 22, ("duplicate key 'firms.alpha'", "first on line 16")),
    "anchor": (
        "title: A test market",
        "title: &t A test\nabout: *t",
        2,
        ("anchors and aliases", "'&t'", "write the values out"),
    ),
    "tag": ("title: A", "title: !!python/object/apply:os.system A", 2, ("the tag", "not allowed")),
    "tab": ("years: 8", "\tyears: 8", 4, ("not readable as YAML", "column 1", "tab", "spaces")),
    "bracket left open": ("years: 8", "years: [8", 5, ("not readable as YAML", "column")),
    "list as a key": ("years: 8", "? [years]\n: 8", 4, ("a key must be a word",)),
    "second document": ("years: 8", "years: 8\n---\nid: X", 5, ("a second document",)),
    "extends a number": ("years: 8", "years: 8\nextends: 3", 5, ("extends = 3", "markets/base")),
    "extends what is missing": ("years: 8", "years: 8\nextends: markets/bse", 5, ("no scenario", "'markets/base'?")),
    "extends a missing file": ("years: 8", "years: 8\nextends: no.yaml", 5, ("extends = 'no.yaml'", "no such file")),
}
IN_THE_TEXT["key missing"] = ("    sector: speech\n    founded", "    founded", 16, ("firms.alpha.sector is missing",))
IN_THE_TEXT["metric without a bound"] = ("    at_most: 0.4\n", "", 47, ("metric needs at_least or at_most",))


@pytest.mark.parametrize("what", IN_THE_TEXT)
def test_a_mistake_in_the_text_is_named_with_its_line(what: str, tmp_path: Path) -> None:
    old, new, line, words = IN_THE_TEXT[what]
    path = write(tmp_path, edited(old, new))
    error = error_of(path)
    assert str(error).startswith(f"{path}:{line}: ")
    missing = [word for word in words if word not in str(error)]
    assert not missing, f"{missing} not in: {error}"


BILLION_LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

AS_BYTES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "comments only": (b"# nothing\n\n", "is empty"),
    "document marker only": (b"---\n", "is empty"),
    "list at the top": (b"- a\n- b\n", "not a list"),
    "word at the top": (b"hello\n", "must be a mapping of keys to values, not a single value"),
    "binary junk": (bytes(range(256)) * 20, "not UTF-8"),
    "UTF-16": (VALID.encode("utf-16"), "not UTF-8"),
    "control characters": (b"title: \x00\x01\x02\n", "control character"),
    "YAML bomb": (BILLION_LAUGHS.encode(), "anchors and aliases"),
    "merge keys": (b"a: &a {x: 1}\nb: {<<: *a}\n", "anchors and aliases"),
    "deep flow nesting": (b"a: " + b"[" * 100_000, "nested deeper than 40"),
    "deep mapping nesting": (b"a: " + b"{a: " * 5_000, "nested deeper than 40"),
    "deep block nesting": (b"".join(b" " * i + b"a:\n" for i in range(500)), "nested deeper than 40"),
    "10 MB": (b"# padding\n" * 1_000_000, "larger than 1 MB"),
    "too many entries": (b"a: [" + b"1," * 100_000 + b"1]", "more than 20000 entries"),
    "half a character": (b'title: "\\ud800"\n', "Unicode"),
}


@pytest.mark.parametrize("loader", ["SafeLoader", "CSafeLoader"])
@pytest.mark.parametrize("what", AS_BYTES)
def test_a_file_that_is_no_scenario_is_refused(
    what: str, loader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenarios.strict_yaml.reading._Loader", getattr(yaml, loader, yaml.SafeLoader))
    content, words = AS_BYTES[what]
    path = tmp_path / "my.yaml"
    path.write_bytes(content)
    error = error_of(path)
    assert str(error).startswith(str(path)) and words in str(error)


def test_a_missing_file_is_named_and_the_typo_guessed(tmp_path: Path) -> None:
    write(tmp_path, VALID, "market.yaml")
    error = error_of(tmp_path / "markte.yaml")
    assert "no such file" in str(error) and "did you mean 'market.yaml'?" in str(error)


def test_a_directory_is_no_scenario(tmp_path: Path) -> None:
    assert "is a directory" in str(error_of(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "not a regular file" in str(error_of(tmp_path / "pipe.yaml"))


@pytest.mark.parametrize("name", ["cases/visoin", "visoin", "", "a\0b", "x" * 5000, "cases/../cases/vision"])
def test_an_unknown_name_gives_one_line(name: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(name)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1000


def test_an_unknown_name_lists_the_shipped_ones_and_guesses() -> None:
    with pytest.raises(ScenarioError, match=r"no scenario 'markets/bsae'; did you mean 'markets/base'\? shipped: mark"):
        load("markets/bsae")


def test_a_shipped_name_with_an_ending_is_explained() -> None:
    with pytest.raises(ScenarioError, match="the shipped scenario is called markets/base, without the ending"):
        load("markets/base.yaml")


def test_circular_extends_shows_the_circle(tmp_path: Path) -> None:
    write(tmp_path, "extends: b.yaml\ntitle: A\n", "a.yaml")
    write(tmp_path, "title: B\nextends: c.yaml\n", "b.yaml")
    write(tmp_path, "extends: a.yaml\n", "c.yaml")
    error = error_of(tmp_path / "a.yaml")
    assert "c.yaml:1" in str(error) and "circular extends" in str(error)
    assert str(error).count(" → ") == 3


def test_a_file_that_extends_itself_is_circular(tmp_path: Path) -> None:
    path = write(tmp_path, "extends: ./my.yaml\n")
    assert "circular extends" in str(error_of(path))


def test_a_chain_of_extends_has_an_end(tmp_path: Path) -> None:
    for i in range(30):
        write(tmp_path, f"extends: f{i + 1}.yaml\n", f"f{i}.yaml")
    assert "a chain of more than 10 files" in str(error_of(tmp_path / "f0.yaml"))


def test_a_mistake_in_a_parent_is_named_there(tmp_path: Path) -> None:
    write(tmp_path, edited("skill: 0.8", "skill: 8"), "parent.yaml")
    error = error_of(write(tmp_path, "extends: parent.yaml\ntitle: Child\n"))
    assert str(error).startswith(f"{tmp_path / 'parent.yaml'}:20: firms.alpha.skill = 8")


def test_several_mistakes_are_counted_and_listed(tmp_path: Path) -> None:
    text = edited("skill: 0.8", "skill: 8").replace("years: 8", "yeers: 8").replace("tax_rate: 0.2", "tax_rate: 2")
    error = error_of(write(tmp_path, text))
    assert str(error).endswith("(and 3 more problems)")  # yeers unknown, years missing, skill, tax_rate
    assert len(error.all) == 4 and "unknown key 'yeers'" in error.all[0]
    assert all(line.startswith(str(tmp_path)) for line in error.all)


def test_an_error_carries_its_parts_and_travels_between_processes(tmp_path: Path) -> None:
    error = error_of(write(tmp_path, edited("tax_rate: 0.2", "tax_rate: 1.4")))
    for e in (error, pickle.loads(pickle.dumps(error))):
        assert (e.file, e.line, e.key, e.value) == (str(tmp_path / "my.yaml"), 14, "world.law.tax_rate", 1.4)
        assert e.allowed == "a number between 0 and 0.9 (share)"
        assert str(e) == str(error)
    assert error_of(write(tmp_path, edited("skill", "skil"))).hint == "did you mean 'skill'?"
