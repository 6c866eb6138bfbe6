"""Do a chapter's statements hold, and which of its causes carry them? It can be called: `analysis.cases(…)`."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class CallablePackage(ModuleType):
    """The package under the name of its main function: Python puts it in the place of `analysis.cases`, the function,
    as soon as a module of it is loaded.
    """

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Play the case chapters: `analysis.cases.assess.cases`."""
        from analysis.cases.assess import cases

        return cases(*arguments, **options)


sys.modules[__name__].__class__ = CallablePackage
