"""The tables of rows in docs/facts.md and their keys in docs/outputs.md, from the declarations of facts."""

from __future__ import annotations

from analysis.facts.collect import ALL
from analysis.facts.figures import Fact
from analysis.pages.blocks import Document, Writer, table


def writers() -> dict[str, Writer]:
    """The parts `facts.keys` and `facts.NAME`."""
    return {"facts.keys": keys} | {f"facts.{fact.name}": _writer(fact) for fact in ALL}


def keys(document: Document, source: str) -> str:
    """The keys of the rows of each fact."""
    rows = [[f"`{fact.name}`", ", ".join(f"`{column.name}`" for column in fact.columns)] for fact in ALL]
    return table(["Fact", "Keys of its rows"], rows)


def _writer(fact: Fact) -> Writer:
    rows = [[f"`{column.name}`", column.unit, column.meaning] for column in fact.columns]

    def write(document: Document, source: str) -> str:
        return table(["Column", "Unit", "Meaning"], rows)

    return write
