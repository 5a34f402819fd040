"""Drift by the population stability index (PSI).

Bins are deciles of the reference, and a bin of their own for every value that is frequent. The
limit is the larger of 0.2, the usual rule, and what chance alone gives, simulated for the sizes
of both windows.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_score, recall_score, roc_auc_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RESERVED = {"date", "score", "churned"}
LIMIT = 0.2
BINS = 10
EXPERIMENTS = {
    "serving_skew": "rescore",
    "seasonal": "same_weekdays",
    "data_defect": "trace_source",
    "delayed_labels": "wait_for_labels",
    "label_shift": "reweigh_classes",
    "covariate_shift": "reweigh_rows",
    "concept_change": "refit",
    "nothing": "none",
}


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


# --- evaluation ----------------------------------------------------------------------------------


def evaluate(log: pd.DataFrame, slices: Sequence[str], threshold: float) -> pd.DataFrame:
    """Return metrics of all rows and of each value of the columns in `slices`."""
    rows = [{"slice": "all", "value": "all", **_metrics(log, threshold)}]
    for name in slices:
        values = log[name].where(log[name].isna(), log[name].astype(str))
        for value in sorted(values.dropna().unique()):
            part = log[(values == value).to_numpy()]
            rows.append({"slice": name, "value": value, **_metrics(part, threshold)})
        if values.isna().any():
            part = log[values.isna().to_numpy()]
            rows.append({"slice": name, "value": "(missing)", **_metrics(part, threshold)})
    return pd.DataFrame(rows)


def _metrics(part: pd.DataFrame, threshold: float) -> dict[str, Any]:
    labelled = part[part["churned"].notna()]
    truth = labelled["churned"].astype(int)
    counts = {"rows": len(part), "labelled": len(truth), "churners": int(truth.sum())}
    nothing = dict.fromkeys(("auc", "precision", "recall", "low", "high"), math.nan)
    if truth.sum() < 10 or (1 - truth).sum() < 10:
        return {**counts, **nothing, "enough": False}
    predicted = (labelled["score"] >= threshold).astype(int)
    recall = recall_score(truth, predicted)
    low, high = _jeffreys(recall * truth.sum(), int(truth.sum()))
    return {
        **counts,
        "auc": roc_auc_score(truth, labelled["score"]),
        "precision": precision_score(truth, predicted, zero_division=math.nan),
        "recall": recall,
        "low": low,
        "high": high,
        "enough": True,
    }


def _jeffreys(hits: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval by draws from the posterior with Jeffreys' prior."""
    draws = np.random.default_rng(0).beta(hits + 0.5, count - hits + 0.5, 4000)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


# --- drift ---------------------------------------------------------------------------------------


