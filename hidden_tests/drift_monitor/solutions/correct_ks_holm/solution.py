"""Drift by tests of significance, with a correction for their number and a least effect."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import roc_auc_score

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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


def features_of(log: pd.DataFrame) -> list[str]:
    """Return the columns that are features."""
    return [str(name) for name in log.columns if name not in {"date", "score", "churned"}]


def is_weekend(log: pd.DataFrame) -> pd.Series:
    """Return for each row whether its day is a Saturday or Sunday."""
    return log["date"].dt.day_of_week > 4


class Slice:
    """One group of rows, and its metrics."""

    LEAST: ClassVar[int] = 10

    def __init__(self, name: str, value: str, rows: pd.DataFrame) -> None:
        """Split the rows by what is known of them."""
        self.name, self.value, self.rows = name, value, rows
        self.churners = rows.loc[rows["churned"] == 1, "score"]
        self.others = rows.loc[rows["churned"] == 0, "score"]

    @property
    def enough(self) -> bool:
        """Whether metrics say anything."""
        return min(len(self.churners), len(self.others)) >= self.LEAST

    def metrics(self, threshold: float) -> dict[str, Any]:
        """Return one row of the table."""
        hits = int((self.churners >= threshold).sum())
        wrong = int((self.others >= threshold).sum())
        auc = precision = recall = low = high = math.nan
        if self.enough:
            wins = stats.mannwhitneyu(self.churners, self.others, method="asymptotic").statistic
            auc = float(wins) / (len(self.churners) * len(self.others))
            precision = hits / (hits + wrong) if hits + wrong else math.nan
            recall = hits / len(self.churners)
            exact = stats.binomtest(hits, len(self.churners)).proportion_ci(method="exact")
            low, high = exact.low, exact.high
        return {
            "slice": self.name, "value": self.value, "rows": len(self.rows),
            "labelled": len(self.churners) + len(self.others), "churners": len(self.churners),
            "auc": auc, "precision": precision, "recall": recall, "low": low, "high": high,
            "enough": self.enough,
        }


def evaluate(log: pd.DataFrame, slices: Sequence[str], threshold: float) -> pd.DataFrame:
    """Return metrics of all rows and of each value of the columns in `slices`."""
    groups = [Slice("all", "all", log)]
    for name in slices:
        by_value = dict(iter(log.groupby(name, dropna=False)))
        known = {str(key): rows for key, rows in by_value.items() if not pd.isna(key)}
        groups += [Slice(name, value, known[value]) for value in sorted(known)]
        groups += [Slice(name, "(missing)", rows) for key, rows in by_value.items() if pd.isna(key)]
    return pd.DataFrame([group.metrics(threshold) for group in groups])


@dataclass(frozen=True)
class Outcome:
    """What a test says: the effect, its p-value, and a kind where that is plain."""

    effect: float
    p_value: float
    kind: str = ""


class Detector(ABC):
    """Compares two windows of one feature."""

    def __call__(self, old: pd.Series, new: pd.Series) -> Outcome:
        """Return the outcome, the first kind that fits in it."""
        before, after = old.dropna(), new.dropna()
        if before.empty or after.empty:
            effect, p_value = 0.0, 1.0
        else:
            effect, p_value = self.test(before, after)
        if abs(old.isna().mean() - new.isna().mean()) >= 0.1:
            return Outcome(effect, p_value, "missing")
        return Outcome(effect, p_value, self.kind(before, after))

    @abstractmethod
    def test(self, old: pd.Series, new: pd.Series) -> tuple[float, float]:
        """Return effect and p-value."""

    @abstractmethod
    def kind(self, old: pd.Series, new: pd.Series) -> str:
        """Return a kind that needs no test, or nothing."""


class NumberDetector(Detector):
    """Kolmogorov and Smirnov's test."""

    def test(self, old: pd.Series, new: pd.Series) -> tuple[float, float]:
        """Return the distance and its asymptotic p-value."""
        result = stats.ks_2samp(old, new, method="asymp")
        return float(result.statistic), float(result.pvalue)

    def kind(self, old: pd.Series, new: pd.Series) -> str:
        """Return default or scale where one of them fits."""
        if old.empty or new.empty:
            return ""
        shares = new.value_counts(normalize=True)
        if shares.iloc[0] >= 0.2 and (old == shares.index[0]).mean() < 0.01:
            return "default"
        factor = new.median() / old.median() if old.median() else 1.0
        return "" if 0.2 < factor < 5 else "scale"


