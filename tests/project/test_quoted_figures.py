"""Figures inside sentences of the documents are those of the code, of the shipped scenarios and of the result files.

Tables and paragraphs about results are generated (`tests/project/test_documents.py`). What stands in a sentence that
a person wrote is listed here: the sentence, and where its figures come from.
"""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
import typer
import yaml

from agents.firm import management, remedy, risk, staffing, training_plan
from agents.fund import SMALLEST_TICKET_USD
from agents.incumbent import acquisition, incumbent
from agents.settings import FirmSettings
from agents.startup import exits, fundraising, startup
from agents.state.programmes import JURY_ERROR
from analysis.base_rates.targets import load_targets
from analysis.calibration import loss, search
from analysis.cli.main import app
from analysis.counterfactual import search as levers
from analysis.play import estimate
from analysis.play.lockstep import LARGEST_BLOCK
from analysis.plots.trajectories import PANELS
from analysis.screens.story import MOST_LINES
from analysis.statistics.resampling import N_BOOTSTRAP
from analysis.statistics.verdicts import LEAST_OBSERVATIONS, MANY_ALIKE
from scenarios import Scenario, load
from scenarios.load import MAX_CHAIN
from scenarios.shelf import shipped_names
from simulation import compute, dp_accountant, fund_returns, labour
from simulation.settings import Stage
from simulation.training import trainer
from simulation.training.bench import adaptations, gate, jobs
from simulation.training.bench import foundation as bench_foundation
from simulation.training.bench import load as bench_load
from simulation.training.bench import run as bench
from simulation.training.classifiers import traditional
from simulation.training.classifiers.train import SMALLER
from simulation.training.data import N_AUDITED
from simulation.training.ladder import RUNGS, architecture, inference_flops
from simulation.training.measures import N_BINS
from simulation.training.networks.compression import LEVELS
from simulation.training.plan import MAX_ROWS, MIN_ROWS, SECTOR_TASKS
from simulation.training.tasks import get_task
from simulation.training.tasks.base import N_GROUP, N_TEST
from tests.support.paths import ROOT
from tests.support.shipped import shipped

ENGLISH = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
CHINESE = "零一两三四五六七八九十"
Values = Callable[[], tuple[Any, ...]]


@cache
def plain(page: str) -> str:
    """The words of a page, whatever its line breaks and emphasis."""
    return " ".join((ROOT / page).read_text(encoding="utf-8").replace("*", "").split())


@cache
def chapters() -> tuple[Scenario, ...]:
    return tuple(shipped(name) for name in shipped_names() if name.startswith("cases/"))


def endings(chapter: Scenario) -> set[str]:
    """The endings that a chapter states; none where it states none."""
    return {end for one in chapter.expect for end in one.ending or ()}


def counted_chapters() -> tuple[int, int, int]:
    """Chapters; those about a success; those that end with a failure."""
    failures = sum(bool(endings(one)) and endings(one) <= {"bankrupt", "acquired"} for one in chapters())
    return len(chapters()), len(chapters()) - failures, failures


def with_an_ending() -> int:
    return sum(bool(endings(one)) for one in chapters())


@cache
def result(name: str) -> Any:
    return json.loads((ROOT / "benchmarks" / "results" / name).read_text(encoding="utf-8"))


def years_of_a_run() -> tuple[int, int]:
    bounds = Scenario.model_json_schema()["properties"]["years"]
    return bounds["minimum"], bounds["maximum"]


def interval(researchers: float) -> float:
    """Months between two models of a firm with so many researchers."""
    return training_plan.release_interval(FirmSettings(sector="speech", offers={}), researchers)


def hours(skill: float) -> float:
    """What a GPU hour yields in the hands of a team of that skill and of usual practice."""
    return training_plan.engineering(FirmSettings(sector="speech", offers={}, skill=skill, collaboration=1.0))


def default(function: Callable[..., Any], name: str) -> Any:
    return inspect.signature(function).parameters[name].default


def scaling() -> list[Any]:
    return list(result("scaling-2-cores-cpu.json")["studies"])


def range_of(exponent: str) -> tuple[float, float]:
    """Smallest and largest exponent of all tasks."""
    found = [study["fit"][exponent] for study in scaling()]
    return min(found), max(found)


def steps(axis: int) -> int:
    """Steps of a study's grid along rungs (0) or rows (1)."""
    rungs, rows = len(scaling()[0]["n_parameters"]), len(scaling()[0]["rows"])
    return (rungs - 1) * rows if axis == 0 else rungs * (rows - 1)


