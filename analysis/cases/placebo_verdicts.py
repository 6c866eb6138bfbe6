"""What the placebo tests say of each case: pooled shares against the target, and how much each statement is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.cases.placebo_results import ALL, TARGET, Cell, Placebo
from analysis.statistics.intervals import Interval, bootstrap_ratio


@dataclass(frozen=True)
class Statement:
    """One statement of a chapter (`all`: the whole chapter) and who meets it.

    own: the focal firm, share of seeds. others: focal firms of other cases, share of firms and seeds, without those
    whose own chapter expects the like. peers: startups beside the focal firm, share of firms. None: not measured here.
    """

    case: str
    id: str
    own: Interval | None
    others: Interval
    peers: Interval | None

    @property
    def worth(self) -> str:
        """Whether the statement tells the firm from others, in a word or two."""
        groups = [share.estimate > TARGET for share in (self.others, self.peers) if share is not None and share.n]
        if not groups:
            return "untested"
        if self.own is not None and self.own.n and self.own.estimate <= TARGET:
            return "unmet"
        return "too easy" if all(groups) else "easy for some" if any(groups) else "sharp"


@dataclass(frozen=True)
class Verdict:
    """One case against the target. elsewhere: its firm judged by other chapters, pooled over chapters and seeds."""

    whole: Statement
    elsewhere: Interval
    statements: tuple[Statement, ...]

    @property
    def case(self) -> str:
        return self.whole.case

    @property
    def failures(self) -> tuple[str, ...]:
        """Which of the three tests are failed, in words."""
        tests = {
            "its firm meets other chapters": self.elsewhere,
            "firms of other cases meet it": self.whole.others,
            "startups beside its firm meet it": self.whole.peers,
        }
        return tuple(name for name, share in tests.items() if share and share.n and share.estimate > TARGET)

    @property
    def says(self) -> str:
        """The verdict in words."""
        if self.failures:
            return f"fails: {'; '.join(self.failures)}"
        shares = [share for share in (self.elsewhere, self.whole.others, self.whole.peers) if share and share.n]
        if not shares:
            return "untested"
        if not all(share.is_known for share in shares):
            return "passes in this sample; too few seeds to tell"
        sure = all(share.high <= TARGET for share in shares)
        return "passes" if sure else "passes in this sample; the intervals reach beyond"


def verdicts(found: Placebo) -> tuple[Verdict, ...]:
    """One for each case that was played, in order."""
    return tuple(verdict_of(found, one.case) for one in found.shuffled)


def verdict_of(found: Placebo, case: str) -> Verdict:
    """The verdict of one case."""
    rows = dict.fromkeys(cell.expectation for cell in found.cells if cell.judged_by == case and cell.case == case)
    told = [statement_of(found, case, one) for one in rows]
    elsewhere = [cell for cell in found.cells if cell.case == case and cell.expectation == ALL]
    return Verdict(
        whole=next(one for one in told if one.id == ALL),
        elsewhere=pooled(elsewhere),
        statements=tuple(one for one in told if one.id != ALL),
    )


def statement_of(found: Placebo, case: str, expectation: str) -> Statement:
    """One row of the crossed test, with the firm itself and the startups beside it; None where they were not played."""
    row = [cell for cell in found.cells if (cell.judged_by, cell.expectation) == (case, expectation)]
    own = next((cell.share for cell in row if cell.own), None)
    beside = next((dict(one.by_statement).get(expectation) for one in found.shuffled if one.case == case), None)
    return Statement(case, expectation, own, pooled(row), beside)


def pooled(cells: Sequence[Cell]) -> Interval:
    """Share over cells and seeds, of those off the diagonal that are measured and not alike; whole seeds resampled."""
    counted = [cell.met for cell in cells if not cell.own and not cell.alike and cell.share is not None]
    by_seed = list(zip(*counted, strict=True))
    return bootstrap_ratio([sum(met) for met in by_seed], [len(met) for met in by_seed])


def as_document(found: Placebo) -> list[dict[str, Any]]:
    """The verdicts as JSON says them."""
    return [
        {
            "case": one.case,
            "says": one.says,
            "fails": list(one.failures),
            "elsewhere": one.elsewhere.as_dict("share"),
            **_statement_document(one.whole),
            "statements": [{"id": part.id, **_statement_document(part)} for part in one.statements],
        }
        for one in verdicts(found)
    ]


def _statement_document(one: Statement) -> dict[str, Any]:
    shares = {"own": one.own, "others": one.others, "peers": one.peers}
    return {"worth": one.worth, **{name: share and share.as_dict("share") for name, share in shares.items()}}
