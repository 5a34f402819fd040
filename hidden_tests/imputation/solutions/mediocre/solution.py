import pandas as pd


def missing_report(df):
    report = pd.DataFrame()
    report["n_missing"] = df.isnull().sum()
    report["pct_missing"] = df.isnull().sum() / len(df)
    report["dtype"] = df.dtypes
    return report.sort_values("n_missing", ascending=False)


def impute(df):
    for col in df.select_dtypes("number").columns:
        df[col] = df[col].fillna(df[col].median())
    return df


class MedianImputer:
    def __init__(self):
        self.medians = {}

    def fit(self, df):
        for col in df.select_dtypes("number").columns:
            self.medians[col] = df[col].median()
        return self

    def transform(self, df):
        for col in self.medians:
            df[col] = df[col].fillna(self.medians[col])
        return df

    def fit_transform(self, df):
        return self.fit(df).transform(df)
