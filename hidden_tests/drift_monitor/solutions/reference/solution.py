"""Evaluate a churn model by slice, find drift in its features, say why, and watch it day by day."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import roc_auc_score

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOT_FEATURES = ("date", "score", "churned")
FAMILY_LEVEL = 0.05  # of a report, shared among its features
MIN_DISTANCE = 0.15  # between what must be found (0.3) and what must not (0.05)
MIN_PER_CLASS = 10
SKEW_SHARE = 0.1
SKEW_TOLERANCE = 1e-5
DELAY_DAYS = 7
MATTERS_SIGMA = 5.0
RATE_RATIO = 1.5
AUC_LOSS = 0.1
MONITOR_DISTANCE = 0.2
MONITOR_LEVEL = 0.2  # expected false alerts of all features in a month
MONTH = 28
QUIET_DAYS = 7
SATURDAY = 5

Known = np.ndarray | Counter[str]  # what is known of a feature: sorted numbers, or counts of texts


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
    """Return the risk that `model` gives each row; what is missing or unknown adds nothing."""
    total = pd.Series(float(model["intercept"]), index=log.index)
    for name, part in model["numbers"].items():
        total += (part["weight"] * (log[name] - part["mean"]) / part["scale"]).fillna(0.0)
    for name, weights in model["texts"].items():
        total += log[name].map(weights).astype(float).fillna(0.0)
    return 1.0 / (1.0 + np.exp(-total))


def evaluate(log: pd.DataFrame, slices: Sequence[str], threshold: float) -> pd.DataFrame:
    """Return the metrics of all rows and of each value of each column in `slices`.

    Rows without a label count in `rows` only. Groups with too few churners or others have no
    metrics.
    """
    groups = [("all", "all", log), *_groups(log, slices)]
    return pd.DataFrame(
        [
            {"slice": name, "value": value} | _metrics(group, threshold)
            for name, value, group in groups
        ]
    )


def _groups(
    log: pd.DataFrame, slices: Sequence[str]
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    for name in slices:
        texts = log[name].astype("str")
        for value in sorted(texts.dropna().unique()):
            yield name, value, log[texts == value]
        if texts.isna().any():
            yield name, "(missing)", log[texts.isna()]


def _metrics(group: pd.DataFrame, threshold: float) -> dict[str, Any]:
    known = group.dropna(subset="churned")
    churned = known["churned"] == 1.0
    predicted = known["score"] >= threshold
    churners = int(churned.sum())
    hits = int((predicted & churned).sum())
    found = {"rows": len(group), "labelled": len(known), "churners": churners}
    names = ("auc", "precision", "recall", "low", "high")
    if min(churners, len(known) - churners) < MIN_PER_CLASS:
        return found | dict.fromkeys(names, math.nan) | {"enough": False}
    interval = stats.binomtest(hits, churners).proportion_ci(method="wilson")
    values = (
        float(roc_auc_score(churned, known["score"])),
        hits / int(predicted.sum()) if predicted.any() else math.nan,
        hits / churners,
        interval.low,
        interval.high,
    )
    return found | dict(zip(names, values, strict=True)) | {"enough": True}


def drift_report(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Return statistic, flag and kind of drift for each feature of either window.

    A drift of values is one that is large (the distance) and no chance (its p-value, corrected
    for the number of features).
    """
    reference = _before(reference, current)
    names = [name for name in reference.columns.union(current.columns, sort=False)
             if name not in NOT_FEATURES]
    rows = []
    for name in names:
        if name not in reference or name not in current:
            rows.append((1.0, "schema"))
        else:
            rows.append(_compared(reference[name], current[name], FAMILY_LEVEL / len(names)))
    report = pd.DataFrame(rows, columns=["statistic", "kind"], index=pd.Index(names))
    report.insert(1, "drifted", report["kind"] != "none")
    return report


def _before(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Return the reference without rows of the current window's days."""
    return reference[reference["date"] < current["date"].min()]


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column)


def _compared(old: pd.Series, new: pd.Series, level: float) -> tuple[float, str]:
    """Return the distance between two windows of a feature, and the kind of its drift."""
    before, after = _known(old), _known(new)
    if _is_number(old) != _is_number(new) and len(before) and len(after):
        return 1.0, "schema"
    distance, moved = _has_moved(before, after, MIN_DISTANCE, level)
    lost = abs(float(new.isna().mean() - old.isna().mean()))
    if lost >= 0.1:
        return max(distance, lost), "missing"
    kind = "none"
    if len(before) and len(after):
        kind = (_number_kind if _is_number(old) else _text_kind)(before, after)
    return distance, "values" if kind == "none" and moved else kind


