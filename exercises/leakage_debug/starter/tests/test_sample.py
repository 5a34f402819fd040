"""Form only: these tests pass on many wrong solutions, too. The hidden ones look for leaks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import solution

DATA = Path(__file__).resolve().parent.parent / "data" / "payments.csv"


@pytest.fixture(scope="module")
def payments():
    frame = pd.read_csv(DATA, index_col="payment_id", parse_dates=["paid_at"])
    cards = frame["card_id"].unique()[:110]
    return frame[frame["card_id"].isin(cards)]


@pytest.fixture(scope="module")
def folds(payments):
    return solution.split(payments)


@pytest.fixture(scope="module")
def result(payments, folds):
    return solution.run(payments, folds)


def test_split_gives_row_labels(payments, folds):
    for train_ids, test_ids in folds:
        assert set(train_ids) <= set(payments.index)
        assert set(test_ids) <= set(payments.index)


def test_test_payments_come_after_training(payments, folds):
    for train_ids, test_ids in folds:
        assert payments.loc[train_ids, "paid_at"].max() < payments.loc[test_ids, "paid_at"].min()


def test_run_reports_the_folds_it_was_given(folds, result):
    assert len(result["folds"]) == len(folds)
    for fold, (train_ids, test_ids) in zip(result["folds"], folds, strict=True):
        assert sorted(fold["train_ids"]) == sorted(train_ids)
        assert sorted(fold["test_ids"]) == sorted(test_ids)


def test_the_metric_is_one_that_the_sheet_allows(result):
    assert result["metric"] in {"average_precision", "roc_auc", "f1"}


def test_predict_scores_raw_rows(payments, result):
    rows = payments.head(20).drop(columns="is_fraud").assign(review_minutes=np.nan)
    scores = np.asarray(solution.predict(result["folds"][0]["model"], rows))
    assert scores.shape == (20,)
    assert np.isfinite(scores).all()
