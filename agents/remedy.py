"""What a firm does when its model is too poor in the field for the law: gather rows from there, then train again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.firm import Firm

# Assumptions: the firm gathers for a quarter before each attempt, and spends twice the usual sum on data meanwhile.
GATHER_MONTHS = 3.0
DATA_EFFORT = 2.0


class FieldRemedy:
    """Work on field accuracy until the released model reaches `goal`; 0 while nothing is asked."""

    def __init__(self, firm: Firm) -> None:
        self.firm, self.goal, self.next_attempt = firm, 0.0, 0.0

    def seek(self, accuracy: float) -> None:
        """Begin to gather field rows, or aim higher."""
        if self.goal == 0:
            self.next_attempt = self.firm.model.env.now + GATHER_MONTHS
        self.goal = max(self.goal, accuracy)

    def review(self) -> None:
        """Stop when the goal is reached, else train out of turn once a quarter."""
        lab, now = self.firm.laboratory, self.firm.model.env.now
        if self.goal == 0:
            return
        if lab.released is not None and lab.released.accuracy_field >= self.goal:
            self.goal = 0.0
        elif now >= self.next_attempt and lab.job is None:
            lab.hurried, self.next_attempt = True, now + GATHER_MONTHS

    def data_usd(self, usual_usd: float) -> float:
        """What the firm spends on rows this month, USD."""
        return DATA_EFFORT * usual_usd if self.goal > 0 else usual_usd

    def field_share(self, usual: float) -> float:
        """Share of bought rows that come from the field: all of them while the remedy lasts."""
        return 1.0 if self.goal > 0 else usual

    def field_weight(self, usual: float) -> float:
        """Weight of the field figure in the firm's own judgement of a model: full while the remedy lasts."""
        return 1.0 if self.goal > 0 else usual
