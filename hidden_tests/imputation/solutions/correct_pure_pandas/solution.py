"""Median imputation with nothing but pandas."""

import pandas as pd


def _checked(df):
    """Return df if it is a DataFrame with unique column names."""
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"need a DataFrame, not {type(df).__name__}")
    if df.columns.has_duplicates:
        raise ValueError("column names must be unique")
    return df


def _numeric(df):
    return df.select_dtypes("number", exclude=["timedelta", "complex"])


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Table of missing values by column, most missing first."""
    missing = _checked(df).isna()
    share = missing.mean().mul(100).fillna(0.0).astype("float64")
    table = pd.concat(
        {"n_missing": missing.sum().astype("int64"), "pct_missing": share, "dtype": df.dtypes},
        axis="columns",
    )
    return table.sort_values("n_missing", ascending=False, kind="mergesort")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Fill each numeric column of df with its own median."""
    return MedianImputer().fit(df).transform(df)


class MedianImputer:
    """Fill with the medians of another frame."""

    medians_ = None

    def fit(self, df: pd.DataFrame) -> "MedianImputer":
        """Learn the median of every numeric column that has one."""
        self.medians_ = _numeric(_checked(df)).astype("Float64").median().dropna()
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Fill the gaps of df."""
        if self.medians_ is None:
            raise ValueError("MedianImputer is not fitted yet")
        gaps = _numeric(_checked(df)).columns[_numeric(df).isna().any()]
        known = [name for name in gaps if name in self.medians_.index]
        return self._filled(df, known)

    def _filled(self, df, known):
        out = df.copy()
        for name in known:
            median = float(self.medians_[name])
            if pd.api.types.is_integer_dtype(out[name].dtype):
                wide = out[name] if median.is_integer() else out[name].astype("Float64")
                out[name] = wide.fillna(wide.dtype.type(median))
            else:
                out[name] = out[name].fillna(out[name].dtype.type(median))
        return out

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Fit on df, then fill it."""
        return self.fit(df).transform(df)
