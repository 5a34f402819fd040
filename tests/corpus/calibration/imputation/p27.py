"""Missing values: a report, and median imputation that keeps training and production apart.

Design notes
------------
* All filling goes through `MedianImputer`; `impute` is its one-frame shorthand, so that the two
  cannot drift apart.
* Columns are matched by name. Dtypes are judged on the frame at hand, both when learning and when
  filling, because an export may turn a number into text from one month to the next.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import pandas as pd
from sklearn.exceptions import NotFittedError

__all__ = ["MedianImputer", "impute", "missing_report"]

_NUMERIC_KINDS = frozenset("iuf")


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column, most missing first.

    Returns:
        A frame indexed by column name with ``n_missing`` (int64), ``pct_missing`` (float64, from 0
        to 100) and ``dtype`` (as text). Ties keep the column order of `df`.

    Raises:
        TypeError: `df` is no DataFrame.
        ValueError: a column name is repeated.
    """
    _require_frame(df)
    is_missing = df.isna()
    return pd.DataFrame(
        {
            "n_missing": is_missing.sum().astype("int64"),
            "pct_missing": is_missing.mean().mul(100).fillna(0.0).astype("float64"),
            "dtype": df.dtypes.map(str),
        },
        index=df.columns,
    ).sort_values("n_missing", ascending=False, kind="stable")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column."""
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """Fills numeric gaps with the medians of the frame that it was fitted on.

    Attributes:
        medians_: median by column name, for columns with at least one number; set by `fit`.
    """

    medians_: dict[Hashable, float]

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the medians of `df`, replacing any learned before, and return this imputer."""
        _require_frame(df)
        self.medians_ = {
            name: float(column.median())
            for name, column in _numeric_items(df)
            if column.notna().any()
        }
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with its numeric gaps filled by the learned medians.

        Raises:
            NotFittedError: `fit` was not called before.
        """
        if not hasattr(self, "medians_"):
            raise NotFittedError("MedianImputer knows no medians; call `fit` before `transform`.")
        _require_frame(df)
        result = df.copy()
        for name, column in _numeric_items(df):
            if name in self.medians_:
                result[name] = _fill_gaps(column, self.medians_[name])
        return result

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df`, then fill it."""
        return self.fit(df).transform(df)


def _numeric_items(df: pd.DataFrame) -> Iterator[tuple[Hashable, pd.Series]]:
    """Yield name and content of each integer or float column, NumPy's or nullable."""
    for name, column in df.items():
        is_plain = not isinstance(column.dtype, pd.CategoricalDtype)
        if is_plain and column.dtype.kind in _NUMERIC_KINDS:
            yield name, column


def _fill_gaps(column: pd.Series, median: float) -> pd.Series:
    """Fill one column; an integer column that cannot hold the median becomes ``Float64``."""
    if not column.isna().any():
        return column
    if column.dtype.kind == "f":
        return column.fillna(median)
    if median.is_integer():
        return column.fillna(int(median))
    return column.astype("Float64").fillna(median)


def _require_frame(df: object) -> None:
    """Refuse anything but a frame with distinct column names."""
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"need a pandas DataFrame, got {type(df).__name__}")
    if not df.columns.is_unique:
        raise ValueError("column names must not repeat")
