"""Report and fill missing values."""

import pandas as pd


def missing_report(df):
    """Missing values by column, most missing first."""
    report = pd.DataFrame(
        {
            "n_missing": df.isna().sum(),
            "pct_missing": df.isna().mean() * 100,
            "dtype": df.dtypes.astype(str),
        }
    )
    return report.sort_values("n_missing", ascending=False, kind="stable")


def impute(df):
    """Fill numeric gaps with the median of their column."""
    return MedianImputer().fit_transform(df)


class MedianImputer:
    def __init__(self):
        self.medians_ = None

    def fit(self, df):
        numbers = df.select_dtypes("number", exclude="timedelta")
        self.medians_ = numbers.median()
        return self

    def transform(self, df):
        if self.medians_ is None:
            raise ValueError("call fit before transform")
        return df.fillna(self.medians_)

    def fit_transform(self, df):
        return self.fit(df).transform(df)
