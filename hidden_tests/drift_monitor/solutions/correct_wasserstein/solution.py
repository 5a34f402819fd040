"""Drift by the Wasserstein distance, in standard deviations, with a permutation test.

Texts are compared by the total variation of their shares, with the same test. Large windows are
tested on a sample of rows: what must be found is seen in a few hundred.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd
from scipy.stats import bootstrap
from sklearn.metrics import precision_score, recall_score, roc_auc_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SAMPLE = 400
PERMUTATIONS = 30
LEAST = {"number": 0.3, "text": 0.16}
SURE = 5.0  # standard deviations of the permuted distances
TAIL = 0.005  # values beyond are clipped: one huge value would hide everything else


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
    keyed = {("all", "all"): log}
    for name in slices:
        present = log[name].dropna().astype(str)
        for value in sorted(set(present)):
            keyed[name, value] = log.loc[(log[name].notna() & (log[name].astype(str) == value)).to_numpy()]
        missing = log.loc[log[name].isna().to_numpy()]
        if len(missing):
            keyed[name, "(missing)"] = missing
    return pd.DataFrame(
        [dict(slice=name, value=value, **_metrics(rows, threshold))
         for (name, value), rows in keyed.items()]
    )


def _metrics(rows: pd.DataFrame, threshold: float) -> dict[str, Any]:
    known = rows.dropna(subset=["churned"])
    truth, predicted = known["churned"] == 1, known["score"] >= threshold
    result: dict[str, Any] = dict(rows=len(rows), labelled=len(known), churners=int(truth.sum()))
    enough = bool(truth.sum() >= 10 and (~truth).sum() >= 10)
    values = [math.nan] * 5
    if enough:
        recall = float(recall_score(truth, predicted))
        values = [
            float(roc_auc_score(truth, known["score"])),
            float(precision_score(truth, predicted, zero_division=math.nan)),
            recall,
            *_interval(predicted[truth].to_numpy(), recall),
        ]
    names = ("auc", "precision", "recall", "low", "high")
    return result | dict(zip(names, values, strict=True)) | {"enough": enough}


def _interval(found: NDArray[np.bool_], recall: float) -> tuple[float, float]:
    """Return a bootstrap interval, and by the rule of three where all or none are found."""
    if recall in (0.0, 1.0):
        room = 3 / len(found)
        return max(0.0, recall - room), min(1.0, recall + room)
    result = bootstrap((found.astype(float),), np.mean, n_resamples=800, method="percentile", rng=1)
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def drift_report(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Return the distance, flag and kind of each feature."""
    reference = reference[reference["date"] < current["date"].min()]
    old, new = (frame.drop(columns=["date", "score", "churned"]) for frame in (reference, current))
    rows = {}
    for name in list(old.columns) + [name for name in new.columns if name not in old.columns]:
        if name in old and name in new and is_of_one_type(old[name], new[name]):
            rows[name] = compare(old[name], new[name])
        else:
            rows[name] = (10.0, "schema")
    report = pd.DataFrame(rows, index=["statistic", "kind"]).T
    report["drifted"] = report["kind"] != "none"
    return report.astype({"statistic": float, "drifted": bool})


def is_number(column: pd.Series) -> bool:
    """Return whether a feature is a number."""
    return pd.api.types.is_numeric_dtype(column)


def is_of_one_type(old: pd.Series, new: pd.Series) -> bool:
    """Return whether both windows hold numbers or both texts; without a value, they hold either."""
    return is_number(old) == is_number(new) or bool(old.isna().all() or new.isna().all())


def compare(old: pd.Series, new: pd.Series) -> tuple[float, str]:
    """Return the distance of two windows of a feature, and the kind of its drift."""
    gap = abs(float(new.isna().mean() - old.isna().mean()))
    old, new = old.dropna(), new.dropna()
    size, sure = measured(old, new)
    if gap >= 0.1:
        return size, "missing"
    if len(old) == 0 or len(new) == 0:
        return size, "none"
    if not is_number(old):
        if 1 - new.isin(old.unique()).mean() >= 0.1:
            return size, "categories"
        return size, "values" if sure and size > LEAST["text"] else "none"
    top = new.value_counts(normalize=True).head(1)
    if top.iloc[0] >= 0.2 and (old == top.index[0]).mean() < 0.01:
        return size, "default"
    if not 0.2 < (new.median() + 1e-9) / (old.median() + 1e-9) < 5:
        return size, "scale"
    return size, "values" if sure and size > LEAST["number"] else "none"


def measured(old: pd.Series, new: pd.Series, rows: int = SAMPLE) -> tuple[float, bool]:
    """Return the distance, and whether permutations of the windows' rows hardly reach it."""
    if len(old) == 0 or len(new) == 0:
        return 0.0, False
    if not is_number(old):
        levels = {level: code for code, level in enumerate(sorted(set(old) | set(new)))}
        before, after = (column.map(levels).to_numpy(int) for column in (old, new))
        width = len(levels)
    else:
        low, high = pd.concat([old, new]).quantile([TAIL, 1 - TAIL])
        old, new = old.clip(low, high), new.clip(low, high)
        spread = float(old.std()) or float(new.std()) or 1.0
        before, after, width = old.to_numpy(float) / spread, new.to_numpy(float) / spread, 0
    rng = np.random.default_rng(3)
    before, after = (
        rng.choice(part, rows, replace=len(part) < rows) if len(part) > rows else part
        for part in (before, after)
    )
    size = _gap(before, after, width)
    if size < LEAST["text" if width else "number"]:  # too small to matter, chance or not
        return size, False
    both = np.concatenate([before, after])
    draws = []
    for _ in range(PERMUTATIONS):
        rng.shuffle(both)
        draws.append(_gap(both[: len(before)], both[len(before) :], width))
    return size, size > float(np.mean(draws)) + SURE * float(np.std(draws))


