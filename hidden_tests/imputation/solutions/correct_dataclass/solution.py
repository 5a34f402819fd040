"""Imputation with an immutable record of what was learned."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pandas as pd


def _require_frame(value: object) -> pd.DataFrame:
    match value:
        case pd.DataFrame() if value.columns.is_unique:
            return value
        case pd.DataFrame():
            raise ValueError("every column needs a name of its own")
        case _:
            raise TypeError(f"a DataFrame is needed, this is a {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Medians:
    """What a frame taught us."""

    by_column: Mapping[Hashable, float]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Medians:
        """Learn from the numeric columns that hold at least one value."""
        numeric = {name: column for name, column in frame.items() if is_numeric(column.dtype)}
        found = {name: column.median() for name, column in numeric.items() if column.count()}
        return cls(MappingProxyType({name: float(value) for name, value in found.items()}))

    def fill(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A new frame without the gaps that we can fill."""
        columns = {
            name: self._fill_one(column, self.by_column[name])
            for name, column in frame.items()
            if name in self.by_column and is_numeric(column.dtype) and column.hasnans
        }
        result = frame.copy()
        for name, column in columns.items():
            result[name] = column
        return result

    @staticmethod
    def _fill_one(column: pd.Series, median: float) -> pd.Series:
        if pd.api.types.is_float_dtype(column.dtype):
            return column.fillna(column.dtype.type(median))
        if median.is_integer():
            return column.fillna(int(median))
        return column.astype(pd.Float64Dtype()).fillna(median)


def is_numeric(dtype: object) -> bool:
    """Integers and floats of NumPy and pandas."""
    return pd.api.types.is_integer_dtype(dtype) or pd.api.types.is_float_dtype(dtype)


@dataclass
class MedianImputer:
    """Fills frames with the medians of the frame it was fitted on."""

    medians: Medians | None = field(default=None, init=False)

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn, and forget what was learned before."""
        self.medians = Medians.of(_require_frame(df))
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Fill the gaps of columns that were learned."""
        if self.medians is None:
            raise RuntimeError("not fitted: call fit() first")
        return self.medians.fill(_require_frame(df))

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from df and fill it."""
        return self.fit(df).transform(df)


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Fill df with its own medians."""
    return MedianImputer().fit_transform(df)


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """One row a column: how much of it is missing."""
    frame = _require_frame(df)
    rows = [
        (name, int(column.isna().sum()), column.dtype) for name, column in frame.items()
    ]
    rows.sort(key=lambda row: row[1], reverse=True)
    return pd.DataFrame(
        {
            "n_missing": pd.array([count for _, count, _ in rows], dtype="int64"),
            "pct_missing": [100 * count / len(frame) if len(frame) else 0.0 for _, count, _ in rows],
            "dtype": [dtype for _, _, dtype in rows],
        },
        index=[name for name, _, _ in rows],
    )
