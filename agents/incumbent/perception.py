"""What an incumbent believes about a rival: its quality and its size, with an error that lasts a calendar year.

Large organisations see small rivals late and through reports. The error of a report is a keyed draw by incumbent, rival
and year, so who is taken for weak stays taken for weak for a while, and no other draw moves. Errors are lognormal:

    believed share   = share · exp(σ z₁)              at most 1; its revenue is believed to be off by the same factor
    believed quality = 1 − (1 − quality) · exp(−σ z₂)  at least 0; the error is in how often the model errs

with σ = `judgement_noise`. That who wins against others has most likely overestimated is the winner's curse (Capen,
Clapp & Campbell 1971, doi:10.2118/2993-PA); that established firms miss entrants is Christensen & Bower 1996
(doi:10.1002/(SICI)1097-0266(199603)17:3<197::AID-SMJ804>3.0.CO;2-U).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.firm.owner import Owner


@dataclass(frozen=True, slots=True)
class View:
    """A rival as somebody sees it: field accuracy, share of the sector, and revenue as a ratio to what it is."""

    quality: float
    share: float
    revenue_ratio: float = 1.0

    def __str__(self) -> str:
        return f"{self.quality:.3f} in the field and {self.share:.0%} of the sector"


def believed_quality(quality: float, error: float) -> float:
    """Field accuracy believed at an `error` (log scale, positive: overestimated)."""
    return max(1 - (1 - quality) * exp(-error), 0.0)


def believed_share(share: float, error: float) -> float:
    """Share of the sector believed at an `error` (log scale)."""
    return min(share * exp(error), 1.0)


def truth(rival: Owner, share: float) -> View:
    """The rival as it is."""
    return View(rival.quality_field, share)


def view_of(judge: Owner, rival: Owner, share: float) -> View:
    """The rival as the judge sees it this year; as it is where the judge makes no errors."""
    noise = judge.settings.judgement_noise
    if noise == 0:
        return truth(rival, share)
    streams, pair, year = judge.model.streams, f"{judge.name}:{rival.name}", judge.model.today.year
    of_size = noise * streams.normal("judgement of size", pair, year)
    of_quality = noise * streams.normal("judgement of quality", pair, year)
    return View(believed_quality(rival.quality_field, of_quality), believed_share(share, of_size), exp(of_size))


def is_noticed(judge: Owner, share: float) -> bool:
    """Whether a rival with this share of the sector is looked at, at all."""
    return share >= judge.settings.attention_share


def answered(seen: View | None, true: View) -> dict[str, Any]:
    """Belief and truth as the events of answers hold them; nothing is believed of a rival that is not noticed."""
    return {
        "quality_seen": seen.quality if seen else None,
        "quality": true.quality,
        "share_seen": seen.share if seen else None,
        "share": true.share,
    }
