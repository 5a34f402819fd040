"""Missing values."""

import pandas as pd


def missing_report(df):
    """The report of missing values."""
    rows = []
    for name in df.columns:
        column = df[name]
        n_missing = column.isna().sum()
        rows.append({"column": name, "n_missing": n_missing, "dtype": str(column.dtype)})
    report = pd.DataFrame(rows).set_index("column")
    report["pct_missing"] = report["n_missing"] / len(df) * 100
    return report.sort_values("n_missing", ascending=False, kind="stable")


def impute(df):
    """Fill the gaps."""
    result = df.copy()
    for name in result.columns:
        if name is not None:
            if result[name].dtype != bool:
                if result[name].dtype.kind in "iuf":
                    if result[name].isna().any():
                        if result[name].notna().any():
                            if result[name].dtype.kind == "f":
                                result[name] = result[name].fillna(result[name].median())
                            elif result[name].median() % 1 == 0:
                                result[name] = result[name].fillna(int(result[name].median()))
                            else:
                                converted = result[name].astype("Float64")
                                result[name] = converted.fillna(converted.median())
    return result


class MedianImputer:
    """Learns medians."""

    def fit(self, df):
        """Learn."""
        self.medians = {}
        for name in df.columns:
            if name is not None:
                if df[name].dtype != bool:
                    if df[name].dtype.kind in "iuf":
                        if df[name].isna().any() or df[name].notna().any():
                            if df[name].notna().any():
                                self.medians[name] = df[name].median()
        return self

    def transform(self, df):
        """Fill."""
        result = df.copy()
        for name in result.columns:
            if name in self.medians:
                if result[name].isna().any():
                    if result[name].dtype.kind == "f":
                        median = self.medians[name]
                        result[name] = result[name].fillna(median)
                        result[name] = result[name].infer_objects()
                        result[name] = result[name].rename(name)
                        print("filled", name)
                        print("with", median)
                    else:
                        median = self.medians[name]
                        result[name] = result[name].fillna(median)
                        result[name] = result[name].infer_objects()
                        result[name] = result[name].rename(name)
        return result

    def fit_transform(self, df):
        """Both."""
        return self.fit(df).transform(df)
