"""Imputation by a strategy for each kind of dtype."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types


class Strategy(ABC):
    """What to do with columns of one kind."""

    @abstractmethod
    def handles(self, dtype: Any) -> bool:
        """Whether this strategy is for columns of that dtype."""

    def learn(self, column: pd.Series) -> float | None:
        """A statistic of the column, or None if there is none."""
        present = column.dropna()
        if present.empty:
            return None
        return float(np.median(present.to_numpy(dtype=float)))

    @abstractmethod
    def fill(self, column: pd.Series, statistic: float) -> pd.Series:
        """The column without its gaps."""


class Floats(Strategy):
    """Floats keep their width."""

    def handles(self, dtype: Any) -> bool:
        return types.is_float_dtype(dtype)

    def fill(self, column: pd.Series, statistic: float) -> pd.Series:
        filled = column.copy()
        filled[column.isna()] = column.dtype.type(statistic)
        return filled


class Integers(Strategy):
    """Integers stay integers while the statistic is one."""

    def handles(self, dtype: Any) -> bool:
        return types.is_integer_dtype(dtype)

    def fill(self, column: pd.Series, statistic: float) -> pd.Series:
        if not column.isna().any():
            return column
        if float(statistic).is_integer():
            return column.fillna(int(statistic))
        return column.astype("Float64").fillna(statistic)


class Ignore(Strategy):
    """Everything else is not ours to touch."""

    def handles(self, dtype: Any) -> bool:
        return True

    def learn(self, column: pd.Series) -> None:
        return None

    def fill(self, column: pd.Series, statistic: float) -> pd.Series:
        return column


STRATEGIES: tuple[Strategy, ...] = (Floats(), Integers(), Ignore())


def strategy_for(column: pd.Series) -> Strategy:
    """The first strategy that handles the column's dtype."""
    return next(strategy for strategy in STRATEGIES if strategy.handles(column.dtype))


def ensure_frame(df: Any) -> None:
    """Refuse what the task sheet refuses."""
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"df must be a DataFrame, not {type(df).__name__}")
    if len(df.columns) != df.columns.nunique(dropna=False):
        raise ValueError("df has columns of the same name")


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """How much is missing, by column."""
    ensure_frame(df)
    counts = {name: int(df[name].isna().sum()) for name in df.columns}
    names = sorted(counts, key=counts.__getitem__, reverse=True)
    total = len(df)
    return pd.DataFrame.from_dict(
        {
            name: [counts[name], 100 * counts[name] / total if total else 0.0, df[name].dtype]
            for name in names
        },
        orient="index",
        columns=["n_missing", "pct_missing", "dtype"],
    ).astype({"n_missing": "int64", "pct_missing": "float64"})


class MedianImputer:
    """Fills gaps by what `fit` learned, each column by the strategy for its dtype."""

    def __init__(self) -> None:
        self.statistics: dict[Any, float] | None = None

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn from df alone."""
        ensure_frame(df)
        learned = {name: strategy_for(df[name]).learn(df[name]) for name in df.columns}
        self.statistics = {name: value for name, value in learned.items() if value is not None}
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Fill df."""
        if self.statistics is None:
            raise RuntimeError("MedianImputer.transform: fit has not been called")
        ensure_frame(df)
        result = df.copy()
        for name in df.columns:
            if name in self.statistics:
                result[name] = strategy_for(df[name]).fill(df[name], self.statistics[name])
        return result

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from df and fill it."""
        return self.fit(df).transform(df)


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Fill df with its own medians."""
    return MedianImputer().fit_transform(df)
