"""What further seeds say of a firm's story, as lines of text."""

from __future__ import annotations

from analysis.cases.verdicts import written
from analysis.counterfactual.seeds import Effect, SeedRobustness
from analysis.runs.choose import span

MOST_LEVERS = 12  # those that turn the ending around in the story's own seed are all shown


def robustness_lines(robustness: SeedRobustness) -> list[str]:
    """How often the ending comes without a change, and how often each lever turns it around."""
    n = len(robustness.as_it_was)
    replayed = f"{len(robustness.seeds)} further seeds ({span(robustness.seeds)}), {len(robustness.outcomes):,} replays"
    head = f"How robust it is: {replayed}"
    if not n:
        return [head, "  stopped by Ctrl-C before a seed was finished"]
    stopped = (
        [] if robustness.complete else ["  stopped by Ctrl-C: what follows rests on fewer seeds than were asked for"]
    )
    ends = "fails" if robustness.failed else "does not fail"
    told = ", ".join(f"{ending} {count}" for ending, count in robustness.endings.items())
    same = f"  unchanged it {ends}, as in the story, in {written(robustness.same_ending)} of {n} seeds: {told}"
    effects = robustness.effects()
    useful = [one for one in effects if one.change.turned or one.turns.estimate > 0]
    shown = [one for i, one in enumerate(useful) if i < MOST_LEVERS or one.change.turned]
    if not any(one.turns.n for one in effects):
        return [head, *stopped, same, "  no seed ends as the story does, so there is nothing to turn around"]
    count = f"turned around, of the {max(one.turns.n for one in effects)} seeds that end as the story does [95 %]"
    columns = f"  {count}; change of the share of failures over all seeds [95 %]; * in the story's seed too"
    rest = (
        [f"  … {len(effects) - len(shown)} more levers turn it around no more often"]
        if len(shown) < len(effects)
        else []
    )
    return [head, *stopped, same, columns, *(effect_line(one) for one in shown), *rest]


def effect_line(one: Effect) -> str:
    """One lever."""
    here = "*" if one.change.turned else " "
    turns = written(one.turns)
    moves = f": {one.change.pull.says(one.change.size)}" if one.change.pull.knobs else ""
    return f"    {turns:19}  {written(one.net, True):22} {here} {one.change.pull.lever}{moves}"
