"""Fraud model that carries its evaluation along, for the model registry."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_score, recall_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

TARGET = "is_fraud"
NUMERIC = [
    "amount_eur",
    "minutes_since_last",
    "distance_km",
    "device_age_days",
    "card_age_days",
    "failed_pins_24h",
    "credit_limit_eur",
]
CATEGORICAL = ["merchant_category", "channel", "country"]
REVIEW_SHARE = 0.05


@dataclass
class Bundle:
    """A fitted pipeline and what is known about it.

    Nothing below ``pipeline`` is used for scoring.
    """

    pipeline: Pipeline
    trained_on: int
    evaluation: dict[str, float] = field(default_factory=dict)
    test_ids: list[int] = field(default_factory=list)
    alert_rate: float = float("nan")
    capture_rate: float = float("nan")
    median_amount_caught: float = float("nan")
    hourly_alerts: np.ndarray | None = None


def split(df: pd.DataFrame) -> list[tuple[list[int], list[int]]]:
    """Payments before the cut, and later payments of cards that start after it."""
    cut = df["paid_at"].quantile(0.6)
    start = df.groupby("card_id")["paid_at"].transform("min")
    return [(df.index[df["paid_at"] < cut].tolist(), df.index[start >= cut].tolist())]


def build_pipeline() -> Pipeline:
    """Preprocessing and classifier in one object."""
    numeric = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = make_column_transformer(
        (numeric, NUMERIC), (OneHotEncoder(handle_unknown="ignore"), CATEGORICAL)
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000))


def evaluate(bundle: Bundle, test: pd.DataFrame) -> float:
    """Note on the bundle how it does on its test rows; gives the average precision."""
    scores = predict(bundle, test.drop(columns=TARGET))
    limit = np.quantile(scores, 1 - REVIEW_SHARE)
    alerts = scores >= limit
    caught = test.loc[alerts & (test[TARGET] == 1), "amount_eur"]
    test_score = float(average_precision_score(test[TARGET], scores))
    bundle.evaluation = {
        "average_precision": test_score,
        "precision_at_5pct": float(precision_score(test[TARGET], alerts)),
        "recall_at_5pct": float(recall_score(test[TARGET], alerts)),
        "mean_score": float(scores.mean()),
        "limit": float(limit),
    }
    bundle.test_ids = test.index.tolist()
    bundle.alert_rate = float((scores >= 0.3).mean())
    bundle.capture_rate = float(test.loc[scores >= 0.3, TARGET].sum() / test[TARGET].sum())
    bundle.median_amount_caught = float(caught.median())
    bundle.hourly_alerts = np.bincount(test.loc[alerts, "paid_at"].dt.hour, minlength=24)
    return test_score


def run(df: pd.DataFrame, folds: list[tuple[list[int], list[int]]]) -> dict:
    """Fit on training rows, evaluate on test rows, keep both in the bundle."""
    results = []
    for train_ids, test_ids in folds:
        train = df.loc[train_ids]
        bundle = Bundle(build_pipeline().fit(train, train[TARGET]), trained_on=len(train))
        test_score = evaluate(bundle, df.loc[test_ids])
        results.append(
            {
                "train_ids": train_ids,
                "test_ids": test_ids,
                "model": bundle,
                "test_score": test_score,
            }
        )
    value = sum(result["test_score"] for result in results) / len(results)
    return {"folds": results, "metric": "average_precision", "value": value}


def predict(model: Bundle, raw_df: pd.DataFrame) -> np.ndarray:
    """Probability of fraud for each row."""
    return model.pipeline.predict_proba(raw_df)[:, 1]


def main() -> None:
    """Evaluate on the shipped history."""
    path = Path(__file__).parent / "data" / "payments.csv"
    df = pd.read_csv(path, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(f"{result['metric']}: {result['value']:.3f}")
    print(result["folds"][-1]["model"].evaluation)


if __name__ == "__main__":
    main()
