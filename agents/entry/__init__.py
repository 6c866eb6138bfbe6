"""Who founds a startup, and when: named firms at their dates, streams of potential founders who expect enough."""

from agents.entry.arrivals import Arrivals
from agents.entry.founding import found_startup, with_changes
from agents.entry.prospects import Prospects
from agents.entry.stream import Entry, poisson_count
from agents.entry.successors import Successors

__all__ = ["Arrivals", "Entry", "Prospects", "Successors", "found_startup", "poisson_count", "with_changes"]
