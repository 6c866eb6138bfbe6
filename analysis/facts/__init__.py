"""What does a run say of facts that nothing was fitted to? It can be called: `analysis.facts(run)`."""

from __future__ import annotations

from analysis.callable_package import make_callable

HOME = "analysis.facts.collect"
make_callable(__name__)
