"""The folder of a grid: tables as Parquet and CSV, one JSON document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.errors import AnalysisError
from analysis.play.provenance import provenance
from analysis.runs.files import draft_of, is_draft, read_json, refuse_links, write_json
from analysis.training.grids import Trained
from analysis.training.study import Study, as_document, cells_table, fits_table, rises_table
from analysis.training.transfer.study import Transfer
from analysis.training.transfer.study import as_document as transfer_document

DOCUMENT = "grid.json"


def open_folder(out: Path, identity: dict[str, Any]) -> None:
    """Make the folder, or go on with one of the same grid, and note there which grid it is.

    Raises `AnalysisError` when the path cannot be written, holds something else, or holds another grid.
    """
    if out.exists() and not out.is_dir():
        raise AnalysisError(f"--out {out} is a file; name a folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AnalysisError(f"--out {out} cannot be written ({error.strerror})") from error
    refuse_links(out)
    document = out / DOCUMENT
    if document.exists():
        if _identity_of(document) != json.loads(json.dumps(identity)):
            raise AnalysisError(f"{out} holds another grid; choose another --out")
    elif any(not is_draft(path) for path in out.iterdir()):
        raise AnalysisError(f"{out} is not empty and holds no grid; choose another --out")
    else:
        write_json(document, {"grid": identity, "status": "running"})


def write_grid(out: Path, identity: dict[str, Any], trained: Trained, more: dict[str, Any]) -> dict[str, Any]:
    """Write the runs and the document; returns the document."""
    write_table(out, "runs", trained.table())
    document = {"grid": identity, "status": "finished", "training": trained.cost, **more, **provenance()}
    write_json(out / DOCUMENT, document)
    return document


def write_studies(out: Path, identity: dict[str, Any], trained: Trained, studies: Sequence[Study]) -> dict[str, Any]:
    """The same with the tables of fits, of cells and of losses that rise."""
    write_table(out, "fits", fits_table(studies))
    write_table(out, "cells", cells_table(studies))
    write_table(out, "rises", rises_table(studies))
    return write_grid(out, identity, trained, as_document(studies))


def write_transfer(
    out: Path, identity: dict[str, Any], trained: Trained, found: Transfer, quick: bool
) -> dict[str, Any]:
    """The same with the table of means over seeds, for the transfer grid."""
    write_table(out, "means", found.means)
    return write_grid(out, identity, trained, {**transfer_document(found), "quick": quick})


def write_table(out: Path, name: str, table: pd.DataFrame) -> None:
    """One table as NAME.parquet and NAME.csv, each in one rename."""
    for suffix, write in ((".parquet", table.to_parquet), (".csv", table.to_csv)):
        with draft_of(out / f"{name}{suffix}") as draft:
            write(draft, index=False)


def _identity_of(document: Path) -> Any:
    try:
        return read_json(document)["grid"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnalysisError(f"{document} cannot be read ({error}); choose another --out") from error
