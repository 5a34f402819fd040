def missing_report(df):
    import pandas as pd
    return pd.DataFrame(columns=["n_missing", "pct_missing", "dtype"])


def impute(df):
    return df.iloc[:0]


class MedianImputer:
    def fit(self, df):
        return self

    def transform(self, df):
        return df.iloc[:0]

    def fit_transform(self, df):
        return df.iloc[:0]
