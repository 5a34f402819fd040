import pandas as pd
import warnings

warnings.filterwarnings("ignore")


def missing_report(df):
    """Report the missing values of df."""
    columns = list(df.columns)
    counts = []
    for i in range(len(columns)):
        counts.append(df[columns[i]].isna().sum())
    report = pd.DataFrame({"n_missing": counts}, index=columns)
    report["pct_missing"] = report["n_missing"] / len(df) * 100
    report["dtype"] = [str(d) for d in df.dtypes]
    return report.sort_values("n_missing", ascending=False, kind="stable")


def impute(df):
    """Impute df."""
    imputer = MedianImputer()
    imputer.fit(df)
    return imputer.transform(df)


class MedianImputer:
    """An imputer for medians."""

    def fit(self, df):
        self.columns = list(df.select_dtypes("number").columns)
        self.medians = []
        for i in range(len(self.columns)):
            self.medians.append(df[self.columns[i]].median())
        return self

    def transform(self, df):
        data = df.copy()
        for i in range(len(self.columns)):
            if self.columns[i] in data.columns:
                data[self.columns[i]][data[self.columns[i]].isna()] = self.medians[i]
        if type(data) == type(df):
            return data
        raise Exception("wrong type")

    def fit_transform(self, df):
        self.fit(df)
        return self.transform(df)
