"""Missing values, cell by cell."""

import pandas as pd


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Count missing cells by column."""
    counts = dict.fromkeys(df.columns, 0)
    for _, row in df.iterrows():
        for name in df.columns:
            if pd.isna(row[name]):
                counts[name] += 1
    report = pd.DataFrame({"n_missing": pd.Series(counts), "dtype": df.dtypes.astype(str)})
    report["pct_missing"] = 100 * report["n_missing"] / max(len(df), 1)
    return report.sort_values("n_missing", ascending=False, kind="stable")


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Fill numeric gaps with the median."""
    return MedianImputer().fit_transform(df)


class MedianImputer:
    """Remembers medians by column."""

    def fit(self, df: pd.DataFrame) -> "MedianImputer":
        """Learn the medians."""
        self.medians = {c: df[c].median() for c in df.select_dtypes("number")}
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Fill each missing cell."""
        result = df.copy()
        for name, median in self.medians.items():
            for i in range(len(result)):
                if pd.isna(result[name].iloc[i]):
                    result.iloc[i, result.columns.get_loc(name)] = median
        return result

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn and fill."""
        return self.fit(df).transform(df)
