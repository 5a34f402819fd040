"""Imputation on NumPy arrays; pandas only at the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError


def _validate(df: object) -> pd.DataFrame:
    if not isinstance(df, pd.DataFrame):
        msg = f"expected pandas.DataFrame, got {type(df)!r}"
        raise TypeError(msg)
    if len(set(df.columns)) != df.shape[1]:
        msg = "duplicate column names"
        raise ValueError(msg)
    return df


def _as_float(column: pd.Series) -> np.ndarray | None:
    """The column as float64 with NaN for gaps, or None if it is not numeric."""
    if column.dtype.kind not in "iuf" or isinstance(column.dtype, pd.CategoricalDtype):
        return None
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Missing cells by column; ties in column order."""
    _validate(df)
    mask = df.isna().to_numpy()
    counts = mask.sum(axis=0, dtype=np.int64)
    order = np.argsort(-counts, kind="stable")
    percent = np.zeros(len(counts)) if len(df) == 0 else counts / len(df) * 100
    return pd.DataFrame(
        {
            "n_missing": counts[order],
            "pct_missing": percent[order],
            "dtype": [df.dtypes.iloc[i].name for i in order],
        },
        index=df.columns[order],
    )


class MedianImputer:
    """Learns one float for each numeric column."""

    def __init__(self) -> None:
        self._medians: dict | None = None

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        medians = {}
        for name in _validate(df).columns:
            values = _as_float(df[name])
            if values is not None and not np.isnan(values).all():
                medians[name] = float(np.nanmedian(values))
        self._medians = medians
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        if self._medians is None:
            msg = "call fit() before transform()"
            raise NotFittedError(msg)
        out = _validate(df).copy()
        for name, median in self._medians.items():
            values = None if name not in out.columns else _as_float(out[name])
            if values is None or not (gaps := np.isnan(values)).any():
                continue
            dtype = out[name].dtype
            if dtype.kind in "iu" and not median.is_integer():
                dtype = pd.Float64Dtype()
            out[name] = pd.Series(np.where(gaps, median, values), index=out.index).astype(dtype)
        return out

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """A filled copy of df."""
    return MedianImputer().fit_transform(df)