def _gap(old: NDArray[Any], new: NDArray[Any], width: int) -> float:
    if width:
        shares = [np.bincount(part, minlength=width) / len(part) for part in (old, new)]
        return float(np.abs(shares[0] - shares[1]).sum() / 2)
    steps = (np.arange(100) + 0.5) / 100
    return float(np.abs(np.quantile(old, steps) - np.quantile(new, steps)).mean())


def diagnose(
    reference: pd.DataFrame, window: pd.DataFrame, model: Model
) -> list[dict[str, Any]]:
    """Return the causes of what is wrong in a window, likeliest first."""
    window = window.reset_index(drop=True)
    reference = reference[reference["date"] < window["date"].min()]
    same = reference[reference["date"].dt.day_of_week.isin(window["date"].dt.day_of_week)]
    report = drift_report(same, window)
    again = predict(model, window)
    newest = window["date"].rank(method="dense") > window["date"].nunique() - 7
    shares = window["churned"].notna().groupby(newest).mean()
    rates = window["churned"].groupby(newest).mean()
    delayed = len(shares) == 2 and shares[True] < 0.6 * shares[False] and rates[True] > 2 * rates[False]
    labelled = window[window["churned"].notna() & (~newest if delayed else True)]
    broken = list(report.index[~report["kind"].isin(["none", "values"])])
    moved = list(report.index[report["kind"] == "values"])
    change = "" if _used(model) & set(broken) else _change(same, labelled, model, moved)

    differ = (again - window["score"]).abs() > 1e-5
    checks = {
        ("serving_skew", "rescore"): (differ.mean() > 0.1, [], f"{differ.mean():.0%} differ"),
        ("seasonal", "same_weekdays"): (
            len(same) < len(reference) and not report["drifted"].any(), [], "only some weekdays",
        ),
        ("data_defect", "trace_source"): (bool(broken), broken, f"{', '.join(broken)}: not by value"),
        ("delayed_labels", "wait_for_labels"): (delayed, [], f"churn by age of label {rates.to_dict()}"),
        ("concept_change", "refit"): (change == "concept", [], "the order of customers is wrong"),
        ("label_shift", "reweigh_classes"): (change == "label", [], "each class is as it was"),
        ("covariate_shift", "reweigh_rows"): (
            bool(moved) and change != "label", moved, f"{', '.join(moved)}: other values",
        ),
    }  # fmt: skip
    found = [
        {"cause": cause, "features": features, "evidence": evidence, "experiment": experiment}
        for (cause, experiment), (holds, features, evidence) in checks.items()
        if holds
    ]
    none = {"cause": "nothing", "features": [], "evidence": "quiet", "experiment": "none"}
    return found[:3] or [none]


def _used(model: Model) -> set[str]:
    used = {name for name, part in model["numbers"].items() if part["weight"]}
    return used.union(name for name, part in model["texts"].items() if any(part.values()))


def _change(
    before: pd.DataFrame, labelled: pd.DataFrame, model: Model, moved: Sequence[str]
) -> str:
    """Return whether the concept or the share of churners changed.

    Under a label shift the scores of churners are as they were, and those of others.
    """
    before = before[before["churned"].notna()]
    old, new = predict(model, before), predict(model, labelled)
    aucs = roc_auc_score(before["churned"], old), roc_auc_score(labelled["churned"], new)
    if aucs[1] < aucs[0] - 0.1:
        return "concept"
    rates = before["churned"].mean(), labelled["churned"].mean()
    if max(rates) < 1.5 * min(rates):
        return ""
    same = []
    for label in (0.0, 1.0):
        a, b = old[(before["churned"] == label)], new[(labelled["churned"] == label)]
        same.append(abs(np.log(a / (1 - a)).mean() - np.log(b / (1 - b)).mean()) < 0.7)
    return "label" if all(same) else ""


class Monitor:
    """Compares a day with the reference's days of its kind, and needs two odd days in a row."""

    def __init__(self, reference: pd.DataFrame) -> None:
        """Keep working days and weekends."""
        weekend = reference["date"].dt.day_of_week >= 5
        self._usual = (reference[~weekend], reference[weekend])
        names = [name for name in reference.columns if name not in ("date", "score", "churned")]
        self._odd = dict.fromkeys(names, 0)
        self._calm = dict.fromkeys(names, 7)

    def update(self, batch: pd.DataFrame) -> list[str]:
        """Take the log of one day, and return the features whose alert begins."""
        if len(batch) < 50:
            return []
        usual = self._usual[int(batch["date"].iloc[0].weekday() >= 5)]
        return [name for name in self._odd if name in batch and self._step(usual, batch, name)]

    def _step(self, usual: pd.DataFrame, batch: pd.DataFrame, name: str) -> bool:
        old, new = usual[name].dropna(), batch[name].dropna()
        size, sure = measured(old, new)
        if not sure or size < (0.4 if is_number(old) else 0.22):
            self._odd[name] = 0
            self._calm[name] += 1
            return False
        self._odd[name] += 1
        if self._odd[name] == 2 and self._calm[name] >= 7:
            self._calm[name] = 0
            return True
        if self._calm[name] < 7 or self._odd[name] > 2:
            self._calm[name] = 0
        return False
