"""Where a result comes from: versions, code, git revision."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORLD_PACKAGES = ("simulation", "agents", "scenarios")  # analysis only reads what these produce
LIBRARIES = ("model-ventures", "mesa", "simpy", "torch", "numpy", "pandas", "pyarrow", "pydantic", "scipy", "joblib")


def provenance() -> dict[str, Any]:
    """Versions of Python and of the libraries, the code's hash and, in a checkout, its git revision."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: _version(name) for name in LIBRARIES},
        "code": code_fingerprint(),
        "git": git_revision(),
    }


def code_fingerprint() -> str:
    """Hash of the source of the packages that make a world: seeds played by different code are not one sample."""
    digest = hashlib.sha256()
    for package in WORLD_PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def git_revision() -> dict[str, Any] | None:
    """Commit of the checkout that holds the code, and whether tracked files differ from it; None outside one."""
    if not (ROOT / ".git").exists():
        return None
    commit = _git("rev-parse", "HEAD")
    return {"commit": commit, "modified": bool(_git("status", "--porcelain", "-uno"))} if commit else None


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
