"""The command line: what it prints, where, and what it leaves with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis.cases.setups import load_case
from analysis.cli.main import run_command
from analysis.runs.run import Run
from analysis.runs.tables import WORLD_TABLES
from tests.support.analysis_fakes import ENGINE
from tests.support.patience import HANGS_S, wait_until

Call = Callable[..., tuple[int, str, str]]
YEAR = "extends: markets/base\ntitle: One year\nyears: 1\nsectors: [speech]\ninterventions: []\n"


@pytest.fixture
def ventures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Run a command in a fresh folder; worlds are small ones. Returns exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "ledger.sqlite"))
    monkeypatch.setattr("analysis.play.experiment.real_engine", lambda: ENGINE)

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run_command(arguments)
        return code, *capfd.readouterr()

    return call


def test_cases_prints_what_matched_and_leaves_a_run_folder(ventures: Call, tmp_path: Path) -> None:
    code, out, _ = ventures("cases", "vision", "-n", "3", "-j", "1", "--out", "here")
    assert code == 0
    assert "CASE-VISION" in out and "match" in out and "results: here" in out and "networks trained live" in out
    run = Run(tmp_path / "here")
    assert run.status == "finished" and run.seeds == [0, 1, 2]
    plots = sorted(path.name for path in (tmp_path / "here" / "plots").iterdir())
    assert plots == [f"vision-{what}.png" for what in ("causes", "endings", "thresholds", "trajectory")]
    assert all(name in out for name in plots)


@pytest.mark.parametrize("spelling", ["CASE-VISION", "case-vision", "vision", "cases/vision"])
def test_a_case_has_several_spellings(spelling: str) -> None:
    assert load_case(spelling).id == "CASE-VISION"


@pytest.mark.slow
def test_all_cases_are_played_by_default(ventures: Call, undrawn: None) -> None:
    code, out, _ = ventures("cases", "-n", "1", "--json")
    assert code == 0
    assert {"CASE-VISION", "CASE-SPEECH"} <= {case["id"] for case in json.loads(out)["cases"]}
    assert len(list(Path("runs").glob("cases-*/manifest.json"))) == 1


@pytest.mark.slow
def test_cases_share_out_the_ending_and_try_other_firms_on_request(
    ventures: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.plots.plot_cases", lambda _: [])
    code, out, err = ventures(
        "cases", "speech", "-n", "3", "-j", "1", "--shapley", "--placebo", "--out", "both", "--json"
    )
    assert code == 0, err
    document = json.loads(out)
    (shares,) = document["shapley"]
    assert len(shares["coalitions"]) == 8
    assert sum(one["value"] for one in shares["values"]) == pytest.approx(shares["total"], abs=1e-12)
    assert {cell["case"] for cell in document["placebo"]["crossed"]} == {"CASE-SPEECH"}
    assert "CASE-VISION" in {cell["judged_by"] for cell in document["placebo"]["crossed"]}  # it need not be played
    assert {"shapley.png", "placebo.png"} <= {path.name for path in Path("both/plots").iterdir()}
    plain = ("cases", "speech", "-n", "3", "-j", "1", "--out", "plain", "--json")
    first = json.loads(ventures(*plain)[1])
    again = json.loads(ventures(*plain, "--placebo")[1])
    assert not {"shapley", "placebo"} & set(first) and "placebo" in again
    assert again["training"]["runs"] == first["training"]["runs"] > 0  # the placebo plays nothing new


def test_compare_prints_a_table_for_every_whatif(ventures: Call) -> None:
    whatifs = ("policies/compute-vouchers", "policies/strict-data-protection")
    code, out, _ = ventures("compare", "markets/base", "-w", whatifs[0], "-w", whatifs[1], "-n", "1")
    assert code == 0 and all(f"{name} against markets/base" in out for name in whatifs)
    assert "concentration" in out and "differences.png" in out  # the terminal's width folds longer names


def test_json_of_run_and_compare_is_one_document(ventures: Call, undrawn: None) -> None:
    code, out, err = ventures("run", "markets/base", "-n", "2", "-s", "0", "-j", "1", "--json")
    assert code == 0, err
    assert json.loads(out)["seeds"] == [0, 1] and "results:" in err
    whatifs = ("policies/compute-vouchers", "policies/strict-data-protection")
    code, out, _ = ventures("compare", "markets/base", "--with", *whatifs, "-n", "1", "--json")
    assert code == 0 and [whatif["name"] for whatif in json.loads(out)["whatifs"]] == list(whatifs)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("cases visoin", "unknown case 'visoin' (did you mean vision?)"),
        ("cases -n 0", "replications must be at least 1, not 0"),
        ("cases -j 0", "jobs must be at least 1, not 0"),
        ("cases --seed -1", "seed must be 0 or more, not -1"),
        ("cases --seed 9223372036854775807", "seed must leave room"),
        ("cases -n many", "--replications"),
        ("cases vision --device tpu", "device 'tpu': unknown"),
        ("cases vision --out ledger.txt", "--out ledger.txt is a file"),
        ("cases vision --out ledger.txt/below", "--out ledger.txt/below cannot be written"),
        ("cases --no-such-option", "--no-such-option"),
        ("run markets/bse", "did you mean 'markets/base'"),
        ("run nofile.yaml", "nofile.yaml"),
        ("run policies/compute-vouchers", "what-if"),
        ("compare markets/base", "name at least one what-if"),
        ("compare markets/base --with policies/nothing", "policies/nothing"),
        ("ledger info --ledger ledger.txt", "ledger.txt"),
        ("ledger info --ledger nowhere.sqlite", "no ledger at nowhere.sqlite"),
        ("ledger verify --sample 0", "--sample must be at least 1, not 0"),
        ("validate nofile.yaml", "nofile.yaml"),
        ("sing", "sing"),
    ],
)
def test_a_wrong_request_gets_one_clear_line_and_2(ventures: Call, command: str, says: str) -> None:
    Path("ledger.txt").write_text("not a database, and rather longer than the header of one " * 4)
    code, out, err = ventures(*command.split())
    assert code == 2 and out == ""
    assert says in err and err.count("\n") == 1 and "Traceback" not in err
    assert not Path("runs").exists()


def test_a_folder_of_another_scenario_is_refused(ventures: Call, undrawn: None) -> None:
    assert ventures("run", "markets/base", "-n", "1", "--out", "here")[0] == 0
    code, _, err = ventures("run", "cases/vision", "-n", "1", "--out", "here")
    assert code == 2 and "here holds another experiment (run markets/base)" in err


def test_validate_names_the_good_and_the_bad(ventures: Call) -> None:
    Path("good.yaml").write_text(YEAR)
    Path("bad.yaml").write_text("extends: markets/base\nyeers: 3\n")
    Path("what.yaml").write_text("whatif: true\ntitle: Nothing but tax\nset: {world.law.tax_rate: 0.1}\n")
    code, out, err = ventures("validate", "good.yaml", "bad.yaml", "what.yaml")
    assert code == 2
    assert [line.split(":")[0] for line in out.splitlines()] == ["OK good.yaml", "OK what.yaml"]
    assert err.startswith("bad.yaml") and "yeers" in err and err.count("\n") == 1
    assert ventures("validate", "good.yaml")[0] == 0


MARKET = """\
title: A market of one's own
start: 2016-01
years: 2
world: {sectors: {vision: {segments: {cameras: {customers: 2000, reference_price_usd: 2000}}}}}
firms: {iris: {sector: vision, offers: {cameras: subscription}}}
"""


def test_validate_lays_a_whatif_over_the_scenario_that_it_is_for(ventures: Call) -> None:
    Path("market.yaml").write_text(MARKET)
    Path("longer.yaml").write_text(MARKET.replace("years: 2", "years: 3"))
    Path("skill.yaml").write_text("whatif: true\ntitle: More skill\nset: {firms.iris.skill: 0.9}\n")
    Path("typo.yaml").write_text("whatif: true\ntitle: More skill\nset: {firms.iris.skil: 0.9}\n")
    code, out, err = ventures("validate", "skill.yaml", "--on", "market.yaml")
    assert (code, out, err) == (0, "OK skill.yaml: A market of one's own, what if: More skill\n", "")
    code, _, err = ventures("validate", "skill.yaml")
    assert code == 2 and "no 'iris' in firms" in err and "on markets/base" in err and "--on" in err
    assert err.count("\n") == 1
    code, out, err = ventures("validate", "typo.yaml", "skill.yaml", "--on", "market.yaml")
    assert code == 2 and out.startswith("OK skill.yaml") and "did you mean 'skill'" in err and "--on" not in err
    code, out, err = ventures("validate", "longer.yaml", "market.yaml", "--on", "market.yaml")
    assert code == 2 and out.startswith("OK market.yaml") and "must cover the same months" in err
    for wrong in ("skill.yaml", "markets/bse", "nofile.yaml"):
        code, out, err = ventures("validate", "skill.yaml", "--on", wrong)
        assert code == 2 and out == "" and err.count("\n") == 1 and "Traceback" not in err


def test_scenarios_lists_the_shelf(ventures: Call) -> None:
    code, out, _ = ventures("scenarios", "--json")
    assert code == 0 and "cases/vision" in [entry["name"] for entry in json.loads(out)["scenarios"]]
    assert "markets/base" in ventures("scenarios")[1]


def test_light_commands_load_no_heavy_library() -> None:
    script = (
        "import sys; from analysis.cli.main import run_command; code = run_command([{!r}]);"
        "print([m for m in ('torch', 'pandas', 'matplotlib', 'scipy') if m in sys.modules], file=sys.stderr)"
    )
    for command in ("--help", "--version"):
        done = subprocess.run(
            [sys.executable, "-c", script.format(command)], capture_output=True, text=True, check=True
        )
        assert done.stderr.strip() == "[]" and "ventures" in done.stdout


def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "VENTURES_LEDGER": str(tmp_path / "ledger.sqlite")}


def real(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    """The real command with the real world, in its own process group."""
    command = [sys.executable, "-c", "from analysis.cli.main import main; main()", *arguments]
    return subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.slow
def test_the_real_world_end_to_end(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "year.yaml").write_text(YEAR)
    process = real(tmp_path, "run", "year.yaml", "-n", "1", "-j", "1", "--device", "cpu", "--json", "--out", "here")
    out, err = process.communicate(timeout=HANGS_S)
    assert process.returncode == 0, err
    document = json.loads(out)
    assert document["training"]["runs"] > 0 and document["training"]["from_ledger"] == 0
    run = Run(tmp_path / "here")
    shown = set(run.firms["ledger_key"].dropna()) - {""}
    assert shown and shown <= set(run.training["key"])
    verify = ("ledger", "verify", "--sample", "2", "--device", "cpu", "--json")
    assert run_command([*verify, "--ledger", str(tmp_path / "ledger.sqlite")]) == 0
    out, _ = capfd.readouterr()
    assert json.loads(out)["passed"] == 2


@pytest.mark.slow
def test_the_real_world_gives_the_same_tables_with_one_job_and_two(tmp_path: Path) -> None:
    (tmp_path / "year.yaml").write_text(YEAR)
    common = ("run", "year.yaml", "-n", "2", "--device", "cpu", "--json")
    for jobs in ("1", "2"):  # two worlds in one batch, then one world in each of two processes; nothing shared
        process = real(tmp_path, *common, "-j", jobs, "--out", f"jobs{jobs}", "--ledger", f"ledger{jobs}.sqlite")
        _, err = process.communicate(timeout=HANGS_S)
        assert process.returncode == 0, err
    one, two = Run(tmp_path / "jobs1"), Run(tmp_path / "jobs2")
    for table in WORLD_TABLES:
        pd.testing.assert_frame_equal(one.select(table), two.select(table), check_exact=True)
    assert len(one.firms) > 100 and one.training["key"].tolist() == two.training["key"].tolist()


@pytest.mark.slow
def test_ctrl_c_leaves_with_130_and_one_line(tmp_path: Path) -> None:
    process = begun(tmp_path, "1")
    os.killpg(process.pid, signal.SIGINT)
    check_interrupted(tmp_path, process)


@pytest.mark.slow
def test_a_request_to_end_is_like_ctrl_c_and_leaves_no_worker_behind(tmp_path: Path) -> None:
    process = begun(tmp_path, "2")
    process.terminate()  # reaches the parent alone, as `kill` and a scheduler do
    check_interrupted(tmp_path, process)
    wait_until(lambda: not is_group(process.pid))


def is_group(number: int) -> bool:
    """Whether any process of that group is left."""
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True


def begun(tmp_path: Path, jobs: str) -> subprocess.Popen[str]:
    """Sixty seeds of the real world, under way."""
    (tmp_path / "year.yaml").write_text(YEAR)
    process = real(tmp_path, "run", "year.yaml", "-n", "60", "-j", jobs, "--device", "cpu", "--json", "--out", "here")
    wait_until((tmp_path / "here" / ".progress").exists, lambda: process.poll() is None)
    return process


def check_interrupted(tmp_path: Path, process: subprocess.Popen[str]) -> None:
    out, err = process.communicate(timeout=HANGS_S)
    assert process.returncode == 130 and out == ""
    assert "of 60 seeds are finished and usable in here" in err and "Traceback" not in err
    assert Run(tmp_path / "here").status == "interrupted"


@pytest.mark.parametrize("where", ["load", "plots"])
def test_an_interrupt_outside_of_the_playing_is_told_too(
    where: str, ventures: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("scenarios.load" if where == "load" else "analysis.plots.plot_run", stop)
    if where == "load":
        code, _, err = ventures("validate", "markets/base")
    else:
        code, _, err = ventures("run", "markets/base", "-n", "1", "-j", "1", "--out", "here")
        assert Run(Path("here")).status == "finished"
    assert code == 130 and err.splitlines()[-1] == "ventures: interrupted; what was finished is kept"
