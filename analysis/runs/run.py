"""Reading a run folder: the manifest and its tables as data frames, loaded when they are first asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from analysis.errors import AnalysisError
from analysis.runs.check import check_present, check_table, is_unknown_to, readable, table_path
from analysis.runs.manifest import Manifest, read_manifest
from analysis.runs.tables import KEYS, TABLES, Label, known, nothing

PLOTS = "plots"


class Run:
    """A played experiment.

    Frames have one row per line of the tables and the columns `scenario`, `arm` ("base", "without:<cause>" or a
    what-if) and `seed` before their own; a column that an earlier release did not measure holds missing values. Money
    is in USD, months are the first day of the month.
    A run in a temporary folder takes the folder with it when it is no longer referred to.
    Raises `AnalysisError` where `folder` is not a run folder or misses a table; a table whose content is not what was
    written raises it when it is first read.
    """

    def __init__(self, folder: str | Path, keep: tempfile.TemporaryDirectory[str] | None = None) -> None:
        self.folder = Path(folder)
        self.manifest: Manifest = read_manifest(self.folder)
        check_present(self.folder, self.manifest)
        self._keep = keep
        self._settled: dict[str, bool] = {}

    def __repr__(self) -> str:
        return f"<Run {self.manifest.name}: {len(self.seeds)} seeds, {self.status}, {self.folder}>"

    @property
    def seeds(self) -> list[int]:
        """Seeds that are finished in all arms; only these stand in the tables."""
        return list(self.manifest.finished_seeds)

    @property
    def status(self) -> str:
        """running, interrupted, failed or finished."""
        return self.manifest.status

    @property
    def training_cost(self) -> dict[str, Any]:
        """Networks trained live, results from the ledger, training seconds and their share of all process time."""
        cost = self.manifest.training.model_dump(exclude={"process_seconds"})
        return {**cost, "device": self.manifest.device}

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
    def foundations(self) -> pd.DataFrame:
        """Large models on offer in every month, and what they were used; empty in worlds without them."""
        return self.select("foundations")

    @cached_property
    def founding(self) -> pd.DataFrame:
        """How many thought of founding a startup each month, and did, and what they saw; empty where nobody decides."""
        return self.select("founding")

    @cached_property
    def public_accounts(self) -> pd.DataFrame:
        """What the state took, paid and forwent, by year, programme, jurisdiction, sector and kind of firm."""
        return self.select("public_accounts")

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
        if not self.manifest.finished_seeds or is_unknown_to(self.folder, table, self.manifest):
            named = columns or ([*Label._fields, *known(table)] if known(table) else KEYS[table])
            return pd.DataFrame({name: nothing(table, name, 0) for name in named})
        conditions = [
            *((("scenario", "==", scenario),) if scenario is not None else ()),
            *((("arm", "==", arm),) if arm is not None else ()),
            *where,
        ]
        if not self._is_settled(table) and table != "training":
            conditions.append(("seed", "in", self.seeds))
        path = table_path(self.folder, table)
        with readable(path):
            there = pq.read_schema(path).names
        wanted = list(columns) if columns is not None else [*there, *(c for c in known(table) if c not in there)]
        odd = [name for name in wanted if name not in there and name not in known(table)]
        if odd := odd + [name for name, *_ in conditions if name not in there]:
            raise AnalysisError(f"{path} has no column {', '.join(odd)}")
        held = [name for name in wanted if name in there]
        with readable(path):
            frame = pq.read_table(path, columns=held, filters=conditions or None, partitioning=None).to_pandas()
        missing = {name: nothing(table, name, len(frame)) for name in wanted if name not in there}
        return frame.assign(**missing)[wanted] if missing else frame

    def _is_settled(self, table: str) -> bool:
        """Whether the table, checked when it is first asked for, holds finished seeds alone."""
        if table not in self._settled:
            self._settled[table] = check_table(self.folder, table, self.manifest)
        return self._settled[table]
