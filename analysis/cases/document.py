"""Played cases as a JSON document: `ventures cases --json`; its keys stand in docs/outputs.md."""

from __future__ import annotations

from typing import Any

from analysis.cases.results import CaseResult, CasesResult, CauseResult, Manipulation, ShareChange, TwinResult
from analysis.cases.thresholds import Point, Threshold
from analysis.statistics.intervals import number_or_null


def as_document(result: CasesResult) -> dict[str, Any]:
    """The result as JSON says it."""
    return {
        "seeds": result.run.seeds,
        "cases": [_case_document(case) for case in result.cases],
        "training": result.run.training_cost,
        "seconds": result.run.manifest["seconds"],
        "out": str(result.run.folder),
    }


def _case_document(case: CaseResult) -> dict[str, Any]:
    return {
        "id": case.id,
        "scenario": case.name,
        "title": case.title,
        "focal": case.focal,
        "match": case.match.as_dict("share"),
        "outcome": case.outcome and case.outcome.as_dict("share"),
        "ending": case.ending and case.ending.as_dict("share"),
        "twin": case.twin and _twin_document(case.twin),
        "unmet_seeds": {"match": case.unmet, "ending": case.unmet_ending},
        "expectations": [
            {
                "id": one.id,
                "kind": one.kind,
                "role": one.role,
                "section": one.section,
                "says": one.says,
                **one.share.as_dict("share"),
                "peers": one.peers and one.peers.as_dict("share"),
                "too_easy": one.is_too_easy,
            }
            for one in case.expectations
        ],
        "causes": [_cause_document(one) for one in case.causes],
        "endings": case.endings,
        "median_end": case.median_end.isoformat() if case.median_end else None,
        "thresholds": [_threshold_document(one) for one in case.thresholds],
        "worst_threshold": case.worst and _worst_document(*case.worst),
    }


def _twin_document(twin: TwinResult) -> dict[str, Any]:
    return {**twin.share.as_dict("share"), "effect": twin.effect.as_dict("effect")}


def _cause_document(one: CauseResult) -> dict[str, Any]:
    return {
        "name": one.name,
        "section": one.section,
        "says": one.says,
        **_change_document(ShareChange(one.effect, one.share_without)),
        "outcome": one.outcome and _change_document(one.outcome),
        "ending": one.ending and _change_document(one.ending),
        "manipulation": one.manipulation and _manipulation_document(one.manipulation),
        "reproduced": one.reproduced,
        "moved": one.moved,
        "forbidden": one.forbidden,
    }


def _change_document(change: ShareChange) -> dict[str, Any]:
    return {**change.effect.as_dict("effect"), "share_without": change.share_without}


def _manipulation_document(found: Manipulation) -> dict[str, Any]:
    look, means = found.measure, found.means
    return {
        "measure": look.metric,
        "of": look.of,
        "statistic": look.statistic,
        **means.effect.as_dict("effect"),
        "with_cause": number_or_null(means.control),
        "without": number_or_null(means.treated),
    }


def _threshold_document(one: Threshold) -> dict[str, Any]:
    return {
        "id": one.id,
        "side": one.side,
        "bound": one.bound,
        "curve": [_point_document(point) for point in one.curve],
    }


def _worst_document(one: Threshold, point: Point) -> dict[str, Any]:
    return {"id": one.id, "side": one.side, **_point_document(point)}


def _point_document(point: Point) -> dict[str, Any]:
    return {"factor": point.factor, "bound": point.bound, **point.share.as_dict("share")}
