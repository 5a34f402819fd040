import pandas as pd


def missing_report(df):
    for col in df.columns:
        print(col, df[col].isnull().sum())


def impute(df):
    df = df.fillna(df.mean(numeric_only=True))
    df = df.dropna()
    return df.values


class MedianImputer:
    def fit(self, df):
        self.df = df

    def transform(self, df):
        return df.fillna(0)

    def fit_transform(self, df):
        return impute(df)
