import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp
from sklearn.metrics import roc_auc_score

SKIP = ["date", "score", "churned"]


def predict(model, log):
    total = pd.Series(float(model["intercept"]), index=log.index)
    for name, part in model["numbers"].items():
        total += (part["weight"] * (log[name] - part["mean"]) / part["scale"]).fillna(0.0)
    for name, weights in model["texts"].items():
        total += log[name].map(weights).astype(float).fillna(0.0)
    return 1.0 / (1.0 + np.exp(-total))


def metrics(df, threshold):
    known = df[df["churned"].notna()]
    y = known["churned"] == 1
    pred = known["score"] >= threshold
    out = {"rows": len(df), "labelled": len(known), "churners": int(y.sum())}
    if y.sum() == 0 or (~y).sum() == 0:
        return {**out, "auc": np.nan, "precision": np.nan, "recall": np.nan, "low": np.nan,
                "high": np.nan, "enough": False}
    recall = (pred & y).sum() / y.sum()
    half = 1.96 * np.sqrt(recall * (1 - recall) / y.sum())
    return {
        **out,
        "auc": roc_auc_score(y, known["score"]),
        "precision": (pred & y).sum() / pred.sum() if pred.sum() else np.nan,
        "recall": recall,
        "low": recall - half,
        "high": recall + half,
        "enough": len(known) >= 30,
    }


def evaluate(log, slices, threshold):
    rows = [{"slice": "all", "value": "all", **metrics(log, threshold)}]
    for name in slices:
        for value in sorted(log[name].dropna().unique()):
            rows.append({"slice": name, "value": value, **metrics(log[log[name] == value], threshold)})
        if log[name].isna().any():
            part = log[log[name].isna()]
            rows.append({"slice": name, "value": "(missing)", **metrics(part, threshold)})
    return pd.DataFrame(rows)


def test_feature(old, new):
    if pd.api.types.is_numeric_dtype(old):
        result = ks_2samp(old, new)
        return result.statistic, result.pvalue
    table = pd.concat([old.value_counts(), new.value_counts()], axis=1).fillna(0)
    shares = table / table.sum()
    return (shares.iloc[:, 0] - shares.iloc[:, 1]).abs().sum() / 2, chi2_contingency(table).pvalue


def drift_report(reference, current):
    rows = {}
    for name in list(reference.columns) + [c for c in current.columns if c not in reference.columns]:
        if name in SKIP:
            continue
        if name not in reference.columns or name not in current.columns:
            rows[name] = (1.0, True, "schema")
            continue
        old, new = reference[name], current[name]
        number = pd.api.types.is_numeric_dtype(old)
        if number != pd.api.types.is_numeric_dtype(new):
            rows[name] = (1.0, True, "schema")
            continue
        size, p = test_feature(old.dropna(), new.dropna())
        if abs(old.isna().mean() - new.isna().mean()) >= 0.1:
            kind = "missing"
        elif not number and (~new.dropna().isin(old)).mean() >= 0.1:
            kind = "categories"
        elif number and new.value_counts(normalize=True).iloc[0] >= 0.2:
            kind = "default"
        elif number and not 0.2 < new.median() / old.median() < 5:
            kind = "scale"
        elif p < 0.05:
            kind = "values"
        else:
            kind = "none"
        rows[name] = (float(size), kind != "none", kind)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["statistic", "drifted", "kind"])


def diagnose(reference, window, model):
    report = drift_report(reference, window)
    causes = []
    wrong = (abs(predict(model, window) - window["score"]) > 0.001).mean()
    if wrong > 0.1:
        causes.append({"cause": "serving_skew", "features": [], "evidence": f"{wrong:.0%} wrong",
                       "experiment": "rescore"})
    broken = [n for n in report.index if report["kind"][n] not in ("none", "values")]
    if broken:
        causes.append({"cause": "data_defect", "features": broken, "evidence": str(broken),
                       "experiment": "trace_source"})
    moved = [n for n in report.index if report["kind"][n] == "values"]
    if moved:
        causes.append({"cause": "covariate_shift", "features": moved, "evidence": str(moved),
                       "experiment": "reweigh_rows"})
    known = window[window["churned"].notna()]
    if roc_auc_score(known["churned"], predict(model, known)) < 0.8:
        causes.append({"cause": "concept_change", "features": [], "evidence": "AUC fell",
                       "experiment": "refit"})
    if not causes:
        return [{"cause": "nothing", "features": [], "evidence": "-", "experiment": "none"}]
    return causes[:3]


class Monitor:
    def __init__(self, reference):
        self.reference = reference
        self.alerted = {}
        self.day = 0

    def update(self, batch):
        self.day += 1
        alerts = []
        if len(batch) < 2:
            return alerts
        for name in batch.columns:
            if name in SKIP:
                continue
            size, p = test_feature(self.reference[name].dropna(), batch[name].dropna())
            if size > 0.25 and p < 0.001:
                if self.day - self.alerted.get(name, -100) > 7:
                    alerts.append(name)
                self.alerted[name] = self.day
        return alerts
