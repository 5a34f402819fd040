"""Median imputation that never looks at the frame it fills."""

from __future__ import annotations

import pandas as pd
from pandas.api import types as pdt


def _checked(df: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"need a DataFrame, not {type(df).__name__}")
    if df.columns.has_duplicates:
        raise ValueError("column names must be unique")
    return df


def _is_numeric(dtype: object) -> bool:
    return pdt.is_integer_dtype(dtype) or pdt.is_float_dtype(dtype)


def _filled(column: pd.Series, median: float) -> pd.Series:
    fits = pdt.is_float_dtype(column.dtype) or median.is_integer()
    target = column.dtype if fits else pd.Float64Dtype()
    return column.astype(target).fillna(median).astype(target)


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Count gaps per column, most first; ties keep the column order."""
    gaps = _checked(df).isna()
    return pd.DataFrame(
        {
            "n_missing": gaps.sum().astype("int64"),
            "pct_missing": gaps.mean().fillna(0).astype("float64") * 100,
            "dtype": df.dtypes.astype(str),
        }
    ).sort_values("n_missing", ascending=False, kind="stable")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Fill numeric gaps with the frame's own medians."""
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """Fill numeric gaps with medians learned from another frame."""

    medians_: pd.Series

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn one median per numeric column that has any value."""
        numeric = [name for name, dtype in _checked(df).dtypes.items() if _is_numeric(dtype)]
        self.medians_ = df[numeric].median().astype("float64").dropna()
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a filled copy; columns without a learned median are left alone."""
        if not hasattr(self, "medians_"):
            raise RuntimeError("call fit() first")
        filled = _checked(df).copy()
        for name in df.columns.intersection(self.medians_.index, sort=False):
            if _is_numeric(df[name].dtype) and df[name].hasnans:
                filled[name] = _filled(df[name], float(self.medians_[name]))
        return filled

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Fit on `df`, then fill it."""
        return self.fit(df).transform(df)
