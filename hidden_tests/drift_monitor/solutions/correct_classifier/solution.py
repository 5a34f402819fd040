"""Drift by classifiers: can a small tree tell from one feature which window a row is from?"""

from __future__ import annotations

import math
import warnings
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SAMPLE = 800
LEAST_AUC = 0.58


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


def feature_names(*logs: pd.DataFrame) -> list[str]:
    """Return the features of all logs, each once."""
    names = dict.fromkeys(name for log in logs for name in log.columns)
    return [name for name in names if name not in ("date", "score", "churned")]


@dataclass
class Row:
    """A row of the table of metrics."""

    slice: str
    value: str
    rows: int
    labelled: int
    churners: int
    auc: float = math.nan
    precision: float = math.nan
    recall: float = math.nan
    low: float = math.nan
    high: float = math.nan
    enough: bool = False


def evaluate(log: pd.DataFrame, slices: Sequence[str], threshold: float) -> pd.DataFrame:
    """Return metrics of all rows and of each value of the columns in `slices`."""
    rows = [measure("all", "all", log, threshold)]
    for name in slices:
        text = log[name].astype(object).map(str, na_action="ignore")
        rows += [measure(name, value, log[text == value], threshold)
                 for value in sorted(text.dropna().unique())]
        if text.isna().any():
            rows.append(measure(name, "(missing)", log[text.isna()], threshold))
    return pd.DataFrame([asdict(row) for row in rows])


def measure(name: str, value: str, log: pd.DataFrame, threshold: float) -> Row:
    """Return the metrics of one group."""
    known = log[log["churned"].notna()]
    y, score = known["churned"].to_numpy() == 1, known["score"].to_numpy()
    row = Row(name, value, len(log), len(known), int(y.sum()))
    if min(y.sum(), (~y).sum()) < 10:
        return row
    flagged = score >= threshold
    row.enough = True
    row.auc = float(roc_auc_score(y, score))
    row.recall = float(flagged[y].mean())
    if flagged.any():
        row.precision = float(y[flagged].mean())
    row.low, row.high = arcsine_interval(row.recall, row.churners)
    return row


def arcsine_interval(share: float, count: int) -> tuple[float, float]:
    """Return a 95 % interval of a share on the scale on which its variance is constant."""
    angle = math.asin(math.sqrt((share * count + 0.375) / (count + 0.75)))
    half = 1.96 / (2 * math.sqrt(count + 0.5))
    low, high = max(0.0, angle - half), min(math.pi / 2, angle + half)
    return math.sin(low) ** 2, math.sin(high) ** 2


