"""The rules of the language: which pairs of symbols a symbol may become, common to all domains but for the topmost.

References
[1] Cagnetta et al. (2024), How Deep Neural Networks Learn Compositional Data: The Random Hierarchy Model. Physical
    Review X 14, 031001. arXiv:2307.02129
[2] Cagnetta & Wyart (2024), Towards a theory of how the structure of language is acquired by deep neural networks.
    arXiv:2406.00048
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from simulation.training import counter


@dataclass(frozen=True, slots=True)
class Grammar:
    """A random hierarchy language [1, 2]. A class becomes a tuple of symbols of the level below by one of its rules,
    each of these a tuple of the next level, down to tokens. No tuple belongs to two symbols of a level, so the
    class of a text can be told from its tokens.

    All numbers are assumptions: see docs/foundation-models.md for what they were chosen by.

    Attributes:
        name: of the random draws that make the rules.
        levels: levels of rules, the topmost of which (class to symbols) every domain has for itself.
        symbols: number of symbols of each level, and of tokens.
        branching: symbols that one becomes.
        classes: classes of a domain.
        base: rules of a symbol that exist from the first year on.
        added: rules of a symbol that come up in a later year.
        dialect: rules of a symbol that only the minority uses.
        top_base: rules of a class from the first year on.
        top_added: rules of a class that come up in a later year.
    """

    name: str = "language"
    levels: int = 4
    symbols: int = 32
    branching: int = 2
    classes: int = 8
    base: int = 6
    added: int = 4
    dialect: int = 4
    top_base: int = 4
    top_added: int = 2

    @property
    def length(self) -> int:
        """Tokens of a text."""
        return int(self.branching**self.levels)

    @property
    def productions(self) -> int:
        """Rules of a symbol on the common levels, of every kind: base, then added, then dialect."""
        return self.base + self.added + self.dialect

    @property
    def top_productions(self) -> int:
        """Rules of a class: base, then added."""
        return self.top_base + self.top_added

    def __post_init__(self) -> None:
        tuples = self.symbols**self.branching
        if self.productions * self.symbols > tuples or self.top_productions * self.classes > tuples:
            raise ValueError(f"there are only {tuples} tuples of {self.branching} symbols, too few for these rules")
        if self.symbols & (self.symbols - 1):
            raise ValueError(f"symbols must be a power of two, not {self.symbols}")


@cache
def common_rules(grammar: Grammar, level: int) -> Tensor:
    """Rules of every symbol of a common level, 1 (which gives tokens) … levels − 1: int64 [symbols, productions, s]."""
    return _assigned(grammar, grammar.symbols, grammar.productions, "rules", level)


@cache
def top_rules(grammar: Grammar, domain: str) -> Tensor:
    """Rules of every class of a domain: int64 [classes, top_productions, s]."""
    return _assigned(grammar, grammar.classes, grammar.top_productions, "top", domain)


def _assigned(grammar: Grammar, parents: int, productions: int, *purpose: str | int) -> Tensor:
    """Tuples in a random order, dealt to the parents: no tuple twice."""
    tuples = grammar.symbols**grammar.branching
    key = counter.stream_keys(torch.tensor([0]), grammar.name, *purpose)
    order = counter.lane_bits(key, 0, tuples)[0].argsort(stable=True)[: parents * productions]
    places = grammar.symbols ** torch.arange(grammar.branching - 1, -1, -1)
    return (order[:, None] // places % grammar.symbols).view(parents, productions, grammar.branching)
