"""Report and fill missing values, with medians that come from training data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype
from sklearn.exceptions import NotFittedError


def _require_unique_columns(df: pd.DataFrame) -> None:
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"expected a DataFrame but got a {type(df).__name__}")
    if df.columns.has_duplicates:
        raise ValueError(f"duplicate column names: {df.columns[df.columns.duplicated()].tolist()}")


def _has_numbers(series: pd.Series) -> bool:
    """True for integer and float columns; bool, timedelta and category are not numbers here."""
    return is_integer_dtype(series.dtype) or is_float_dtype(series.dtype)


def _fill_with(series: pd.Series, median: float) -> pd.Series:
    """Fill the gaps of one numeric column without changing its dtype.

    The exception is an integer column whose median is not whole: it becomes Float64.
    """
    if is_integer_dtype(series.dtype) and median != np.floor(median):
        return series.astype("Float64").fillna(median)
    return series.fillna(median).astype(series.dtype)


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column.

    Returns:
        One row for each column of `df`, indexed by column and most missing first, with
        ``n_missing`` (int64), ``pct_missing`` (float64, 0 to 100) and ``dtype``.
    """
    _require_unique_columns(df)
    counts = df.isna().sum().astype("int64")
    percent = (100.0 * counts / len(df)) if len(df) else counts.astype("float64")
    report = pd.DataFrame({"n_missing": counts, "pct_missing": percent, "dtype": df.dtypes})
    return report.sort_values("n_missing", ascending=False, kind="stable")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column."""
    return MedianImputer().fit_transform(df)


@dataclass
class MedianImputer:
    """Fills numeric gaps with the medians of the frame that it was fitted on."""

    medians: dict[Any, float] | None = field(default=None, init=False)

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the medians of `df` and return this imputer."""
        _require_unique_columns(df)
        self.medians = {
            name: float(series.median())
            for name, series in df.items()
            if _has_numbers(series) and series.count() > 0
        }
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with its numeric gaps filled by the learned medians."""
        if self.medians is None:
            raise NotFittedError("call fit() before transform()")
        _require_unique_columns(df)
        filled = df.copy()
        for name, series in df.items():
            if name in self.medians and _has_numbers(series) and series.isna().any():
                filled[name] = _fill_with(series, self.medians[name])
        return filled

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df`, then fill it."""
        return self.fit(df).transform(df)
