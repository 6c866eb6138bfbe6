"""The language that sectors share: what its rules guarantee, and what field, dialect and time change."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch

from simulation.training import counter
from simulation.training.language.grammar import Grammar, common_rules, top_rules
from simulation.training.language.text import Writer
from simulation.training.language.usage import SLOTS, Condition, Usage, table
from simulation.training.tasks import get_task
from simulation.training.tasks.documents import GRAMMAR, USAGE, Documents
from simulation.training.values import DOCUMENT_TASKS, FIRST_YEAR, LAST_YEAR

CPU = torch.device("cpu")
SMALL = Grammar(symbols=16, classes=4, base=2, added=1, dialect=1, top_base=2, top_added=1)


def written(
    grammar: Grammar, usage: Usage, n: int, condition: Condition, year: int = 2020, domain: str = "a"
) -> torch.Tensor:
    keys = counter.row_keys(counter.stream_keys(torch.tensor([7]), "test"), torch.arange(n))[0]
    label = torch.arange(n) % grammar.classes
    writer = Writer(grammar, usage, [domain], year, CPU)
    return writer.write(keys, 0, torch.zeros(n, dtype=torch.int64), label, torch.full((n,), int(condition)))


def parse(grammar: Grammar, tokens: list[int], domain: str) -> int:
    """The class of a text, by looking every tuple up, from the tokens to the root."""
    symbols = tokens
    for level in range(1, grammar.levels + 1):
        rules = top_rules(grammar, domain) if level == grammar.levels else common_rules(grammar, level)
        parents = {tuple(pair.tolist()): parent for parent, pairs in enumerate(rules) for pair in pairs}
        symbols = [parents[left, right] for left, right in zip(symbols[::2], symbols[1::2], strict=True)]
    return symbols[0]


@pytest.mark.parametrize("grammar", [SMALL, GRAMMAR])
@pytest.mark.parametrize("condition", list(Condition))
def test_every_text_can_be_parsed_back_to_its_class(grammar: Grammar, condition: Condition) -> None:
    texts = written(grammar, USAGE, 64, condition)
    assert [parse(grammar, text, "a") for text in texts.tolist()] == [n % grammar.classes for n in range(64)]


def test_rules_below_the_top_are_common_and_those_at_the_top_are_not() -> None:
    assert torch.equal(common_rules(GRAMMAR, 1), common_rules(GRAMMAR, 1))
    assert not torch.equal(common_rules(GRAMMAR, 1), common_rules(GRAMMAR, 2))
    tops = {tuple(top_rules(GRAMMAR, name).flatten().tolist()) for name in DOCUMENT_TASKS}
    assert len(tops) == len(DOCUMENT_TASKS)
    for rules in (common_rules(GRAMMAR, 1), top_rules(GRAMMAR, "speech-transcripts")):
        assert len({tuple(pair) for pair in rules.flatten(0, 1).tolist()}) == rules[..., 0].numel()  # no tuple twice


def shares(level: int, condition: Condition, parent: int = 0, domain: str = "a", year: int = 2020) -> list[float]:
    """How often a parent becomes each of its tuples, most frequent first."""
    tuples = table(GRAMMAR, USAGE, level, domain, year)[int(condition), parent].tolist()
    return [n / SLOTS for _, n in Counter(map(tuple, tuples)).most_common()]


def test_rare_rules_are_less_rare_in_the_field() -> None:
    for level in (1, GRAMMAR.levels):
        lab, field = shares(level, Condition.LAB), shares(level, Condition.FIELD)
        assert lab[0] > field[0] and field[-1] > lab[-1]
        assert len(lab) == len(field)


def test_the_minority_writes_half_of_its_symbols_by_rules_of_its_own() -> None:
    usual = {tuple(pair) for pair in table(GRAMMAR, USAGE, 1, "a", 2020)[Condition.LAB, 3].tolist()}
    minority = [tuple(pair) for pair in table(GRAMMAR, USAGE, 1, "a", 2020)[Condition.LAB_DIALECT, 3].tolist()]
    own = sum(pair not in usual for pair in minority) / SLOTS
    assert own == USAGE.dialect_share / 16 == 0.5


def test_frequencies_are_a_sector_s_own_in_part() -> None:
    def most_frequent(domain: str) -> list[int]:
        chosen = table(GRAMMAR, USAGE, 2, domain, 2020)[Condition.LAB]
        pairs = chosen[..., 0] * GRAMMAR.symbols + chosen[..., 1]
        return pairs.mode(dim=1).values.tolist()

    same = sum(one == other for one, other in zip(most_frequent("a"), most_frequent("b"), strict=True))
    assert 0 < same < GRAMMAR.symbols
    alone = replace(USAGE, jargon=0)
    assert torch.equal(table(GRAMMAR, alone, 2, "a", 2020), table(GRAMMAR, alone, 2, "b", 2020))


def test_time_brings_new_rules_and_moves_frequencies_a_little_every_year() -> None:
    def rules_in_use(year: int) -> int:
        chosen = table(GRAMMAR, USAGE, 1, "a", year)[Condition.FIELD]
        return len({tuple(pair) for pair in chosen.flatten(0, 1).tolist()})

    counts = [rules_in_use(year) for year in (FIRST_YEAR, 2020, 2028, LAST_YEAR)]
    assert counts == sorted(counts) and counts[0] == GRAMMAR.symbols * GRAMMAR.base
    assert counts[-1] == GRAMMAR.symbols * (GRAMMAR.base + GRAMMAR.added)

    def moved(year: int) -> float:
        before, after = (table(GRAMMAR, USAGE, 1, "a", one)[Condition.LAB] for one in (2020, year))
        return float((before.sort(dim=1).values != after.sort(dim=1).values).any(dim=2).float().mean())

    assert 0 < moved(2021) < moved(2030)


@pytest.mark.parametrize("name", DOCUMENT_TASKS[:2])
def test_documents_are_one_token_a_place_and_say_their_class(name: str) -> None:
    tests = get_task(name).test_sets(CPU)
    x = tests.lab_x.view(-1, GRAMMAR.symbols, GRAMMAR.length)
    assert torch.equal(x.sum(dim=1), torch.ones(len(x), GRAMMAR.length))
    read = [parse(GRAMMAR, text, name) for text in x[:50].argmax(dim=1).tolist()]
    assert read == tests.lab_y[:50].tolist()


def test_documents_of_another_year_are_others() -> None:
    keys = torch.arange(200)
    now, later = (Documents("city-notices", year).render(keys, keys % 8, keys < 0, keys < 0) for year in (2020, 2030))
    assert 0.05 < float((now != later).any(dim=1).float().mean()) <= 1.0
    assert get_task("city-notices", 2030) is not get_task("city-notices")


@pytest.mark.parametrize(
    ("wrong", "says"), [({"base": 30}, "too few for these rules"), ({"symbols": 24}, "power of two, not 24")]
)
def test_a_grammar_that_cannot_be_is_refused(wrong: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(GRAMMAR, **wrong)
