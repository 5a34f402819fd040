"""Report and fill missing values."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype


def is_frame(df: Any) -> bool:
    """Is it a DataFrame?"""
    return isinstance(df, pd.DataFrame)


def has_repeated_columns(df: pd.DataFrame) -> bool:
    """Does any column name occur twice?"""
    return df.columns.duplicated().any()


def check_is_frame(df: Any) -> None:
    """Raise TypeError unless df is a DataFrame."""
    if not is_frame(df):
        raise TypeError("not a DataFrame")


def check_columns_unique(df: pd.DataFrame) -> None:
    """Raise ValueError if a column name occurs twice."""
    if has_repeated_columns(df):
        raise ValueError("repeated column name")


def check(df: Any) -> None:
    """All checks for an argument."""
    check_is_frame(df)
    check_columns_unique(df)


def count_rows(df: pd.DataFrame) -> int:
    """Number of rows."""
    return len(df)


def count_missing(df: pd.DataFrame) -> pd.Series:
    """Missing cells per column."""
    return df.isna().sum().astype("int64")


def to_percent(counts: pd.Series, rows: int) -> pd.Series:
    """Counts as percent of rows; 0 if there are no rows."""
    if rows == 0:
        return counts.astype("float64")
    return counts / rows * 100


def sort_most_first(report: pd.DataFrame) -> pd.DataFrame:
    """Sort with the most missing first, stable."""
    return report.sort_values("n_missing", ascending=False, kind="stable")


def build_report(df: pd.DataFrame) -> pd.DataFrame:
    """Report in the order of the columns."""
    counts = count_missing(df)
    percent = to_percent(counts, count_rows(df))
    return pd.DataFrame({"n_missing": counts, "pct_missing": percent, "dtype": df.dtypes})


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column."""
    check(df)
    return sort_most_first(build_report(df))


def is_integer(column: pd.Series) -> bool:
    """Is it an integer column?"""
    return is_integer_dtype(column.dtype)


def is_float(column: pd.Series) -> bool:
    """Is it a float column?"""
    return is_float_dtype(column.dtype)


def is_numeric(column: pd.Series) -> bool:
    """Is it an integer or a float column?"""
    return is_integer(column) or is_float(column)


def is_whole(number: float) -> bool:
    """Is the number whole?"""
    return float(number).is_integer()


def has_gaps(column: pd.Series) -> bool:
    """Is anything missing?"""
    return column.isna().any()


def has_values(column: pd.Series) -> bool:
    """Is anything there?"""
    return column.notna().any()


def can_learn(column: pd.Series) -> bool:
    """Is there a median to learn?"""
    return is_numeric(column) and has_values(column)


def needs_fill(column: pd.Series) -> bool:
    """Are there numeric gaps?"""
    return is_numeric(column) and has_gaps(column)


def needs_float(column: pd.Series, median: float) -> bool:
    """Must the column become Float64 to hold the median?"""
    return is_integer(column) and not is_whole(median)


def fill_as_float(column: pd.Series, median: float) -> pd.Series:
    """Fill and become Float64."""
    return column.astype("Float64").fillna(median)


def fill_same_dtype(column: pd.Series, median: float) -> pd.Series:
    """Fill and keep the dtype."""
    return column.fillna(median).astype(column.dtype)


def fill(column: pd.Series, median: float) -> pd.Series:
    """Fill the gaps of a column."""
    if needs_float(column, median):
        return fill_as_float(column, median)
    return fill_same_dtype(column, median)


def learn_medians(df: pd.DataFrame) -> dict[Any, float]:
    """Median of each numeric column that has values."""
    return {name: column.median() for name, column in df.items() if can_learn(column)}


def fill_frame(df: pd.DataFrame, medians: dict[Any, float]) -> pd.DataFrame:
    """New frame with gaps filled."""
    result = df.copy()
    for name, column in df.items():
        if name in medians and needs_fill(column):
            result[name] = fill(column, medians[name])
    return result


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column."""
    check(df)
    return fill_frame(df, learn_medians(df))


class MedianImputer:
    """Fills numeric gaps with the medians of the frame that it was fitted on."""

    def __init__(self) -> None:
        self.medians: dict[Any, float] | None = None

    def is_fitted(self) -> bool:
        """Was fit called?"""
        return self.medians is not None

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the medians of `df` and return this imputer."""
        check(df)
        self.medians = learn_medians(df)
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with its numeric gaps filled by the learned medians."""
        if not self.is_fitted():
            raise RuntimeError("call fit first")
        check(df)
        return fill_frame(df, self.medians)

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df`, then fill it."""
        return self.fit(df).transform(df)
