"""How often a domain uses each rule in a year: power laws over ranks that differ by domain and wander with time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.language.grammar import Grammar, common_rules, top_rules
from simulation.training.values import FIRST_YEAR, LAST_YEAR

SLOTS = 1024
"""Frequencies are multiples of 1 / 1,024: a rule is found by looking ten random bits up in a table."""


class Condition(IntEnum):
    """How a text is written."""

    LAB, LAB_DIALECT, FIELD, FIELD_DIALECT = range(4)


@dataclass(frozen=True, slots=True)
class Usage:
    """Frequencies of rules; all are assumptions.

    Attributes:
        lab_halves: exponent of the power law over ranks in the lab, in halves: 3 is 1.5 (exact in binary arithmetic,
            as a power is not).
        field_halves: the same in the field, where rare rules are less rare.
        dialect_share: share of the minority's rules that are of its dialect, in sixteenths.
        drift: largest change of a rule's score in a year; scores spread over 1.
        jargon: weight of a domain's own scores, in sixteenths; the rest is common to all.
    """

    lab_halves: int = 3
    field_halves: int = 1
    dialect_share: int = 8
    drift: float = 1 / 8
    jargon: int = 8


_ONE = 2**24  # a score of 1


def table(grammar: Grammar, usage: Usage, level: int, domain: str, year: int) -> Tensor:
    """What each parent becomes, by condition and ten random bits: int64 [conditions, parents, SLOTS, s]."""
    top = level == grammar.levels
    rules = top_rules(grammar, domain) if top else common_rules(grammar, level)
    scores, exists = _scores(grammar, usage, level, domain, year)
    conditions = []
    for condition in Condition:
        slots = [
            _slots(one.tolist(), there.tolist(), grammar, usage, condition, top)
            for one, there in zip(scores, exists, strict=True)
        ]
        chosen = torch.tensor(slots)[:, :, None].expand(-1, -1, grammar.branching)
        conditions.append(rules.gather(1, chosen))
    return torch.stack(conditions)


def _slots(
    scores: list[int], exists: list[bool], grammar: Grammar, usage: Usage, condition: Condition, top: bool
) -> list[int]:
    """The rule of each slot: the standard ones, and those of the dialect where the minority writes."""
    n_standard = len(scores) if top else grammar.base + grammar.added
    halves = usage.field_halves if condition >= Condition.FIELD else usage.lab_halves
    dialect = 0 if top or condition % 2 == 0 else SLOTS * usage.dialect_share // 16
    slots = _filled([n for n in range(n_standard) if exists[n]], scores, halves, SLOTS - dialect)
    return slots + _filled(list(range(n_standard, len(scores))), scores, halves, dialect)


def _filled(rules: list[int], scores: list[int], halves: int, n_slots: int) -> list[int]:
    """Slots given to rules by a power law over their ranks; every one gets what lies between its rounded edges."""
    ranked = sorted(rules, key=lambda rule: (-scores[rule], rule))
    weights = [1.0 / (rank ** (halves // 2) * math.sqrt(rank) ** (halves % 2)) for rank in range(1, len(ranked) + 1)]
    total, done, slots = sum(weights), 0.0, list[int]()
    for rule, weight in zip(ranked, weights, strict=True):
        done += weight
        slots += [rule] * (round(n_slots * (done / total)) - len(slots))
    return slots


@cache
def _scores(grammar: Grammar, usage: Usage, level: int, domain: str, year: int) -> tuple[Tensor, Tensor]:
    """Popularity of each rule, and whether it exists in that year: int64 and bool [parents, productions].

    Scores start at random and wander by whole numbers from year to year; a new rule starts among the more popular.
    """
    top = level == grammar.levels
    parents = grammar.classes if top else grammar.symbols
    productions = grammar.top_productions if top else grammar.productions
    base, added = (grammar.top_base, grammar.top_added) if top else (grammar.base, grammar.added)
    owner = domain if top else "common"
    born = torch.full((parents, productions), FIRST_YEAR)
    span = LAST_YEAR - FIRST_YEAR
    born[:, base : base + added] += 1 + _bits(grammar, parents, added, "born", level, owner) % span
    total = torch.zeros(parents, productions, dtype=torch.int64)
    parts = [(owner, 16)] if top else [("common", 16 - usage.jargon), (domain, usage.jargon)]
    for name, weight in parts:
        walk = _bits(grammar, parents, productions, "score", level, name) >> 39
        walk[:, base : base + added] = (walk[:, base : base + added] >> 2) + 3 * _ONE // 4
        step = int(usage.drift * _ONE)
        for now in range(FIRST_YEAR + 1, min(year, LAST_YEAR) + 1):
            drawn = _bits(grammar, parents, productions, "step", level, name, now) % (2 * step + 1) - step
            walk += torch.where(now > born, drawn, 0)
        total += walk * weight
    return total, born <= max(year, FIRST_YEAR)


def _bits(grammar: Grammar, parents: int, n: int, *purpose: str | int) -> Tensor:
    """Whole numbers 0 … 2⁶³ − 1: int64 [parents, n]."""
    keys = counter.row_keys(counter.stream_keys(torch.tensor([0]), grammar.name, *purpose), torch.arange(parents))[0]
    return counter.lane_bits(keys, 0, n) & (2**63 - 1)
