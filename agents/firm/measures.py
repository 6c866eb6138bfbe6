"""What is measured of a firm at a month's end."""

from __future__ import annotations

from datetime import date
from math import nan
from typing import TYPE_CHECKING

from agents.firm.history import Totals
from simulation.records.columns import FirmRow

if TYPE_CHECKING:
    from agents.firm.owner import Owner
    from simulation.market import Standing


def firm_row(firm: Owner, month: date, standing: Standing, share: float, headcount: float) -> FirmRow:
    """The month's row of the firms table: `standing` and `share` as the market has them, `headcount` in people."""
    lab, sales, released = firm.laboratory, firm.sales, firm.laboratory.released
    first_slot = next(iter(sales.slots.values()), None)
    rows = lab.rows_lab + lab.rows_field
    in_sales, out_serving, out_operations = firm.margin
    return FirmRow(
        month=month,
        firm=firm.name,
        kind=firm.kind,
        sector=firm.sector,
        founded=firm.founded,
        cash_usd=firm.books.cash_usd,
        revenue_usd=firm.revenues[-1] if firm.revenues else 0.0,
        costs_usd=firm.costs[-1] if firm.costs else 0.0,
        customers=standing.paying + standing.free,
        headcount=headcount,
        price_usd=nan if first_slot is None else sales.market.columns["price_usd"].item(first_slot),
        quality_lab=released.accuracy_lab if released else nan,
        quality_field=released.accuracy_field if released else nan,
        trust=sales.trust() if first_slot is None else standing.trust,
        share=share,
        ledger_key=released.key if released else "",
        status="suspended" if lab.suspended else "active",
        paying_customers=standing.paying,
        rows=rows,
        field_coverage=lab.rows_field / max(rows, 1.0),
        rung=lab.released_plan.rung if lab.released_plan else -1,
        brand_usd=firm.brand_usd,
        stage=firm.stage_name(),
        run_months=lab.run_months,
        broken_runs=lab.n_broken,
        lost_runs=lab.lost_runs,
        sales_usd=in_sales,
        serving_usd=out_serving,
        operations_usd=out_operations,
        freemium_paying=standing.freemium_paying,
        freemium_free=standing.freemium_free,
        new_paying=standing.new_paying,
        service_revenue_usd=firm.service_revenue_usd,
        licence_solution_share=sales.licence_solution_share,
        inference_flops=released.inference_flops if released else nan,
        fairness_gap=released.fairness_gap if released else nan,
        sourcing=lab.sourcing.way if released else "",
        supplier=lab.supplier if released else "",
        model_access_usd=firm.model_access_usd,
    )


def open_costs(firm: Owner) -> tuple[float, float]:
    """(Training compute, cost of regulation) of the month that is still open, USD."""
    balance = firm.books.balance
    return balance["compute"] / 100, (balance["fines"] + balance["compliance"]) / 100


def totals_now(firm: Owner, compute_usd: float, regulation_usd: float) -> Totals:
    """What all months of a firm come to, the one that has just been closed included, with two of its costs."""
    before, (sales, serving, operators) = firm.history.last, firm.margin
    return Totals(
        before.revenue + firm.revenues[-1],
        before.costs + firm.costs[-1],
        before.sales + sales,
        before.cost_of_sales + serving + operators,
        before.compute + compute_usd,
        before.regulation + regulation_usd,
        before.skill + firm.risks.team().skill,
        firm.laboratory.lost_runs,
        firm.raised_usd,
    )
