"""Report and fill missing values in tabular exports."""

from __future__ import annotations

import pandas as pd

# select_dtypes counts durations as numbers; for us they are not.
NUMERIC = {"include": "number", "exclude": "timedelta"}


def _validate(df: pd.DataFrame) -> None:
    """Raise if `df` is not a frame with unique column names."""
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"df must be a DataFrame, got {type(df).__name__}")
    if not df.columns.is_unique:
        raise ValueError("df has repeated column names")


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column, worst column first.

    The percentage is 0 for every column of a frame without rows.
    """
    _validate(df)
    missing = df.isna()
    report = pd.DataFrame(
        {
            "n_missing": missing.sum().astype("int64"),
            "pct_missing": missing.mean().astype("float64").fillna(0.0) * 100,
            "dtype": df.dtypes.astype(str),
        }
    )
    return report.sort_values("n_missing", ascending=False, kind="stable")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column."""
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """Fills numeric gaps with the medians of the frame that it was fitted on.

    Attributes:
        medians_: column name to median, set by `fit`.
    """

    medians_: pd.Series | None = None

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the medians of `df` and return this imputer."""
        _validate(df)
        self.medians_ = df.select_dtypes(**NUMERIC).median().astype("float64").dropna()
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with its numeric gaps filled by the learned medians."""
        if self.medians_ is None:
            raise RuntimeError("MedianImputer must be fitted before transform")
        _validate(df)

        numeric = df.select_dtypes(**NUMERIC)
        with_gaps = numeric.columns[numeric.isna().any()]
        fillable = with_gaps.intersection(self.medians_.index)
        medians = self.medians_.loc[fillable].to_dict()

        dtypes = df.dtypes.loc[fillable].to_dict()
        for name, median in medians.items():
            if pd.api.types.is_integer_dtype(dtypes[name]) and not median.is_integer():
                dtypes[name] = pd.Float64Dtype()

        return df.astype(dtypes).fillna(medians).astype(dtypes)

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df`, then fill it."""
        return self.fit(df).transform(df)
