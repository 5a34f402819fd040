from __future__ import annotations

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype
from sklearn.exceptions import NotFittedError


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    check_frame(df)
    gaps = df.isna()
    report = pd.DataFrame(
        {
            "n_missing": gaps.sum().astype("int64"),
            "pct_missing": (gaps.mean() * 100).fillna(0).astype("float64"),
            "dtype": df.dtypes.astype(str),
        },
        index=df.columns,
    )
    return report.sort_values("n_missing", ascending=False, kind="stable")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    return MedianImputer().fit_transform(df)


class MedianImputer:
    def __init__(self):
        self.medians = None

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        check_frame(df)
        numeric = df[numeric_columns(df)]
        self.medians = {name: col.median() for name, col in numeric.items() if col.count()}
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        check_frame(df)
        if self.medians is None:
            raise NotFittedError("MedianImputer: call fit before transform")
        out = df.copy()
        for name in numeric_columns(df):
            if name in self.medians and out[name].isna().any():
                out[name] = fill(out[name], self.medians[name])
        return out

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)


def fill(col, median):
    if is_integer_dtype(col.dtype):
        if median % 1:
            col = col.astype("Float64")
        else:
            median = int(median)
    return col.fillna(median)


def numeric_columns(df):
    return [
        name
        for name, dtype in df.dtypes.items()
        if is_numeric_dtype(dtype) and not is_bool_dtype(dtype)
    ]


def check_frame(df):
    if not isinstance(df, pd.DataFrame):
        raise TypeError("need a DataFrame")
    if not df.columns.is_unique:
        raise ValueError("column names repeat")