def guessing(task: str) -> int:
    return next(len(study["no_better_than_guessing"]) for study in scaling() if study["task"] == task)


def first_losses(task: str) -> tuple[float, float]:
    """Loss of the lowest and of the highest rung with the fewest rows."""
    mean = next(study["mean_loss"] for study in scaling() if study["task"] == task)
    return mean[0][0], mean[-1][0]


def most_flops_of_fraud() -> int:
    """Operations of the largest network that the firm of CASE-FRAUD can train, one answer."""
    setup = shipped("cases/fraud")
    kind, task = setup.firms[setup.focal or ""].model_kind, setup.world.sectors["fraud"].task
    return max(round(inference_flops(architecture(get_task(task), kind, rung))) for rung in range(len(RUNGS)))


def pythons() -> list[str]:
    """The versions of Python that the package says it runs on."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", data["project"]["requires-python"].replace(" ", ""))
    assert found
    return [f"3.{minor}" for minor in range(int(found[1]), int(found[2]))]


def seeds_of_make_run() -> str:
    found = re.search(r"^SEEDS\s*\?= (\d+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert found
    return found[1]


def n_parameters() -> int:
    """Parameters that a search may change by default."""
    return len(yaml.safe_load((files("analysis.calibration") / "parameters.yaml").read_text("utf-8"))["parameters"])


def n_targets() -> int:
    return len(load_targets(None))


def base() -> Any:
    return shipped("markets/base").world


README, CHINESE_README, MODEL = "README.md", "README.zh.md", "docs/model.md"
BASE_RATES, BENCHMARKS, SCALING = "docs/base-rates.md", "docs/benchmarks.md", "docs/scaling.md"
NOTES = "benchmarks/README.md"
SCENARIOS = "docs/scenarios.md"
EXPLAIN, OUTPUTS, RECORD = "docs/explain.md", "docs/outputs.md", "docs/design-record.md"

QUOTED: list[tuple[str, str, Values]] = [
    # chapters
    (
        README,
        "plays the {} case chapters ({} successes, {} failures) with {} seeds each",
        lambda: (*(ENGLISH[number] for number in counted_chapters()), seeds_of_make_run()),
    ),
    (
        CHINESE_README,
        "书中的{}个案例（{}个成功，{}个失败），每个案例 {} 个种子",
        lambda: (*(CHINESE[number] for number in counted_chapters()), seeds_of_make_run()),
    ),
    (README, "(in {} chapters) how the firm ends", lambda: (ENGLISH[with_an_ending()],)),
    (CHINESE_README, "（{}个案例中）是企业的结局", lambda: (CHINESE[with_an_ending()],)),
    (MODEL, "{} chapters, each a list of dated statements", lambda: (ENGLISH[len(chapters())],)),
    (README, "Python {}, {} or {}, and make", lambda: tuple(pythons())),
    (CHINESE_README, "Python {}、{} 或 {}，以及 make", lambda: tuple(pythons())),
    (RECORD, "no network that its firm can train needs more than {:,}", lambda: (most_flops_of_fraud(),)),
    # time, compute, training
    (MODEL, "A run lasts {} to {} years", years_of_a_run),
    (MODEL, "relative to t₀ = {}", lambda: (compute.REFERENCE_YEAR,)),
    (MODEL, "max(1, h / ({:g} · job_months))", lambda: (compute.HOURS_PER_MONTH,)),
    (
        MODEL,
        "clip(release_months · √(2 / max(researchers · collaboration, 0.5)), {:g}, {:g}) months",
        lambda: (interval(1e9), interval(0.0)),
    ),
    (MODEL, "engineering = {:.1f} · {:.0f}^skill", lambda: (hours(0.0), hours(1.0) / hours(0.0))),
    (MODEL, "proxy rows = min(round({} · 2^(s · step)), {})", lambda: (MIN_ROWS, MAX_ROWS)),
    (MODEL, "lab ({0:,} rows, no field conditions), field ({0:,} rows", lambda: (N_TEST,)),
    (MODEL, "groups ({0} + {0} rows", lambda: (N_GROUP,)),
    (MODEL, "Σ over {} bins of confidence", lambda: (N_BINS,)),
    (MODEL, "telling up to {0} training rows from {0} fresh ones", lambda: (N_AUDITED,)),
    (MODEL, "largest absolute weight over {}", lambda: (LEVELS,)),
    (MODEL, "trains a network {} rungs smaller", lambda: (ENGLISH[SMALLER],)),
    (MODEL, "with penalty {:g} (10⁻⁶ for the constant)", lambda: (traditional.RIDGE,)),
    # firms
    (MODEL, "12 · mean₃(recurring revenue) ≥ {:g} M$", lambda: (startup.MATURE_REVENUE_USD_YEAR / 1e6,)),
    (MODEL, "budget = {:g} · mean₃(revenue) + max(1 −", lambda: (1 - startup.TARGET_MARGIN,)),
    (MODEL, "burn ← {} · burn after two refusals", lambda: (startup.CUT_UNFUNDED,)),
    (MODEL, "{} · burn with a runway below {} months", lambda: (startup.CUT_SHORT, startup.SHORT_RUNWAY_MONTHS)),
    (
        MODEL,
        "when {} months have passed since the last round (assumption; V12, V14) and growth exceeds {:.0%}",
        lambda: (fundraising.BETWEEN_ROUNDS_MONTHS, fundraising.TRIPLED),
    ),
    (
        MODEL,
        "a mature one only with a runway below {} months",
        lambda: (fundraising.MATURE_RAISES_BELOW_MONTHS,),
    ),
    (BASE_RATES, "{} months between rounds (12)", lambda: (ENGLISH[fundraising.BETWEEN_ROUNDS_MONTHS],)),
    (MODEL, "at least {:,} USD. Closing", lambda: (SMALLEST_TICKET_USD,)),
    (MODEL, "step s = 0 … {} for seed … growth", lambda: (len(Stage.__args__) - 1,)),
    (MODEL, "An incumbent offers {:,} USD per researcher", lambda: (exits.USD_PER_RESEARCHER,)),
    (MODEL, "field accuracy is higher by more than {}", lambda: (acquisition.CLEARLY_BETTER,)),
    (MODEL, "if one holds more than {:.0%} of the value served", lambda: (acquisition.SHARE_THAT_WORRIES,)),
    (MODEL, "have a released model and {} months of runway", lambda: (ENGLISH[acquisition.HEALTHY_RUNWAY_MONTHS],)),
    (MODEL, "+ {} · mean₃(the buyer's recurring)", lambda: (acquisition.LOSS_MONTHS,)),
    (MODEL, "half the buyer's cash and {} · `core_income_usd_month`", lambda: (acquisition.PARENT_MONTHS,)),
    (MODEL, "falls by a tenth, not below {}", lambda: (incumbent.LOWEST_LEVEL,)),
    (MODEL, "pay {:.0%} of it into the firm", lambda: (exits.LISTED_SHARE,)),
    (MODEL, "at most one person or {:.0%} a month per role", lambda: (default(staffing.adjust, "hire"),)),
    (MODEL, "cutting at most {:.0%}", lambda: (default(staffing.adjust, "cut"),)),
    (MODEL, "^wage_response, {}, {:g})", lambda: (labour.LOWEST, labour.HIGHEST)),
    (MODEL, "(1 + wage_growth_year)^(t − {})", lambda: (labour.WAGES_OF,)),
    (MODEL, "by bisection between −{:.0%} and {:.0%}", lambda: (-fund_returns.LOWEST, fund_returns.HIGHEST)),
    (MODEL, "each as reached / target, at most {:g}", lambda: (management.BEST,)),
    (MODEL, "clip(L + a · (reached − L), {}, 1)", lambda: (management.LOWEST_ASPIRATION,)),
    (MODEL, "skill with them, at most {}", lambda: (risk.LARGEST_DROP,)),
    # law and policy
    (MODEL, "{} more noise on training inputs, up to {}", lambda: (remedy.NOISE_STEP, remedy.NOISE_MOST)),
    (
        MODEL,
        "noise {} to {} sd, inputs left out {} to {}, or a DP-SGD multiplier {} to {:g}",
        lambda: (
            remedy.NOISE_STEP, remedy.NOISE_MOST, remedy.MINIMISATION_STEP, remedy.MINIMISATION_MOST, remedy.DP_STEP,
            remedy.DP_MOST,
        ),
    ),
    (MODEL, "trains out of turn once in {} months", lambda: (ENGLISH[round(remedy.GATHER_MONTHS)],)),
    (MODEL, "skill + {} · z ≥ grant_skill", lambda: (JURY_ERROR,)),
    (MODEL, "ε for δ = 10⁻{}", lambda: ({1e-5: "⁵"}[dp_accountant.DELTA],)),
    # analysis
    (RECORD, "Blocks of {} seeds", lambda: (ENGLISH[LARGEST_BLOCK],)),
    (BASE_RATES, "where fewer than {} observations were made", lambda: (LEAST_OBSERVATIONS,)),
    (BASE_RATES, "from the S that were played, {:,} times", lambda: (N_BOOTSTRAP,)),
    (BASE_RATES, "has none with fewer than {} seeds", lambda: (MANY_ALIKE,)),
    (BASE_RATES, "in fifths of that end), at most {:g}", lambda: (loss.FARTHEST,)),
    (
        BASE_RATES,
        "fewer than {} observations counts as d = {:g}",
        lambda: (ENGLISH[loss.LEAST], loss.MISSING),
    ),
    (BASE_RATES, "{} trials are drawn at random", lambda: (ENGLISH[search.N_RANDOM].capitalize(),)),
    (BASE_RATES, "`switching_cost` {:g} (it was 1.5)", lambda: (segments_agree("switching_cost"),)),
    (BASE_RATES, "`customers_per_operator` {:g} (60)", lambda: (base().labour.customers_per_operator,)),
    (BASE_RATES, "`runway_months` {:g} (24;", lambda: (base().capital.runway_months,)),
    (BASE_RATES, "`raise_below_months` {:g} (6;", lambda: (base().capital.raise_below_months,)),
    (BASE_RATES, "{} parameters and {} targets, several", lambda: (ENGLISH[n_parameters()], ENGLISH[n_targets()])),
    (BASE_RATES, "{} targets are {} tests", lambda: (ENGLISH[n_targets()], ENGLISH[n_targets()])),
    (SCENARIOS, "Parents may have parents, up to {} files", lambda: (ENGLISH[MAX_CHAIN],)),
    (SCENARIOS, "`markets/base` has {} sectors", lambda: (ENGLISH[len(base().sectors)],)),
    (MODEL, "has {} sectors, one for each task family of a sector", lambda: (ENGLISH[len(SECTOR_TASKS)],)),
    (OUTPUTS, "{} measures of the focal firm", lambda: (ENGLISH[len(PANELS)],)),
    (RECORD, "With a spread of {:g} (log scale)", lambda: (base().capital.seed_sigma,)),
    (EXPLAIN, "the {} most telling lines are shown", lambda: (MOST_LINES,)),
    (EXPLAIN, "Sizes {:g}, {:g}, {:g} and {:g} (or all the room", lambda: levers.GRID),
    (EXPLAIN, "then {} bisections", lambda: (ENGLISH[levers.BISECTIONS],)),
    (EXPLAIN, "at most {} replays", lambda: (ENGLISH[len(levers.GRID) + levers.BISECTIONS],)),
    (
        OUTPUTS,
        "more than {:g} hours, more than {:g} GB of disk",
        lambda: (estimate.MOST_HOURS, estimate.MOST_DISK_BYTES / 1e9),
    ),
    (OUTPUTS, "more than {:,} firm-months is played with a warning", lambda: (estimate.LARGE_WORLD,)),
    # benchmarks
    (BENCHMARKS, "Above {:g} both commands warn", lambda: (bench_load.BUSY,)),
    (BENCHMARKS, "with a load above {:g} read the figures", lambda: (bench_load.BUSY,)),
    (NOTES, "load at the start is above {:g}, gives figures of that moment", lambda: (bench_load.BUSY,)),
    (BENCHMARKS, "has its own {:,} rows out of a pool of {:,}", lambda: (jobs.N_ROWS, jobs.N_POOL)),
    (BENCHMARKS, "a {}² float32 product", lambda: (bench.MATMUL,)),
    (BENCHMARKS, "repetition and `vmap` {},", lambda: (bench.N_VMAP,)),
    (BENCHMARKS, "trains chunks of up to {} networks", lambda: (trainer.CHUNK_GPU,)),
    (BENCHMARKS, "in these jobs up to {:,}", lambda: (jobs.CHUNK_CARD,)),
    (BENCHMARKS, "two of {} to {} units, drawn", lambda: (jobs.NARROWEST, jobs.WIDEST)),
    (BENCHMARKS, "steps of {} units", lambda: (jobs.JOBS["R"].step,)),
    (BENCHMARKS, "than {:g} of them (or {:g} nats)", lambda: (gate.TOLERANCE, gate.ABSOLUTE)),
    (BENCHMARKS, "it runs {} steps", lambda: (bench_foundation.PLAIN_STEPS,)),
    (BENCHMARKS, "held-out text after {}", lambda: (bench_foundation.GATE_STEPS,)),
    (BENCHMARKS, "makes {:,} probes and {} adapters", lambda: tuple(adaptations.MEMBERS.values())),
    (BENCHMARKS, "it does {} probes and {} adapters", lambda: tuple(adaptations.SAMPLE.values())),
    (BENCHMARKS, "job F {:g} of the matmul figure", lambda: (bench_foundation.TARGETS["cpu"]["share_of_matmul"],)),
    (BENCHMARKS, "job F {:g} of\nthe bfloat16", lambda: (bench_foundation.TARGETS["cuda"]["share_of_matmul"],)),
    (BENCHMARKS, "growth up to {} members", lambda: (bench.GROWTH_LIMIT["S"],)),
    # the scaling study
    (SCALING, "β lies between {:.2f} and {:.2f} on all tasks", lambda: range_of("beta")),
    (SCALING, "between tasks, {:.2f} (medical imaging) to {:.2f} (robo-advice)", lambda: range_of("alpha")),
    (SCALING, "There are {} steps in N and {} in D", lambda: (steps(0), steps(1))),
    (
        SCALING,
        "above that of guessing on {} tasks, for fraud at {} of {} cells",
        lambda: (
            ENGLISH[sum(bool(study["no_better_than_guessing"]) for study in scaling())], guessing("finance-fraud"),
            steps(0) + len(scaling()[0]["rows"]),
        ),
    ),
    (SCALING, "along the whole ladder, from {:.1f} to {:.1f} nats", lambda: first_losses("medical-imaging")),
    (
        SCALING,
        "On {} of {} tasks rung 0 stops gaining at 256 or 512 rows",
        lambda: (
            ENGLISH[sum(study["floor_from_rows"][0] in (256, 512) for study in scaling())], ENGLISH[len(scaling())],
        ),
    ),
    (SCALING, "8 seeds: {:,} networks", lambda: (8 * len(scaling()) * len(scaling()[0]["rows"]) * len(RUNGS),)),
]  # fmt: skip


def segments_agree(name: str) -> float:
    """A setting of all segments of the base world, where they have one value by default."""
    from simulation.settings import SegmentSettings

    return float(SegmentSettings.model_fields[name].default)


@pytest.mark.parametrize(("page", "sentence", "values"), QUOTED, ids=[f"{one[0]}: {one[1][:50]}" for one in QUOTED])
def test_a_figure_in_a_sentence_is_that_of_its_source(page: str, sentence: str, values: Values) -> None:
    told = " ".join(sentence.format(*values()).replace("%", " %").replace("  %", " %").split())
    assert told.casefold() in plain(page).casefold()


def test_estimates_of_size_are_those_of_the_bench() -> None:
    """What a firm-month costs and how long entrants live, in `analysis/play/estimate.py`, from the kept result."""
    market = result("market-2-cores-cpu.json")["reference"]
    assert pytest.approx(market["us_per_firm_month"]["median"] * 1e-6, rel=0.01) == estimate.FIRM_MONTH_S
    setup = load("markets/base", {"years": market["months"] // 12})
    assert estimate.firm_months(setup) / setup.n_months == pytest.approx(market["firms"]["median"], rel=0.02)


# -- options ----------------------------------------------------------------------------------------------------------


def options() -> dict[str, set[str]]:
    """By command: its long options."""
    found: dict[str, set[str]] = {}

    def walk(command: Any, name: str) -> None:
        for inner, one in getattr(command, "commands", {}).items():
            walk(one, f"{name} {inner}".strip())
        if not hasattr(command, "commands"):
            named = (text for parameter in command.params for text in parameter.opts)
            found[name] = {text for text in named if text.startswith("--")}

    walk(typer.main.get_command(app), "")
    return found


def named_options(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def test_every_option_is_documented_and_every_documented_option_is_there() -> None:
    pages = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    told = named_options("\n".join(page.read_text(encoding="utf-8") for page in pages))
    there: set[str] = set().union(*options().values())
    assert there - told == set()
    assert told - there - {"--help"} == set()


@pytest.mark.parametrize(
    ("page", "sentence"),
    [(README, r"`cases`, `run` and `compare` take (.*?)\. With"), (CHINESE_README, r"`compare` 都接受 (.*?)。")],
)
def test_the_readmes_list_the_options_that_playing_commands_share(page: str, sentence: str) -> None:
    found = re.search(sentence, plain(page))
    assert found
    by_command = options()
    assert named_options(found[1]) == by_command["cases"] & by_command["run"] & by_command["compare"]
