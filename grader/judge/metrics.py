"""Metrics that the judge computes itself, from its own labels and a candidate's raw scores.

Values come from scikit-learn; what is added here is the check of the scores before they get there,
a table of the names that a claim may use, and standard errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn import metrics as sk

from grader.judge.compare import assert_finite

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "KNOWN_METRICS",
    "average_precision",
    "bootstrap_error",
    "recall_at_share",
    "recompute",
    "row_scores",
]

_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class _Metric:
    """How a metric is computed from labels and scores."""

    function: Callable[..., Any]
    decides: bool  # on 0/1 decisions at the threshold, not on the scores


KNOWN_METRICS = {
    "average_precision": _Metric(sk.average_precision_score, decides=False),
    "roc_auc": _Metric(sk.roc_auc_score, decides=False),
    "neg_log_loss": _Metric(lambda y, p: -sk.log_loss(y, p), decides=False),
    "neg_brier_score": _Metric(lambda y, p: -sk.brier_score_loss(y, p), decides=False),
    "f1": _Metric(lambda y, d: sk.f1_score(y, d, zero_division=0.0), decides=True),
    "precision": _Metric(lambda y, d: sk.precision_score(y, d, zero_division=0.0), decides=True),
    "recall": _Metric(lambda y, d: sk.recall_score(y, d, zero_division=0.0), decides=True),
    "accuracy": _Metric(sk.accuracy_score, decides=True),
    "balanced_accuracy": _Metric(sk.balanced_accuracy_score, decides=True),
    "matthews_corrcoef": _Metric(sk.matthews_corrcoef, decides=True),
}
"""Names as scikit-learn's scorers spell them. Decisions are ``score >= 0.5``."""


def row_scores(reply: object, rows: pd.Index[Any], what: str = "predict") -> NDArray[np.float64]:
    """A candidate's scores, one a row, checked before anything is computed from them.

    Args:
        reply: what crossed the wire: a one-dimensional array, a Series, or a list of numbers.
        rows: labels of the rows that were asked for, in their order.
        what: named in messages.

    Returns:
        float64, shape ``(len(rows),)``.

    Raises:
        AssertionError: another kind, shape, length or row order, or a score that is not finite.
    """
    if isinstance(reply, pd.Series) and not reply.index.equals(rows):
        raise AssertionError(f"{what}: the Series has other row labels, or another order")
    return assert_finite(reply, len(rows), what)


def recompute(metric: str, labels: NDArray[np.int64], scores: NDArray[np.float64]) -> float:
    """The value of a named metric.

    Args:
        metric: a key of `KNOWN_METRICS`.
        labels: 0 or 1, shape ``(rows,)``.
        scores: higher means more likely 1, shape ``(rows,)``.

    Raises:
        AssertionError: the name is unknown, or the metric cannot take these scores.
    """
    if metric not in KNOWN_METRICS:
        raise AssertionError(
            f"the metric is called {metric[:80]!r}; known names are {', '.join(KNOWN_METRICS)}"
        )
    known = KNOWN_METRICS[metric]
    given = (scores >= _THRESHOLD).astype("int64") if known.decides else scores
    try:
        return float(known.function(labels, given))
    except ValueError as error:  # scores outside 0-1 for a metric of probabilities
        raise AssertionError(f"{metric} cannot be computed from these scores: {error}") from None


def average_precision(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> float:
    """Average precision, the step-wise area under the precision-recall curve, 0 to 1."""
    return recompute("average_precision", labels, scores)


def recall_at_share(labels: NDArray[np.int64], scores: NDArray[np.float64], share: float) -> float:
    """Share of the positives among the rows with the highest scores.

    Ties at the edge count in proportion, so that the order of equal scores does not matter.

    Args:
        labels: 0 or 1, shape ``(rows,)``.
        scores: shape ``(rows,)``.
        share: how many rows can be looked at, 0 to 1.
    """
    budget = round(share * len(scores))
    edge = np.sort(scores)[::-1][budget - 1]
    above, tied = scores > edge, scores == edge
    part = (budget - int(above.sum())) / int(tied.sum())
    return float((labels[above].sum() + part * labels[tied].sum()) / labels.sum())


def bootstrap_error(
    statistic: Callable[[NDArray[np.intp]], float],
    labels: NDArray[np.int64],
    groups: NDArray[Any],
    rng: np.random.Generator,
    *,
    rounds: int = 60,
) -> float:
    """Standard error of a statistic of labelled rows, by resampling whole groups.

    Rows of one group are not independent, so groups are drawn with replacement (the cluster
    bootstrap; Field and Welsh, "Bootstrapping clustered data", JRSS B 69, 2007).

    Args:
        statistic: its value on a sample; it gets the positions of the sample's rows.
        labels: 0 or 1, shape ``(rows,)``; a sample with one of them alone is left out.
        groups: the group of each row, shape ``(rows,)``.
        rng: source of the draws.
        rounds: number of draws.
    """
    codes, names = pd.factorize(groups)
    rows_of = [np.flatnonzero(codes == code) for code in range(len(names))]
    values = []
    for _ in range(rounds):
        rows = np.concatenate([rows_of[k] for k in rng.integers(0, len(names), len(names))])
        if 0 < labels[rows].sum() < len(rows):
            values.append(statistic(rows))
    return float(np.std(values)) if values else float("nan")
