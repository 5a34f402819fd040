"""Medians in place of gaps."""

from __future__ import annotations

import logging

import pandas as pd
from sklearn.exceptions import NotFittedError

from .dtypes import is_numeric, target_dtype
from .validation import check_frame

logger = logging.getLogger(__name__)


class MedianImputer:
    """Fills numeric gaps with the medians of the frame that it was fitted on.

    >>> train = pd.DataFrame({"wind": [1.0, 2.0, 9.0]})
    >>> test = pd.DataFrame({"wind": [None, 7.0]}, dtype="float64")
    >>> MedianImputer().fit(train).transform(test)["wind"].tolist()
    [2.0, 7.0]
    """

    __slots__ = ("_medians",)

    def __init__(self) -> None:
        self._medians: pd.Series | None = None

    def __repr__(self) -> str:
        state = "not fitted" if self._medians is None else f"{len(self._medians)} medians"
        return f"<{type(self).__name__}: {state}>"

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the medians of `df` and return this imputer."""
        check_frame(df)
        medians = [
            float(column.median()) if is_numeric(column) and column.count() else float("nan")
            for _, column in df.items()
        ]
        self._medians = pd.Series(medians, index=df.columns.copy(), dtype="float64").dropna()
        logger.debug("learned %d medians from %d rows", len(self._medians), len(df))
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with its numeric gaps filled by the learned medians.

        :raises NotFittedError: `fit` was not called yet.
        """
        check_frame(df)
        if self._medians is None:
            raise NotFittedError("this MedianImputer has learned nothing: fit it first")
        result = df.copy()
        for name, median in self._medians.items():
            if name not in df.columns:
                continue
            column = df[name]
            if is_numeric(column) and column.hasnans:
                dtype = target_dtype(column, median)
                logger.debug("filling %d gaps of %r with %s", column.isna().sum(), name, median)
                result[name] = column.astype(dtype).fillna(median).astype(dtype)
        return result

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df`, then fill it."""
        return self.fit(df).transform(df)


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column."""
    return MedianImputer().fit_transform(df)
