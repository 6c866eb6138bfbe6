"""By which code are worlds played, and is what is loaded the code of the source files?"""

from analysis.engine.loaded_rules import refuse_replaced_rules

__all__ = ["refuse_replaced_rules"]