def _text_kind(old: Known, new: Known) -> str:
    unknown = sum(count for text, count in new.items() if text not in old)
    return "categories" if unknown >= 0.1 * new.total() else "none"


def _number_kind(old: Known, new: Known) -> str:
    values, counts = np.unique(new, return_counts=True)
    most = counts.argmax()
    if counts[most] >= 0.2 * len(new) and (old == values[most]).mean() < 0.01:
        return "default"
    before, after = np.median(old), np.median(new)
    if max(before, after) >= 5 * min(before, after):
        return "scale"
    return "none"


def _known(column: pd.Series) -> Known:
    """Return the sorted numbers of a column, or how often each of its texts occurs."""
    known = column.dropna()
    return np.sort(known.to_numpy()) if _is_number(column) else Counter(known.tolist())


def _distance(old: Known, new: Known) -> float:
    """Return the distance of the task sheet between two windows without missing values."""
    if not len(old) or not len(new):
        return 0.0
    if isinstance(old, Counter):
        before, after = old.total(), new.total()
        return sum(abs(old[text] / before - new[text] / after) for text in old | new) / 2
    values = np.concatenate([old, new])
    below_old = np.searchsorted(old, values, side="right") / len(old)
    below_new = np.searchsorted(new, values, side="right") / len(new)
    return float(np.abs(below_old - below_new).max())


def _p_value(old: Known, new: Known, distance: float) -> float:
    """Return how likely such a distance is by chance: Kolmogorov's bound, or a chi-square test."""
    if isinstance(old, Counter):
        counts = [(old[text], new[text]) for text in old | new]
        return float(stats.chi2_contingency(counts).pvalue)
    rows = len(old) * len(new) / (len(old) + len(new))
    return min(1.0, 2 * math.exp(-2 * rows * distance**2))


def _has_moved(old: Known, new: Known, least: float, level: float) -> tuple[float, bool]:
    """Return the distance, and whether it is `least` or more and no chance at `level`."""
    if len(old) and len(new) and type(old) is not type(new):
        return 1.0, True  # numbers became texts, or texts numbers
    distance = _distance(old, new)
    return distance, distance >= least and _p_value(old, new, distance) < level


@dataclass(frozen=True)
class Finding:
    """One cause of a diagnosis."""

    cause: str
    features: list[str]
    evidence: str
    experiment: str


def diagnose(
    reference: pd.DataFrame, window: pd.DataFrame, model: Model
) -> list[dict[str, Any]]:
    """Return up to three causes of what is wrong in a window, likeliest first.

    What a cause explains is taken out before the next is looked for: the service's own scores,
    the season, and days whose labels are incomplete.
    """
    findings = list(_findings(_before(reference, window), window, model))[:3]
    if not findings:
        findings = [Finding("nothing", [], "no check found a difference", "none")]
    return [asdict(finding) for finding in findings]


def _findings(
    reference: pd.DataFrame, window: pd.DataFrame, model: Model
) -> Iterator[Finding]:
    risk = predict(model, window)
    skewed = float(((risk - window["score"]).abs() > SKEW_TOLERANCE).mean())
    if skewed >= SKEW_SHARE:
        evidence = f"{skewed:.0%} of scores are not those of the model"
        yield Finding("serving_skew", [], evidence, "rescore")

    same_days = reference[reference["date"].dt.day_of_week.isin(window["date"].dt.day_of_week)]
    report = drift_report(same_days, window)
    if len(same_days) < len(reference) and not report["drifted"].any():
        usual = drift_report(reference, window)
        moved = ", ".join(usual.index[usual["drifted"]])
        if moved:
            evidence = f"{moved} differ from all days, not from the same weekdays"
            yield Finding("seasonal", [], evidence, "same_weekdays")

    broken = report[~report["kind"].isin(["none", "values"])]
    if len(broken):
        evidence = ", ".join(f"{name}: {kind}" for name, kind in broken["kind"].items())
        yield Finding("data_defect", list(broken.index), evidence, "trace_source")

    complete = window["date"] <= window["date"].max() - pd.Timedelta(days=DELAY_DAYS)
    delay = _delay(window[~complete], window[complete])
    if delay:
        yield Finding("delayed_labels", [], delay, "wait_for_labels")
    labelled = window["churned"].notna() & (complete if delay else True)
    if not any(_weight(model, name) for name in broken.index):
        yield from _changed_risk(same_days["churned"], window.loc[labelled, "churned"], risk[labelled])
    yield from _shift(report, same_days, window[labelled])


