"""Drift by Hellinger distances whose limits are resampled from the reference; CUSUM day by day."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import beta
from sklearn.metrics import roc_auc_score

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

META = ("date", "score", "churned")
RESAMPLES = 60


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
    numbers = [
        ((log[name] - part["mean"]) / part["scale"]).fillna(0.0) * part["weight"]
        for name, part in model["numbers"].items()
    ]
    texts = [
        log[name].map(weights).astype(float).fillna(0.0) for name, weights in model["texts"].items()
    ]
    return expit(sum(chain(numbers, texts), start=pd.Series(model["intercept"], index=log.index)))


def evaluate(log: pd.DataFrame, slices: Sequence[str], threshold: float) -> pd.DataFrame:
    """Return metrics of all rows and of each value of the columns in `slices`."""
    every = pd.Series("all", index=log.index)
    columns = [("all", every), *((name, log[name]) for name in slices)]
    return pd.DataFrame(
        [
            {"slice": name, "value": value} | describe(log[mask], threshold)
            for name, column in columns
            for value, mask in split(column)
        ]
    )


def split(column: pd.Series) -> Iterable[tuple[str, NDArray[np.bool_]]]:
    """Yield each value as text and its rows, missing ones last."""
    missing = column.isna().to_numpy()
    texts = np.array([str(value) for value in column])
    for value in sorted(set(texts[~missing])):
        yield str(value), ~missing & (texts == value)
    if missing.any():
        yield "(missing)", missing


def describe(rows: pd.DataFrame, threshold: float) -> dict[str, Any]:
    """Return counts and metrics of a group."""
    known = rows["churned"].notna()
    left = rows.loc[known, "churned"].eq(1)
    score = rows.loc[known, "score"]
    counts = {"rows": len(rows), "labelled": int(known.sum()), "churners": int(left.sum())}
    if not 10 <= left.sum() <= len(left) - 10:
        blank = {key: math.nan for key in ("auc", "precision", "recall", "low", "high")}
        return counts | blank | {"enough": False}
    flagged = score.ge(threshold)
    hits, count = int((flagged & left).sum()), int(left.sum())
    low = beta.ppf(0.025, hits, count - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, count - hits) if hits < count else 1.0
    return counts | {
        "auc": float(roc_auc_score(left, score)),
        "precision": hits / flagged.sum() if flagged.any() else math.nan,
        "recall": hits / count, "low": float(low), "high": float(high), "enough": True,
    }


class Bins:
    """Bins of one feature, learned from the reference: twelfths of its values, or its texts."""

    def __init__(self, column: pd.Series) -> None:
        known = column.dropna()
        self.number = pd.api.types.is_numeric_dtype(column)
        self.size = len(known)
        if self.number:
            inner = np.quantile(known, np.arange(1, 12) / 12) if self.size else np.array([0.0])
            # Two edges around a frequent value, so that it has a bin of its own.
            self.edges = np.unique(np.concatenate([inner, np.nextafter(inner, np.inf)]))
        else:
            self.texts = sorted(known.unique())
        self.shares = self.of(known)

    def of(self, column: pd.Series) -> NDArray[np.float64]:
        """Return the share of each bin among values that are not missing."""
        known = column.dropna()
        if self.number:
            places = np.searchsorted(self.edges, known.to_numpy(float), side="right")
            counts = np.bincount(places, minlength=len(self.edges) + 1)
        else:
            known_texts = known.value_counts()
            counts = np.append(
                known_texts.reindex(self.texts, fill_value=0),
                known_texts.drop(self.texts, errors="ignore").sum(),
            )
        return counts / max(1, counts.sum())

    def distance(self, column: pd.Series) -> float:
        """Return the Hellinger distance from the reference."""
        if not self.size or column.notna().sum() == 0:
            return 0.0
        return float(hellinger(self.shares, self.of(column)))

    def chance(self, rows: int, rng: np.random.Generator) -> tuple[float, float]:
        """Return mean and deviation of the distance of `rows` quiet rows."""
        if not self.size or not rows:
            return 0.0, 1.0
        one = rng.multinomial(self.size, self.shares, RESAMPLES) / self.size
        two = rng.multinomial(rows, self.shares, RESAMPLES) / rows
        draws = hellinger(one, two)
        return float(draws.mean()), max(float(draws.std()), 1e-3)


def hellinger(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Hellinger distances of shares, whose last axis is the bin."""
    return np.sqrt(((np.sqrt(old) - np.sqrt(new)) ** 2).sum(axis=-1) / 2)


