from __future__ import annotations

import numpy as np
import pandas as pd


def _Q(X):
    """X in DF, columns injective"""
    if not isinstance(X, pd.DataFrame):
        raise TypeError("X must be a DataFrame")
    if len(set(X.columns)) < X.shape[1]:
        raise ValueError("columns not injective")
    return X


def _N(t):
    # N = {i, u, f}; b, m, M, O excluded
    return getattr(t, "kind", "O") in "iuf" and not isinstance(t, pd.CategoricalDtype)


def _f(x, m):
    t = x.dtype
    if t.kind in "iu" and m != np.floor(m):
        t = "Float64"
    return x.astype(t).fillna(m).astype(t)


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    k = _Q(df).isna().sum().astype(np.int64)
    n = len(df)
    p = (k / n if n else k) * 100.0
    o = np.argsort(-k.to_numpy(), kind="stable")
    return pd.DataFrame({"n_missing": k, "pct_missing": p, "dtype": df.dtypes.astype(str)}).iloc[o]


def impute(df: pd.DataFrame) -> pd.DataFrame:
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """x_ij := m_j where x_ij is NA, m_j = med{x_ij : x_ij not NA} over the training sample."""

    m = None

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        J = [j for j, t in _Q(df).dtypes.items() if _N(t)]
        M = {j: df[j].median() for j in J}
        self.m = {j: float(m) for j, m in M.items() if m is not pd.NA and m == m}
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        if self.m is None:
            raise RuntimeError("m undefined; fit first")
        X = _Q(df).copy()
        J = [j for j in X if j in self.m and _N(X[j].dtype) and X[j].hasnans]
        for j in J:
            X[j] = _f(X[j], self.m[j])
        return X

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)
