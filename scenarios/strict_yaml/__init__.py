"""How is a YAML file that a user hands in read and checked, and what is wrong with it told in one line?"""

from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.errors import Place, Problem, ScenarioError
from scenarios.strict_yaml.reading import read_bytes, read_file
from scenarios.strict_yaml.validation import validate_as

__all__ = ["Document", "Place", "Problem", "ScenarioError", "read_bytes", "read_file", "validate_as"]
