"""Report and fill missing values: what is learned of a frame is a typed map from column to value."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Self, override

import pandas as pd
from pandas.api import types

type Statistic[Value = float] = Callable[[pd.Series], Value]
type Named[Value] = Mapping[Hashable, Value]


class NotLearnedError(RuntimeError):
    """`transform` was called before `fit`."""


@dataclass(frozen=True, slots=True)
class Learned[Value = float]:
    """One value for each column that held any.

    Attributes:
        values: by name of the column.
    """

    values: Named[Value]

    def common_with(self, df: pd.DataFrame) -> list[Hashable]:
        """The columns of `df` about which something is known, in the order of `df`."""
        return [name for name in df.columns if name in self.values]


def learn[Value](df: pd.DataFrame, statistic: Statistic[Value]) -> Learned[Value]:
    """Apply `statistic` to each numeric column of `df` that holds a value."""
    return Learned(
        {
            name: statistic(column)
            for name, column in df.items()
            if is_numeric(column) and column.notna().any()
        }
    )


def is_numeric(column: pd.Series) -> bool:
    """Whether a column holds integers or floats; flags and durations are neither."""
    return types.is_integer_dtype(column.dtype) or types.is_float_dtype(column.dtype)


def checked(df: object) -> pd.DataFrame:
    """Return `df` if it is a frame with distinct column names.

    Raises:
        TypeError: it is no frame.
        ValueError: names repeat.
    """
    match df:
        case pd.DataFrame() if df.columns.is_unique:
            return df
        case pd.DataFrame():
            repeated = df.columns[df.columns.duplicated()].unique()
            raise ValueError(f"repeated column names: {", ".join(f"{name!r}" for name in repeated)}")
        case _:
            raise TypeError(f"a DataFrame is needed, not {type(df).__name__}")


def median(column: pd.Series) -> float:
    """The median of the values that are there."""
    return float(column.median())


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Count the missing cells of each column, most missing first.

    Returns:
        ``n_missing``, ``pct_missing`` (0-100) and ``dtype``, indexed by column.

    Raises:
        TypeError: `df` is no frame.
        ValueError: column names repeat.
    """
    frame = checked(df)
    counts = frame.isna().sum().astype("int64")
    report = pd.DataFrame(
        {
            "n_missing": counts,
            "pct_missing": 100.0 * counts / max(len(frame), 1),
            "dtype": frame.dtypes.astype(str),
        }
    )
    return report.sort_values("n_missing", ascending=False, kind="stable")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of `df` whose numeric gaps hold the median of their column."""
    return MedianImputer().fit_transform(df)


class Imputer[Value]:
    """Fills gaps with what a statistic says of the frame that it was fitted on.

    Args:
        statistic: from the present values of a column to the one for its gaps.
    """

    def __init__(self, statistic: Statistic[Value]) -> None:
        self._statistic = statistic
        self._learned: Learned[Value] | None = None

    def fit(self, df: pd.DataFrame) -> Self:
        """Learn from `df`, in place of anything learned before."""
        self._learned = learn(checked(df), self._statistic)
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a copy of `df` with its gaps filled; columns unknown to `fit` stay as they are.

        Raises:
            NotLearnedError: `fit` was not called before.
        """
        if self._learned is None:
            raise NotLearnedError("call fit before transform")
        result = checked(df).copy()
        for name in self._learned.common_with(result):
            result[name] = self.fill(result[name], self._learned.values[name])
        return result

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df` and fill its gaps."""
        return self.fit(df).transform(df)

    def fill(self, column: pd.Series, value: Value) -> pd.Series:
        """Return `column` with `value` in its gaps."""
        return column.fillna(value)


class MedianImputer(Imputer[float]):
    """Fills numeric gaps with the medians of the frame that it was fitted on."""

    def __init__(self) -> None:
        super().__init__(median)

    @override
    def fill(self, column: pd.Series, value: float) -> pd.Series:
        """Return `column` with the median in its gaps, as floats where integers cannot hold it."""
        if not is_numeric(column) or not column.hasnans:
            return column
        if types.is_integer_dtype(column.dtype) and not value.is_integer():
            column = column.astype("Float64")
        return column.fillna(column.dtype.type(value))
