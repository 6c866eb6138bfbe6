"""Reading a run folder: the manifest and its tables as data frames, loaded when they are first asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.runs.tables import TABLES
from analysis.runs.write import read_manifest

PLOTS = "plots"


class Run:
    """A played experiment.

    Frames have one row per line of the tables and the columns `scenario`, `arm` ("base", "without:<cause>" or a
    what-if) and `seed` before their own. Money is in USD, months are the first day of the month.
    A run in a temporary folder takes the folder with it when it is no longer referred to.
    Raises `AnalysisError` where `folder` is not a run folder.
    """

    def __init__(self, folder: str | Path, keep: tempfile.TemporaryDirectory[str] | None = None) -> None:
        self.folder = Path(folder)
        self.manifest: dict[str, Any] = read_manifest(self.folder)
        self._keep = keep

    def __repr__(self) -> str:
        return f"<Run {self.manifest['name']}: {len(self.seeds)} seeds, {self.status}, {self.folder}>"

    @property
    def seeds(self) -> list[int]:
        """Seeds that are finished in all arms; only these stand in the tables."""
        return list(self.manifest["finished_seeds"])

    @property
    def status(self) -> str:
        """running, interrupted, failed or finished."""
        return str(self.manifest["status"])

    @property
    def training_cost(self) -> dict[str, Any]:
        """Networks trained live, results from the ledger, training seconds and their share of all process time."""
        names = ("runs", "from_ledger", "seconds", "share")
        return {**{name: self.manifest["training"][name] for name in names}, "device": self.manifest["device"]}

    @cached_property
    def firms(self) -> pd.DataFrame:
        """Every firm in every month."""
        return self.select("firms")

    @cached_property
    def sectors(self) -> pd.DataFrame:
        """Every sector in every month."""
        return self.select("sectors")

    @cached_property
    def events(self) -> pd.DataFrame:
        """What happened, to whom, when and why."""
        return self.select("events")

    @cached_property
    def rounds(self) -> pd.DataFrame:
        """Financing rounds."""
        return self.select("rounds")

    @cached_property
    def endings(self) -> pd.DataFrame:
        """How every firm ended."""
        return self.select("endings")

    @cached_property
    def funds(self) -> pd.DataFrame:
        """What the partners of each venture fund paid in, got back and still own."""
        return self.select("funds")

    @cached_property
    def training(self) -> pd.DataFrame:
        """The ledger's rows of all training runs behind this run; `key` is what `firms.ledger_key` refers to."""
        return self.select("training")

    def select(
        self,
        table: str,
        scenario: str | None = None,
        arm: str | None = None,
        columns: Sequence[str] | None = None,
        where: Sequence[tuple[str, str, Any]] = (),
    ) -> pd.DataFrame:
        """Part of a table: of one scenario, one arm, some columns, more conditions such as `("firm", "==", "Iris")`."""
        if table not in TABLES:
            raise KeyError(f"no table {table!r}; there are {', '.join(TABLES)}")
        conditions = [
            *((("scenario", "==", scenario),) if scenario is not None else ()),
            *((("arm", "==", arm),) if arm is not None else ()),
            *where,
        ]
        path = self.folder / f"{table}.parquet"
        if not path.exists():
            return pd.DataFrame(columns=list(columns or ("scenario", "arm", "seed")))
        wanted = list(columns) if columns is not None else None
        return pd.read_parquet(path, columns=wanted, filters=conditions or None)
