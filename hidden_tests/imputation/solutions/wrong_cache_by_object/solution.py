"""Report and fill missing values, without letting one frame's statistics into another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import pandas as pd
from pandas.api import types

if TYPE_CHECKING:
    from collections.abc import Hashable


_last: dict[str, Any] = {}


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise the missing cells of each column, most missing first.

    Returns:
        A frame indexed by column, with ``n_missing``, ``pct_missing`` (0-100) and ``dtype``.
        Columns with equally many missing cells keep their order.

    Raises:
        TypeError: `df` is not a DataFrame.
        ValueError: column names repeat.
    """
    _check_frame(df)
    counts = df.isna().sum().astype("int64")
    report = pd.DataFrame(
        {
            "n_missing": counts,
            "pct_missing": 100.0 * counts / max(len(df), 1),
            "dtype": df.dtypes.astype(str),
        }
    )
    return report.sort_values("n_missing", ascending=False, kind="stable")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of `df` whose numeric gaps hold the median of their column."""
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """Fills numeric gaps with the medians of the frame that it was fitted on.

    Attributes:
        medians_: median by column, for numeric columns that held a value; set by `fit`.
    """

    def fit(self, df: pd.DataFrame) -> Self:
        """Learn the medians of `df`, in place of any learned before."""
        _check_frame(df)
        if _last.get("frame") is not df:
            _last["frame"] = df
            _last["medians"] = {
                name: float(column.median())
                for name, column in df.items()
                if _is_numeric(column) and column.notna().any()
            }
        self.medians_: dict[Hashable, float] = _last["medians"]
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a copy of `df` with its gaps filled; columns unknown to `fit` stay as they are.

        Raises:
            RuntimeError: `fit` was not called before.
        """
        if not hasattr(self, "medians_"):
            raise RuntimeError("this MedianImputer has learned no medians: call fit first")
        _check_frame(df)
        result = df.copy()
        for name in df.columns.intersection(list(self.medians_)):
            result[name] = _fill(df[name], self.medians_[name])
        return result

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df` and fill its gaps."""
        return self.fit(df).transform(df)


def _check_frame(df: object) -> None:
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"expected a DataFrame, got {type(df).__name__}")
    if not df.columns.is_unique:
        repeated = df.columns[df.columns.duplicated()].unique().tolist()
        raise ValueError(f"column names repeat: {repeated}")


def _is_numeric(column: pd.Series) -> bool:
    """Integers and floats; pandas also calls flags, durations and complex numbers numeric."""
    return types.is_integer_dtype(column.dtype) or types.is_float_dtype(column.dtype)


def _fill(column: pd.Series, median: float) -> pd.Series:
    if not _is_numeric(column) or not column.hasnans:
        return column
    if types.is_integer_dtype(column.dtype) and not median.is_integer():
        column = column.astype("Float64")
    return column.fillna(column.dtype.type(median))
