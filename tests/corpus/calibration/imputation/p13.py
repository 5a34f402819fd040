# -*- coding: utf-8 -*-
"""
Report and fill missing values. The task is in README.md.
"""
from typing import Any, Dict, List, Optional

import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype


def _validate_frame(df):
    # type: (Any) -> None
    """Raise an error if df is no DataFrame or has duplicated columns."""
    if not isinstance(df, pd.DataFrame):
        raise TypeError("Expected a DataFrame, got %s" % type(df).__name__)
    duplicated = df.columns[df.columns.duplicated()]  # type: pd.Index
    if len(duplicated) > 0:
        raise ValueError("Repeated column names: %s" % ", ".join([str(c) for c in duplicated]))


def _numeric_columns(df: pd.DataFrame) -> List[Any]:
    """Names of integer and float columns (no bools, no timedeltas)."""
    result = []  # type: List[Any]
    for name in df.columns:
        dtype = df[name].dtype
        if is_integer_dtype(dtype) or is_float_dtype(dtype):
            result.append(name)
    return result


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """
    Summarise how much is missing in each column.

    :param df: the frame to look at
    :return: a frame with n_missing, pct_missing and dtype, most missing first
    """
    _validate_frame(df)
    n_missing = df.isnull().sum().astype("int64")
    if len(df) > 0:
        pct_missing = n_missing.astype("float64") / len(df) * 100.0
    else:
        pct_missing = n_missing.astype("float64")
    report = pd.DataFrame(
        {"n_missing": n_missing, "pct_missing": pct_missing, "dtype": df.dtypes.astype(str)},
        columns=["n_missing", "pct_missing", "dtype"],
    )
    return report.sort_values(by="n_missing", ascending=False, kind="mergesort")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column."""
    imputer = MedianImputer()
    return imputer.fit_transform(df)


class MedianImputer(object):
    """Fills numeric gaps with the medians of the frame that it was fitted on."""

    def __init__(self) -> None:
        super(MedianImputer, self).__init__()
        self._medians = None  # type: Optional[Dict[Any, float]]

    def fit(self, df: pd.DataFrame) -> "MedianImputer":
        """Learn the medians of df and return this imputer."""
        _validate_frame(df)
        medians = {}  # type: Dict[Any, float]
        for name in _numeric_columns(df):
            values = df[name].dropna()
            if len(values) > 0:
                medians[name] = float(values.median())
        self._medians = medians
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: df with its numeric gaps filled by the learned medians."""
        if self._medians is None:
            raise RuntimeError("%s is not fitted, call fit() first" % self.__class__.__name__)
        _validate_frame(df)
        result = df.copy()
        for name in _numeric_columns(df):
            median = self._medians.get(name)  # type: Optional[float]
            if median is None or not df[name].isnull().any():
                continue
            column = df[name]
            if is_integer_dtype(column.dtype) and not float(median).is_integer():
                result[name] = column.astype("Float64").fillna(median)
            else:
                result[name] = column.fillna(median).astype(column.dtype)
        return result

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from df, then fill it."""
        return self.fit(df).transform(df)
