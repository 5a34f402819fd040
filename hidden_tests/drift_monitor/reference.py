"""The judge's own metrics and distances, which the tests compare with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = [
    "slice", "value", "rows", "labelled", "churners", "auc", "precision", "recall", "low", "high",
    "enough",
]  # fmt: skip
ENOUGH = 10
NORMAL = 1.959963984540054


def evaluate(log: pd.DataFrame, slices: Sequence[str], threshold: float) -> pd.DataFrame:
    """Metrics of all rows, then by slice, as the task sheet has them; the interval is Wilson's."""
    groups = [("all", "all", log)]
    for name in slices:
        parts = {str(value): part for value, part in log.groupby(name)}
        groups += [(name, text, parts[text]) for text in sorted(parts)]
        if log[name].isna().any():
            groups.append((name, "(missing)", log[log[name].isna()]))
    return pd.DataFrame(
        [
            {"slice": name, "value": value, **_measured(part, threshold)}
            for name, value, part in groups
        ],
        columns=COLUMNS,
    )


def _measured(part: pd.DataFrame, threshold: float) -> dict[str, Any]:
    known = part[part["churned"].notna()]
    churned = known["churned"].to_numpy() == 1.0
    score = known["score"].to_numpy()
    positives, others = int(churned.sum()), int((~churned).sum())
    row: dict[str, Any] = {
        "rows": len(part), "labelled": len(known), "churners": positives,
        **dict.fromkeys(("auc", "precision", "recall", "low", "high"), math.nan), "enough": False,
    }  # fmt: skip
    if min(positives, others) < ENOUGH:
        return row
    flagged = score >= threshold
    hits = int((flagged & churned).sum())
    low, high = wilson(hits, positives)
    return row | {
        "auc": _auc(score[churned], score[~churned]),
        "precision": hits / int(flagged.sum()) if flagged.any() else math.nan,
        "recall": hits / positives, "low": low, "high": high, "enough": True,
    }  # fmt: skip


def _auc(churners: Any, others: Any) -> float:
    ordered = np.sort(others)
    below = np.searchsorted(ordered, churners, side="left")
    equal = np.searchsorted(ordered, churners, side="right") - below
    return float((below + equal / 2).sum() / (len(churners) * len(others)))


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share, square = hits / count, NORMAL**2
    centre = (share + square / (2 * count)) / (1 + square / count)
    root = math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    half = NORMAL * root / (1 + square / count)
    return centre - half, centre + half


def distance(reference: pd.Series, current: pd.Series) -> float:
    """The distance of the task sheet between two windows of one feature."""
    old, new = reference.dropna(), current.dropna()
    if old.empty or new.empty:
        return 0.0
    if pd.api.types.is_numeric_dtype(reference):
        ordered, other = np.sort(old.to_numpy(float)), np.sort(new.to_numpy(float))
        points = np.concatenate([ordered, other])
        gaps = np.searchsorted(ordered, points, side="right") / len(ordered)
        gaps -= np.searchsorted(other, points, side="right") / len(other)
        return float(np.abs(gaps).max())
    shares = pd.concat([old.value_counts(normalize=True), new.value_counts(normalize=True)], axis=1)
    filled = shares.fillna(0.0)
    return float((filled.iloc[:, 0] - filled.iloc[:, 1]).abs().sum() / 2)


def distances(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, float]:
    """That of every feature."""
    names = [name for name in reference.columns if name not in ("date", "score", "churned")]
    return {name: distance(reference[name], current[name]) for name in names}