def drift_report(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Return distance, flag and kind of each feature."""
    before = reference[reference["date"] < current["date"].min()]
    names = [name for name in dict.fromkeys([*before, *current]) if name not in META]
    report = pd.DataFrame(
        [judge(before, current, name) for name in names],
        columns=["statistic", "drifted", "kind"],
        index=names,
    )
    return report


def judge(before: pd.DataFrame, current: pd.DataFrame, name: str) -> tuple[float, bool, str]:
    """Return the row of a report for one feature."""
    if not (name in before and name in current):
        return 1.0, True, "schema"
    old, new = before[name], current[name]
    number_or_text = {pd.api.types.is_numeric_dtype(column) for column in (old, new) if column.count()}
    if len(number_or_text) > 1:
        return 1.0, True, "schema"
    bins = Bins(old)
    distance = bins.distance(new)
    kind = plain_kind(old, new)
    if not kind:
        mean, deviation = bins.chance(int(new.notna().sum()), np.random.default_rng(5))
        kind = "values" if distance > max(0.11, mean + 7 * deviation) else "none"
    return distance, kind != "none", kind


def plain_kind(old: pd.Series, new: pd.Series) -> str:
    """Return the first kind that needs no distance, or nothing."""
    if abs(old.isna().mean() - new.isna().mean()) >= 0.1:
        return "missing"
    old, new = old.dropna(), new.dropna()
    if old.empty or new.empty:
        return ""
    if not pd.api.types.is_numeric_dtype(old):
        return "categories" if new.isin(old).mean() <= 0.9 else ""
    (value,) = new.mode().iloc[:1]
    if new.eq(value).mean() >= 0.2 and old.eq(value).mean() < 0.01:
        return "default"
    return "" if old.median() < 5 * new.median() and new.median() < 5 * old.median() else "scale"


def diagnose(
    reference: pd.DataFrame, window: pd.DataFrame, model: Model
) -> list[dict[str, Any]]:
    """Return the causes of what is wrong in a window, likeliest first."""
    window = window.sort_values("date").reset_index(drop=True)
    reference = reference[reference["date"] < window["date"].min()]
    weekday = reference["date"].dt.day_name()
    alike = reference[weekday.isin(window["date"].dt.day_name())]
    risk = predict(model, window)
    report = drift_report(alike, window)
    kinds = report["kind"].to_dict()
    values = [name for name, kind in kinds.items() if kind == "values"]
    defects = [name for name, kind in kinds.items() if kind not in ("values", "none")]
    newest = window["date"] > window["date"].max() - pd.Timedelta(7, "D")
    first = come_first(window["churned"], newest)
    known = window["churned"].notna() & ~(newest if first else newest & False)
    relevant = {n for n, part in model["numbers"].items() if part["weight"]}
    relevant |= {n for n, part in model["texts"].items() if any(part.values())}
    excused = not relevant.isdisjoint(defects)
    order, level = (0.0, 0.0) if excused else residuals(risk[known], window["churned"][known])

    found = [
        (("serving_skew", "rescore"), [], share(abs(risk - window["score"]) > 1e-5, "scores differ")),
        (
            ("seasonal", "same_weekdays"), [],
            "the days of the window are always like that"
            if len(alike) < len(reference) and not (values or defects) else "",
        ),
        (("data_defect", "trace_source"), defects, " / ".join(f"{n}: {kinds[n]}" for n in defects)),
        (("delayed_labels", "wait_for_labels"), [], first),
        (("concept_change", "refit"), [], f"order off by {order:.2f}" if order > 0.25 else ""),
        (
            ("label_shift", "reweigh_classes"), [],
            f"log-odds off by {level:+.2f}" if order <= 0.25 and abs(level) > 0.4 else "",
        ),
    ]
    causes = [entry for entry in found if entry[2]]
    if values and not any(entry[0][0] == "label_shift" for entry in causes):
        sizes = " / ".join(f"{n}: {report.at[n, 'statistic']:.2f}" for n in values)
        causes.append((("covariate_shift", "reweigh_rows"), values, sizes))
    if not causes:
        causes = [(("nothing", "none"), [], "quiet")]
    return [
        {"cause": cause, "features": features, "evidence": evidence, "experiment": experiment}
        for (cause, experiment), features, evidence in causes[:3]
    ]


def share(rows: pd.Series, what: str) -> str:
    """Return a sentence where a tenth of the rows or more is concerned."""
    return f"{rows.mean():.0%}: {what}" if rows.mean() >= 0.1 else ""


def come_first(label: pd.Series, newest: pd.Series) -> str:
    """Return the evidence that churners' labels come first, or nothing."""
    seen = label.notna().groupby(newest).mean()
    churn = label.groupby(newest).mean()
    if seen[True] < 0.6 * seen[False] and churn[True] > 1.5 * churn[False]:
        return f"churn of {churn[True]:.0%} among the few labels of the newest week"
    return ""


def residuals(risk: pd.Series, churned: pd.Series) -> tuple[float, float]:
    """Return by how much the risk's order and its level are off, on the scale of log-odds.

    Order: the weight that a step from the lower to the upper half of customers has lost.
    """
    odds = logit(risk.clip(1e-6, 1 - 1e-6)).to_numpy()
    y = churned.to_numpy()
    level, slope = 0.0, 1.0
    for _ in range(300):
        fitted = expit(level + slope * odds)
        level += 2.0 * float((y - fitted).mean())
        slope += 0.3 * float(((y - fitted) * odds).mean())
    return 1 - slope, level


class Monitor:
    """Adds up by how much each day's distance exceeds that of a quiet day (CUSUM).

    Sums are cut at a height which a feature falls from in a few normal days, so that it can alert
    again.
    """

    SLACK, LIMIT, HEIGHT, WEEK = 2.0, 8.0, 12.0, 7

    def __init__(self, reference: pd.DataFrame) -> None:
        names = [name for name in reference.columns if name not in META]
        weekend = reference["date"].dt.day_of_week.isin([5, 6])
        self._bins = {
            kind: {name: Bins(reference.loc[weekend == kind, name]) for name in names}
            for kind in (False, True)
        }
        self._sums = dict.fromkeys(names, 0.0)
        self._waits = dict.fromkeys(names, 0)
        self._known: dict[tuple[bool, str, int], tuple[float, float]] = {}

    def update(self, batch: pd.DataFrame) -> list[str]:
        """Take the log of one day, and return the features whose alert begins."""
        if len(batch) < 30:
            return []
        kind = batch["date"].iloc[0].day_of_week in (5, 6)
        return [name for name in self._sums if name in batch and self._alerts(kind, name, batch[name])]

    def _alerts(self, kind: bool, name: str, column: pd.Series) -> bool:
        bins = self._bins[kind][name]
        mean, deviation = self._quiet(kind, name, int(column.notna().sum()))
        excess = (bins.distance(column) - mean) / deviation
        added = self._sums[name] + min(excess, 8.0) - self.SLACK
        self._sums[name] = min(max(added, 0.0), self.HEIGHT)
        drifting = self._sums[name] > self.LIMIT or excess > 6.0
        begins = drifting and self._waits[name] == 0
        self._waits[name] = self.WEEK if drifting or excess > 3.5 and self._waits[name] else max(
            0, self._waits[name] - 1
        )
        return begins

    def _quiet(self, kind: bool, name: str, rows: int) -> tuple[float, float]:
        """Return mean and deviation of a quiet day of about so many rows."""
        key = (kind, name, max(10, 40 * round(rows / 40)))
        if len(self._known) > 500:
            self._known.clear()
        if key not in self._known:
            rng = np.random.default_rng(len(name))
            self._known[key] = self._bins[kind][name].chance(key[2], rng)
        return self._known[key]
