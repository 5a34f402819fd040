"""Median imputation for the station exports.

The imputer keeps two moments apart. `MedianImputer.fit` looks at the training month and remembers
one median per column. `MedianImputer.transform` looks only at what was remembered, so that a
request of one row and a whole month are filled alike.

"Numeric" is decided in one place, `is_numeric`, and "may this column hold that median" in one
other, `dtype_after_filling`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionDtype
from pandas.api.types import is_float_dtype, is_integer_dtype

Dtype = np.dtype | ExtensionDtype


class NotFittedError(ValueError):
    """The imputer was asked to fill before it had learned anything."""


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column.

    Args:
        df: any frame with unique column names.

    Returns:
        One row for each column of `df`, indexed by column and most missing first, with
        ``n_missing`` (int64), ``pct_missing`` (float64, 0 to 100) and ``dtype``. Columns with
        equally many gaps keep the order of `df`.

    Raises:
        TypeError: `df` is not a DataFrame.
        ValueError: a column name occurs more than once.
    """
    require_frame(df)
    n_missing = df.isna().sum().astype("int64")
    pct_missing = n_missing / len(df) * 100 if len(df) else n_missing * 0.0
    report = pd.DataFrame(
        {"n_missing": n_missing, "pct_missing": pct_missing, "dtype": df.dtypes.map(str)}
    )
    return report.sort_values("n_missing", ascending=False, kind="stable")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column.

    For exploration only. A model's input has to go through one fitted `MedianImputer`.
    """
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """Fills numeric gaps with the medians of the frame that it was fitted on.

    Columns that were not seen in training, or had no number there, keep their gaps: nothing is
    known about them.
    """

    def __init__(self) -> None:
        self._medians: Mapping[Hashable, float] | None = None

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the medians of `df`, forget earlier ones and return this imputer."""
        require_frame(df)
        medians = {name: column.median() for name, column in numeric_columns(df)}
        self._medians = MappingProxyType(
            {name: float(median) for name, median in medians.items() if pd.notna(median)}
        )
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with its numeric gaps filled by the learned medians.

        Raises:
            NotFittedError: `fit` has not been called.
        """
        if self._medians is None:
            raise NotFittedError("MedianImputer is not fitted; call fit(df) first")
        require_frame(df)
        filled = {
            name: fill_gaps(column, self._medians[name])
            for name, column in numeric_columns(df)
            if name in self._medians and column.hasnans
        }
        result = df.copy()
        for name, column in filled.items():
            result[name] = column
        return result

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df`, then fill it."""
        return self.fit(df).transform(df)


def require_frame(df: object) -> None:
    """Raise unless `df` is a frame whose columns can be addressed by name."""
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"expected a pandas DataFrame, got {type(df).__name__}")
    repeated = df.columns[df.columns.duplicated()]
    if len(repeated):
        raise ValueError(f"repeated column names: {list(repeated.unique())}")


def is_numeric(dtype: Dtype) -> bool:
    """Tell integers and floats from all else: flags, durations and codes have no middle."""
    return is_integer_dtype(dtype) or is_float_dtype(dtype)


def numeric_columns(df: pd.DataFrame) -> Iterator[tuple[Hashable, pd.Series]]:
    """Yield name and values of each numeric column."""
    return ((name, column) for name, column in df.items() if is_numeric(column.dtype))


def dtype_after_filling(dtype: Dtype, median: float) -> Dtype:
    """Keep the dtype, unless it is an integer that would have to round the median."""
    if is_integer_dtype(dtype) and not median.is_integer():
        return pd.Float64Dtype()
    return dtype


def fill_gaps(column: pd.Series, median: float) -> pd.Series:
    """Return `column` with `median` in its gaps."""
    dtype = dtype_after_filling(column.dtype, median)
    # fillna widens float32 for a median that float32 cannot hold, hence the second astype.
    return column.astype(dtype).fillna(median).astype(dtype)
