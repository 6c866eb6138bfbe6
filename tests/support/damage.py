"""Seeded damage to files, for tests of whatever reads them: bytes flipped, ends cut off, contents swapped.

Every kind takes a file and a generator, changes the file in place and says in a few words what it did. The same
generator state does the same damage.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.runs.check import note_of
from analysis.runs.manifest import MANIFEST, read_manifest, write_note

NESTED = "nested so deep: "
Damage = Callable[[Path, random.Random], str]


def flip_bytes(path: Path, rng: random.Random) -> str:
    """One to eight bytes become others."""
    content = bytearray(path.read_bytes())
    places = [rng.randrange(len(content)) for _ in range(rng.randint(1, 8))] if content else []
    for place in places:
        content[place] ^= rng.randint(1, 255)
    path.write_bytes(content)
    return f"bytes {places} of {path.name} flipped"


def truncate(path: Path, rng: random.Random) -> str:
    """Some of the end is missing, or all."""
    length = path.stat().st_size
    kept = rng.choice((0, rng.randrange(length + 1), max(0, length - rng.randint(1, 16))))
    os.truncate(path, kept)
    return f"{path.name} cut to {kept} bytes"


def overwrite_block(path: Path, rng: random.Random) -> str:
    """A block of the file holds zeros, as after a power cut."""
    content = bytearray(path.read_bytes())
    start = rng.randrange(len(content) + 1)
    length = min(rng.choice((64, 512, 4096)), len(content) - start)
    content[start : start + length] = bytes(length)
    path.write_bytes(content)
    return f"{length} zeros at {start} of {path.name}"


def append_noise(path: Path, rng: random.Random) -> str:
    """Bytes follow that do not belong there."""
    with path.open("ab") as file:
        file.write(rng.randbytes(rng.randint(1, 64)))
    return f"bytes after the end of {path.name}"


def remove(path: Path, rng: random.Random) -> str:
    """The file is gone."""
    path.unlink()
    return f"{path.name} removed"


def become_folder(path: Path, rng: random.Random) -> str:
    """A folder stands in its place."""
    path.unlink()
    path.mkdir()
    return f"{path.name} is a folder"


def become_pipe(path: Path, rng: random.Random) -> str:
    """A named pipe stands in its place, which would let a reader wait for ever."""
    path.unlink()
    os.mkfifo(path)
    return f"{path.name} is a pipe"


ANY_FILE: tuple[Damage, ...] = (flip_bytes, truncate, overwrite_block, append_noise, remove, become_folder, become_pipe)

ODD_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 2**70, 1e300, "", "x" * 5000, "[bold]\x1b[31m\n", [], {}, [[0, 10**15]], [[5, 1]], [0, 1, "two"],
    {"a": {"b": {}}},
)  # fmt: skip


def mutate_json(document: dict[str, Any], rng: random.Random) -> str:
    """One key somewhere in a document is lost, gets another value, another name, or a value nested without end."""
    node, name = rng.choice(list(_places(document)))
    what = rng.choice(("lost", "changed", "renamed", "nested", "added"))
    if what == "lost":
        del node[name]
    elif what == "changed":
        node[name] = rng.choice(ODD_VALUES)
    elif what == "renamed" and isinstance(node, dict):
        node[f"{name}x"] = node.pop(name)
    elif what == "nested":
        node[name] = f"{NESTED}{rng.choice((150, 250, 100_000))}"
    elif isinstance(node, dict):
        node["surplus"] = 1
    else:
        node.append(node[name])
    return f"{name}: {what}"


def write_document(path: Path, document: Any) -> None:
    """Write JSON, with what `mutate_json` nested in it."""
    deep = re.sub(rf'"{NESTED}(\d+)"', lambda found: "[" * int(found[1]) + "]" * int(found[1]), json.dumps(document))
    path.write_text(deep)


def seal_again(folder: Path) -> None:
    """Have the manifest of a run folder vouch for its tables as they now are, as whoever forges one would."""
    manifest = read_manifest(folder)
    tables = {name: note_of(folder / f"{name}.parquet") for name in manifest.tables}
    write_note(folder / MANIFEST, manifest.model_copy(update={"tables": tables}))


def _places(node: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
    for key in keys:
        found += [(node, key), *_places(node[key])]
    return found
