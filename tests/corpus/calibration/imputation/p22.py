"""Report and fill missing values with medians that come from the training frame only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype

if TYPE_CHECKING:
    from collections.abc import Hashable


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column.

    Returns:
        One row for each column of `df`, indexed by column and most missing first, with
        ``n_missing`` (int64), ``pct_missing`` (float64, 0 to 100) and ``dtype``. Columns with
        equally many gaps keep the order they have in `df`.
    """
    _check_frame(df)
    n_missing = df.isna().sum().astype("int64")
    report = pd.DataFrame(
        {
            "n_missing": n_missing,
            # A frame without rows has no gaps: dividing by 1 yields the 0 percent we want.
            "pct_missing": n_missing / max(len(df), 1) * 100.0,
            "dtype": df.dtypes.astype(str),
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
        """Learn the medians of `df`, forget earlier ones, and return this imputer."""
        _check_frame(df)
        self._medians = {
            name: float(column.median())
            for name, column in df.items()
            if _is_numeric(column) and column.notna().any()
        }
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with its numeric gaps filled by the learned medians.

        Raises:
            RuntimeError: the imputer was not fitted.
        """
        if self._medians is None:
            raise RuntimeError("This MedianImputer has no medians yet: call fit() first.")
        _check_frame(df)
        filled = df.copy()
        for name, column in df.items():
            if name in self._medians and _is_numeric(column):
                filled[name] = _fill(column, self._medians[name])
        return filled

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df`, then fill it."""
        return self.fit(df).transform(df)


def _fill(column: pd.Series, median: float) -> pd.Series:
    """Fill the gaps of a numeric column and keep its dtype where the median fits in."""
    if not column.hasnans:
        return column
    if is_integer_dtype(column):
        if not median.is_integer():
            return column.astype("Float64").fillna(median)
        return column.fillna(int(median))
    return column.fillna(median)


def _is_numeric(column: pd.Series) -> bool:
    """Tell whether a column holds integers or floats; flags and categories are neither."""
    is_number = is_integer_dtype(column) or is_float_dtype(column)
    return is_number and not is_bool_dtype(column)


def _check_frame(df: pd.DataFrame) -> None:
    """Refuse what is no frame and frames in which a column name is repeated."""
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"expected a pandas DataFrame, got {type(df).__name__}")
    if not df.columns.is_unique:
        repeated = df.columns[df.columns.duplicated()].unique().tolist()
        raise ValueError(f"repeated column names: {repeated}")
