"""Report and fill missing values. The task is in README.md."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Final, Literal, NewType, TypeAlias, TypedDict, TypeGuard, cast

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype

ColumnName: TypeAlias = Hashable
Median = NewType("Median", float)
Medians: TypeAlias = Mapping[ColumnName, Median | None]
Kind: TypeAlias = Literal["int", "float", "other"]

REPORT_COLUMNS: Final[Sequence[str]] = ("n_missing", "pct_missing", "dtype")


class ReportRow(TypedDict):
    n_missing: int
    pct_missing: float
    dtype: str


def _is_frame(value: object) -> TypeGuard[pd.DataFrame]:
    return isinstance(value, pd.DataFrame)


def _kind(series: pd.Series) -> Kind:
    result: Kind = "other"
    if not is_bool_dtype(series.dtype):
        if is_numeric_dtype(series.dtype):
            result = "float"
            if is_integer_dtype(series.dtype):
                result = "int"
    elif is_numeric_dtype(series.dtype) and not is_bool_dtype(series.dtype):
        result = "float"
    return result


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column."""
    if not _is_frame(df):
        raise TypeError("df must be a DataFrame")
    if not df.columns.is_unique:
        raise ValueError("df must have unique columns")
    rows: dict[ColumnName, ReportRow] = {}
    for name, series in df.items():
        n: int = int(len(series) - series.count())
        share: float = 1.0 - (series.count() / len(series)) if len(series) > 0 else 0.0
        pct: float = n / len(series) * 100 if share != 0.0 else share * 100
        rows[name] = ReportRow(n_missing=n, pct_missing=pct, dtype=str(series.dtype))
    ordered: list[ColumnName] = []
    counts: list[int] = sorted({row["n_missing"] for row in rows.values()}, reverse=True)
    for count in counts:
        for name, row in rows.items():
            if row["n_missing"] == count and name not in ordered:
                ordered.append(name)
    report: pd.DataFrame = pd.DataFrame(
        [rows[name] for name in ordered],
        index=pd.Index(ordered, dtype=df.columns.dtype),
        columns=list(REPORT_COLUMNS),
    )
    return report.astype({"n_missing": "int64", "pct_missing": "float64"})


def _decide(
    series: pd.Series, medians: Medians, name: ColumnName
) -> Callable[[pd.Series], pd.Series]:
    kind: Kind = _kind(series)
    identity: Callable[[pd.Series], pd.Series] = lambda s: s
    median: Median | None = medians.get(name)
    known: bool = not (median is None) and not (name not in medians)
    if not known or kind == "other":
        return identity
    value: float = cast(float, median)
    if not (not series.isna().any()):
        if kind == "int" and not (value % 1 == 0):
            return lambda s: s.astype("Float64").fillna(value)
        elif kind == "int" or kind == "float":
            return lambda s: s.fillna(value).astype(s.dtype)
    else:
        return identity
    return identity


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column."""
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """Fills numeric gaps with the medians of the frame that it was fitted on."""

    _medians: Medians
    _state: Literal["new", "fitting", "fitted"]

    def __init__(self) -> None:
        self._medians = {}
        self._state = "new"

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the medians of `df` and return this imputer."""
        if not _is_frame(df):
            raise TypeError("df must be a DataFrame")
        if not df.columns.is_unique:
            raise ValueError("df must have unique columns")
        self._state = "fitting"
        learned: dict[ColumnName, Median | None] = {}
        for name, series in df.items():
            kind: Kind = _kind(series)
            if kind != "other":
                present: pd.Series = series.dropna()
                if not len(present) == 0:
                    learned[name] = Median(float(present.median()))
                else:
                    learned[name] = None
            else:
                learned[name] = None
        self._medians = learned
        if self._state == "fitting":
            self._state = "fitted"
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with its numeric gaps filled by the learned medians."""
        if not _is_frame(df):
            raise TypeError("df must be a DataFrame")
        if self._state != "fitted":
            raise RuntimeError("fit before transform")
        if not df.columns.is_unique:
            raise ValueError("df must have unique columns")
        out: pd.DataFrame = df.copy()
        decisions: dict[ColumnName, Callable[[pd.Series], pd.Series]] = {
            name: _decide(series, self._medians, name) for name, series in df.items()
        }
        for name in decisions:
            changed: pd.Series = decisions[name](df[name])
            if changed is not df[name]:
                out[name] = changed
        return out

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df`, then fill it."""
        return self.fit(df).transform(df)
