"""Why a window differs from the reference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.drift import drift_report
from churnwatch.model import matters, predict

if TYPE_CHECKING:
    from churnwatch.model import Model


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
    excused = any(matters(model, name) for name in defects)
    cause, text = ("", "") if excused else _by_risk(risk[labels.index], labels)
    if cause:
        experiment = {"label_shift": "reweigh_classes", "concept_change": "refit"}[cause]
        causes.append(_entry(cause, [], text, experiment))

    moved = report.index[report["kind"] == "values"].tolist()
    if moved and cause != "label_shift":
        text = ", ".join(f"{name} (distance {report['statistic'][name]:.2f})" for name in moved)
        causes.append(_entry("covariate_shift", moved, text, "reweigh_rows"))
    return causes[:3] or [_entry("nothing", [], "every check is quiet", "none")]


def _entry(cause: str, features: list[str], evidence: str, experiment: str) -> dict[str, Any]:
    return {"cause": cause, "features": features, "evidence": evidence, "experiment": experiment}


def _comes_first(newest: pd.Series, older: pd.Series) -> bool:
    fewer = newest.notna().mean() < 0.55
    return bool(fewer and newest.mean() > 1.5 * older.mean() + 0.05)


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