def drift_report(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Return the classifier's AUC, flag and kind of each feature."""
    reference = reference[reference["date"] < current["date"].min()]
    names = feature_names(reference, current)
    found = [compare(reference.get(name), current.get(name)) for name in names]
    return pd.DataFrame(
        {
            "statistic": [auc for auc, _ in found],
            "drifted": [kind != "none" for _, kind in found],
            "kind": [kind for _, kind in found],
        },
        index=names,
    )


def is_number(column: pd.Series) -> bool:
    """Return whether a feature is a number."""
    return pd.api.types.is_numeric_dtype(column)


def both_known(old: pd.Series, new: pd.Series) -> bool:
    """Return whether either window has a value; a column without one is number and text."""
    return bool(old.notna().any() and new.notna().any())


def compare(old: pd.Series | None, new: pd.Series | None) -> tuple[float, str]:
    """Return by how much a tree tells the windows apart, and the kind of the drift."""
    if old is None or new is None or is_number(old) != is_number(new) and both_known(old, new):
        return 1.0, "schema"
    missing = [column.isna().mean() for column in (old, new)]
    old, new = old.dropna(), new.dropna()
    auc = told_apart(old, new)
    if abs(missing[0] - missing[1]) >= 0.1:
        return auc, "missing"
    if old.empty or new.empty:
        return auc, "none"
    return auc, (number_kind if is_number(old) else text_kind)(old, new) or (
        "values" if auc > LEAST_AUC + chance(len(old), len(new)) else "none"
    )


def number_kind(old: pd.Series, new: pd.Series) -> str:
    """Return default or scale where one of them fits."""
    value, count = next(iter(new.value_counts().items()))
    if count >= 0.2 * len(new) and (old == value).sum() < 0.01 * len(old):
        return "default"
    small, large = sorted((old.median(), new.median()))
    return "scale" if large >= 5 * small else ""


def text_kind(old: pd.Series, new: pd.Series) -> str:
    """Return categories where that fits."""
    return "categories" if (~new.isin(set(old))).mean() >= 0.1 else ""


def chance(before: int, after: int) -> float:
    """Return three standard errors of the AUC of a coin, beyond a sample of rows."""
    before, after = min(before, SAMPLE), min(after, SAMPLE)
    return 3 * math.sqrt((before + after + 1) / (12 * before * after)) - 0.04


def told_apart(old: pd.Series, new: pd.Series) -> float:
    """Return the cross-validated AUC of a tree on one feature; 0.5 is not at all."""
    if old.empty or new.empty:
        return 0.5
    rng = np.random.default_rng(11)
    parts = [_sampled(column, rng) for column in (old, new)]
    if not is_number(old):
        codes = {text: place for place, text in enumerate(sorted({*parts[0], *parts[1]}))}
        parts = [np.array([codes[text] for text in part]) for part in parts]
        x = np.eye(len(codes))[np.concatenate(parts)]
    else:
        x = np.concatenate(parts).astype(float)[:, None]
    y = np.repeat([0, 1], [len(part) for part in parts])
    fold = rng.permutation(len(y)) % 2
    aucs = []
    for held in (0, 1):
        tree = DecisionTreeClassifier(max_leaf_nodes=6, min_samples_leaf=20, class_weight="balanced")
        tree.fit(x[fold != held], y[fold != held])
        chances = tree.predict_proba(x[fold == held])[:, -1]
        aucs.append(roc_auc_score(y[fold == held], chances))
    return float(max(0.5, np.mean(aucs)))


def _sampled(column: pd.Series, rng: np.random.Generator) -> NDArray[Any]:
    values = column.to_numpy(float if is_number(column) else object)
    return values if len(values) <= SAMPLE else rng.choice(values, SAMPLE, replace=False)


@dataclass
class Entry:
    """One cause of a diagnosis."""

    cause: str
    evidence: str
    experiment: str
    features: list[str] = field(default_factory=list)


def diagnose(
    reference: pd.DataFrame, window: pd.DataFrame, model: Model
) -> list[dict[str, Any]]:
    """Return the causes of what is wrong in a window, likeliest first."""
    window = window.reset_index(drop=True)
    reference = reference[reference["date"] < window["date"].min()]
    days = sorted(window["date"].dt.day_of_week.unique())
    usual = reference[reference["date"].dt.day_of_week.isin(days)]
    report = drift_report(usual, window)
    entries = []
    risk = predict(model, window)
    off = ~np.isclose(risk, window["score"], atol=1e-5, rtol=0)
    if off.mean() > 0.1:
        entries.append(Entry("serving_skew", f"{off.mean():.0%} of scores are off", "rescore"))
    if len(days) < 5 and not report["drifted"].any():
        entries.append(Entry("seasonal", f"only weekdays {days}", "same_weekdays"))
    broken = report[report["drifted"] & (report["kind"] != "values")]
    if len(broken):
        evidence = " and ".join(f"{name}: {kind}" for name, kind in broken["kind"].items())
        entries.append(Entry("data_defect", evidence, "trace_source", list(broken.index)))
    recent = window["date"] >= window["date"].max() - pd.Timedelta(days=6)
    evidence = labels_come_late(window["churned"], recent)
    if evidence:
        entries.append(Entry("delayed_labels", evidence, "wait_for_labels"))
    labelled = window[window["churned"].notna() & ~(recent & bool(evidence))]
    change = None
    if not any(is_used(model, name) for name in broken.index):
        change = risk_changed(labelled, risk[labelled.index])
        if change:
            entries.append(change)
    moved = report[report["kind"] == "values"]
    if len(moved) and (change is None or change.cause != "label_shift"):
        evidence = " and ".join(f"{name}: AUC {auc:.2f}" for name, auc in moved["statistic"].items())
        entries.append(Entry("covariate_shift", evidence, "reweigh_rows", list(moved.index)))
    entries = entries or [Entry("nothing", "no tree tells the windows apart", "none")]
    return [asdict(entry) for entry in entries[:3]]


def labels_come_late(label: pd.Series, recent: pd.Series) -> str:
    """Return the evidence that recent labels are mostly churners', or nothing."""
    arrived = [label[part].notna().mean() for part in (recent, ~recent)]
    churn = [label[part].mean() for part in (recent, ~recent)]
    if arrived[0] < 0.6 * arrived[1] and churn[0] - churn[1] > 0.15:
        return f"{arrived[0]:.0%} of recent labels came, {churn[0]:.0%} churners"
    return ""


def is_used(model: Model, name: str) -> bool:
    """Return whether a feature moves the model's risk."""
    weights = model["texts"].get(name, {"": 0.0})
    return any([model["numbers"].get(name, {"weight": 0.0})["weight"], *weights.values()])


def risk_changed(labelled: pd.DataFrame, risk: pd.Series) -> Entry | None:
    """Refit on the window: a model that is much better there has learned another concept."""
    names = feature_names(labelled)
    numbers = [name for name in names if is_number(labelled[name]) and labelled[name].notna().any()]
    texts = [name for name in names if not is_number(labelled[name])]
    refit = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore"), texts),
        ),
        LogisticRegression(max_iter=200),
    )
    y = labelled["churned"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fresh = cross_val_predict(refit, labelled[names], y, cv=3, method="predict_proba")[:, 1]
    aucs = roc_auc_score(y, risk), roc_auc_score(y, fresh)
    if aucs[1] > aucs[0] + 0.07:
        return Entry("concept_change", f"AUC {aucs[0]:.2f}, refitted {aucs[1]:.2f}", "refit")
    odds = [math.log(rate / (1 - rate)) for rate in (y.mean(), risk.mean())]
    error = math.sqrt((risk * (1 - risk)).sum()) / len(risk)
    if abs(odds[0] - odds[1]) > 0.25 and abs(y.mean() - risk.mean()) > 4.5 * error:
        evidence = f"{y.mean():.0%} churn, {risk.mean():.0%} by the risk, in the same order"
        return Entry("label_shift", evidence, "reweigh_classes")
    return None


class Monitor:
    """Asks a tree each day; alerts where it has told a day apart twice in three days."""

    LEAST = 0.63

    def __init__(self, reference: pd.DataFrame) -> None:
        """Keep the reference's rows by kind of day."""
        self._names = feature_names(reference)
        weekend = reference["date"].dt.day_of_week.ge(5)
        self._usual = {kind: reference.loc[weekend == kind, self._names] for kind in (True, False)}
        self._seen: dict[str, list[bool]] = {name: [] for name in self._names}
        self._silent: set[str] = set()

    def update(self, batch: pd.DataFrame) -> list[str]:
        """Take the log of one day, and return the features whose alert begins."""
        if len(batch) < 60:
            return []
        usual = self._usual[bool(batch["date"].dt.day_of_week.ge(5).iloc[0])]
        begun = []
        for name in self._names:
            seen = self._seen[name] = [*self._seen[name], self._odd(usual, batch, name)][-7:]
            if len(seen) == 7 and not any(seen):
                self._silent.discard(name)
            if sum(seen[-3:]) >= 2 and name not in self._silent:
                self._silent.add(name)
                begun.append(name)
        return begun

    def _odd(self, usual: pd.DataFrame, batch: pd.DataFrame, name: str) -> bool:
        if name not in batch:
            return False
        return told_apart(usual[name].dropna(), batch[name].dropna()) > self.LEAST
