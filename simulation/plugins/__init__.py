"""How does a user's own module change what a world does: its rules, actors, training tasks, statistics, outcomes?"""

from simulation.plugins.plugin import Plugin, PluginSettings
from simulation.plugins.rules import usual

__all__ = ["Plugin", "PluginSettings", "usual"]
