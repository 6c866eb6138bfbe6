"""The documents say what the code and the result files say: quoted figures, events, columns, names."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from agents.firm.training_plan import RECIPES, WITHOUT_AUGMENTATION
from analysis.cli.main import app
from analysis.errors import AnalysisError
from analysis.pages.__main__ import WRITERS, documents, main
from analysis.pages.blocks import blocks_of, written_anew
from analysis.pages.chapters import Changed, changed_since
from analysis.runs.run import Run
from analysis.runs.tables import WORLD_TABLES, Label
from scenarios import catalogue
from scenarios.expectation import Metric
from simulation.records.columns import ROWS
from simulation.records.events import COLUMNS, KINDS, Event, declared_fields
from simulation.records.reasons import PHRASES, Reason, ReasonKind
from simulation.records.words import WORDS
from simulation.revenue import MODELS
from simulation.training.ladder import RUNGS
from simulation.training.ledger.rows import COLUMNS as LEDGER_COLUMNS
from simulation.training.plan import TrainingPlan
from tests.support.explain_fakes import play_small
from tests.support.paths import ROOT
from tests.support.shipped import shipped

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
MADE_UP = {"E_low", "E_high"}  # patterns of names: E_low, A_low …


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    """A section of a page, up to the next heading of its own rank or above."""
    text = text_of(page)
    head = re.search(rf"^(#+) {re.escape(title)}$", text, re.M)
    assert head, f"{page} has no section {title}"
    return re.split(rf"^#{{1,{len(head[1])}}} ", text[head.end() :], maxsplit=1, flags=re.M)[0]


def rows_of(text: str) -> list[list[str]]:
    """Cells of all Markdown tables in a text, without heads."""
    lines = [line.strip()[1:-1].split("|") for line in text.splitlines() if line.startswith("| ")]
    rules = [i for i, cells in enumerate(lines) if set("".join(cells)) <= set("- ")]
    return [[c.strip() for c in cells] for i, cells in enumerate(lines) if i not in rules and i + 1 not in rules]


def names_in(text: str) -> list[str]:
    """Words in backticks."""
    return re.findall(r"`([^`]+)`", text)


# -- figures -----------------------------------------------------------------------------------------------------------


def test_every_generated_part_is_what_its_file_gives() -> None:
    pages = documents(ROOT)
    parts = [block for page in pages for block in blocks_of(page.read_text(encoding="utf-8"))]
    assert {block.name for block in parts} == set(WRITERS), "each writer has its part, and each part its writer"
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text == written_anew(text, ROOT, WRITERS), f"{page.name} is out of date: run `make docs`"


def test_a_figure_that_was_changed_by_hand_is_noticed_and_written_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "benchmarks" / "results", tmp_path / "benchmarks" / "results")
    right = (ROOT / "README.md").read_text(encoding="utf-8")
    figure = re.search(r"\*\*(0\.\d\d)\*\* \[", right)
    assert figure
    (tmp_path / "README.md").write_text(right.replace(figure.group(1), "0.33"), encoding="utf-8")
    assert main(["--check"], tmp_path) == 1
    assert "README.md: out of date" in capsys.readouterr().err
    assert main([], tmp_path) == 0 and main(["--check"], tmp_path) == 0
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == right
    assert main(["--chek"], tmp_path) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<!-- generated nothing from x.json -->\n<!-- end nothing -->", "no generated part 'nothing'"),
        ("<!-- generated cases.en from x.json -->\n<!-- end cases.zh -->", "ends as 'cases.zh'"),
        ("<!-- generated cases.en from x.json -->\n", "begin 1 times and end 0 times"),
        ("<!-- generated cases.en from x.json -->\n<!-- end cases.en -->", "x.json: no file that can be read"),
    ],
)
def test_a_generated_part_that_cannot_be_written_is_told(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(AnalysisError, match=re.escape(says)):
        written_anew(text, tmp_path, WRITERS)


def case_document(**changes: Any) -> dict[str, Any]:
    """A document as `ventures cases --json` gives it: 200 seeds, two cases, three removals."""

    def share(value: float) -> dict[str, Any]:
        return {"share": value, "low": value - 0.05, "high": value + 0.05, "n": 200}

    def effect(value: float, half: float = 0.05) -> dict[str, Any]:
        return {"effect": value, "low": value - half, "high": value + half, "n": 200, "share_without": 0.9 + value}

    def cause(name: str, match: float, ending: float | None) -> dict[str, Any]:
        end = None if ending is None else effect(ending)
        return {"name": name, "section": "5.1", **effect(match), "ending": end}

    first = {
        "id": "CASE-A", "match": share(0.8), "ending": share(0.9), "endings": {"profitable": 180, "bankrupt": 20},
        "unmet_seeds": {"match": [*range(30), *range(100, 110)], "ending": [*range(20)]},
        "causes": [cause("team", -0.5, -0.4), cause("data", -0.3, 0.0)],
    }  # fmt: skip
    second = {
        "id": "CASE-B", "match": share(0.7), "ending": None, "endings": {"alive": 200},
        "unmet_seeds": {"match": [*range(60)], "ending": None}, "causes": [cause("luck", -0.2, None)],
    }  # fmt: skip
    cost = {"runs": 1000, "from_ledger": 20, "seconds": 1.0, "share": 0.84}
    return {"seeds": list(range(200)), "cases": [first, second], "training": cost, "seconds": 600.0, **changes}


def test_the_table_of_cases_has_both_shares_and_both_effects() -> None:
    text = WRITERS["cases.en"](case_document(), "results/x.json")
    assert rows_of(text)[0] == [
        "**CASE-A**", "all causes in place: profitable 180, bankrupt 20", "**0.80** [0.75, 0.85]", "",
        "**0.90** [0.85, 0.95]", "",
    ]  # fmt: skip
    assert "| without `data` (§5.1) | 0.60 | -0.30 [-0.35, -0.25] | 0.90 | +0.00 [-0.05, +0.05] |" in text
    assert "| without `luck` (§5.1) | 0.70 | -0.20 [-0.25, -0.15] | – | – |" in text
    plain = " ".join(text.split())
    assert "200 seeds (0 to 199)" in plain and "`results/x.json`" in plain
    assert "in 3 of 3 removals" in plain
    assert "rarer in 1 of 2 removals and more frequent in 0; in the other 1 the interval" in plain
    assert "CASE-B states no ending." in plain


def test_seeds_that_were_used_for_no_choice_are_told_apart_where_the_file_has_them() -> None:
    plain = " ".join(WRITERS["cases.en"](case_document(), "x").split())
    assert "On seeds 100 to 199, used for no choice, 0.90 (A), 1.00 (B) meet every statement." in plain
    few = WRITERS["cases.en"](case_document(seeds=list(range(50))), "x")
    assert "used for no choice" not in few and "(0 to 49)" in few and "seeds 0 to 99 in view" in few
    fresh = " ".join(WRITERS["cases.en"](case_document(seeds=list(range(100, 150))), "x").split())
    assert "(100 to 149)" in fresh and "The seeds played here were used for no choice." in fresh


def test_a_chapter_that_changed_since_its_file_was_written_is_named() -> None:
    """Statements and causes by name; the sentence goes by itself when the chapter is played again."""
    setup = shipped("cases/fraud")
    document = case_document()
    played = {
        "scenario": "cases/fraud", "id": "CASE-FRAUD", "expectations": [{"id": one.id} for one in setup.expect],
        "causes": [{**document["cases"][0]["causes"][0], "name": name} for name in setup.causes],
    }  # fmt: skip
    document["cases"][0] |= played
    assert changed_since(document) == []
    assert "Chapters have changed" not in WRITERS["cases.en"](document, "x")
    gone, *_ = played["expectations"]
    played["expectations"][0] = {"id": "answers-slowly"}
    assert changed_since(document) == [Changed("CASE-FRAUD", ("answers-slowly",), (gone["id"],))]
    for name in ("cases.en", "cases.zh"):
        text = WRITERS[name](document, "x")
        assert "CASE-FRAUD" in text and "`answers-slowly`" in text and f"`{gone['id']}`" in text


def placebo_document(*crossed: tuple[str, str, float]) -> dict[str, Any]:
    """A document as `ventures cases --placebo --json` gives it."""
    cells = [{"case": a, "judged_by": b, "expectation": "all", "share": share} for a, b, share in crossed]
    return {"placebo": {"target": 0.1, "crossed": cells, "shuffled": [{"case": "CASE-A", "others": {"share": 0.02}}]}}


def test_a_chapter_that_another_firm_meets_is_named() -> None:
    document = placebo_document(("CASE-A", "CASE-A", 0.9), ("CASE-A", "CASE-B", 0.955), ("CASE-B", "CASE-A", 0.005))
    text = " ".join(WRITERS["placebo.en"](document, "x").split())
    assert (
        "Of the 2 pairs of a case's firm with another chapter 1 is above 0.10: CASE-A's firm meets every statement "
        in text
    )
    assert "of CASE-B in 0.95 of the seeds. Of the others none is above 0.01." in text
    assert "CASE-A 的企业在 0.95 的种子中符合 CASE-B 的全部陈述" in WRITERS["placebo.zh"](document, "x")
    none = " ".join(WRITERS["placebo.en"](placebo_document(("CASE-B", "CASE-A", 0.04)), "x").split())
    assert "None of the 1 pairs of a case's firm with another chapter is above 0.04." in none


def test_a_file_from_before_endings_were_counted_says_so() -> None:
    old = case_document()
    del old["seeds"]
    for case in old["cases"]:
        del case["ending"], case["unmet_seeds"]
        for cause in case["causes"]:
            del cause["ending"]
    text = WRITERS["cases.en"](old, "x")
    assert "before endings were counted apart" in " ".join(text.split()) and "rarer" not in text
    assert "200 seeds:" in text


def outcome_document() -> dict[str, Any]:
    """The same as files have it since outcomes are counted: 60 seeds, the second case without bounds of its own."""
    document = case_document(seeds=list(range(2000, 2060)))
    first, second = document["cases"]
    checks = {"measure": "rows", "of": "value", "statistic": "last", "effect": -2.5e6, "low": -3e6, "high": -2e6}
    for case in (first, second):
        case["scenario"] = "cases/of-somebody"
        case["outcome"], case["expectations"] = {"share": 0.85, "low": 0.75, "high": 0.95}, []
        case["twin"] = {"share": 0.3, "low": 0.2, "high": 0.4, "effect": {"effect": 0.55, "low": 0.4, "high": 0.7}}
        case["thresholds"], case["worst_threshold"] = [], None
        for cause in case["causes"]:
            outcome = {"effect": -0.2, "low": -0.3, "high": -0.1, "share_without": 0.65}
            cause |= {"outcome": outcome, "manipulation": checks, "reproduced": True, "forbidden": None}
    first["causes"][1] |= {"reproduced": False, "forbidden": "licences", "manipulation": None}
    first["thresholds"] = [{"id": "large", "side": "at_least", "bound": 100.0, "curve": []}]
    first["worst_threshold"] = {"id": "large", "side": "at_least", "factor": 1.25, "bound": 125.0, "share": 0.41}
    first["expectations"] = [{"id": "alive", "too_easy": True}, {"id": "large", "too_easy": False}]
    second["match"] = {"share": 0.7, "low": 0.55, "high": 0.8, "n": 60}
    second["twin"] = None
    return document


def test_the_table_of_cases_has_the_outcome_the_twin_and_the_goal() -> None:
    text = WRITERS["cases.en"](outcome_document(), "results/x.json")
    rows = rows_of(text)
    assert rows[0] == [
        "**CASE-A**", "all causes in place: profitable 180, bankrupt 20", "**0.80** [0.75, 0.85]", "",
        "**0.85** [0.75, 0.95]", "", "", "lower bound ≥ 0.60",
    ]  # fmt: skip
    assert rows[1][1:6] == ["its twin, every trait usual", "", "", "0.30 [0.20, 0.40]", "-0.55 [-0.70, -0.40]"]
    assert rows[2][5:] == ["-0.20 [-0.30, -0.10]", "`rows` -2.5e+06 [-3e+06, -2e+06]", "reproduced"]
    assert rows[3][6:] == ["–", "**not reproduced** (`licences` alone moves, and the removal rules it out)"]
    assert rows[4][0] == "**CASE-B**" and rows[4][-1] == "**missed**: lower bound < 0.60"


def test_goals_bounds_and_easy_statements_are_told_below_the_table() -> None:
    plain = " ".join(WRITERS["cases.en"](outcome_document(), "x").split())
    assert "is met by 1 of 2 cases. 2 of 3 causes are reproduced" in plain
    assert "surely has the outcome more rarely in 1 of 1 cases" in plain
    assert "leave at worst 0.41 of the seeds (A, `large` ≥ 125 in place of 100)." in plain
    assert "the startups beside the firm meet `alive` (A), which ought to be background." in plain
    assert "(2000 to 2059)" in plain and "The seeds played here were used for no choice." in plain


def test_both_languages_tell_the_same_figures() -> None:
    for name, document in (("cases", case_document()), ("cases", outcome_document()), *kept_documents()):
        english, chinese = (set(figures_of(WRITERS[f"{name}.{one}"](document, "x.json"))) for one in ("en", "zh"))
        assert english == chinese, name


def kept_documents() -> Iterator[tuple[str, Any]]:
    for block in blocks_of((ROOT / "README.md").read_text(encoding="utf-8")):
        if not block.name.startswith("cases"):
            content = json.loads((ROOT / block.source).read_text(encoding="utf-8"))
            yield block.name.removesuffix(".en"), content


def figures_of(text: str) -> list[str]:
    return re.findall(r"[-+]?\d[\d,.]*\d|\d", text)


# -- events and columns ------------------------------------------------------------------------------------------------


def recorded() -> set[str]:
    """Classes of events that some call in the model makes."""
    made: set[str] = set()
    classes = {kind.__name__ for kind in KINDS.values()}
    for path in [*(ROOT / "agents").rglob("*.py"), *(ROOT / "simulation").rglob("*.py")]:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                name = getattr(call.func, "id", getattr(call.func, "attr", ""))
                made |= {name} & classes
    return made


def test_every_kind_of_event_that_is_declared_is_recorded_somewhere() -> None:
    assert recorded() == {kind.__name__ for kind in KINDS.values()}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_of_event_says_what_each_field_is_and_tells_no_other(kind: type[Event]) -> None:
    declared = declared_fields(kind)
    assert {one.name for one in fields(kind)} - set(COLUMNS) <= set(declared) and kind.__doc__
    told = {name for phrase in (*kind.phrase, *kind.more) for name in WORDS.names(phrase)}
    assert kind.phrase and told <= {*declared, "firm"}


def test_every_kind_of_reason_is_told_by_its_figures() -> None:
    assert set(PHRASES) == set(get_args(ReasonKind))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return play_small(tmp_path_factory.mktemp("documents") / "run")


def documented_columns(title: str) -> list[str]:
    """Names in the first column of the first table in a section of outputs.md."""
    found = re.search(r"(?:^\|.*\n)+", section("outputs.md", title), re.M)
    assert found
    return [name for row in rows_of(found[0]) for name in names_in(row[0])]


@pytest.mark.parametrize("table", WORLD_TABLES)
def test_the_columns_of_a_table_are_those_that_are_documented(played: Run, table: str) -> None:
    documented = documented_columns("What all tables share") + documented_columns(f"`{table}`")
    assert documented == list(played.select(table).columns)


def test_the_columns_of_worlds_are_written_from_their_declarations() -> None:
    parts = {block.name: block.source for block in blocks_of(text_of("outputs.md"))}
    declared = {f"columns.{table}": row.__module__ for table, row in ROWS.items()} | {
        "columns.shared": Label.__module__
    }
    declared |= {"events.kinds": Event.__module__, "reasons.kinds": Reason.__module__}
    declared |= {"reasons.measures": Reason.__module__}
    declared |= {"facts.keys": "analysis.facts.collect"}
    assert parts == {name: f"{module.replace('.', '/')}.py" for name, module in declared.items()}


def test_the_columns_of_the_training_table_are_those_that_are_documented(played: Run) -> None:
    assert documented_columns("`training`") == list(LEDGER_COLUMNS)
    row = next(line for line in text_of("outputs.md").splitlines() if line.startswith("| `plan` | JSON"))
    assert set(re.findall(r"\w+", row.split("the plan: ")[1].split(" (")[0])) == set(TrainingPlan.__dataclass_fields__)


def written(run: Run) -> dict[str, Any]:
    """The manifest as its file says it."""
    content: dict[str, Any] = json.loads((run.folder / "manifest.json").read_text(encoding="utf-8"))
    return content


def test_the_keys_of_the_manifest_are_those_that_are_documented(played: Run) -> None:
    rows = rows_of(section("outputs.md", "`manifest.json`"))
    assert {name for row in rows for name in names_in(row[0])} == set(written(played))
    arms = next(row for row in rows if row[0] == "`arms`")
    assert set(names_in(arms[1])) == set(written(played)["arms"][0])


# -- names -------------------------------------------------------------------------------------------------------------


def test_every_metric_of_a_statement_is_named() -> None:
    assert set(get_args(Metric)) <= set(names_in(section("scenarios.md", "Expectations")))


def test_every_shipped_file_stands_in_a_table() -> None:
    policies = {row[0].strip("`") for row in rows_of(section("scenarios.md", "Shipped policies"))}
    markets = {row[0].strip("`") for row in rows_of(section("scenarios.md", "Shipped markets"))}
    names = [entry.name for entry in catalogue()]
    assert policies == {name.removeprefix("policies/") for name in names if name.startswith("policies/")}
    assert markets == {name for name in names if name.startswith("markets/")}


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_every_command_stands_in_the_readmes(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    functions = [one.callback.__name__ for one in app.registered_commands if one.callback]
    single = {name.replace("_", "-") for name in functions}
    groups = {str(one.name) for one in app.registered_groups}
    told = set(re.findall(r"^\| `([\w-]+)` \| `ventures", text, re.M))
    assert told == single | groups


def test_every_way_of_earning_is_described() -> None:
    table = section("model.md", "7.11 Revenue models — `simulation/revenue.py`, `agents/firm/sales.py` (CH-REVENUE)")
    assert {row[0] for row in rows_of(table)} == set(MODELS)
    listed = section("scenarios.md", "Ways of earning")
    assert {name for name in re.findall(r"^- `(\w+)`:", listed, re.M)} == set(MODELS)


def test_the_sectors_of_the_base_world_are_those_of_its_table() -> None:
    told = {row[0].split(" (")[0]: row[1:] for row in rows_of(section("model.md", "5 Initialisation"))}
    base = shipped("markets/base").world.sectors
    assert {name: row[0] for name, row in told.items()} == {name: sector.task for name, sector in base.items()}
    for name, sector in base.items():
        assert len(told[name][1].split(", ")) == len(sector.segments), name


def test_the_ladder_is_the_one_in_the_table() -> None:
    table = [row for row in rows_of(text_of("model.md")) if row[0].isdigit() and len(row) == 7]
    assert table == [
        [
            str(i), f"{r.width} × {r.depth}", f"{r.filters}, {r.width}", str(r.states), f"{r.embedding}, {r.inner}",
            str(r.steps), str(r.batch),
        ]
        for i, r in enumerate(RUNGS)
    ]  # fmt: skip


def test_the_recipes_are_those_in_the_table() -> None:
    names = {"sgd": "SGD", "adam": "Adam", "relu": "ReLU"}
    table = {float(row[0]): row for row in rows_of(text_of("model.md")) if len(row) == 6 and row[1] in _OPTIMIZERS}
    assert len(table) == len(RECIPES)
    for skill, recipe in RECIPES:
        row = table[skill]
        told = [names.get(recipe.optimizer, recipe.optimizer), names.get(recipe.activation, recipe.activation)]
        assert row[1:3] == told and float(row[3]) == recipe.learning_rate and row[4] == recipe.schedule
        assert row[5].startswith("yes" if recipe.augmentation else "no")
        if recipe.augmentation:
            assert all(task.replace("-", " ") in row[5] for task in WITHOUT_AUGMENTATION)


_OPTIMIZERS = ("SGD", "momentum", "Adam")


WITH_DRAWS = ("model", "technology")
"""Modules of `simulation` that draw for the world."""


def purposes() -> set[str]:
    """Purposes of all keyed draws in the model, without what follows a colon or a gap."""
    found = set()
    for path in [*(ROOT / "agents").rglob("*.py"), *(ROOT / "simulation" / f"{name}.py" for name in WITH_DRAWS)]:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute | ast.Name):
                name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
                if name in ("uniform", "normal", "lognormal", "integer", "strikes", "draw"):
                    found |= {text for one in call.args if (text := _first_words(one))}
    return found


def _first_words(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        node = node.values[0]
    words = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return words.rstrip(":").strip()


def test_every_purpose_of_a_draw_is_named() -> None:
    told = " ".join(section("model.md", "7.2 Random streams — `simulation/randomness.py`").split())
    missing = {purpose for purpose in purposes() if not re.search(rf"\b{re.escape(purpose)}\b", told)}
    assert len(purposes()) > 20 and not missing


def sources() -> str:
    """All code, scenarios and keys of result files."""
    folders = ("simulation", "agents", "scenarios", "analysis", "benchmarks")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.suffix in (".py", ".yaml", ".json"))


def test_names_in_the_documents_are_names_in_the_code() -> None:
    """A parameter, column or constant that was renamed must not live on in a document."""
    known = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", sources()))
    for page in PAGES:
        prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
        words = set(re.findall(r"(?<![\w/.])[A-Za-z]+(?:_[A-Za-z]+)+\b", " ".join(names_in(prose))))
        unknown = {word for word in words - known - MADE_UP if not word.startswith("test_")}
        assert not unknown, page.name
