"""Loading plug-ins: from a file, a module, an installed package; each with the hash of its source."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from simulation.plugins.plugin import Plugin, PluginError, Source

GROUP = "model_ventures.plugins"
"""Installed packages offer plug-ins as entry points of this group; `--plugin NAME` finds them by name."""
LOADED: dict[str, Plugin[Any]] = {}
"""The plug-ins of this process, by name. They act in a world only where its scenario names them."""


def load_plugin(origin: str | os.PathLike[str] | Plugin[Any]) -> list[Plugin[Any]]:
    """Load what a file, a module or an installed package declares. The same source again is loaded once.

    Raises:
        PluginError: there is no such file or module, it raises an error, declares no plug-in, or a plug-in has a name,
            a rule, a task or a type of actor that another loaded one has.
    """
    plugins = [_with_source(origin)] if isinstance(origin, Plugin) else list(_read(os.fspath(origin)))
    return [_register(plugin) for plugin in plugins]


def loaded_sources() -> tuple[Source, ...]:
    """Where the loaded plug-ins come from, for worker processes."""
    return tuple(dict.fromkeys(plugin.source for plugin in LOADED.values()))


def load_again(sources: Iterable[Source]) -> None:
    """Load in this process what another one has loaded. Raises `PluginError` where a source is another one by now."""
    for source in sources:
        if source not in loaded_sources():
            for plugin in load_plugin(source.origin):
                if plugin.source.sha256 != source.sha256:
                    raise PluginError(f"plug-in {plugin.name}: {source.origin} has changed since the run began")


def forget_plugins() -> None:
    """Forget all plug-ins of this process."""
    from simulation.training import extra_kinds, extra_tasks

    extra_tasks.forget()
    extra_kinds.forget()
    LOADED.clear()


def _read(origin: str) -> Iterator[Plugin[Any]]:
    if origin.endswith(".py") or os.sep in origin:
        module, source = _from_file(Path(origin).expanduser())
    elif found := _installed(origin):
        module, source = _from_module(found.module)
    else:
        module, source = _from_module(origin)
    plugins = [value for value in vars(module).values() if isinstance(value, Plugin)]
    if not plugins:
        raise PluginError(f"{origin} declares no plug-in: it needs a simulation.plugins.Plugin(…) at its top")
    for plugin in dict.fromkeys(plugins):
        plugin.source = source
        yield plugin


def _installed(name: str) -> EntryPoint | None:
    return next(iter(entry_points(group=GROUP, name=name)), None)


def _from_file(path: Path) -> tuple[ModuleType, Source]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PluginError(f"plug-in {path} cannot be read: {error.strerror}") from error
    source = Source(str(path.resolve()), hashlib.sha256(content).hexdigest())
    name = f"ventures_plugin_{source.sha256[:16]}"
    if name in sys.modules:
        return sys.modules[name], source
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"plug-in {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that what it defines can be pickled and found by its name
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        _tell(str(path), error)
    return module, source


def _from_module(name: str) -> tuple[ModuleType, Source]:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            _tell(name, error)
        known = sorted(point.name for point in entry_points(group=GROUP))
        installed = f"; installed plug-ins: {', '.join(known)}" if known else ""
        raise PluginError(f"no plug-in {name!r}: neither a file (FILE.py) nor a module{installed}") from None
    except Exception as error:
        _tell(name, error)
    return module, Source(name, _hash_of(module))


def _hash_of(module: ModuleType) -> str:
    """Hash of a module's source; of all Python files of a package."""
    if module.__file__ is None:
        raise PluginError(f"plug-in {module.__name__} has no source file")
    here = Path(module.__file__)
    files = sorted(here.parent.rglob("*.py")) if hasattr(module, "__path__") else [here]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(here.parent).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _tell(origin: str, error: BaseException) -> None:
    if isinstance(error, PluginError):
        raise error
    if not isinstance(error, Exception):
        raise error
    trace, where = error.__traceback__, ""
    while trace is not None:
        where = f", line {trace.tb_lineno}" if trace.tb_frame.f_code.co_filename.endswith(origin) else where
        trace = trace.tb_next
    raise PluginError(f"plug-in {origin}{where}: {type(error).__name__}: {error}") from error


def _with_source(plugin: Plugin[Any]) -> Plugin[Any]:
    """A plug-in that a running program made itself: worker processes load the file in which that happened."""
    made_by = {function.__module__ for function in plugin.rules.values()}
    made_by |= {kind.build.__module__ for kind in plugin.agents.values()}
    made_by |= {
        getattr(one, "__module__", "") for one in (*plugin.tasks.values(), *plugin.kinds.values(), plugin.settings)
    }
    made_by -= {"simulation.plugins.plugin", ""}
    if plugin.source.origin or len(made_by) != 1:
        return plugin
    file = getattr(sys.modules.get(made_by.pop()), "__file__", None)
    if file and Path(file).is_file():
        plugin.source = Source(str(Path(file).resolve()), hashlib.sha256(Path(file).read_bytes()).hexdigest())
    return plugin


def _register(plugin: Plugin[Any]) -> Plugin[Any]:
    if not plugin.source.sha256:
        raise PluginError(f"plug-in {plugin.name} must stand in a file of its own, so that every process can load it")
    earlier = LOADED.get(plugin.name)
    if earlier is not None and earlier.source.sha256 == plugin.source.sha256:
        return earlier
    plugin.check_rules()
    for other in LOADED.values():
        if other.name != plugin.name:
            _refuse_overlap(plugin, other)
    if plugin.tasks:
        from simulation.training import extra_tasks

        extra_tasks.register(plugin.tasks, plugin.source.sha256, plugin.name)
    if plugin.kinds:
        from simulation.training import extra_kinds

        extra_kinds.register(plugin.kinds, plugin.source.sha256, plugin.name)
    LOADED[plugin.name] = plugin
    return plugin


def _refuse_overlap(plugin: Plugin[Any], other: Plugin[Any]) -> None:
    for what, own, theirs in (
        ("task", plugin.tasks, other.tasks),
        ("kind of model", plugin.kinds, other.kinds),
        ("type of actor", plugin.agents, other.agents),
        ("statistic", plugin.statistics, other.statistics),
    ):
        if both := own.keys() & theirs.keys():
            raise PluginError(f"plug-ins {other.name} and {plugin.name} both declare the {what} {min(both)}")
