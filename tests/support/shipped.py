"""Shipped scenarios, read once a process: they are immutable, and reading one checks each of its changes."""

from __future__ import annotations

from functools import cache

from scenarios import Scenario, load


@cache
def shipped(name: str) -> Scenario:
    """The shipped scenario of that name."""
    return load(name)
