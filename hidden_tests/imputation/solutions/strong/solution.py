"""Report and fill missing values."""

from __future__ import annotations

import pandas as pd


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Missing values by column, most missing first."""
    report = pd.DataFrame(
        {
            "n_missing": df.isna().sum(),
            "pct_missing": df.isna().mean() * 100,
            "dtype": df.dtypes.astype(str),
        }
    )
    return report.sort_values("n_missing", ascending=False)


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Fill numeric gaps with the median of their column."""
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """Learns medians from one frame and fills others with them."""

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        """Learn the medians of all numeric columns."""
        self.medians_ = df.median(numeric_only=True)
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Fill the gaps of df."""
        if not df.isna().any(axis=None):
            return df
        return df.fillna(self.medians_)

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from df and fill it."""
        return self.fit(df).transform(df)
