"""Scores are checked, and metrics are those of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from grader.judge.metrics import (
    KNOWN_METRICS,
    average_precision,
    bootstrap_error,
    recall_at_share,
    recompute,
    row_scores,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROWS = pd.Index([7, 3, 9])


# Scores of rows.


@pytest.mark.parametrize(
    "reply",
    [
        np.array([0.1, 0.2, 0.3]),
        np.array([0.1, 0.2, 0.3], dtype="float32"),
        [0.1, 0.2, 0.3],
        (0.1, 0.2, 0.3),
        pd.Series([0.1, 0.2, 0.3], index=ROWS),
    ],
)
def test_one_number_a_row(reply: object) -> None:
    found = row_scores(reply, ROWS)

    assert found.dtype == np.float64
    assert found == pytest.approx([0.1, 0.2, 0.3])


def test_whole_numbers_are_scores() -> None:
    assert row_scores(np.array([0, 1, 1]), ROWS).tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "reply",
    [
        None,
        0.5,
        "0.1 0.2 0.3",
        {7: 0.1, 3: 0.2, 9: 0.3},
        np.array([0.1, 0.2]),
        np.array([0.1, 0.2, 0.3, 0.4]),
        np.array([[0.1], [0.2], [0.3]]),
        np.array([[0.1, 0.2, 0.3]]),
        np.array(["a", "b", "c"]),
        np.array([0.1, np.nan, 0.3]),
        np.array([0.1, np.inf, 0.3]),
        [0.1, None, 0.3],
        pd.DataFrame({"score": [0.1, 0.2, 0.3]}, index=ROWS),
    ],
)
def test_everything_else_is_none(reply: object) -> None:
    with pytest.raises(AssertionError):
        row_scores(reply, ROWS)


@pytest.mark.parametrize("index", [[3, 7, 9], [0, 1, 2], [7, 3]])
def test_a_series_must_have_the_labels_of_the_rows_in_their_order(index: list[int]) -> None:
    reply = pd.Series(np.linspace(0, 1, len(index)), index=index)

    with pytest.raises(AssertionError, match="other row labels, or another order"):
        row_scores(reply, ROWS)


# Metrics.


def _case(seed: int = 0, rows: int = 400) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    labels = (rng.uniform(size=rows) < 0.2).astype("int64")
    scores = np.clip(0.3 * labels + rng.uniform(0, 0.7, rows), 0, 1).round(2)
    return labels, scores


@pytest.mark.parametrize("name", sorted(KNOWN_METRICS))
def test_a_metric_is_what_the_scorer_of_that_name_computes(name: str) -> None:
    labels, scores = _case()
    scorer = sk.get_scorer(name)
    decided = (scores >= 0.5).astype("int64")
    given = decided if KNOWN_METRICS[name].decides else scores

    value = recompute(name, labels, scores)

    assert value == pytest.approx(scorer._sign * scorer._score_func(labels, given))


def test_a_score_of_a_half_is_a_decision_for_one() -> None:
    assert recompute("recall", np.array([1, 1]), np.array([0.5, 0.4999])) == 0.5


@pytest.mark.parametrize("name", ["f1", "precision", "recall"])
def test_a_model_that_finds_nothing_scores_zero(name: str) -> None:
    assert recompute(name, np.array([0, 1]), np.zeros(2)) == 0.0


@pytest.mark.parametrize("name", ["AP", "", "pr_auc", "Average_Precision", "x" * 500])
def test_an_unknown_name_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(AssertionError, match="known names are average_precision, roc_auc") as found:
        recompute(name, *_case())

    assert len(str(found.value)) < 400


@pytest.mark.parametrize("name", ["neg_log_loss", "neg_brier_score"])
def test_a_metric_of_probabilities_refuses_other_scores(name: str) -> None:
    labels, scores = _case()

    with pytest.raises(AssertionError, match=f"{name} cannot be computed from these scores"):
        recompute(name, labels, scores * 7 - 3)


def test_average_precision_of_a_worked_example() -> None:
    labels, scores = np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.6, 0.8])

    assert average_precision(labels, scores) == pytest.approx((1 + 2 / 3) / 2)


def test_average_precision_of_one_score_for_all_is_the_prevalence() -> None:
    labels, _ = _case()

    assert average_precision(labels, np.zeros(len(labels))) == pytest.approx(labels.mean())


# Recall among the highest scores.


def test_the_highest_scores_are_looked_at() -> None:
    labels = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 1])
    scores = np.array([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]) / 10

    assert recall_at_share(labels, scores, 0.1) == pytest.approx(1 / 3)
    assert recall_at_share(labels, scores, 0.3) == pytest.approx(2 / 3)
    assert recall_at_share(labels, scores, 1.0) == 1.0


def test_ties_at_the_edge_count_in_proportion() -> None:
    labels = np.array([1, 0, 1, 0, 0])
    scores = np.array([0.9, 0.5, 0.5, 0.5, 0.1])

    assert recall_at_share(labels, scores, 0.4) == pytest.approx((1 + 1 / 3) / 2)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 1.0])
def test_one_score_for_all_rows_finds_the_share_that_is_looked_at(share: float) -> None:
    labels, _ = _case()

    assert recall_at_share(labels, np.zeros(len(labels)), share) == pytest.approx(share)


def test_the_order_of_the_rows_does_not_matter() -> None:
    labels, scores = _case()
    order = np.random.default_rng(1).permutation(len(labels))

    turned = recall_at_share(labels[order], scores[order], 0.05)

    assert turned == pytest.approx(recall_at_share(labels, scores, 0.05))


# Standard errors.


def _of(metric: str, labels: Any, scores: Any) -> Callable[[Any], float]:
    return lambda rows: recompute(metric, labels[rows], scores[rows])


@pytest.mark.slow
def test_the_error_of_a_share_is_that_of_the_textbook() -> None:
    """Recall at a threshold, each row a group of its own: ``sqrt(p (1 - p) / positives)``."""
    rng = np.random.default_rng(0)
    labels = np.ones(2000, dtype="int64")
    labels[:200] = 0
    scores = (rng.uniform(size=2000) < 0.3).astype(float)

    error = bootstrap_error(
        _of("recall", labels, scores), labels, np.arange(2000), np.random.default_rng(1), rounds=400
    )

    assert error == pytest.approx(np.sqrt(0.3 * 0.7 / 1800), rel=0.15)


@pytest.mark.slow
def test_rows_of_one_group_are_drawn_together() -> None:
    """Sixteen equal rows a group have the error of one: four times that of single rows."""
    rng = np.random.default_rng(2)
    labels = np.repeat((np.arange(150) % 10 > 0).astype("int64"), 16)
    scores = np.repeat((rng.uniform(size=150) < 0.5).astype(float), 16)
    rows = np.arange(len(labels))

    recall = _of("recall", labels, scores)
    single = bootstrap_error(recall, labels, rows, np.random.default_rng(3), rounds=300)
    grouped = bootstrap_error(recall, labels, rows // 16, np.random.default_rng(3), rounds=300)

    assert grouped / single == pytest.approx(4.0, rel=0.2)


def test_the_same_generator_gives_the_same_error() -> None:
    labels, scores = _case()
    groups = np.char.add("g", (np.arange(400) // 8).astype(str))

    precision = _of("average_precision", labels, scores)
    errors = {
        bootstrap_error(precision, labels, groups, np.random.default_rng(4)) for _ in range(2)
    }

    assert len(errors) == 1


def test_labels_of_one_kind_have_no_error() -> None:
    scores = np.linspace(0, 1, 10)

    labels = np.zeros(10, dtype="int64")
    precision = _of("average_precision", labels, scores)
    error = bootstrap_error(precision, labels, np.arange(10), np.random.default_rng(0))

    assert np.isnan(error)
