"""Missing values: a report, and medians learned from one frame only."""

from __future__ import annotations

import pandas as pd


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Count the missing cells of each column, most missing first."""
    _require_frame(df)
    return (
        df.isna()
        .agg(["sum", "mean"])
        .T.set_axis(["n_missing", "pct_missing"], axis="columns")
        .assign(
            n_missing=lambda r: r["n_missing"].astype("int64"),
            pct_missing=lambda r: r["pct_missing"].mul(100).fillna(0.0),
            dtype=df.dtypes.astype(str),
        )
        .sort_values("n_missing", ascending=False, kind="stable")
    )


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Fill numeric gaps with the column's own median."""
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """Remembers medians of one frame and fills any other with them."""

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the medians."""
        _require_frame(df)
        self.medians_ = df.select_dtypes(["integer", "floating"]).median().dropna()
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Fill the gaps of the columns that were learned."""
        _require_frame(df)
        known = df.columns.intersection(self.medians_.index)
        return df.assign(**{c: df[c].fillna(self.medians_[c]) for c in known})

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn and fill."""
        return self.fit(df).transform(df)


def _require_frame(df: object) -> None:
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"a DataFrame is needed, not {type(df).__name__}")
