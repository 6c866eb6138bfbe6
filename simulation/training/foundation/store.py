"""The weight store: a folder beside the ledger, where foundations are kept under the checksum of their content.

    foundations/KEY.json     what was measured on the foundation of that plan, and the checksum of its weights
    weights/SHA.safetensors  weights, named by their own SHA-256
    partial/KEY-SHA.safetensors  what an unfinished run goes on from
    locks/KEY.lock           held by the process that trains that foundation

Weights are read only if their content has the checksum that stands in their name, so a damaged file is as good as none:
the foundation is trained again. When the folder outgrows its cap, the weights that were not used for longest go first;
what was measured stays. Where nothing can be written, foundations live as long as the process.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import torch as packing
from torch import Tensor

from simulation.training.foundation.ladder import label
from simulation.training.foundation.model import encoder_of
from simulation.training.foundation.plan import FoundationPlan, FoundationResult
from simulation.training.foundation.pretrain import Foundation, Progress

CAP_BYTES = 2 * 2**30
"""Size that the weights may have together; assumption."""
_SUFFIX = ".safetensors"
_SAID: set[tuple[str, str]] = set()  # what this process has said: subject and folder


class StoreWarning(UserWarning):
    """The weight store holds a damaged file, or cannot be written for now."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What `foundations/KEY.json` says."""

    result: FoundationResult
    weights: str


class WeightStore:
    """Foundations in a folder, safe for several processes.

    Args:
        folder: made when something is written.
        cap_bytes: size that the weights may have together.
    """

    def __init__(self, folder: str | Path, cap_bytes: int = CAP_BYTES) -> None:
        self.folder = Path(folder)
        self.cap_bytes = cap_bytes

    def get(self, plan: FoundationPlan) -> Foundation | None:
        """The foundation of that plan with its weights on the CPU; None where either is missing or damaged."""
        entry = self.entry(plan)
        if entry is None:
            return None
        path = self._weights(entry.weights)
        tensors = _verified(path, entry.weights)
        body = None if tensors is None else _in_order(tensors, plan)
        if body is None:
            if path.exists():
                what = "damaged" if tensors is None else "of another version, with other layers,"
                self._say("damaged", f"{path} is {what} and not used. Its foundation is trained again.")
            return None
        with suppress(OSError):  # the time of last use
            os.utime(path)
        return Foundation(plan, entry.result, body)

    def entry(self, plan: FoundationPlan) -> Entry | None:
        """What was measured on the foundation of that plan, whether its weights are still kept or not."""
        path = self._entry(plan)
        try:
            record = json.loads(path.read_bytes())
            if record.pop("checksum") != _checksum(record):
                raise ValueError("wrong checksum")
            measured = record["result"] | {"loss_sectors": tuple(record["result"]["loss_sectors"])}
            entry = Entry(FoundationResult(**measured), str(record["weights"]))
            if entry.result.key != plan.key():
                raise ValueError("of another plan")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._say("damaged", f"{path} is not used ({error}). Its foundation is trained again.")
            return None
        return entry

    def put(self, foundation: Foundation) -> bool:
        """Keep a foundation; returns whether it stands on the disk. If not, one `StoreWarning` says so."""
        content = packing.save({name: block.cpu().contiguous() for name, block in _named(foundation.body)})
        digest = hashlib.sha256(content).hexdigest()
        record = {"plan": foundation.plan.record(), "result": asdict(foundation.result), "weights": digest}
        record["checksum"] = _checksum(record)
        try:
            _write(self._weights(digest), content)
            _write(self._entry(foundation.plan), json.dumps(record, indent=1).encode())
        except OSError as error:
            what = "Foundations are kept in memory and trained again by the next run."
            self._say("unusable", f"{self.folder} cannot be written ({error.strerror or error}). {what}")
            return False
        self._forget_oldest(digest)
        return True

    def checkpoint(self, plan: FoundationPlan) -> StoredCheckpoint:
        """Where a run of that plan keeps what it would go on from."""
        return StoredCheckpoint(self, plan)

    @contextmanager
    def training(self, plan: FoundationPlan) -> Iterator[None]:
        """Hold the right to train that foundation: waits while another process does, and says so.

        The lock ends with its process. Where a system cannot lock files, two processes may train the same.
        """
        try:
            import fcntl

            path = self.folder / "locks" / f"{plan.key()}.lock"
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except (ImportError, OSError):  # Windows; a place where nothing can be written
            yield
            return
        try:
            with suppress(OSError):  # some network file systems
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    what = "is being trained by another process: this one waits and takes its weights."
                    self._say(plan.key(), f"foundation {label(plan)} {what}")
                    fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def info(self) -> dict[str, Any]:
        """Number of foundations measured, number and size of weights kept, folder."""
        files = self._kept()
        n_entries = len(list((self.folder / "foundations").glob("*.json")))
        size = sum(size for _, size, _ in files)
        return {"path": str(self.folder), "foundations": n_entries, "weights": len(files), "bytes": size}

    def _entry(self, plan: FoundationPlan) -> Path:
        return self.folder / "foundations" / f"{plan.key()}.json"

    def _weights(self, digest: str) -> Path:
        return self.folder / "weights" / f"{digest}{_SUFFIX}"

    def _kept(self) -> list[tuple[float, int, Path]]:
        """Time of last use, size and path of all weights, those that were not used for longest first."""
        files = []
        for path in (self.folder / "weights").glob(f"*{_SUFFIX}"):
            with suppress(FileNotFoundError):  # another process may drop it meanwhile
                state = path.stat()
                files.append((state.st_mtime, state.st_size, path))
        return sorted(files)

    def _forget_oldest(self, newest: str) -> None:
        files = self._kept()
        too_much = sum(size for _, size, _ in files) - self.cap_bytes
        for _, size, path in files:
            if too_much <= 0:
                return
            if path.name != f"{newest}{_SUFFIX}":
                with suppress(OSError):
                    path.unlink()
                    too_much -= size

    def _say(self, subject: str, text: str) -> None:
        if (subject, str(self.folder)) not in _SAID:
            _SAID.add((subject, str(self.folder)))
            warnings.warn(StoreWarning(f"weight store: {text}"), stacklevel=4)


