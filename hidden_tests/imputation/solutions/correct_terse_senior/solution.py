"""Median imputation."""

from typing import Self

import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype
from sklearn.exceptions import NotFittedError


def _check(df: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(df, pd.DataFrame):
        raise TypeError(type(df).__name__)
    if not df.columns.is_unique:
        raise ValueError("duplicate columns")
    return df


def _numeric(s: pd.Series) -> bool:
    return is_integer_dtype(s.dtype) or is_float_dtype(s.dtype)


def _fill(s: pd.Series, median: float) -> pd.Series:
    if is_integer_dtype(s.dtype) and median % 1:
        s = s.astype("Float64")
    return s.fillna(s.dtype.type(median))


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Missing cells by column, most first."""
    n = _check(df).isna().sum().astype(int)
    out = pd.DataFrame({"n_missing": n, "pct_missing": n * 100 / (len(df) or 1), "dtype": df.dtypes})
    return out.iloc[(-out.n_missing).argsort(kind="stable")]


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Fill df with its own medians."""
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """Medians of one frame for the gaps of others."""

    def fit(self, df: pd.DataFrame) -> Self:
        """Learn."""
        self.medians_ = {c: s.median() for c, s in _check(df).items() if _numeric(s) and s.count()}
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Fill."""
        if not hasattr(self, "medians_"):
            raise NotFittedError("call fit before transform")
        new = {
            c: _fill(s, self.medians_[c])
            for c, s in _check(df).items()
            if c in self.medians_ and _numeric(s) and s.hasnans
        }
        out = df.copy()
        for c, s in new.items():
            out[c] = s
        return out

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn and fill."""
        return self.fit(df).transform(df)
