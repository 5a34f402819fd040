import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin


def missing_report(df):
    counts = df.isna().sum()
    share = counts / len(df) * 100 if len(df) else counts * 0.0
    report = pd.concat([counts, share, df.dtypes.astype(str)], axis=1)
    report.columns = ["n_missing", "pct_missing", "dtype"]
    return report.sort_values("n_missing", ascending=False, kind="stable")


def impute(df):
    return MedianImputer().fit_transform(df)


class MedianImputer(TransformerMixin, BaseEstimator):
    def __init__(self, columns=None):
        self.columns = columns

    def fit(self, X, y=None):
        if not isinstance(X, pd.DataFrame):
            raise TypeError("X must be a DataFrame")
        numeric = X.select_dtypes(include=[np.integer, np.floating])
        self.statistics_ = numeric.median()
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        return self

    def transform(self, X):
        return X.fillna(self.statistics_.dropna())

    def get_feature_names_out(self, input_features=None):
        return self.feature_names_in_
