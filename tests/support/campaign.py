"""What the campaigns of damage share: how many cases, from which number on, and how their counts are told."""

from __future__ import annotations

import os
import sys
from collections import Counter

import pytest

SIZE = int(os.environ.get("VENTURES_CAMPAIGN", "200"))
FIRST = int(os.environ.get("VENTURES_CAMPAIGN_FROM", "0"))


def tell(title: str, n: int, counts: Counter[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Print the counts, whatever pytest captures."""
    with capfd.disabled():
        sys.stdout.write(f"\n{n} {title}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
        sys.stdout.write("\n")
