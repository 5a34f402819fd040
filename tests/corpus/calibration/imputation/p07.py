from __future__ import annotations

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype


def check(df):
    if not isinstance(df, pd.DataFrame):
        raise TypeError("df must be a DataFrame")
    if df.columns.duplicated().any():
        raise ValueError("duplicate columns")


def numeric_columns(df):
    return [
        c for c in df.columns
        if is_numeric_dtype(df[c].dtype) and not is_bool_dtype(df[c].dtype)
    ]


def fill(series, median):
    if not series.isna().any():
        return series
    if is_integer_dtype(series.dtype) and median % 1 != 0:
        return series.astype("Float64").fillna(median)
    return series.fillna(median).astype(series.dtype)


def missing_report(df):
    check(df)
    n_missing = df.isna().sum().astype("int64")
    report = pd.DataFrame(
        {
            "n_missing": n_missing,
            "pct_missing": n_missing / max(len(df), 1) * 100,
            "dtype": df.dtypes.astype(str),
        }
    )
    return report.sort_values("n_missing", ascending=False, kind="mergesort")


def impute(df):
    return MedianImputer().fit_transform(df)


class MedianImputer:
    def __init__(self):
        self.medians = None

    def fit(self, df):
        check(df)
        medians = {c: df[c].median() for c in numeric_columns(df)}
        self.medians = {c: m for c, m in medians.items() if not pd.isna(m)}
        return self

    def transform(self, df):
        if self.medians is None:
            raise RuntimeError("not fitted, call fit first")
        check(df)
        out = df.copy()
        for c in numeric_columns(df):
            if c in self.medians:
                out[c] = fill(df[c], self.medians[c])
        return out

    def fit_transform(self, df):
        return self.fit(df).transform(df)
