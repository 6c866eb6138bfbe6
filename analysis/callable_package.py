"""A package under the name of its main function: `analysis.cases` and `analysis.facts` are both."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class CallablePackage(ModuleType):
    """A package that can be called: Python puts it in the place of the function of the same name as soon as a module
    of it is loaded. Its `HOME` names the module of that function.
    """

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the function that the package is named after."""
        function = getattr(import_module(self.__dict__["HOME"]), self.__name__.rpartition(".")[2])
        return function(*arguments, **options)


def make_callable(package: str) -> None:
    """Let a package be called; its `HOME` names the module of the function of its name."""
    sys.modules[package].__class__ = CallablePackage
