"""Texts: a class is rewritten level by level, down to tokens, with one look-up in a table per symbol."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.language.grammar import Grammar
from simulation.training.language.usage import SLOTS, Usage, table

BITS = 10  # of a slot
PER_LANE = 6  # slots that one lane of 64 random bits gives


class Writer:
    """Writes texts of several domains in one year.

    Args:
        domains: their names; texts name them by place.
        year: of the language.
    """

    def __init__(self, grammar: Grammar, usage: Usage, domains: Sequence[str], year: int, device: torch.device) -> None:
        self.grammar = grammar
        self._tables = []
        for level in range(grammar.levels, 0, -1):
            of_domains = [_table(grammar, usage, level, domain, year) for domain in domains]
            self._tables.append(torch.cat(of_domains).to(device))
        self._shifts = grammar.symbols.bit_length() - 1

    def write(self, keys: Tensor, first_lane: int, domain: Tensor, label: Tensor, condition: Tensor) -> Tensor:
        """Tokens int64 [n, length] of texts.

        Args:
            keys: int64 [n], already mixed.
            first_lane: lanes from there on are used.
            domain, label, condition: int64 [n].
        """
        grammar = self.grammar
        n, lane = len(keys), first_lane
        symbols = label[:, None]
        kind = (domain * 4 + condition)[:, None]
        for level, packed in zip(range(grammar.levels, 0, -1), self._tables, strict=True):
            parents = grammar.classes if level == grammar.levels else grammar.symbols
            slots = _slots(keys, lane, symbols.shape[1])
            lane += -(-symbols.shape[1] // PER_LANE)
            tuples = packed[(kind * parents + symbols) * SLOTS + slots].to(torch.int64)
            symbols = torch.stack([tuples >> self._shifts * place for place in self._places], dim=2).view(n, -1)
            symbols &= grammar.symbols - 1
        return symbols

    @property
    def _places(self) -> range:
        return range(self.grammar.branching - 1, -1, -1)


@cache
def _table(grammar: Grammar, usage: Usage, level: int, domain: str, year: int) -> Tensor:
    """The table of a level with its tuples packed into one number each: int32 [conditions · parents · SLOTS]."""
    children = table(grammar, usage, level, domain, year)
    places = grammar.symbols ** torch.arange(grammar.branching - 1, -1, -1)
    return (children * places).sum(dim=-1).flatten().to(torch.int32)


def _slots(keys: Tensor, first: int, n: int) -> Tensor:
    """Ten random bits for each of `n` symbols of every text: int64 [rows, n]."""
    lanes = counter.lane_bits(keys, first, -(-n // PER_LANE))
    cut = torch.stack([lanes >> BITS * place for place in range(PER_LANE)], dim=-1)
    return cut.flatten(1)[:, :n] & (SLOTS - 1)