def _weight(model: Model, name: str) -> bool:
    """Return whether the model's answer depends on a feature."""
    if name in model["numbers"]:
        return bool(model["numbers"][name]["weight"])
    return any(model["texts"].get(name, {}).values())


def _delay(newest: pd.DataFrame, older: pd.DataFrame) -> str:
    """Return the evidence that on the newest days churners' labels come first, or nothing."""
    arrived = newest["churned"].notna().mean(), older["churned"].notna().mean()
    rates = newest["churned"].mean(), older["churned"].mean()
    if arrived[0] < 0.6 * arrived[1] and rates[0] > 1.3 * rates[1]:
        return (
            f"{arrived[0]:.0%} of the newest labels are there, {rates[0]:.0%} of them churners; "
            f"before, {arrived[1]:.0%} and {rates[1]:.0%}"
        )
    return ""


def _changed_risk(before: pd.Series, churned: pd.Series, risk: pd.Series) -> Iterator[Finding]:
    """Find out whether churn is more frequent, or ordered otherwise, than the risk says.

    If other customers alone are the reason, the risk is still right for each of them.
    """
    expected = _auc_if_right(risk)
    auc = float(roc_auc_score(churned, risk)) if churned.nunique() == 2 else expected
    if auc < expected - AUC_LOSS:
        evidence = f"AUC {auc:.2f}, and {expected:.2f} if the risk were right"
        yield Finding("concept_change", [], evidence, "refit")
        return
    rate, usual = churned.mean(), before.mean()
    gap = abs(rate - risk.mean()) / math.sqrt((risk * (1 - risk)).sum()) * len(risk)
    if gap > MATTERS_SIGMA and max(rate, usual) > RATE_RATIO * min(rate, usual):
        evidence = f"{rate:.0%} churn, {usual:.0%} before, {risk.mean():.0%} by the model"
        yield Finding("label_shift", [], evidence, "reweigh_classes")


def _auc_if_right(risk: pd.Series) -> float:
    """Return the AUC that scores have whose probabilities are right."""
    ordered = risk.sort_values().to_numpy()
    below = np.concatenate([[0.0], np.cumsum(1 - ordered)[:-1]])
    return float((ordered * below).sum() / (ordered.sum() * (1 - ordered).sum()))


def _shift(
    report: pd.DataFrame, reference: pd.DataFrame, labelled: pd.DataFrame
) -> Iterator[Finding]:
    """Find features with other values, unless it is only that more or fewer customers churn."""
    moved = report[report["kind"] == "values"]
    if moved.empty:
        return
    stayed = drift_report(
        reference[reference["churned"] == 0.0], labelled[labelled["churned"] == 0.0]
    )
    moved = moved[stayed.loc[moved.index, "kind"] == "values"]
    if len(moved):
        evidence = ", ".join(f"{name} by {size:.2f}" for name, size in moved["statistic"].items())
        yield Finding("covariate_shift", list(moved.index), evidence, "reweigh_rows")


class Monitor:
    """Compares each day with the same kind of days of a reference, and tells of drift once.

    A feature that has alerted is silent until it was normal for a week. Of each feature the monitor
    holds what is known of it in the reference, and a number.
    """

    def __init__(self, reference: pd.DataFrame) -> None:
        weekend = _is_weekend(reference["date"])
        self._names = [name for name in reference.columns if name not in NOT_FEATURES]
        self._reference = {
            kind: {name: _known(reference.loc[weekend == kind, name]) for name in self._names}
            for kind in (False, True)
        }
        self._level = MONITOR_LEVEL / (MONTH * len(self._names))
        self._quiet = dict.fromkeys(self._names, QUIET_DAYS)

    def update(self, batch: pd.DataFrame) -> list[str]:
        """Take the log of one day, and return the features whose alert begins."""
        if batch.empty:
            return []
        usual = self._reference[bool(_is_weekend(batch["date"]).iloc[0])]
        moved = [name for name in self._names if self._moved(usual, batch, name)]
        begun = [name for name in moved if self._quiet[name] >= QUIET_DAYS]
        for name in self._names:
            self._quiet[name] = 0 if name in moved else self._quiet[name] + 1
        return begun

    def _moved(self, usual: dict[str, Known], batch: pd.DataFrame, name: str) -> bool:
        if name not in batch:
            return True
        return _has_moved(usual[name], _known(batch[name]), MONITOR_DISTANCE, self._level)[1]


def _is_weekend(date: pd.Series) -> pd.Series:
    return date.dt.day_of_week >= SATURDAY
