"""Do a chapter's statements hold, and which of its causes carry them? It can be called: `analysis.cases(…)`."""

from __future__ import annotations

from analysis.callable_package import make_callable

HOME = "analysis.cases.assess"
make_callable(__name__)
