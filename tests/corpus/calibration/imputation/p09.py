"""Report and fill missing values without leaking test data into training."""

from __future__ import annotations

from collections.abc import Hashable

import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column.

    Returns:
        One row for each column of `df`, indexed by column and most missing first, with
        ``n_missing`` (int64), ``pct_missing`` (float64, 0 to 100) and ``dtype``.
    """
    _check_frame(df)
    n_missing = df.isna().sum().astype("int64")
    n_rows = max(len(df), 1)  # a frame without rows has 0 percent missing
    report = pd.DataFrame(
        {
            "n_missing": n_missing,
            "pct_missing": (n_missing * 100 / n_rows).astype("float64"),
            "dtype": df.dtypes.astype(object),
        },
        index=df.columns,
    )
    return report.sort_values("n_missing", ascending=False, kind="stable")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column."""
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """Fills numeric gaps with the medians of the frame that it was fitted on."""

    def __init__(self) -> None:
        self._medians: dict[Hashable, float] | None = None

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the medians of `df` and return this imputer."""
        _check_frame(df)
        self._medians = {
            name: float(column.median())
            for name, column in df.items()
            if _is_numeric(column) and column.notna().any()
        }
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with its numeric gaps filled by the learned medians."""
        if self._medians is None:
            raise RuntimeError("This imputer has no medians yet: call fit() before transform().")
        _check_frame(df)
        result = df.copy()
        for name, column in df.items():
            if name in self._medians and _is_numeric(column) and column.isna().any():
                result[name] = _fill(column, self._medians[name])
        return result

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df`, then fill it."""
        return self.fit(df).transform(df)


def _check_frame(df: pd.DataFrame) -> None:
    """Refuse what is no frame, and frames whose columns cannot be told apart."""
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"expected a DataFrame, got {type(df).__name__}")
    if not df.columns.is_unique:
        repeated = df.columns[df.columns.duplicated()].unique().tolist()
        raise ValueError(f"column names repeat: {repeated}")


def _is_numeric(column: pd.Series) -> bool:
    """Whether the column holds integers or floats; flags, durations and codes do not count."""
    return is_integer_dtype(column.dtype) or is_float_dtype(column.dtype)


def _fill(column: pd.Series, median: float) -> pd.Series:
    """Fill gaps and keep the dtype, except where an integer column cannot hold the median."""
    dtype = column.dtype
    if is_integer_dtype(dtype) and not median.is_integer():
        dtype = "Float64"
    return column.astype(dtype).fillna(median).astype(dtype)
