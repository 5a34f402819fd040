"""Drift by chi-square and Cramer's V over the reference's quantiles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm
from sklearn.metrics import roc_auc_score

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_FEATURES = ["date", "score", "churned"]
LEAST_V = 0.12  # of a report; a KS distance of 0.3 between windows of one size is about 0.3


class Number(TypedDict):
    """What the model does with a number."""

    mean: float
    scale: float
    weight: float


class Model(TypedDict):
    """The content of model.json, as far as `predict` needs it."""

    intercept: float
    numbers: dict[str, Number]
    texts: dict[str, dict[str, float]]


def predict(model: Model, log: pd.DataFrame) -> pd.Series:
    """Return the model's risk for each row."""
    total = pd.Series(float(model["intercept"]), index=log.index)
    for name, part in model["numbers"].items():
        total += (part["weight"] * (log[name] - part["mean"]) / part["scale"]).fillna(0.0)
    for name, weights in model["texts"].items():
        total += log[name].map(weights).astype(float).fillna(0.0)
    return 1.0 / (1.0 + np.exp(-total))


def evaluate(log: pd.DataFrame, slices: Sequence[str], threshold: float) -> pd.DataFrame:
    """Return metrics of all rows and of each value of the columns in `slices`."""
    tables = [_group_metrics(log, pd.Series("all", index=log.index), threshold, "all")]
    for name in slices:
        values = log[name].astype(object).where(log[name].notna(), None)
        table = _group_metrics(log, values.map(str, na_action="ignore"), threshold, name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _group_metrics(
    log: pd.DataFrame, values: pd.Series, threshold: float, name: str
) -> pd.DataFrame:
    """Return the metrics of the groups that `values` makes, missing ones last."""
    frame = pd.DataFrame(
        {
            "value": values.to_numpy(),
            "score": log["score"].to_numpy(),
            "labelled": log["churned"].notna().to_numpy(),
            "churner": (log["churned"] == 1).to_numpy(),
        }
    )
    frame["flagged"] = (frame["score"] >= threshold) & frame["labelled"]
    frame["hit"] = frame["flagged"] & frame["churner"]
    groups = frame.groupby("value", dropna=False, sort=True)
    table = groups.agg(
        rows=("score", "size"), labelled=("labelled", "sum"), churners=("churner", "sum"),
        flagged=("flagged", "sum"), hits=("hit", "sum"),
    )  # fmt: skip
    table["auc"] = groups.apply(_auc)
    table["precision"] = table["hits"] / table["flagged"].where(table["flagged"] > 0)
    table["recall"] = table["hits"] / table["churners"].where(table["churners"] > 0)
    table["low"], table["high"] = _agresti_coull(table["hits"], table["churners"])
    table["enough"] = (table["churners"] >= 10) & (table["labelled"] - table["churners"] >= 10)
    measured = ["auc", "precision", "recall", "low", "high"]
    table[measured] = table[measured].where(table["enough"], axis=0)
    table = table.drop(columns=["flagged", "hits"]).reset_index()
    table["value"] = table["value"].astype(object).where(table["value"].notna(), "(missing)")
    table.insert(0, "slice", name)
    return table


def _auc(group: pd.DataFrame) -> float:
    known = group[group["labelled"]]
    if known["churner"].nunique() < 2:
        return math.nan
    return float(roc_auc_score(known["churner"], known["score"]))


def _agresti_coull(hits: pd.Series, count: pd.Series) -> tuple[pd.Series, pd.Series]:
    z = norm.ppf(0.975)
    share = (hits + z**2 / 2) / (count + z**2)
    half = z * np.sqrt(share * (1 - share) / (count + z**2))
    return (share - half).clip(0, 1), (share + half).clip(0, 1)


def drift_report(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Return Cramer's V, flag and kind of each feature."""
    before = reference[reference["date"] < current["date"].min()].drop(columns=NO_FEATURES)
    after = current.drop(columns=NO_FEATURES)
    names = before.columns.union(after.columns)
    report = pd.DataFrame(index=names, columns=["statistic", "drifted", "kind"])
    for name in names:
        value, kind = 1.0, "schema"
        if name in before and name in after and _are_alike(before[name], after[name]):
            value, kind = _compare(before[name], after[name], len(names))
        report.loc[name] = [value, kind != "none", kind]
    return report.astype({"statistic": float, "drifted": bool})


def _is_text(column: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(column)


def _are_alike(old: pd.Series, new: pd.Series) -> bool:
    return _is_text(old) == _is_text(new) or bool(old.isna().all() or new.isna().all())


def _compare(old: pd.Series, new: pd.Series, features: int) -> tuple[float, str]:
    v, p_value = cramers_v(old, new)
    if abs(new.isna().mean() - old.isna().mean()) >= 0.1:
        return v, "missing"
    old, new = old.dropna(), new.dropna()
    if len(old) and len(new):
        if _is_text(old):
            if (~new.isin(set(old))).mean() >= 0.1:
                return v, "categories"
        else:
            commonest = new.value_counts().index[0]
            if (new == commonest).mean() >= 0.2 and (old == commonest).mean() < 0.01:
                return v, "default"
            if abs(math.log((new.median() + 1e-12) / (old.median() + 1e-12))) >= math.log(5):
                return v, "scale"
    return v, "values" if v >= LEAST_V and p_value * features < 0.05 else "none"


def cramers_v(old: pd.Series, new: pd.Series) -> tuple[float, float]:
    """Return Cramer's V of window against bin, and the p-value of the chi-square test.

    The windows count alike, whatever their sizes, so that V is a matter of shares only.
    """
    old, new = old.dropna(), new.dropna()
    if old.empty or new.empty:
        return 0.0, 1.0
    if not _is_text(old):
        edges = np.unique(np.quantile(old, np.linspace(0, 1, 13)[1:-1]))
        edges = np.unique(np.r_[edges, np.nextafter(edges, np.inf)])
        old, new = (pd.Series(np.searchsorted(edges, column, "right")) for column in (old, new))
    shares = pd.concat(
        [old.value_counts(normalize=True), new.value_counts(normalize=True)], axis=1
    ).fillna(0.0)
    both = shares.sum(axis=1)
    gap = float(((shares.iloc[:, 0] - shares.iloc[:, 1]) ** 2 / both).sum())
    size = len(old) * len(new) / (len(old) + len(new))
    pooled = (shares.iloc[:, 0] * len(old) + shares.iloc[:, 1] * len(new)) / (len(old) + len(new))
    square = float(((shares.iloc[:, 0] - shares.iloc[:, 1]) ** 2 / pooled).sum()) * size
    return math.sqrt(gap / 2), float(chi2.sf(square, max(len(shares) - 1, 1)))


def diagnose(
    reference: pd.DataFrame, window: pd.DataFrame, model: Model
) -> list[dict[str, Any]]:
    """Return the causes of what is wrong in a window, likeliest first."""
    reference = reference[reference["date"] < window["date"].min()]
    window = window.reset_index(drop=True)
    causes = []

    risk = predict(model, window)
    wrong = (risk - window["score"]).abs() > 1e-5
    if wrong.mean() > 0.15:
        text = f"{wrong.sum()} of {len(window)} scores are not the model's"
        causes.append(_entry("serving_skew", [], text, "rescore"))

    days = set(window["date"].dt.day_of_week)
    same = reference[reference["date"].dt.day_of_week.isin(days)]
    report = drift_report(same, window)
    if len(days) <= 3 and not report["drifted"].any():
        causes.append(_entry("seasonal", [], f"weekdays {sorted(days)} only", "same_weekdays"))

    defects = report.index[~report["kind"].isin(["none", "values"])].tolist()
    if defects:
        text = ", ".join(f"{name} ({report['kind'][name]})" for name in defects)
        causes.append(_entry("data_defect", defects, text, "trace_source"))

    late = window["date"] > window["date"].max() - pd.Timedelta(days=7)
    labels = window["churned"]
    if _comes_first(labels[late], labels[~late]):
        text = f"{labels[late].mean():.0%} of the newest labels are churners"
        causes.append(_entry("delayed_labels", [], text, "wait_for_labels"))
        labels = labels[~late]

    labels = labels.dropna()
    excused = any(_matters(model, name) for name in defects)
    cause, text = ("", "") if excused else _by_risk(risk[labels.index], labels)
    if cause:
        experiment = {"label_shift": "reweigh_classes", "concept_change": "refit"}[cause]
        causes.append(_entry(cause, [], text, experiment))

    moved = report.index[report["kind"] == "values"].tolist()
    if moved and cause != "label_shift":
        text = ", ".join(f"{name} (V {report['statistic'][name]:.2f})" for name in moved)
        causes.append(_entry("covariate_shift", moved, text, "reweigh_rows"))
    return causes[:3] or [_entry("nothing", [], "every check is quiet", "none")]


def _entry(cause: str, features: list[str], evidence: str, experiment: str) -> dict[str, Any]:
    return {"cause": cause, "features": features, "evidence": evidence, "experiment": experiment}


def _comes_first(newest: pd.Series, older: pd.Series) -> bool:
    fewer = newest.notna().mean() < 0.55
    return bool(fewer and newest.mean() > 1.5 * older.mean() + 0.05)


def _matters(model: Model, name: str) -> bool:
    if name in model["numbers"]:
        return model["numbers"][name]["weight"] != 0
    return any(weight != 0 for weight in model["texts"].get(name, {}).values())


def _by_risk(risk: pd.Series, labels: pd.Series) -> tuple[str, str]:
    """Compare the churn rate with the risk in tenths of the risk.

    If the risk's order is wrong, low tenths churn more than they should and high tenths less. If
    everyone churns more, all tenths do.
    """
    tenth = pd.qcut(risk, 10, labels=False, duplicates="drop")
    table = pd.DataFrame({"due": risk, "churn": labels}).groupby(tenth).mean()
    count = len(risk) / len(table)
    score = (table["churn"] - table["due"]) / np.sqrt(table["due"] * (1 - table["due"]) / count)
    low, high = score.iloc[:5].mean(), score.iloc[5:].mean()
    text = f"churn minus risk: {low:+.1f} standard errors in the lower half, {high:+.1f} above"
    if low > 2 and high < -2:
        return "concept_change", text
    total = (labels.sum() - risk.sum()) / math.sqrt(float((risk * (1 - risk)).sum()))
    if abs(total) > 5:
        return "label_shift", text
    return "", ""


class Monitor:
    """Follows an exponentially weighted mean of each feature's daily V, in excess of chance."""

    def __init__(self, reference: pd.DataFrame) -> None:
        """Keep the reference's working days and weekends."""
        self.features = [name for name in reference.columns if name not in NO_FEATURES]
        weekend = reference["date"].dt.day_of_week >= 5
        self.usual = {"weekend": reference[weekend], "working": reference[~weekend]}
        self.level = dict.fromkeys(self.features, 0.0)
        self.calm = dict.fromkeys(self.features, 7)

    def update(self, batch: pd.DataFrame) -> list[str]:
        """Take the log of one day, and return the features whose alert begins."""
        if len(batch) < 25:
            return []
        weekend = batch["date"].iloc[0].day_of_week >= 5
        usual = self.usual["weekend" if weekend else "working"]
        return [name for name in self.features if name in batch and self._begins(usual, batch, name)]

    def _begins(self, usual: pd.DataFrame, batch: pd.DataFrame, name: str) -> bool:
        v, _ = cramers_v(usual[name], batch[name])
        excess = v - math.sqrt(11 / (2 * len(batch)))
        self.level[name] = 0.5 * self.level[name] + 0.5 * excess
        if self.level[name] < 0.09:
            self.calm[name] += 1
            return False
        begins = self.calm[name] >= 7
        self.calm[name] = 0
        return begins
