"""What documents of a sector mean: texts of the language that all sectors share."""

from __future__ import annotations

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.language.grammar import Grammar
from simulation.training.language.text import Writer
from simulation.training.language.usage import Usage
from simulation.training.tasks.base import LANE_OWN, RenderedTask
from simulation.training.values import USUAL_YEAR

GRAMMAR, USAGE = Grammar(), Usage()
P_DROPPED = 0.1  # of a token in augmented rows; assumption: 4 points in the lab at 1,024 rows, none in the field


class Documents(RenderedTask):
    """Tell which of eight things a document of 16 tokens means.

    Stands for what a sector does with texts (SEC-*): grading reports, routing records, sorting filings. A document is
    made from the top down: its meaning becomes two symbols by one of the sector's own rules, each symbol two of the
    next level by rules that all sectors share, and so on, four levels down to tokens. Frequencies of rules are partly
    the sector's own (jargon). In the *lab* a few frequent rules make up most texts; in the *field* the rare ones are
    less rare. The minority writes half of its symbols in a dialect. Frequencies wander from year to year and new rules
    come up, so that what was learned on old texts ages. Inputs are 16 tokens as one of 32 each. Traditional method: a
    linear classifier on which token stands where, in the manner of key words.

    The analogy ends at reference to the world: nothing is said here, there is only form, and every text has one length
    and one tree.

    Args:
        name: one of `DOCUMENT_TASKS`, also the name of its domain of the language.
        year: of the language.
    """

    def __init__(self, name: str, year: int = USUAL_YEAR) -> None:
        shape = (GRAMMAR.symbols, 1, GRAMMAR.length)
        # 0.174: the standard deviation of a number that is 1 in one case of 32 and else 0.
        super().__init__(name, shape, (1, 2), (1, 1), GRAMMAR.classes, input_sd=0.174, levels=GRAMMAR.levels)
        self.year = year
        self._writers: dict[str, Writer] = {}

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Which token stands where: 1 for token t at place p in number 16 t + p, else 0."""
        condition = 2 * in_field.long() + minority.long()
        tokens = self._writer(keys.device).write(keys, LANE_OWN, torch.zeros_like(label), label, condition)
        chosen = torch.zeros(len(keys), GRAMMAR.symbols, GRAMMAR.length, device=keys.device)
        return chosen.scatter_(1, tokens[:, None, :], 1.0).view(len(keys), self.n_inputs)

    def _writer(self, device: torch.device) -> Writer:
        name = str(device)
        if name not in self._writers:
            self._writers[name] = Writer(GRAMMAR, USAGE, [self.name], self.year, device)
        return self._writers[name]

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Tokens left out."""
        kept = (counter.uniforms(keys, 0, GRAMMAR.length) >= P_DROPPED).to(x.dtype)
        return x * kept[:, :, None, :].expand(-1, -1, GRAMMAR.symbols, -1).reshape(x.shape)
