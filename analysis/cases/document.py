"""Played cases as a JSON document: `ventures cases --json`; its keys stand in docs/outputs.md."""

from __future__ import annotations

from typing import Any

from analysis.cases.assess import CaseResult, CasesResult, ShareChange


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
        "ending": case.ending and case.ending.as_dict("share"),
        "unmet_seeds": {"match": case.unmet, "ending": case.unmet_ending},
        "expectations": [
            {"id": one.id, "kind": one.kind, "section": one.section, "says": one.says, **one.share.as_dict("share")}
            for one in case.expectations
        ],
        "causes": [
            {
                "name": one.name,
                "section": one.section,
                "says": one.says,
                **_change_document(ShareChange(one.effect, one.share_without)),
                "ending": one.ending and _change_document(one.ending),
            }
            for one in case.causes
        ],
        "endings": case.endings,
        "median_end": case.median_end.isoformat() if case.median_end else None,
    }


def _change_document(change: ShareChange) -> dict[str, Any]:
    return {**change.effect.as_dict("effect"), "share_without": change.share_without}