def drift_report(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Return the PSI, flag and kind of each feature."""
    reference = reference[reference["date"] < current["date"].min()]
    names = [*reference.columns, *(n for n in current.columns if n not in reference.columns)]
    found = {
        name: _compare(reference.get(name), current.get(name), len(names))
        for name in names
        if name not in RESERVED
    }
    report = pd.DataFrame.from_dict(found, orient="index", columns=["statistic", "kind"])
    report["drifted"] = report["kind"] != "none"
    return report[["statistic", "drifted", "kind"]]


def _compare(old: pd.Series | None, new: pd.Series | None, family: int) -> tuple[float, str]:
    if old is None or new is None:
        return 100.0, "schema"
    if _numeric(old) != _numeric(new) and old.notna().any() and new.notna().any():
        return 100.0, "schema"
    psi, limit = _psi(old, new, family)
    if abs(old.isna().mean() - new.isna().mean()) >= 0.1:
        return psi, "missing"
    if old.notna().any() and new.notna().any():
        kind = _numeric_kind(old, new) if _numeric(old) else _text_kind(old, new)
        if kind:
            return psi, kind
    return psi, "values" if psi > limit else "none"


def _numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column)


def _text_kind(old: pd.Series, new: pd.Series) -> str:
    unknown = ~new.dropna().isin(old.dropna())
    return "categories" if unknown.mean() >= 0.1 else ""


def _numeric_kind(old: pd.Series, new: pd.Series) -> str:
    top = new.mode().iloc[0]
    if (new.dropna() == top).mean() >= 0.2 and (old.dropna() == top).mean() < 0.01:
        return "default"
    low, high = sorted([old.median(), new.median()])
    return "scale" if high >= 5 * low else ""


def _psi(old: pd.Series, new: pd.Series, family: int) -> tuple[float, float]:
    """Return the PSI of two windows, and the limit that it has to exceed."""
    counts = _counts(old.dropna(), new.dropna())
    sizes = counts.sum(axis=1)
    if min(sizes) == 0:
        return 0.0, math.inf
    limit = _chance(counts.shape[1], int(sizes[0]), int(sizes[1]), family)
    return float(_index(counts[None])[0]), max(LIMIT, limit)


def _counts(old: pd.Series, new: pd.Series) -> NDArray[np.float64]:
    if not _numeric(old):
        levels = sorted(set(old) | set(new))
        return np.array([column.value_counts().reindex(levels, fill_value=0) for column in (old, new)])
    if old.empty:
        return np.zeros((2, 1))
    inner = np.unique(np.quantile(old, np.arange(1, BINS) / BINS))
    # A value on an edge gets a bin of its own, so that a stuck column is seen on either side.
    edges = np.sort(np.concatenate([inner, np.nextafter(inner, np.inf)]))
    return np.array(
        [np.bincount(np.searchsorted(edges, column, side="right"), minlength=len(edges) + 1)
         for column in (old, new)]
    )


def _index(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the PSI of pairs of counts, of shape (pairs, 2, bins)."""
    shares = (counts + 0.5) / (counts + 0.5).sum(axis=2, keepdims=True)
    old, new = shares[:, 0], shares[:, 1]
    return ((new - old) * np.log(new / old)).sum(axis=1)


@functools.lru_cache(maxsize=512)
def _chance(bins: int, before: int, after: int, family: int) -> float:
    """Return what the PSI of one of `family` quiet features exceeds in one of 20 reports."""
    rng = np.random.default_rng(7)
    even = np.full(bins, 1 / bins)
    pairs = np.stack([rng.multinomial(before, even, 500), rng.multinomial(after, even, 500)], axis=1)
    draws = _index(pairs.astype(float))
    # The tail beyond the draws is that of a normal distribution, with room to spare.
    return float(draws.mean() + draws.std() * (3 + math.log10(max(family, 2))))


# --- diagnosis -----------------------------------------------------------------------------------


def diagnose(
    reference: pd.DataFrame, window: pd.DataFrame, model: Model
) -> list[dict[str, Any]]:
    """Return the causes of what is wrong in a window, likeliest first."""
    reference = reference[reference["date"] < window["date"].min()]
    found: list[dict[str, Any]] = []

    def add(cause: str, evidence: str, features: Sequence[str] = ()) -> None:
        found.append(
            {"cause": cause, "features": list(features), "evidence": evidence,
             "experiment": EXPERIMENTS[cause]}
        )

    risk = predict(model, window)
    off = float((~np.isclose(risk, window["score"], rtol=0, atol=1e-5)).mean())
    if off > 0.05:
        add("serving_skew", f"{off:.0%} of the scores cannot be computed again")

    weekdays = window["date"].dt.day_of_week.unique()
    comparable = reference[reference["date"].dt.day_of_week.isin(weekdays)]
    report = drift_report(comparable, window)
    if len(weekdays) < 7 and not report["drifted"].any():
        add("seasonal", f"{len(weekdays)} weekdays only, and they look as they always do")

    defects = report.index[report["drifted"] & (report["kind"] != "values")]
    if len(defects):
        add("data_defect", "; ".join(f"{n} ({report.at[n, 'kind']})" for n in defects), defects)

    complete, evidence = _complete(window)
    if evidence:
        add("delayed_labels", evidence)

    label_shift = False
    if not set(defects) & _used(model):
        known = window["churned"].notna() & complete
        intercept, slope = _recalibrated(risk[known], window.loc[known, "churned"])
        if slope < 0.7:
            add("concept_change", f"the risk's slope is {slope:.2f} in place of 1")
        elif abs(intercept) > 0.45:
            label_shift = True
            add("label_shift", f"log-odds of churn moved by {intercept:+.2f} for everyone")

    moved = report.index[report["kind"] == "values"]
    if len(moved) and not label_shift:
        add("covariate_shift", "; ".join(f"{n} has a PSI of {report.at[n, 'statistic']:.2f}"
                                         for n in moved), moved)
    if not found:
        add("nothing", "no difference beyond chance")
    return found[:3]


def _used(model: Model) -> set[str]:
    numbers = {name for name, part in model["numbers"].items() if part["weight"] != 0}
    return numbers | {name for name, weights in model["texts"].items() if any(weights.values())}


def _complete(window: pd.DataFrame) -> tuple[pd.Series, str]:
    """Return which rows lie on days whose labels are not only churners', and what speaks against."""
    newest = window["date"] > window["date"].max() - pd.Timedelta(days=7)
    rates = window.groupby(newest)["churned"].agg(["mean", lambda column: column.notna().mean()])
    (rate, share), (late_rate, late_share) = rates.to_numpy()
    if late_share < 0.5 and late_rate > rate + 0.15:
        return ~newest, f"newest week: {late_share:.0%} of labels, {late_rate:.0%} churners"
    return newest | True, ""


def _recalibrated(risk: pd.Series, churned: pd.Series) -> tuple[float, float]:
    """Return intercept and slope of the labels on the log-odds of the risk."""
    clipped = risk.clip(1e-6, 1 - 1e-6)
    odds = np.log(clipped / (1 - clipped)).to_numpy()[:, None]
    fitted = LogisticRegression(C=1e6).fit(odds, churned)
    return float(fitted.intercept_[0]), float(fitted.coef_[0, 0])


# --- monitor -------------------------------------------------------------------------------------


class Monitor:
    """Alerts where the PSI of a day, against the reference's days of its kind, is large."""

    LIMIT = 0.45
    CALM = 7

    def __init__(self, reference: pd.DataFrame) -> None:
        """Keep the reference's columns by kind of day."""
        weekend = reference["date"].dt.day_of_week >= 5
        self.names = [name for name in reference.columns if name not in RESERVED]
        self.usual = {kind: reference.loc[weekend == kind, self.names] for kind in (True, False)}
        self.calm_days = dict.fromkeys(self.names, self.CALM)

    def update(self, batch: pd.DataFrame) -> list[str]:
        """Take one day, and return the features whose alert begins."""
        if len(batch) < 30:
            return []
        usual = self.usual[bool(batch["date"].iloc[0].day_of_week >= 5)]
        alerts = []
        for name in self.names:
            if name in batch and self._is_odd(usual[name], batch[name]):
                if self.calm_days[name] >= self.CALM:
                    alerts.append(name)
                self.calm_days[name] = 0
            else:
                self.calm_days[name] += 1
        return alerts

    def _is_odd(self, usual: pd.Series, today: pd.Series) -> bool:
        return _psi(usual, today, 28 * len(self.names))[0] > self.LIMIT
