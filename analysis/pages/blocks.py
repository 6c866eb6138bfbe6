"""Generated parts of Markdown files: each stands between two comments, and the first names the file that it tells.

    <!-- generated NAME from FILE -->
    …
    <!-- end NAME -->

FILE is a path from the top of the repository: a result file (JSON) whose figures are quoted, or the module that
declares what is told. To quote another result file, change the path and write the parts anew.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError

Document = Mapping[str, Any]
Writer = Callable[[Document, str], str]
BLOCK = re.compile(
    r"<!-- generated (?P<name>\S+) from (?P<source>\S+) -->\n(?P<text>.*?)<!-- end (?P<end>\S+) -->", re.S
)


@dataclass(frozen=True)
class Block:
    """One generated part: what writes it, the file that it tells, and its text as it stands."""

    name: str
    source: str
    text: str


def blocks_of(markdown: str) -> list[Block]:
    """All generated parts of a document, in their order."""
    return [Block(found["name"], found["source"], found["text"]) for found in BLOCK.finditer(markdown)]


def written_anew(markdown: str, root: Path, writers: Mapping[str, Writer]) -> str:
    """The document with every generated part written from its file below `root`.

    Raises `AnalysisError` for an unknown name, a missing file, and comments that do not stand in pairs.
    """
    starts, ends = markdown.count("<!-- generated "), markdown.count("<!-- end ")
    if not starts == ends == len(blocks_of(markdown)):
        raise AnalysisError(f"generated parts begin {starts} times and end {ends} times; each needs both comments")
    return BLOCK.sub(lambda found: _renewed(found, root, writers), markdown)


def _renewed(found: re.Match[str], root: Path, writers: Mapping[str, Writer]) -> str:
    name, source = found["name"], found["source"]
    if name != found["end"] or name not in writers:
        raise AnalysisError(f"no generated part {name!r} that ends as {found['end']!r}; there are {', '.join(writers)}")
    text = writers[name](read(root / source), source).rstrip("\n")
    return f"<!-- generated {name} from {source} -->\n{text}\n<!-- end {name} -->"


def read(path: Path) -> Document:
    """The content of a result file; nothing for a module, which only must be there."""
    try:
        text = path.read_text(encoding="utf-8")
        content: Document = json.loads(text) if path.suffix == ".json" else {}
    except (OSError, ValueError) as error:
        raise AnalysisError(f"{path}: no file that can be read ({error})") from None
    return content


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|\n" for cells in lines)


def wrapped(text: str, width: int = 119) -> str:
    """A paragraph in lines of at most that many characters; words stay whole."""
    return textwrap.fill(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False) + "\n"
