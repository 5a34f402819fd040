"""Everything with NumPy: binned distances, kinds in a table, no test of significance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Window = NDArray[Any]
META = frozenset({"date", "score", "churned"})
WILSON_Z = 1.96


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


# --------------------------------------------------------------------------------- evaluation


def _auc(score: Window, churned: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve from ranks, ties at their middle."""
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[inverse]
    positives = int(churned.sum())
    negatives = len(churned) - positives
    return float((ranks[churned].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _row(log: pd.DataFrame, mask: NDArray[np.bool_], threshold: float) -> list[Any]:
    label = log["churned"].to_numpy(float)[mask]
    known = ~np.isnan(label)
    churned = label[known] == 1.0
    score = log["score"].to_numpy(float)[mask][known]
    count = int(churned.sum())
    counts = [len(label), len(churned), count]
    if count < 10 or len(churned) - count < 10:
        return [*counts, *[np.nan] * 5, False]
    predicted = score >= threshold
    hits = int((predicted & churned).sum())
    precision = hits / predicted.sum() if predicted.any() else np.nan
    share, z2 = hits / count, WILSON_Z**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = WILSON_Z * np.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return [*counts, _auc(score, churned), precision, share, middle - half, middle + half, True]


def evaluate(log: pd.DataFrame, slices: Sequence[str], threshold: float) -> pd.DataFrame:
    """Return metrics of all rows and of each value of the columns in `slices`."""
    rows = [["all", "all", *_row(log, np.ones(len(log), dtype=bool), threshold)]]
    for name in slices:
        values = log[name].to_numpy(dtype=object)
        missing = log[name].isna().to_numpy()
        texts = np.array([str(value) for value in values])
        for value in np.unique(texts[~missing]):
            rows.append([name, str(value), *_row(log, ~missing & (texts == value), threshold)])
        if missing.any():
            rows.append([name, "(missing)", *_row(log, missing, threshold)])
    columns = "slice value rows labelled churners auc precision recall low high enough".split()
    return pd.DataFrame(rows, columns=columns)


# -------------------------------------------------------------------------------------- drift


def distance(old: Window, new: Window) -> float:
    """Return the largest gap of the distribution functions, or half the gaps of the shares."""
    if not len(old) or not len(new):
        return 0.0
    if old.dtype == object:
        levels, codes = np.unique(np.concatenate([old, new]), return_inverse=True)
        shares = [
            np.bincount(part, minlength=len(levels)) / len(part)
            for part in (codes[: len(old)], codes[len(old) :])
        ]
        return float(np.abs(shares[0] - shares[1]).sum() / 2)
    grid = np.unique(np.quantile(np.concatenate([old, new]), np.linspace(0, 1, 201)))
    gaps = [np.searchsorted(np.sort(part), grid, side="right") / len(part) for part in (old, new)]
    return float(np.abs(gaps[0] - gaps[1]).max())


def _is_missing_kind(old: pd.Series, new: pd.Series) -> bool:
    return bool(abs(old.isna().mean() - new.isna().mean()) >= 0.1)


def _is_categories(old: pd.Series, new: pd.Series) -> bool:
    known = new.dropna()
    return not _numeric(old) and len(known) > 0 and (~known.isin(old.dropna())).mean() >= 0.1


def _is_default(old: pd.Series, new: pd.Series) -> bool:
    if not _numeric(old) or new.isna().all():
        return False
    values, counts = np.unique(new.dropna().to_numpy(), return_counts=True)
    top = counts.argmax()
    return bool(
        counts[top] >= 0.2 * counts.sum() and (old.dropna() == values[top]).mean() < 0.01
    )


def _is_scale(old: pd.Series, new: pd.Series) -> bool:
    if not _numeric(old) or old.isna().all() or new.isna().all():
        return False
    medians = sorted([float(old.median()), float(new.median())])
    return medians[1] >= 5 * medians[0]


def _is_values(old: pd.Series, new: pd.Series) -> bool:
    return distance(_array(old), _array(new)) >= 0.18


KINDS: dict[str, Callable[[pd.Series, pd.Series], bool]] = {
    "missing": _is_missing_kind,
    "categories": _is_categories,
    "default": _is_default,
    "scale": _is_scale,
    "values": _is_values,
}


def _numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column)


def _array(column: pd.Series) -> Window:
    known = column.dropna()
    return known.to_numpy(float) if _numeric(column) else known.to_numpy(object)


def _finding(reference: pd.DataFrame, current: pd.DataFrame, name: str) -> tuple[float, bool, str]:
    if name not in reference or name not in current:
        return 2.0, True, "schema"
    old, new = reference[name], current[name]
    if _numeric(old) != _numeric(new) and old.count() and new.count():
        return 2.0, True, "schema"
    kind = next((kind for kind, fits in KINDS.items() if fits(old, new)), "none")
    return distance(_array(old), _array(new)), kind != "none", kind


def drift_report(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Return the distance, flag and kind of each feature.

    The limit of 0.18 is between what must and what must not be found; chance reaches it in windows
    of 400 rows once in a million features.
    """
    reference = reference[(reference["date"] < current["date"].min()).to_numpy()]
    names = list(dict.fromkeys([*reference.columns, *current.columns]))
    rows = {name: _finding(reference, current, name) for name in names if name not in META}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["statistic", "drifted", "kind"])


# ---------------------------------------------------------------------------------- diagnosis


def diagnose(
    reference: pd.DataFrame, window: pd.DataFrame, model: Model
) -> list[dict[str, Any]]:
    """Return the causes of what is wrong in a window, likeliest first."""
    reference = reference[(reference["date"] < window["date"].min()).to_numpy()]
    weekday = window["date"].dt.day_of_week.to_numpy()
    usual = reference[np.isin(reference["date"].dt.day_of_week.to_numpy(), weekday)]
    report = drift_report(usual, window)
    risk = predict(model, window).to_numpy()
    label = window["churned"].to_numpy(float)
    age = (window["date"].max() - window["date"]).dt.days.to_numpy()
    by_kind = {kind: list(report.index[report["kind"] == kind]) for kind in [*KINDS, "schema"]}
    shifted = by_kind.pop("values")
    broken = sorted(sum(by_kind.values(), []))
    found = []

    skew = np.mean(np.abs(risk - window["score"].to_numpy()) > 1e-5)
    if skew > 0.1:
        found.append(("serving_skew", [], f"{skew:.3f} of scores differ", "rescore"))
    if len(set(weekday)) < 7 and not report["drifted"].any():
        found.append(("seasonal", [], "same weekdays look alike", "same_weekdays"))
    if broken:
        kinds = "; ".join(f"{name} is {report.loc[name, 'kind']}" for name in broken)
        found.append(("data_defect", broken, kinds, "trace_source"))

    new = age < 7
    arrived = np.array([np.mean(~np.isnan(label[part])) for part in (new, ~new)])
    churn = np.array([np.nanmean(label[part]) for part in (new, ~new)])
    if arrived[0] < 0.6 * arrived[1] and churn[0] > 1.4 * churn[1]:
        evidence = f"labels arrived {arrived.round(2)}, churn among them {churn.round(2)}"
        found.append(("delayed_labels", [], evidence, "wait_for_labels"))
        label = np.where(new, np.nan, label)

    shift = False
    if not any(_weight(model, name) for name in broken):
        order, level = _calibration(risk, label)
        if order < 0.65:
            found.append(("concept_change", [], f"slope {order:.2f}, should be 1", "refit"))
        elif abs(level) > 0.4:
            shift = True
            found.append(("label_shift", [], f"log-odds {level:+.2f}", "reweigh_classes"))
    if shifted and not shift:
        sizes = "; ".join(f"{name} moved {report.loc[name, 'statistic']:.2f}" for name in shifted)
        found.append(("covariate_shift", shifted, sizes, "reweigh_rows"))
    found = found or [("nothing", [], "no check fired", "none")]
    keys = ("cause", "features", "evidence", "experiment")
    return [dict(zip(keys, entry, strict=True)) for entry in found[:3]]


def _weight(model: Model, name: str) -> bool:
    number = model["numbers"].get(name, {"weight": 0.0})
    return bool(number["weight"]) or any(model["texts"].get(name, {}).values())


def _calibration(risk: Window, label: Window) -> tuple[float, float]:
    """Fit the labels to the risk's log-odds by Newton's method: slope and intercept."""
    known = ~np.isnan(label)
    clipped = np.clip(risk[known], 1e-6, 1 - 1e-6)
    design = np.column_stack([np.log(clipped / (1 - clipped)), np.ones(known.sum())])
    weights = np.zeros(2)
    for _ in range(25):
        fitted = 1 / (1 + np.exp(-design @ weights))
        hessian = design.T @ (design * (fitted * (1 - fitted))[:, None]) + 1e-6 * np.eye(2)
        weights = weights + np.linalg.solve(hessian, design.T @ (label[known] - fitted))
    return float(weights[0]), float(weights[1])


# ------------------------------------------------------------------------------------ monitor


class Monitor:
    """Alerts where a day is far from the reference's days of its kind, two days of the last three."""

    def __init__(self, reference: pd.DataFrame) -> None:
        """Sort the reference's columns once."""
        self.names = [name for name in reference.columns if name not in META]
        weekend = (reference["date"].dt.day_of_week >= 5).to_numpy()
        self.usual = {
            kind: {name: _array(reference[name][weekend == kind]) for name in self.names}
            for kind in (False, True)
        }
        self.signals = np.zeros((len(self.names), 3), dtype=bool)
        self.silent = np.zeros(len(self.names), dtype=bool)
        self.normal = np.zeros(len(self.names), dtype=int)

    def update(self, batch: pd.DataFrame) -> list[str]:
        """Take the log of one day, and return the features whose alert begins."""
        if len(batch) < 40:
            return []
        usual = self.usual[bool(batch["date"].dt.day_of_week.iloc[0] >= 5)]
        today = np.array([
            name in batch and distance(usual[name], _array(batch[name])) > 0.22 for name in self.names
        ])
        self.signals = np.column_stack([self.signals[:, 1:], today])
        self.normal = np.where(today, 0, self.normal + 1)
        self.silent &= self.normal < 7
        begins = (self.signals.sum(axis=1) >= 2) & ~self.silent
        self.silent |= begins
        return [name for name, flag in zip(self.names, begins, strict=True) if flag]
