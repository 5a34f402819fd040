"""Imputation by scikit-learn's SimpleImputer, one for each column."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.utils.validation import check_is_fitted


def _check(df):
    if not isinstance(df, pd.DataFrame):
        raise TypeError("X must be a pandas DataFrame")
    if df.columns.duplicated().any():
        raise ValueError("X has duplicate column names")


def _matrix(column):
    return column.to_numpy(dtype="float64", na_value=np.nan).reshape(-1, 1)


def missing_report(df):
    """Count missing values by column."""
    _check(df)
    n_missing = df.isnull().sum()
    report = pd.DataFrame(index=df.columns)
    report["n_missing"] = n_missing.astype(int)
    report["pct_missing"] = (n_missing / len(df) * 100.0) if len(df) else 0.0
    report["dtype"] = [str(dtype) for dtype in df.dtypes]
    report["pct_missing"] = report["pct_missing"].astype(float)
    return report.sort_values(by="n_missing", ascending=False, kind="stable")


class MedianImputer(TransformerMixin, BaseEstimator):
    """A transformer for frames: keeps columns, order, index and dtypes."""

    def fit(self, X, y=None):
        _check(X)
        self.imputers_ = {}
        for name in X.columns:
            if is_integer_dtype(X[name].dtype) or is_float_dtype(X[name].dtype):
                values = _matrix(X[name])
                if np.isnan(values).all():
                    continue
                imputer = SimpleImputer(strategy="median")
                if np.isinf(values).any():  # which SimpleImputer refuses
                    imputer.fit([[0.0]])
                    imputer.statistics_ = np.nanmedian(values, axis=0)
                else:
                    imputer.fit(values)
                self.imputers_[name] = imputer
        return self

    def transform(self, X):
        check_is_fitted(self, "imputers_")
        _check(X)
        out = X.copy()
        for name, imputer in self.imputers_.items():
            if name not in X.columns or not X[name].isna().any():
                continue
            dtype = X[name].dtype
            median = imputer.statistics_[0]
            if is_integer_dtype(dtype):
                if median == np.floor(median):
                    out[name] = X[name].fillna(int(median))
                else:
                    out[name] = X[name].astype("Float64").fillna(median)
            elif is_float_dtype(dtype):
                values = _matrix(X[name])
                if np.isinf(values).any():
                    filled = np.where(np.isnan(values), median, values)
                else:
                    filled = imputer.transform(values)
                out[name] = pd.Series(filled[:, 0], index=X.index).astype(dtype)
        return out


def impute(df):
    """Fill df with its own medians."""
    return MedianImputer().fit(df).transform(df)
