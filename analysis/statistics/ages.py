"""Ages in calendar months: whole months from anniversary to anniversary, and the part of the month since the last."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Days = NDArray[np.datetime64]


def months_between(early: pd.Series, late: pd.Series | pd.Timestamp) -> pd.Series:
    """Calendar months from one date to another, NaN where one is missing.

    From a day to the same day of a later month is a whole number of months, in leap years too; in a month without that
    day its last day is the anniversary. Between anniversaries days count alike. Negative where `late` comes first.
    """
    born = early.to_numpy("datetime64[D]")
    now = np.broadcast_to(np.asarray(late, "datetime64[D]"), born.shape)
    start, day = born.astype("datetime64[M]"), (born - born.astype("datetime64[M]")).astype(int)
    months = (now.astype("datetime64[M]") - start).astype(int)
    months = months - (_anniversary(start + months, day) > now)
    last, following = _anniversary(start + months, day), _anniversary(start + months + 1, day)
    ages = months + (now - last) / (following - last)
    return pd.Series(np.where(np.isnat(born) | np.isnat(now), np.nan, ages), index=early.index)


def _anniversary(month: Days, day: NDArray[np.int_]) -> Days:
    """The day, counted from 0, of a month, or its last day where it is shorter."""
    first = month.astype("datetime64[D]")
    n_days = ((month + 1).astype("datetime64[D]") - first).astype(int)
    anniversary: Days = first + np.minimum(day, n_days - 1)
    return anniversary
