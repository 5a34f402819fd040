"""The judge's own implementation of the task sheet, written apart from any labelled solution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["apply", "impute", "learn", "missing_report"]


def _is_numeric(dtype: object) -> bool:
    """Integers and floats, NumPy's and nullable ones; no flags, durations or complex numbers."""
    return bool(
        pd.api.types.is_integer_dtype(dtype)  # type: ignore[arg-type]
        or pd.api.types.is_float_dtype(dtype)  # type: ignore[arg-type]
    )


def learn(frame: pd.DataFrame) -> dict[object, float]:
    """Median of each numeric column that holds a value."""
    medians: dict[object, float] = {}
    for label in frame.columns:
        column = frame[label]
        present = column[column.notna()]
        if _is_numeric(column.dtype) and len(present):
            medians[label] = float(np.median(present.to_numpy(dtype="float64")))
    return medians


def _filled(column: pd.Series, median: float) -> pd.Series:
    dtype: Any = column.dtype
    gaps = column.isna().to_numpy()
    if not _is_numeric(dtype) or not gaps.any():
        return column
    if pd.api.types.is_integer_dtype(dtype):
        if not float(median).is_integer():
            return column.astype("Float64").mask(gaps, median)
        return column.mask(gaps, int(median))
    return column.mask(gaps, np.float32(median) if dtype == np.float32 else median)


def apply(frame: pd.DataFrame, medians: dict[object, float]) -> pd.DataFrame:
    """A new frame with the numeric gaps of known columns filled."""
    result = frame.copy()
    for label in frame.columns:
        if label in medians:
            result[label] = _filled(frame[label], medians[label])
    return result


def impute(frame: pd.DataFrame) -> pd.DataFrame:
    """Fill each numeric column with its own median."""
    return apply(frame, learn(frame))


def missing_report(frame: pd.DataFrame) -> pd.DataFrame:
    """Counts, percentages and dtype names, most missing first, ties in column order."""
    counts = [int(frame[label].isna().sum()) for label in frame.columns]
    order = sorted(range(len(counts)), key=lambda place: -counts[place])
    rows = max(len(frame), 1)
    return pd.DataFrame(
        {
            "n_missing": np.array([counts[place] for place in order], dtype="int64"),
            "pct_missing": np.array([100.0 * counts[place] / rows for place in order]),
            "dtype": pd.Series(
                [str(frame.dtypes.iloc[place]) for place in order], dtype=object
            ).to_numpy(),
        },
        index=pd.Index([frame.columns[place] for place in order], dtype=object),
    )
