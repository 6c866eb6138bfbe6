"""Where the project lies that is tested."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The folder of README.md; a process that has it in PYTHONPATH finds the project and `tests.support`."""
