"""Write the generated parts of the READMEs and docs from the files that they name.

python -m analysis.pages            writes them
python -m analysis.pages --check    only says which are out of date, and leaves with 1 if any is
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.pages import (
    base_rates,
    benchmarks,
    cases,
    columns,
    explain,
    facts,
    placebo,
    pool,
    scaling,
    shapley,
    transfer,
)
from analysis.pages.blocks import Writer, blocks_of, written_anew

WRITERS: dict[str, Writer] = {
    "cases.en": cases.english,
    "cases.zh": cases.chinese,
    "placebo.en": placebo.english,
    "placebo.zh": placebo.chinese,
    "shapley.en": shapley.english,
    "shapley.zh": shapley.chinese,
    "base-rates": base_rates.rates,
    "calibration": base_rates.search,
    "calibration-shipped": base_rates.shipped,
    "scaling-fits": scaling.fits,
    "scaling-failures": scaling.failures,
    "scaling-compute": scaling.compute,
    "transfer-sectors": transfer.sectors,
    "transfer-gain": transfer.gain,
    "transfer-ladder": transfer.ladder,
    "transfer-kinds": transfer.kinds,
    "transfer-breadth": transfer.breadth,
    "transfer-vintage": transfer.vintage,
    "pool-figures": pool.figures,
    "pool-ledgers": pool.ledgers,
    "pool-verdict": pool.verdict,
    "bench-training": benchmarks.training,
    "bench-market": benchmarks.market,
    "explain-rules": explain.rules,
    "explain-levers": explain.levers,
    **columns.writers(),
    **facts.writers(),
}


def documents(root: Path) -> list[Path]:
    """The Markdown files of a checkout that hold generated parts."""
    files = [root / "README.md", root / "README.zh.md", *sorted((root / "docs").glob("*.md"))]
    return [file for file in files if file.is_file() and blocks_of(file.read_text(encoding="utf-8"))]


def renewed(file: Path, root: Path) -> str | None:
    """The document with its parts written anew; None where it is as it should be."""
    before = file.read_text(encoding="utf-8")
    try:
        after = written_anew(before, root, WRITERS)
    except AnalysisError as error:
        raise AnalysisError(f"{file.relative_to(root)}: {error}") from None
    return None if after == before else after


def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Write or check all documents below `root`, by default the current folder; returns the exit code."""
    arguments, root = sys.argv[1:] if arguments is None else arguments, root or Path.cwd()
    if [one for one in arguments if one != "--check"]:
        return _say("python -m analysis.pages takes no argument but --check", 2)
    try:
        stale = {file: text for file in documents(root) if (text := renewed(file, root)) is not None}
    except AnalysisError as error:
        return _say(str(error), 2)
    for file, text in stale.items():
        if "--check" not in arguments:
            file.write_text(text, encoding="utf-8")
        _say(f"{file.relative_to(root)}: {'out of date' if '--check' in arguments else 'written'}", 0)
    return int(bool(stale) and "--check" in arguments)


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
