"""Imputation as plain functions; the class is a thin coat over them."""

from functools import partial, reduce
from operator import itemgetter

import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype


def guard(df):
    if not isinstance(df, pd.DataFrame):
        raise TypeError("not a DataFrame")
    if df.columns.has_duplicates:
        raise ValueError("duplicate columns")
    return df


def numeric(column):
    return is_integer_dtype(column.dtype) or is_float_dtype(column.dtype)


def learnable(item):
    return numeric(item[1]) and item[1].notna().any()


def learn(df):
    return {name: column.dropna().median() for name, column in filter(learnable, df.items())}


def widen(column, value):
    needs = is_integer_dtype(column.dtype) and value != value // 1
    return column.astype("Float64") if needs else column


def fill(column, value):
    wide = widen(column, value)
    return wide.where(wide.notna(), wide.dtype.type(value))


def applicable(df, item):
    return item[0] in df.columns and numeric(df[item[0]]) and df[item[0]].isna().any()


def replaced(df, name, column):
    new = df.copy()
    new[name] = column
    return new


def step(df, item):
    name, value = item
    return replaced(df, name, fill(df[name], value)) if applicable(df, item) else df


def apply(medians, df):
    return reduce(step, medians.items(), df.copy())


def impute(df):
    """Fill every numeric column with its median."""
    return apply(learn(guard(df)), df)


def missing_report(df):
    """Describe what is missing."""
    size = len(guard(df)) or 1
    rows = [(name, int(column.isna().sum()), str(column.dtype)) for name, column in df.items()]
    ranked = sorted(rows, key=itemgetter(1), reverse=True)
    return pd.DataFrame(
        [(count, count * 100 / size, dtype) for _, count, dtype in ranked],
        index=[name for name, *_ in ranked],
        columns=["n_missing", "pct_missing", "dtype"],
    )


class MedianImputer:
    def __init__(self):
        self.apply = None

    def fit(self, df):
        self.apply = partial(apply, learn(guard(df)))
        return self

    def transform(self, df):
        if self.apply is None:
            raise RuntimeError("transform() needs fit() first")
        return self.apply(guard(df))

    def fit_transform(self, df):
        return self.fit(df).transform(df)
