"""`ventures bench market`: it runs, says everything, and its figures are formed as it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.benchmarks import market as bench_market
from analysis.benchmarks.market import ReadyResults, exponent, synthetic, verdicts, world_of
from analysis.benchmarks.peers import Peer
from analysis.cli.main import run_command

SPREAD = {"median", "min", "max"}


@pytest.mark.slow
def test_the_command_gives_every_figure_as_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "market.json"
    assert run_command(["bench", "market", "--quick", "--note", "test", "--json", "--out", str(file)]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document == json.loads(file.read_text(encoding="utf-8"))
    assert (document["benchmark"], document["note"], document["targets"]) == ("market", "test", [])
    assert set(document["machine"]) == {"device", "cores", "torch", "load_before", "busy"}
    load = document["machine"]["load_before"]
    rows = [document["reference"], *document["growth"]["rows"], *document["customers"]["rows"], *document["peers"]]
    assert {row["load_before"] for row in rows} == {load}
    for name in ("seconds", "firms", "us_per_firm_month", "seconds_at_reference"):
        assert set(document["reference"][name]) == SPREAD and document["reference"][name]["min"] > 0
    for part in ("growth", "customers"):
        assert len(document[part]["rows"]) == 2 and isinstance(document[part]["exponent"], float)
        for row in document[part]["rows"]:
            assert row["us_per_firm_month"]["min"] > 0 and row["months"] == 4
    peers = {(peer["name"], peer["agents"]): peer for peer in document["peers"]}
    assert peers["mesa-boltzmann-wealth", 40]["us_per_agent_period"]["min"] > 0
    assert all(set(peer["us_per_agent_period"] or SPREAD) == SPREAD for peer in peers.values())


@pytest.mark.slow
def test_a_person_reads_tables_and_how_busy_the_machine_was(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulation.training.bench.run.load_average", lambda: 2.625)
    assert run_command(["bench", "market", "--quick"]) == 0
    shown = capfd.readouterr().out
    assert "warning: the load average is 2.62" in shown and "load 2.62 at the start, the machine was busy" in shown
    assert "µs a firm and month" in shown and "mesa-boltzmann-wealth" in shown and "NOT MET" not in shown


def test_a_library_that_is_missing_is_said_to_be() -> None:
    def missing() -> None:
        raise ImportError

    peer = Peer("other", "other", 3, 1, missing)  # type: ignore[arg-type]
    peer.measure()
    assert peer.row()["why_not"] == "not installed" and peer.row()["us_per_agent_period"] is None


def test_the_exponent_is_the_slope_on_log_scales() -> None:
    assert exponent([10, 100, 1000], [0.3, 3, 30]) == pytest.approx(1)
    assert exponent([10, 100, 1000], [0.3, 30, 3000]) == pytest.approx(2)


def test_verdicts_compare_with_the_targets() -> None:
    document = {
        "reference": {"seconds_at_reference": {"median": 0.5}},
        "growth": {"exponent": 1.2, "exponent_at_the_top": 1.0},
    }
    assert [one["met"] for one in verdicts(document)] == [True, False, True]


def test_synthetic_startups_are_spread_over_all_sectors() -> None:
    model = world_of(synthetic(33, customer_factor=0.5))
    startups = [firm.sector for firm in model.living.values() if firm.kind == "startup"]
    assert len(set(startups)) == len(model.settings.sectors) and 33 <= len(startups) < 40
    model.step()
    assert isinstance(model.service, ReadyResults) and model.service.results


def test_repetitions_stop_growing_with_the_number_of_firms() -> None:
    assert list(bench_market.FULL.firms) == [100, 1_000, 10_000, 100_000]
    worlds = list(bench_market.FULL.firms.values())
    assert worlds == sorted(worlds, reverse=True) and worlds[-1] * bench_market.FULL.n_months >= 5
