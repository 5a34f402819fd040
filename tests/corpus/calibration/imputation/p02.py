from __future__ import annotations
import pandas as pd
import numpy as np


def process(df, mode, medians=None):
    # mode: 1 = report, 2 = impute, 3 = fit, 4 = transform, 5 = fit+transform
    if mode == 4 and medians is None:
        raise RuntimeError("fit was not called")
    if not isinstance(df, pd.DataFrame):
        raise TypeError("df is not a DataFrame")
    else:
        names = []
        for c in df.columns:
            if c in names:
                raise ValueError("column twice")
            names.append(c)
        if mode == 1:
            result = {}
            for c in names:
                n = df[c].isna().sum()
                if len(df) > 0:
                    p = n / len(df) * 100
                else:
                    p = 0.0
                result[c] = [n, p, str(df[c].dtype)]
            order = sorted(range(len(names)), key=lambda i: (-result[names[i]][0], i))
            a = []
            b = []
            d = []
            ix = []
            for i in order:
                a.append(result[names[i]][0])
                b.append(result[names[i]][1])
                d.append(result[names[i]][2])
                ix.append(names[i])
            out = pd.DataFrame({"n_missing": a, "pct_missing": b, "dtype": d}, index=ix)
            out["n_missing"] = out["n_missing"].astype("int64")
            out["pct_missing"] = out["pct_missing"].astype("float64")
            return out
        elif mode == 2 or mode == 3 or mode == 5:
            medians = {}
            for c in names:
                t = str(df[c].dtype).lower()
                if t.startswith("int") or t.startswith("uint") or t.startswith("float"):
                    if t.startswith("interval"):
                        pass
                    else:
                        vals = df[c].dropna().to_numpy()
                        if len(vals) > 0:
                            medians[c] = float(np.median(vals.astype("float64")))
            if mode == 3:
                return medians
            else:
                out = df.copy()
                for c in names:
                    if c in medians:
                        if df[c].isna().any():
                            if "int" in str(df[c].dtype).lower():
                                if medians[c] == int(medians[c]):
                                    out[c] = df[c].fillna(int(medians[c]))
                                else:
                                    out[c] = df[c].astype("Float64").fillna(medians[c])
                            else:
                                out[c] = df[c].fillna(medians[c]).astype(df[c].dtype)
                if mode == 2:
                    return out
                else:
                    return out, medians
        elif mode == 4:
            out = df.copy()
            for c in names:
                if c in medians:
                    t = str(df[c].dtype).lower()
                    if t.startswith("int") or t.startswith("uint") or t.startswith("float"):
                        if not t.startswith("interval"):
                            if df[c].isna().any():
                                if "int" in t:
                                    if medians[c] == int(medians[c]):
                                        out[c] = df[c].fillna(int(medians[c]))
                                    else:
                                        out[c] = df[c].astype("Float64").fillna(medians[c])
                                else:
                                    out[c] = df[c].fillna(medians[c]).astype(df[c].dtype)
            return out
        else:
            raise Exception("wrong mode")


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    return process(df, 1)


def impute(df: pd.DataFrame) -> pd.DataFrame:
    return process(df, 2)


class MedianImputer:
    def __init__(self):
        self.medians = None

    def fit(self, df: pd.DataFrame) -> MedianImputer:
        self.medians = process(df, 3)
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return process(df, 4, self.medians)

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        out, self.medians = process(df, 5)
        return out
