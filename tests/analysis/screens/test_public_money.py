"""What `ventures run` shows of public money: programmes, receipts, and what is left as net cost."""

from __future__ import annotations

import pandas as pd
from rich.console import Console

from analysis.overview import Overview
from analysis.screens.experiments import overview_screen


def shown(**public_money_usd: float) -> str:
    console = Console(width=120)
    sectors = pd.DataFrame(columns=["sector"])
    with console.capture() as captured:
        console.print(overview_screen(Overview(2, sectors, {"alive": 1}, 1.0, 2, public_money_usd)))
    return captured.get()


def test_programmes_receipts_and_net_cost_are_shown() -> None:
    lines = {" ".join(line.split()) for line in shown(grants=3e6, taxes=-1e6).splitlines()}
    assert {"grants 3.000", "taxes -1.000", "net cost 2.000"} <= lines


def test_a_world_without_public_money_shows_none() -> None:
    assert "public money" not in shown()
