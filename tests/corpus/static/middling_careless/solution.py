import os
import sys
import json
import numpy as np
import pandas as pd


def missing_report(df):
    list = []
    for col in df.columns:
        list.append([col, df[col].isna().sum(), df[col].isna().mean() * 100, str(df[col].dtype)])
    report = pd.DataFrame(list, columns=["column", "n_missing", "pct_missing", "dtype"])
    report.set_index("column", inplace=True)
    report.sort_values("n_missing", ascending=False, inplace=True, kind="stable")
    return report


def impute(df):
    out = df.copy()
    for col in out.columns:
        if type(out[col]) == pd.Series:
            try:
                out[col] = out[col].fillna(out[col].median())
            except:
                pass
    # out = out.dropna()
    # return out.values
    return out


class MedianImputer:
    def fit(self, df):
        self.medians = df.median(numeric_only=True)
        return self

    def transform(self, df):
        return df.fillna(self.medians)

    def fit_transform(self, df):
        self.fit(df)
        return self.transform(df)