class TextDetector(Detector):
    """The chi-square test."""

    def test(self, old: pd.Series, new: pd.Series) -> tuple[float, float]:
        """Return half the sum of differences of shares, and the p-value of the table."""
        table = pd.concat([old.value_counts(), new.value_counts()], axis=1).fillna(0)
        shares = table / table.sum()
        effect = float((shares.iloc[:, 0] - shares.iloc[:, 1]).abs().sum() / 2)
        p_value = stats.chi2_contingency(table).pvalue if len(table) > 1 else 1.0
        return effect, float(p_value)

    def kind(self, old: pd.Series, new: pd.Series) -> str:
        """Return categories where a tenth of the texts is new."""
        return "categories" if len(new) and (~new.isin(old.unique())).mean() >= 0.1 else ""


def detector_of(column: pd.Series) -> Detector:
    """Return what compares windows of such a column."""
    return NumberDetector() if pd.api.types.is_numeric_dtype(column) else TextDetector()


def holm(p_values: Sequence[float], level: float) -> list[bool]:
    """Return which hypotheses Holm's procedure rejects."""
    order = np.argsort(p_values)
    rejected = [False] * len(p_values)
    for place, index in enumerate(order):
        if p_values[index] > level / (len(p_values) - place):
            break
        rejected[index] = True
    return rejected


