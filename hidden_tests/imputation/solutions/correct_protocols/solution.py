"""Report and fill missing values, as small functions over immutable values.

A `Rule` says what is to be learned of a column, `Learned` is the immutable outcome for a
whole frame, and `MedianImputer` is the thin, stateful shell that the task asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

import numpy as np
import pandas as pd
from pandas.api import types

P = ParamSpec("P")
R = TypeVar("R")


class Rule(Protocol):
    """Anything that turns the present values of a column into the one for its gaps."""

    def __call__(self, column: pd.Series, /) -> float: ...


class NotFittedYetError(RuntimeError):
    """`transform` was called before `fit`."""


def _checked(function: Callable[Concatenate[pd.DataFrame, P], R]) -> Callable[Concatenate[pd.DataFrame, P], R]:
    """Decorate `function` to refuse anything but a frame with unique column names."""

    @wraps(function)
    def checking(df: pd.DataFrame, /, *args: P.args, **kwargs: P.kwargs) -> R:
        match df:
            case pd.DataFrame() if df.columns.is_unique:
                return function(df, *args, **kwargs)
            case pd.DataFrame():
                repeated = list(df.columns[df.columns.duplicated()])
                raise ValueError(f"repeated column names: {repeated!r}")
            case _:
                raise TypeError(f"not a DataFrame: {type(df)!r}")

    return checking


def median(column: pd.Series, /) -> float:
    """Median of `column`, NaN where it has no value."""
    with np.errstate(invalid="ignore"):  # the middle of -inf and inf
        result = column.median()
    return float("nan") if pd.isna(result) else float(result)


def _numeric_positions(df: pd.DataFrame) -> Iterator[int]:
    for position, dtype in enumerate(df.dtypes):
        if types.is_any_real_numeric_dtype(dtype):
            yield position


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """Values for gaps, by column name."""

    values: pd.Series

    @classmethod
    def from_frame(cls, df: pd.DataFrame, rule: Rule) -> Learned:
        """Apply `rule` to each numeric column of `df`."""
        positions = list(_numeric_positions(df))
        values = [rule(df.iloc[:, i]) for i in positions]
        return cls(pd.Series(values, index=df.columns.take(positions), dtype="float64"))

    def fill(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with the learned values in its numeric gaps."""
        values = self.values.reindex(df.columns).to_numpy()
        result = df.copy()
        for i in _numeric_positions(df):
            column = df.iloc[:, i]
            if column.hasnans and not np.isnan(values[i]):
                result.isetitem(i, _masked(column, float(values[i])))
        return result


def _masked(column: pd.Series, value: float) -> pd.Series:
    """`column` with `value` in place of its gaps."""
    dtype = column.dtype if _can_hold(column.dtype, value) else pd.Float64Dtype()
    widened = column.astype(dtype)
    return widened.mask(column.isna(), value).astype(dtype)


def _can_hold(dtype: np.dtype | pd.api.extensions.ExtensionDtype, value: float) -> bool:
    if not types.is_integer_dtype(dtype):
        return True
    limits: Final = np.iinfo(str(dtype).lower())
    return value.is_integer() and limits.min <= value <= limits.max


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column.

    Returns:
        One row for each column of `df`, indexed by column and most missing first, with
        ``n_missing`` (int64), ``pct_missing`` (float64, 0 to 100) and ``dtype``.
    """
    return _missing_report(df)


@_checked
def _missing_report(df: pd.DataFrame) -> pd.DataFrame:
    present = df.count().to_numpy(dtype="int64")
    n_missing = len(df) - present
    share = np.divide(n_missing, len(df), out=np.zeros(len(n_missing)), where=len(df) > 0)
    order = np.lexsort((np.arange(len(n_missing)), -n_missing))
    dtypes = np.empty(len(n_missing), dtype=object)
    dtypes[:] = list(df.dtypes)
    report = pd.DataFrame(
        {"n_missing": n_missing, "pct_missing": 100 * share, "dtype": dtypes},
        index=df.columns.copy(),
    )
    return report.take(order)


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column."""
    return MedianImputer().fit_transform(df)


@dataclass(slots=True, eq=False)
class MedianImputer:
    """Fills numeric gaps with the medians of the frame that it was fitted on."""

    _learned: Learned | None = field(default=None, init=False)

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the medians of `df` and return this imputer."""
        self._learned = _checked(Learned.from_frame)(df, rule=median)
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with its numeric gaps filled by the learned medians."""
        if self._learned is None:
            raise NotFittedYetError("nothing was learned yet; fit this MedianImputer first")
        return _checked(self._learned.fill)(df)

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df`, then fill it."""
        return self.fit(df).transform(df)