class StoredCheckpoint:
    """The checkpoint of one plan's run in a store's folder; what is damaged is not used."""

    def __init__(self, store: WeightStore, plan: FoundationPlan) -> None:
        self._store, self._folder, self._key = store, store.folder / "partial", plan.key()

    def load(self) -> Progress | None:
        """What was kept last, if anything."""
        for path in self._paths():
            tensors = _verified(path, path.stem.rpartition("-")[2])
            if tensors is not None and tensors.keys() == {"numbers", "steps", "seconds"}:
                return Progress(int(tensors["steps"]), tensors["numbers"], float(tensors["seconds"]))
        return None

    def save(self, progress: Progress) -> None:
        """Keep this instead; where it cannot be written, the run goes on without."""
        seconds = torch.tensor(progress.seconds, dtype=torch.float64)
        tensors = {"numbers": progress.numbers.cpu(), "steps": torch.tensor(progress.steps), "seconds": seconds}
        content, before = packing.save(tensors), self._paths()
        with suppress(OSError):
            path = self._folder / f"{self._key}-{hashlib.sha256(content).hexdigest()}{_SUFFIX}"
            _write(path, content)
            for old in before:
                old.unlink(missing_ok=True)

    def clear(self) -> None:
        """The run is over."""
        for path in self._paths():
            with suppress(OSError):
                path.unlink()

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._key}-*{_SUFFIX}"))


def _named(body: tuple[Tensor, ...]) -> Iterator[tuple[str, Tensor]]:
    for place, block in enumerate(body):
        yield f"encoder.{place // 2}.{'bias' if place % 2 else 'weight'}", block


def _in_order(tensors: Mapping[str, Tensor], plan: FoundationPlan) -> tuple[Tensor, ...] | None:
    """The blocks of that plan's encoder; None where the file holds something else."""
    shapes = {
        f"encoder.{layer}.{part}": (1, out, columns)
        for layer, (out, into) in enumerate(encoder_of(plan.width, 0).body)
        for part, columns in (("weight", into), ("bias", 1))
    }
    found = {name: tuple(block.shape) for name, block in tensors.items() if block.dtype == torch.float32}
    return tuple(tensors[name] for name in shapes) if found == shapes else None


def _verified(path: Path, digest: str) -> dict[str, Tensor] | None:
    """The tensors of a file, if its content has that SHA-256."""
    try:
        content = path.read_bytes()
        return packing.load(content) if hashlib.sha256(content).hexdigest() == digest else None
    except (OSError, SafetensorError):
        return None


def _checksum(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """The whole file or nothing, whatever ends the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