def drift_report(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Return statistic, flag and kind of drift by feature."""
    reference = reference.loc[reference["date"] < current["date"].min()]
    names = features_of(reference)
    names += [name for name in features_of(current) if name not in names]
    outcomes = [_outcome(reference, current, name) for name in names]
    rejected = holm([outcome.p_value for outcome in outcomes], 0.05)
    kinds = [
        outcome.kind or ("values" if significant and outcome.effect > 0.12 else "none")
        for outcome, significant in zip(outcomes, rejected, strict=True)
    ]
    return pd.DataFrame(
        {
            "statistic": [outcome.effect for outcome in outcomes],
            "drifted": [kind != "none" for kind in kinds],
            "kind": kinds,
        },
        index=names,
    )


def _outcome(reference: pd.DataFrame, current: pd.DataFrame, name: str) -> Outcome:
    if name not in reference or name not in current:
        return Outcome(1.0, 0.0, "schema")
    old, new = reference[name], current[name]
    if old.isna().all() or new.isna().all():
        return detector_of(old)(old, new)
    numeric = [pd.api.types.is_numeric_dtype(column) for column in (old, new)]
    return detector_of(old)(old, new) if numeric[0] == numeric[1] else Outcome(1.0, 0.0, "schema")


class Diagnosis:
    """Goes through the causes, each a method, and keeps what it found."""

    EXPERIMENTS: ClassVar[dict[str, str]] = {
        "serving_skew": "rescore", "seasonal": "same_weekdays", "data_defect": "trace_source",
        "delayed_labels": "wait_for_labels", "label_shift": "reweigh_classes",
        "covariate_shift": "reweigh_rows", "concept_change": "refit", "nothing": "none",
    }  # fmt: skip

    def __init__(
        self, reference: pd.DataFrame, window: pd.DataFrame, model: Model
    ) -> None:
        """Compare the window with the same weekdays of what was before it."""
        self.model, self.window = model, window
        before = reference[reference["date"] < window["date"].min()]
        weekdays = window["date"].dt.day_of_week.unique()
        self.few_days = len(weekdays) < 7
        self.reference = before[before["date"].dt.day_of_week.isin(weekdays)]
        self.report = drift_report(self.reference, window)
        self.risk = predict(model, window)
        newest = window["date"] > window["date"].max() - pd.Timedelta(days=7)
        self.newest, self.older = window[newest], window[~newest]
        self.delayed = self._is_delayed()
        self.labelled = self.older if self.delayed else window
        self.labelled = self.labelled[self.labelled["churned"].notna()]

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield what is wrong, likeliest first."""
        checks = {
            "serving_skew": self._skew, "seasonal": self._season, "data_defect": self._defect,
            "delayed_labels": self._delay, "concept_change": self._concept,
            "label_shift": self._label_shift, "covariate_shift": self._shift,
        }  # fmt: skip
        for cause, check in checks.items():
            evidence, features = check()
            if evidence:
                yield {
                    "cause": cause, "features": features, "evidence": evidence,
                    "experiment": self.EXPERIMENTS[cause],
                }  # fmt: skip

    def _skew(self) -> tuple[str, list[str]]:
        off = ((self.risk - self.window["score"]).abs() > 1e-4).mean()
        return (f"{off:.0%} of scores are not the model's" if off > 0.1 else ""), []

    def _season(self) -> tuple[str, list[str]]:
        quiet = self.few_days and not self.report["drifted"].any()
        return ("few weekdays, like those of the reference" if quiet else ""), []

    def _defect(self) -> tuple[str, list[str]]:
        names = [name for name, kind in self.report["kind"].items() if kind not in ("none", "values")]
        return " and ".join(f"{name}: {self.report.loc[name, 'kind']}" for name in names), names

    def _is_delayed(self) -> bool:
        late, before = (part["churned"] for part in (self.newest, self.older))
        lacking = late.notna().mean() < 0.6 * before.notna().mean()
        return bool(lacking and late.mean() > before.mean() + 0.2)

    def _delay(self) -> tuple[str, list[str]]:
        rate = self.newest["churned"].mean()
        return (f"{rate:.0%} of the newest labels are churners" if self.delayed else ""), []

    def _explained(self) -> bool:
        """Whether a defect that the model sees explains what its scores are worth."""
        _, names = self._defect()
        numbers = {name: part["weight"] for name, part in self.model["numbers"].items()}
        texts = {name: any(part.values()) for name, part in self.model["texts"].items()}
        return any({**numbers, **texts}.get(name) for name in names)

    def _auc(self, rows: pd.DataFrame) -> float:
        return float(roc_auc_score(rows["churned"], predict(self.model, rows)))

    def _concept(self) -> tuple[str, list[str]]:
        if self._explained():
            return "", []
        before = self._auc(self.reference[self.reference["churned"].notna()])
        now = self._auc(self.labelled)
        return (f"AUC {now:.2f} after {before:.2f}" if now < before - 0.1 else ""), []

    def _label_shift(self) -> tuple[str, list[str]]:
        before, now = self.reference["churned"].mean(), self.labelled["churned"].mean()
        due = self.risk[self.labelled.index].mean()
        moved = abs(math.log((now / (1 - now)) / (before / (1 - before)))) > 0.45
        unexplained = abs(math.log((now / (1 - now)) / (due / (1 - due)))) > 0.3
        if moved and unexplained and not self._explained() and not self._concept()[0]:
            return f"churn {now:.0%} after {before:.0%}; the model says {due:.0%}", []
        return "", []

    def _shift(self) -> tuple[str, list[str]]:
        names = [str(name) for name in self.report.index[self.report["kind"] == "values"]]
        if self._label_shift()[0]:
            names = []
        return " and ".join(f"{n} by {self.report.loc[n, 'statistic']:.2f}" for n in names), names


def diagnose(
    reference: pd.DataFrame, window: pd.DataFrame, model: Model
) -> list[dict[str, Any]]:
    """Return the causes of what is wrong in a window, likeliest first."""
    window = window.reset_index(drop=True)
    found = list(Diagnosis(reference, window, model).entries())[:3]
    nothing = {"cause": "nothing", "features": [], "evidence": "all is quiet", "experiment": "none"}
    return found or [nothing]


class Monitor:
    """Compares the last three days of one kind with the reference's days of that kind."""

    def __init__(self, reference: pd.DataFrame) -> None:
        """Keep the reference by kind of day."""
        self._names = features_of(reference)
        weekend = is_weekend(reference)
        self._usual = {True: reference[weekend], False: reference[~weekend]}
        self._recent: dict[bool, deque[pd.DataFrame]] = {k: deque(maxlen=2) for k in (True, False)}
        self._quiet_days = {name: 7 for name in self._names}

    def update(self, batch: pd.DataFrame) -> list[str]:
        """Take the log of one day, and return the features whose alert begins."""
        if len(batch) < 20:
            return []
        kind = bool(is_weekend(batch).iloc[0])
        recent = self._recent[kind]
        recent.append(batch[[name for name in self._names if name in batch]])
        window = pd.concat(recent)
        begun = []
        for name in self._names:
            if self._drifted(name, self._usual[kind], window):
                if self._quiet_days[name] >= 7:
                    begun.append(name)
                self._quiet_days[name] = 0
            else:
                self._quiet_days[name] += 1
        return begun

    def _drifted(self, name: str, usual: pd.DataFrame, window: pd.DataFrame) -> bool:
        if name not in window:
            return False
        old, new = usual[name].dropna(), window[name].dropna()
        if old.empty or new.empty:
            return False
        effect, p_value = detector_of(old).test(old, new)
        return effect > 0.2 and p_value < 0.1 / (28 * len(self._names))
